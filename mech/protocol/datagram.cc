#include "mech/protocol/datagram.h"

#include <algorithm>

namespace gssntlm {
namespace {

constexpr std::uint64_t kNumbersEnd = std::uint64_t{1} << 32;

}  // namespace

DatagramSecurity::Direction::Direction(Flags flags, const SessionKey& key, Side from) noexcept
    : sealing(flags, key, from), mac(signing_state(flags, key, from)) {}

DatagramSecurity::DatagramSecurity(Flags flags, const SessionKey& key, Side self,
                                   bool detect_replay) noexcept
    : flags_(flags),
      detect_replay_(detect_replay),
      sending_(flags, key, self),
      receiving_(flags, key, other(self)) {}

void DatagramSecurity::set_sequence(std::uint32_t number) noexcept {
  numbers_.fixed = number;
}

SignatureKeys DatagramSecurity::keys(const Direction& direction, Arcfour& cipher) const noexcept {
  return {cipher, ess() ? &direction.mac : nullptr, has(flags_, flag::kKeyExchange)};
}

// Two messages sealed under one number would share a key stream: their XOR is that of the texts.
Result<std::uint32_t> DatagramSecurity::number_to_send(bool sealing) const noexcept {
  if ((sealing || !numbers_.fixed) && numbers_.next_sent >= kNumbersEnd) {
    return Error{Major::kContextExpired, Minor::kSequenceEnd};
  }
  if (!numbers_.fixed) {
    return static_cast<std::uint32_t>(numbers_.next_sent);
  }
  if (sealing && *numbers_.fixed < numbers_.next_sent) {
    return failure(Minor::kSequenceUsed);
  }
  return *numbers_.fixed;
}

Status DatagramSecurity::protect(std::span<const MessagePart> parts,
                                 SignatureOut signature) noexcept {
  const Result<std::uint32_t> number = number_to_send(seals_any(parts));
  if (!number) {
    return number.error();
  }
  Arcfour cipher(derive_message_key(sending_.sealing.view(), *number).view());
  protect_message(keys(sending_, cipher), parts, *number, signature);
  numbers_.next_sent = std::max(numbers_.next_sent, std::uint64_t{*number} + 1);
  return {};
}

// A fixed number that is not met is an error before anything is computed.
Result<std::uint32_t> DatagramSecurity::number_of(SignatureView signature) const noexcept {
  if (load_le32(signature.data()) != kSignatureVersion) {
    return Error{Major::kBadSig, Minor::kBadSignature};
  }
  if (!ess()) {
    return numbers_.fixed.value_or(numbers_.next_received);
  }
  const std::uint32_t number = load_le32(&signature[12]);
  if (numbers_.fixed && *numbers_.fixed != number) {
    return Error{Major::kBadSig, Minor::kSequence};
  }
  return number;
}

Result<Arrival> DatagramSecurity::open(std::span<const MessagePart> parts,
                                       SignatureView signature) noexcept {
  const Result<std::uint32_t> number = number_of(signature);
  if (!number) {
    return number.error();
  }
  Arcfour cipher(derive_message_key(receiving_.sealing.view(), *number).view());
  const SignatureKeys with = keys(receiving_, cipher);
  if (!open_message(with, parts, *number, signature)) {
    undo_open(with, parts);
    return Error{Major::kBadSig, Minor::kBadSignature};
  }
  // Numbers are taken by genuine messages only: a forged one must not make the genuine one a
  // duplicate.
  numbers_.next_received = *number + 1;
  // Signatures under a fixed number all repeat it.
  if (!detect_replay_ || (numbers_.fixed && !seals_any(parts))) {
    return Arrival::kExpected;
  }
  const Arrival arrival = numbers_.window.arrival_of(*number);
  if (arrival == Arrival::kExpected) {
    numbers_.window.take(*number);
  }
  return arrival;
}

}  // namespace gssntlm
