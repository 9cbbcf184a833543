// The frame around what is exported: what it is, which version, and that it came whole.
#pragma once

#include "mech/base/archive.h"
#include "mech/base/status.h"

namespace gssntlm::spi {

/// What a token holds; its first 8 bytes say so.
enum class TokenKind : std::uint8_t { kContext, kCredential };

/// Frames `body`: 8 bytes of kind, version, body, CRC-32. The CRC finds damage, not malice.
/// Throws std::bad_alloc.
[[nodiscard]] Buffer frame_token(TokenKind kind, const Serializer& body);

/// The body of a token of that kind and of our version. Error: DEFECTIVE_TOKEN kImport.
[[nodiscard]] Result<ByteView> unframe_token(TokenKind kind, ByteView token) noexcept;

}  // namespace gssntlm::spi
