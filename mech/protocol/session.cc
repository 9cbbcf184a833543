#include "mech/protocol/session.h"

#include <algorithm>
#include <utility>

namespace gssntlm {
namespace {

constexpr std::uint32_t kSignatureVersion = 1;
constexpr std::uint64_t kSequenceEnd = std::uint64_t{1} << 32;
constexpr std::size_t kLegacySignatureStream = 12;

Side other(Side side) noexcept {
  return side == Side::kClient ? Side::kServer : Side::kClient;
}

// The signing key of extended session security; without it nobody looks at this.
SigningKey signing_key(Flags flags, const SessionKey& key, Side from) noexcept {
  return has(flags, flag::kEss) ? derive_signing_key(key, from) : SigningKey();
}

}  // namespace

Session::Stream::Stream(Flags flags, const SessionKey& key, Side from) noexcept
    : cipher(SealingKey(flags, key, from).view()), mac(signing_key(flags, key, from).view()) {}

Session::Session(Flags flags, SessionKey key, Side self) noexcept
    : flags_(flags),
      key_(std::move(key)),
      directions_{Direction{self, 0, nullptr}, Direction{other(self), 0, nullptr}} {}

Session::Stream& Session::stream_of(Direction& direction) {
  if (!direction.stream) {
    direction.stream = std::make_unique<Stream>(flags_, key_, direction.from);
  }
  return *direction.stream;
}

std::array<std::uint8_t, 8> Session::pass(Stream& stream, std::span<const MessagePart> parts,
                                          std::uint32_t sequence, bool opening) noexcept {
  SealPass pass(stream.mac, stream.cipher, sequence);
  for (const MessagePart& part : parts) {
    if (part.out == nullptr) {
      pass.sign({part.in, part.size});
    } else if (opening) {
      pass.unseal(part.in, part.out, part.size);
    } else {
      pass.seal(part.in, part.out, part.size);
    }
  }
  return pass.finish(has(flags_, flag::kKeyExchange));
}

// [MS-NLMP] 3.4.4.1. The random pad is key stream that nobody compares; it is left zero.
Signature Session::sign_legacy(Stream& stream, std::span<const MessagePart> parts,
                               std::uint32_t sequence, bool opening) noexcept {
  std::uint32_t crc = 0;
  for (const MessagePart& part : parts) {
    if (part.sign && !(opening && part.out != nullptr)) {
      crc = crc32({part.in, part.size}, crc);
    }
    if (part.out != nullptr) {
      stream.cipher.crypt(part.in, part.out, part.size);
    }
    if (part.sign && opening && part.out != nullptr) {
      crc = crc32({part.out, part.size}, crc);
    }
  }
  Signature signature{};
  store_le32(&signature[8], crc);
  store_le32(&signature[12], sequence);
  stream.cipher.crypt(&signature[4], &signature[4], kLegacySignatureStream);
  store_le32(&signature[0], kSignatureVersion);
  store_le32(&signature[4], 0);
  return signature;
}

Status Session::protect(std::span<const MessagePart> parts,
                        std::span<std::uint8_t, kSignatureSize> signature) {
  if (!protects()) {
    return Error{Major::kUnavailable, Minor::kNoProtection};
  }
  Direction& direction = sending();
  if (direction.sequence >= kSequenceEnd) {
    return Error{Major::kContextExpired, Minor::kSequenceEnd};
  }
  Stream& stream = stream_of(direction);
  const auto sequence = static_cast<std::uint32_t>(direction.sequence);
  if (ess()) {
    const auto checksum = pass(stream, parts, sequence, false);
    store_le32(&signature[0], kSignatureVersion);
    std::copy(checksum.begin(), checksum.end(), &signature[4]);
    store_le32(&signature[12], sequence);
  } else {
    const Signature made = sign_legacy(stream, parts, sequence, false);
    std::copy(made.begin(), made.end(), signature.begin());
  }
  ++direction.sequence;
  return {};
}

Status Session::open(std::span<const MessagePart> parts,
                     std::span<const std::uint8_t, kSignatureSize> signature) {
  if (!protects()) {
    return Error{Major::kUnavailable, Minor::kNoProtection};
  }
  Direction& direction = receiving();
  if (load_le32(&signature[0]) != kSignatureVersion) {
    return Error{Major::kBadSig, Minor::kBadSignature};
  }
  if (direction.sequence >= kSequenceEnd ||
      (ess() && load_le32(&signature[12]) != direction.sequence)) {
    return Error{Major::kBadSig, Minor::kSequence};
  }
  Stream& stream = stream_of(direction);
  const auto sequence = static_cast<std::uint32_t>(direction.sequence);
  bool genuine = false;
  std::size_t signature_stream = 0;
  if (ess()) {
    const auto checksum = pass(stream, parts, sequence, true);
    genuine = verify_equal(checksum, signature.subspan<4, 8>());
    signature_stream = has(flags_, flag::kKeyExchange) ? checksum.size() : 0;
  } else {
    const Signature made = sign_legacy(stream, parts, sequence, true);
    genuine = verify_equal(ByteView(made).subspan(8), signature.subspan<8, 8>());
    signature_stream = kLegacySignatureStream;
  }
  if (!genuine) {
    undo(stream, parts, signature_stream);
    return Error{Major::kBadSig, Minor::kBadSignature};
  }
  ++direction.sequence;
  return {};
}

// Takes the key stream back to where it was before the message. What was opened in place is sealed
// again with the very same key stream; what was opened elsewhere is wiped.
void Session::undo(Stream& stream, std::span<const MessagePart> parts,
                   std::size_t signature_stream) noexcept {
  std::size_t sealed = 0;
  for (const MessagePart& part : parts) {
    sealed += part.out != nullptr ? part.size : 0;
  }
  stream.cipher.rewind(sealed + signature_stream);
  for (const MessagePart& part : parts) {
    if (part.out == nullptr) {
      continue;
    }
    stream.cipher.crypt(part.out, part.out, part.size);
    if (part.out != part.in) {
      wipe({part.out, part.size});
    }
  }
  stream.cipher.rewind(sealed);
}

void Session::reset_stream(bool receive) {
  Direction& direction = receive ? receiving() : sending();
  stream_of(direction).cipher.rekey(SealingKey(flags_, key_, direction.from).view());
}

}  // namespace gssntlm
