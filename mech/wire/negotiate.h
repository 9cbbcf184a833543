// NEGOTIATE_MESSAGE [MS-NLMP] 2.2.1.1.
#pragma once

#include "mech/wire/types.h"

namespace gssntlm {

struct NegotiateMessage {
  Flags flags = 0;
  ByteView domain;       ///< OEM; kOemDomainSupplied says whether it was sent
  ByteView workstation;  ///< OEM; kOemWorkstationSupplied says whether it was sent
  std::optional<Version> version;
};

/// Accepts 16 bytes (no names), 32 (no Version) and more, and names that lie over the fields, as
/// Heimdal sends them. Views point into `token`; the charset is not looked at (check_charset).
/// Errors (DEFECTIVE_TOKEN): kNotNtlm, kWrongMessage, kTooLong, kTruncated, kFieldOutOfBounds.
[[nodiscard]] Result<NegotiateMessage> decode_negotiate(ByteView token) noexcept;

/// 40 bytes and the names, or 32 bytes without Version. The flags say which names are sent.
/// Error: kTooLong. Throws std::bad_alloc.
[[nodiscard]] Result<Buffer> encode_negotiate(const NegotiateMessage& message);

}  // namespace gssntlm
