// AUTHENTICATE_MESSAGE [MS-NLMP] 2.2.1.3, and the responses inside it.
#pragma once

#include "mech/wire/target_info.h"
#include "mech/wire/types.h"

namespace gssntlm {

/// Sizes of the parts of an NTLMv2_RESPONSE [MS-NLMP] 2.2.2.7, 2.2.2.8.
inline constexpr std::size_t kNtProofSize = 16;
inline constexpr std::size_t kClientChallengeHeadSize = 28;
inline constexpr std::size_t kV1ResponseSize = 24;

/// NTLMv2_CLIENT_CHALLENGE, decoded from an NT response longer than 24 bytes.
struct V2ClientChallenge {
  std::uint64_t timestamp = 0;  ///< FILETIME
  std::array<std::uint8_t, 8> client_challenge{};
  TargetInfo target_info;
  ByteView av_pairs;  ///< all bytes from the first pair to the end of the response
};

struct AuthenticateMessage {
  Flags flags = 0;  ///< 0 in messages of Windows 9x, which end before them
  bool has_flags = false;
  ByteView lm_response;  ///< 0, 1 or 24 bytes
  ByteView nt_response;  ///< 0, 24, or an NTLMv2_RESPONSE
  ByteView domain;       ///< names: UTF-16LE or OEM, as was agreed
  ByteView user;
  ByteView workstation;
  ByteView session_key;  ///< EncryptedRandomSessionKey
  std::optional<Version> version;
  std::optional<V2ClientChallenge> v2;
  /// Where the MIC is, if the NTLMv2 response announces one [MS-NLMP] 3.2.5.1.2.
  std::optional<std::size_t> mic_at;

  /// Anonymous form [MS-NLMP] 3.2.5.1.2: no user, no NT response, LM empty or one zero byte.
  [[nodiscard]] bool is_anonymous() const noexcept;
};

/// Accepts fixed parts of 52 (no key, no flags), 64, 72, 80 (MIC without Version) and 88 bytes.
/// Views point into `token`. With `oem_agreed` names may have odd sizes whatever the flags claim:
/// some clients answer an OEM challenge in OEM and set UNICODE. Errors (DEFECTIVE_TOKEN): kNotNtlm,
/// kWrongMessage, kTooLong, kTruncated (also a MIC announced and not there), kFieldOutOfBounds
/// (also a payload over the header or MIC), kBadString (odd Unicode names), kBadResponse
/// (impossible lengths), kResponseVersion, kBadAvPairs.
[[nodiscard]] Result<AuthenticateMessage> decode_authenticate(ByteView token,
                                                              bool oem_agreed = false) noexcept;

/// What encode_authenticate() writes. With `mic` 88 bytes of fixed part and room for it, zero; else
/// 72 with `version`, else 64.
struct AuthenticateFields {
  Flags flags = 0;
  ByteView lm_response;
  ByteView nt_response;
  ByteView domain;
  ByteView user;
  ByteView workstation;
  ByteView session_key;
  std::optional<Version> version;
  bool mic = false;
};

/// Offset of the flags in a message that has them.
inline constexpr std::size_t kAuthenticateFlagsOffset = 60;

/// Offset of the MIC in a message of encode_authenticate() with `version` and `mic` given.
inline constexpr std::size_t kMicOffset = 72;

/// Payload in Windows' order: names, LM, NT, key. Error: kTooLong. Throws std::bad_alloc.
[[nodiscard]] Result<Buffer> encode_authenticate(const AuthenticateFields& fields);

}  // namespace gssntlm
