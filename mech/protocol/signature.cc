#include "mech/protocol/signature.h"

#include <algorithm>

#include "mech/base/secret.h"
#include "mech/crypto/primitives.h"

namespace gssntlm {
namespace {

constexpr std::size_t kChecksumSize = 8;
constexpr std::size_t kLegacySignatureStream = 12;

// [MS-NLMP] 3.4.4.2.
std::array<std::uint8_t, kChecksumSize> pass_message(const SignatureKeys& keys,
                                                     std::span<const MessagePart> parts,
                                                     std::uint32_t sequence,
                                                     bool opening) noexcept {
  SealPass pass(*keys.mac, keys.cipher, sequence);
  for (const MessagePart& part : parts) {
    if (part.out == nullptr) {
      pass.sign({part.in, part.size});
    } else if (opening) {
      pass.unseal(part.in, part.out, part.size);
    } else {
      pass.seal(part.in, part.out, part.size);
    }
  }
  return pass.finish(keys.encrypt_checksum);
}

// [MS-NLMP] 3.4.4.1. The random pad is key stream that no receiver compares; it stays zero.
Signature pass_legacy(const SignatureKeys& keys, std::span<const MessagePart> parts,
                      std::uint32_t sequence, bool opening) noexcept {
  std::uint32_t crc = 0;
  for (const MessagePart& part : parts) {
    if (part.sign && !(opening && part.out != nullptr)) {
      crc = crc32({part.in, part.size}, crc);
    }
    if (part.out != nullptr) {
      keys.cipher.crypt(part.in, part.out, part.size);
    }
    if (part.sign && opening && part.out != nullptr) {
      crc = crc32({part.out, part.size}, crc);
    }
  }
  Signature signature{};
  store_le32(&signature[8], crc);
  store_le32(&signature[12], sequence);
  keys.cipher.crypt(&signature[4], &signature[4], kLegacySignatureStream);
  store_le32(&signature[0], kSignatureVersion);
  store_le32(&signature[4], 0);
  return signature;
}

}  // namespace

HmacMd5 signing_state(Flags flags, const SessionKey& key, Side from) noexcept {
  const SigningKey signing = has(flags, flag::kEss) ? derive_signing_key(key, from) : SigningKey();
  return HmacMd5(signing.view());
}

bool seals_any(std::span<const MessagePart> parts) noexcept {
  return std::any_of(parts.begin(), parts.end(),
                     [](const MessagePart& part) { return part.out != nullptr; });
}

void protect_message(const SignatureKeys& keys, std::span<const MessagePart> parts,
                     std::uint32_t sequence, SignatureOut signature) noexcept {
  if (keys.mac == nullptr) {
    const Signature made = pass_legacy(keys, parts, sequence, false);
    std::copy(made.begin(), made.end(), signature.begin());
    return;
  }
  const auto checksum = pass_message(keys, parts, sequence, false);
  store_le32(&signature[0], kSignatureVersion);
  std::copy(checksum.begin(), checksum.end(), &signature[4]);
  store_le32(&signature[12], sequence);
}

bool open_message(const SignatureKeys& keys, std::span<const MessagePart> parts,
                  std::uint32_t sequence, SignatureView signature) noexcept {
  if (keys.mac == nullptr) {
    const Signature made = pass_legacy(keys, parts, sequence, true);
    return verify_equal(ByteView(made).subspan(8), signature.subspan<8, 8>());
  }
  const auto checksum = pass_message(keys, parts, sequence, true);
  return verify_equal(checksum, signature.subspan<4, kChecksumSize>());
}

void undo_open(const SignatureKeys& keys, std::span<const MessagePart> parts) noexcept {
  const std::size_t signature_stream = keys.mac == nullptr     ? kLegacySignatureStream
                                       : keys.encrypt_checksum ? kChecksumSize
                                                               : 0;
  std::size_t sealed = 0;
  for (const MessagePart& part : parts) {
    sealed += part.out != nullptr ? part.size : 0;
  }
  keys.cipher.rewind(sealed + signature_stream);
  for (const MessagePart& part : parts) {
    if (part.out == nullptr) {
      continue;
    }
    keys.cipher.crypt(part.out, part.out, part.size);
    if (part.out != part.in) {
      wipe({part.out, part.size});
    }
  }
  keys.cipher.rewind(sealed);
}

}  // namespace gssntlm
