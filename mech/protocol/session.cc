#include "mech/protocol/session.h"

#include <algorithm>
#include <utility>

namespace gssntlm {
namespace {

constexpr std::uint64_t kSequenceEnd = std::uint64_t{1} << 32;

// [MS-NLMP] 3.4.4.3.
constexpr Signature kDummySignature = {1};

}  // namespace

Session::Session(Flags flags, SessionKey key, Side self, SessionRules rules)
    : flags_(flags),
      rules_(rules),
      key_(std::move(key)),
      directions_{Direction{self}, Direction{other(self)}} {
  if (has(flags, flag::kDatagram)) {
    datagrams_ = std::make_unique<DatagramSecurity>(flags, key_, self, rules.detect_replay);
  }
}

// The GNU C library keeps freed blocks of up to so many bytes at hand; larger ones take it long.
static_assert(sizeof(Arcfour) <= 1032);

Arcfour& Session::stream_of(Direction& direction) const {
  if (!direction.stream) {
    direction.stream = std::make_unique<Arcfour>(SealingKey(flags_, key_, direction.from).view());
  }
  return *direction.stream;
}

SignatureKeys Session::keys(Direction& direction) const {
  if (ess() && !direction.mac) {
    direction.mac.emplace(derive_signing_key(key_, direction.from).view());
  }
  return {stream_of(direction), ess() ? &*direction.mac : nullptr, has(flags_, flag::kKeyExchange)};
}

Status Session::protect(std::span<const MessagePart> parts, SignatureOut signature) {
  if (!protects() || is_connectionless()) {
    return protect_otherwise(parts, signature);
  }
  Direction& direction = sending();
  if (direction.sequence >= kSequenceEnd) {
    return Error{Major::kContextExpired, Minor::kSequenceEnd};
  }
  protect_message(keys(direction), parts, static_cast<std::uint32_t>(direction.sequence),
                  signature);
  ++direction.sequence;
  return {};
}

Result<Arrival> Session::open(std::span<const MessagePart> parts, SignatureView signature) {
  if (!protects() || is_connectionless()) {
    return open_otherwise(parts, signature);
  }
  Direction& direction = receiving();
  if (load_le32(&signature[0]) != kSignatureVersion) {
    return Error{Major::kBadSig, Minor::kBadSignature};
  }
  if (direction.sequence >= kSequenceEnd) {
    return Error{Major::kBadSig, Minor::kGapToken};
  }
  // Before anything is decrypted: a message out of order must not move the key stream. Without ESS
  // the number is encrypted, and is compared with the checksum.
  const auto sequence = static_cast<std::uint32_t>(direction.sequence);
  if (const std::uint32_t told = load_le32(&signature[12]); ess() && told != sequence) {
    return Error{Major::kBadSig, told < sequence ? Minor::kDuplicateToken : Minor::kGapToken};
  }
  const SignatureKeys with = keys(direction);
  if (!open_message(with, parts, sequence, signature)) {
    undo_open(with, parts);
    return Error{Major::kBadSig, Minor::kBadSignature};
  }
  ++direction.sequence;
  return Arrival::kExpected;
}

Status Session::protect_otherwise(std::span<const MessagePart> parts,
                                  SignatureOut signature) noexcept {
  const bool sealing = seals_any(parts);
  if (protects() && (can_seal() || !sealing)) {
    return datagrams_->protect(parts, signature);
  }
  if (!makes_dummies() || sealing) {
    return Error{Major::kUnavailable, Minor::kNoProtection};
  }
  std::copy(kDummySignature.begin(), kDummySignature.end(), signature.begin());
  return {};
}

Result<Arrival> Session::open_otherwise(std::span<const MessagePart> parts,
                                        SignatureView signature) noexcept {
  const bool sealing = seals_any(parts);
  if (protects() && (can_seal() || !sealing)) {
    return datagrams_->open(parts, signature);
  }
  if (!makes_dummies() || sealing) {
    return Error{Major::kUnavailable, Minor::kNoProtection};
  }
  if (!verify_equal(kDummySignature, signature)) {
    return Error{Major::kBadSig, Minor::kBadSignature};
  }
  return Arrival::kExpected;
}

bool Session::set_sequence(std::uint32_t number) noexcept {
  if (!is_connectionless()) {
    return false;
  }
  datagrams_->set_sequence(number);
  return true;
}

void Session::reset_stream(bool receive) noexcept {
  (receive ? receiving() : sending()).stream.reset();
}

}  // namespace gssntlm
