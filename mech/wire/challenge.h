// CHALLENGE_MESSAGE [MS-NLMP] 2.2.1.2.
#pragma once

#include "mech/wire/types.h"

namespace gssntlm {

struct ChallengeMessage {
  Flags flags = 0;
  std::array<std::uint8_t, 8> server_challenge{};
  ByteView target_name;  ///< UTF-16LE if kUnicode is set, else OEM
  ByteView target_info;  ///< AV pairs, see decode_target_info; empty when not sent
  std::optional<Version> version;
};

/// Accepts fixed parts of 32, 48 and 56 bytes. TargetInfo is taken if its field is there and not
/// empty, whatever the flags say. Views point into `token`. The AV pairs have been checked, the
/// charset has not (check_charset). Errors (DEFECTIVE_TOKEN): kNotNtlm, kWrongMessage, kTooLong,
/// kTruncated, kFieldOutOfBounds, kBadString, kBadAvPairs.
[[nodiscard]] Result<ChallengeMessage> decode_challenge(ByteView token) noexcept;

/// The server's challenge of a token whose rest is not checked. Errors (DEFECTIVE_TOKEN): kNotNtlm,
/// kWrongMessage, kTruncated.
[[nodiscard]] Result<std::array<std::uint8_t, 8>> peek_server_challenge(ByteView token) noexcept;

/// 56 bytes, TargetName, TargetInfo; 48 bytes of fixed part without Version.
/// Error: kTooLong. Throws std::bad_alloc.
[[nodiscard]] Result<Buffer> encode_challenge(const ChallengeMessage& message);

}  // namespace gssntlm
