// A session saved and loaded. What is loaded is checked as if the peer had sent it: the session
// that comes of it is one that could have been saved.
#include <algorithm>
#include <utility>

#include "mech/protocol/session.h"

namespace gssntlm {
namespace {

constexpr std::uint64_t kNumbersEnd = std::uint64_t{1} << 32;

std::uint64_t load_count(Deserializer& in) noexcept {
  const std::uint64_t count = in.u64();
  if (count > kNumbersEnd) {
    in.reject();
  }
  return count;
}

void load_cipher(Arcfour& cipher, Deserializer& in) noexcept {
  Secret<struct CipherTag, Arcfour::kStateSize> state;
  in.copy(state.bytes());
  if (!cipher.restore(state.view())) {
    in.reject();
  }
}

}  // namespace

void ReplayWindow::save(Serializer& out) const {
  out.u64(end_);
  for (const std::uint64_t bits : taken_) {
    out.u64(bits);
  }
}

void ReplayWindow::load(Deserializer& in) noexcept {
  end_ = load_count(in);
  for (std::uint64_t& bits : taken_) {
    bits = in.u64();
  }
}

void DatagramSecurity::save(Serializer& out) const {
  out.u64(numbers_.next_sent);
  out.u32(numbers_.next_received);
  out.flag(numbers_.fixed.has_value());
  out.u32(numbers_.fixed.value_or(0));
  numbers_.window.save(out);
}

void DatagramSecurity::load(Deserializer& in) noexcept {
  numbers_.next_sent = load_count(in);
  numbers_.next_received = in.u32();
  const bool fixed = in.flag();
  const std::uint32_t number = in.u32();
  if (!fixed && number != 0) {
    in.reject();
  }
  numbers_.fixed = fixed ? std::optional<std::uint32_t>(number) : std::nullopt;
  numbers_.window.load(in);
}

void Session::save(Serializer& out) const {
  out.u32(flags_);
  out.put(key_.view());
  out.flag(directions_[0].from == Side::kClient);
  out.flag(rules_.detect_replay);
  out.flag(rules_.dummy_signatures);
  if (datagrams_) {
    datagrams_->save(out);
    return;
  }
  for (const Direction& direction : directions_) {
    out.u64(direction.sequence);
    out.flag(direction.stream != nullptr);
    if (direction.stream) {
      Secret<struct CipherTag, Arcfour::kStateSize> state;
      direction.stream->save(state.bytes());
      out.put(state.view());
    }
  }
}

Result<Session> Session::load(Deserializer& in) {
  const Flags flags = in.u32();
  SessionKey key;
  in.copy(key.bytes());
  const Side self = in.flag() ? Side::kClient : Side::kServer;
  SessionRules rules;
  rules.detect_replay = in.flag();
  rules.dummy_signatures = in.flag();
  Session session(flags, std::move(key), self, rules);
  if (session.datagrams_) {
    session.datagrams_->load(in);
  } else {
    for (Direction& direction : session.directions_) {
      session.load_direction(direction, in);
    }
  }
  if (!in.ok()) {
    return defective(Minor::kImport);
  }
  return session;
}

// A session without protection has counted nothing, and without extended session security the
// second direction is unused.
void Session::load_direction(Direction& direction, Deserializer& in) {
  direction.sequence = load_count(in);
  const bool streams = in.flag();
  const bool serves = protects() && (ess() || &direction == directions_.data());
  if (!serves && (streams || direction.sequence != 0)) {
    in.reject();
  }
  if (streams && in.ok()) {
    load_cipher(stream_of(direction), in);
  }
}

}  // namespace gssntlm
