#include "mech/spi/token.h"

#include <algorithm>

#include "mech/crypto/primitives.h"

namespace gssntlm::spi {
namespace {

constexpr std::size_t kMagicSize = 8;
constexpr std::size_t kChecksumSize = 4;
constexpr std::uint8_t kVersion = 1;
// Nothing that this mechanism exports comes near it.
constexpr std::size_t kMaxSize = std::size_t{64} << 20;

ByteView magic_of(TokenKind kind) noexcept {
  return as_bytes(kind == TokenKind::kContext ? "ntlm-ctx" : "ntlm-crd");
}

}  // namespace

Buffer frame_token(TokenKind kind, const Serializer& body) {
  const ByteView bytes = body.view();
  Buffer token(kMagicSize + 1 + bytes.size() + kChecksumSize);
  const MutableBytes out = token.bytes();
  const ByteView magic = magic_of(kind);
  std::copy(magic.begin(), magic.end(), out.begin());
  out[kMagicSize] = kVersion;
  std::copy(bytes.begin(), bytes.end(), out.begin() + kMagicSize + 1);
  const std::size_t checked = out.size() - kChecksumSize;
  store_le32(&out[checked], crc32(out.first(checked)));
  return token;
}

Result<ByteView> unframe_token(TokenKind kind, ByteView token) noexcept {
  const Error bad = defective(Minor::kImport);
  if (token.size() < kMagicSize + 1 + kChecksumSize || token.size() > kMaxSize ||
      !same_bytes(token.first(kMagicSize), magic_of(kind)) || token[kMagicSize] != kVersion) {
    return bad;
  }
  const ByteView checked = token.first(token.size() - kChecksumSize);
  if (load_le32(token.last(kChecksumSize).data()) != crc32(checked)) {
    return bad;
  }
  return checked.subspan(kMagicSize + 1);
}

}  // namespace gssntlm::spi
