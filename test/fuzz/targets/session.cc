// Session security of both ends. Input: flags, key, rules, then what happens.
//
// What is made is what reference.cc makes. What is refused leaves the session as it was, to the bit
// that would be saved, and the buffers as they were; the honest message is opened afterwards. A
// session saved and loaded, or moved, goes on, up to the last number there is; what is loaded of a
// saved state that was changed, is saved as it was loaded.
#include <algorithm>
#include <deque>
#include <memory>
#include <optional>

#include "mech/protocol/session.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/reference.h"

namespace gssntlm::fuzz {
namespace {

constexpr Flags kEdges[] = {
    // The usual one first.
    flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::kKeyExchange,
    flag::kSign | flag::kEss | flag::k128,
    flag::kSign | flag::kSeal | flag::kEss | flag::k56 | flag::kKeyExchange,
    flag::kSign | flag::kSeal | flag::kEss,
    flag::kSign | flag::kSeal | flag::k128 | flag::kKeyExchange,
    flag::kSign | flag::kSeal | flag::kLmKey | flag::k56,
    flag::kSign | flag::kSeal | flag::kLmKey,
    flag::kSign | flag::kSeal | flag::kDatagram | flag::kEss | flag::k128 | flag::kKeyExchange,
    flag::kSign | flag::kDatagram | flag::kKeyExchange,
    flag::kAlwaysSign,
    0,
    flag::kAlwaysSign | flag::kEss | flag::kDatagram,
};

constexpr std::uint64_t kNumbersEnd = std::uint64_t{1} << 32;

struct Part {
  bool sealed;
  bool sign;
  Bytes clear;
  Bytes sent;
};

struct Message {
  std::vector<Part> parts;
  Signature signature{};
  std::uint32_t number = 0;
};

Bytes saved(const Session& session) {
  Serializer out;
  session.save(out);
  return Bytes(out.view().begin(), out.view().end());
}

std::unique_ptr<Session> load_all(const Bytes& state) {
  Deserializer in(state);
  Result<Session> loaded = Session::load(in);
  GSSNTLM_HOLDS(!loaded || in.ok());
  return loaded && in.finished() ? std::make_unique<Session>(std::move(*loaded)) : nullptr;
}

// A saved session that has counted to `count` in direction 0, its own, or 1.
std::unique_ptr<Session> with_count(const Session& session, std::size_t direction,
                                    std::uint64_t count) {
  constexpr std::size_t kHead = 4 + SessionKey::kSize + 3;
  Bytes state = saved(session);
  std::size_t at = kHead;
  if (direction != 0) {
    at += sizeof count + 1 + (state[at + sizeof count] != 0 ? Arcfour::kStateSize : 0);
  }
  store_le64(&state[at], count);
  std::unique_ptr<Session> counted = load_all(state);
  GSSNTLM_HOLDS(counted && saved(*counted) == state);
  return counted;
}

class Conversation {
 public:
  explicit Conversation(Input& in)
      : flags_(choose_flags(in)),
        rules_{(in.u8() & 1) == 0, (in.u8() & 1) != 0},
        key_(take_key(in)),
        ends_{std::make_unique<Session>(flags_, key_.clone(), Side::kClient, rules_),
              std::make_unique<Session>(flags_, key_.clone(), Side::kServer, rules_)} {}

  void step(Input& in);

 private:
  static Flags choose_flags(Input& in) {
    const std::uint8_t choice = in.u8();
    const Flags any = in.u32();
    return choice == 0xFF ? any : kEdges[choice % std::size(kEdges)];
  }
  static SessionKey take_key(Input& in) {
    SessionKey key;
    in.copy(key.bytes());
    return key;
  }

  [[nodiscard]] bool ess() const { return has(flags_, flag::kEss); }
  [[nodiscard]] bool datagram() const { return ends_[0]->is_connectionless(); }
  [[nodiscard]] bool works() const { return ends_[0]->protects(); }
  [[nodiscard]] bool dummies() const {
    return !works() && rules_.dummy_signatures && has(flags_, flag::kAlwaysSign);
  }
  [[nodiscard]] std::uint64_t& sent_by(std::size_t from) {
    return sent_[ess() || datagram() ? from : 0];
  }

  void send(std::size_t from, Input& in);
  void check_made(std::size_t from, const Message& message);
  Result<Arrival> open(std::size_t at, const Message& message, bool in_place, bool honest);
  void deliver(std::size_t from, Input& in);
  void tamper(std::size_t from, Input& in);
  void repeat(std::size_t from, Input& in);
  void restart(std::size_t from);
  void number(Input& in);
  void reload(std::size_t end, Input& in);
  void count_far(std::size_t from, Input& in);
  void invent(std::size_t from, Input& in);

  Flags flags_;
  SessionRules rules_;
  SessionKey key_;
  std::array<std::unique_ptr<Session>, 2> ends_;
  std::array<std::deque<Message>, 2> way_;
  std::array<std::vector<Message>, 2> arrived_;
  std::array<std::uint64_t, 2> sent_{};
  std::optional<std::uint32_t> fixed_;   // the number that both ends were told
  std::array<std::size_t, 2> stream_{};  // bytes of key stream used
};

std::vector<Part> read_parts(Input& in, bool may_seal) {
  std::vector<Part> parts;
  const std::size_t count = 1 + in.below(3);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t how = in.u8();
    const std::size_t size = in.below((how & 0x80) != 0 ? 700 : 70);
    Bytes clear(size, how);
    std::copy_n(in.rest().begin(), std::min<std::size_t>({size, in.rest().size(), 16}),
                clear.begin());
    parts.push_back({may_seal && (how & 1) == 0, (how & 2) == 0, clear, clear});
  }
  return parts;
}

void Conversation::send(std::size_t from, Input& in) {
  // Without extended session security one key stream serves both directions: in turn.
  if (!ess() && !datagram() && !(way_[0].empty() && way_[1].empty())) {
    return;
  }
  Message message;
  message.parts = read_parts(in, true);
  std::vector<MessagePart> parts;
  bool sealing = false;
  for (Part& part : message.parts) {
    parts.push_back({part.clear.data(), part.sealed ? part.sent.data() : nullptr, part.clear.size(),
                     part.sign});
    sealing = sealing || parts.back().out != nullptr;
  }
  const Bytes before = saved(*ends_[from]);
  const Status made = ends_[from]->protect(parts, message.signature);
  if (sealing ? !ends_[from]->can_seal() : !works() && !dummies()) {
    GSSNTLM_HOLDS(!made && made.error().major == Major::kUnavailable);
    GSSNTLM_HOLDS(saved(*ends_[from]) == before);
    return;
  }
  if (!made) {
    const bool end = sent_by(from) == kNumbersEnd && (sealing || !fixed_);
    const bool used = !end && sealing && fixed_ && *fixed_ < sent_by(from);
    GSSNTLM_HOLDS(made.error().minor == Minor::kSequenceEnd ? end : used);
    GSSNTLM_HOLDS(end || made.error().minor == Minor::kSequenceUsed);
    GSSNTLM_HOLDS(saved(*ends_[from]) == before);
    return;
  }
  if (works()) {
    message.number = fixed_.value_or(static_cast<std::uint32_t>(sent_by(from)));
    sent_by(from) = std::max(sent_by(from), std::uint64_t{message.number} + 1);
    check_made(from, message);
  }
  way_[from].push_back(std::move(message));
}

void Conversation::check_made(std::size_t from, const Message& message) {
  const ByteView key = key_.view();
  Bytes seal_key(key.begin(), key.end());
  Bytes sign_key;
  if (ess()) {
    PlainKeys keys = plain_keys(flags_, key, from == 0);
    seal_key = std::move(keys.seal);
    sign_key = std::move(keys.sign);
  } else if (has_any(flags_, flag::kLmKey | flag::kDatagram)) {
    seal_key.resize(8);
    seal_key[7] = has(flags_, flag::k56) ? 0xA0 : 0xB0;
    if (!has(flags_, flag::k56)) {
      seal_key[5] = 0xE5;
      seal_key[6] = 0x38;
    }
  }
  Bytes number(4);
  store_le32(number.data(), message.number);
  std::size_t& used = stream_[ess() ? from : 0];
  if (datagram()) {
    append(seal_key, number);
    const Sixteen mixed = plain_md5(seal_key);
    seal_key.assign(mixed.begin(), mixed.end());
    used = 0;
  }
  Bytes text = ess() ? number : Bytes();
  Bytes stream_in;
  Bytes sent;
  for (const Part& part : message.parts) {
    if (ess() || part.sign) {
      append(text, part.clear);
    }
    if (part.sealed) {
      append(stream_in, part.clear);
      append(sent, part.sent);
    }
  }
  const std::size_t sealed = stream_in.size();
  Bytes signature = {1, 0, 0, 0};
  if (ess()) {
    const Sixteen mac = plain_hmac(sign_key, text);
    append(stream_in, ByteView(mac).first(8));
    Bytes out = plain_rc4(seal_key, stream_in, used);
    const bool encrypted = has(flags_, flag::kKeyExchange);
    append(signature, encrypted ? ByteView(out).last(8) : ByteView(mac).first(8));
    append(signature, number);
    used += sealed + (encrypted ? 8 : 0);
    GSSNTLM_HOLDS(same_bytes(ByteView(out).first(sealed), sent));
  } else {
    Bytes clear(12);
    store_le32(&clear[4], plain_crc32(text));
    store_le32(&clear[8], message.number);
    append(stream_in, clear);
    Bytes out = plain_rc4(seal_key, stream_in, used);
    signature.resize(8);
    append(signature, ByteView(out).last(8));
    used += sealed + 12;
    GSSNTLM_HOLDS(same_bytes(ByteView(out).first(sealed), sent));
  }
  GSSNTLM_HOLDS(same_bytes(signature, message.signature));
}

// Opens a message, and looks at what became of the buffers.
Result<Arrival> Conversation::open(std::size_t at, const Message& message, bool in_place,
                                   bool honest) {
  std::vector<Bytes> sources;
  std::vector<Bytes> outs;
  for (const Part& part : message.parts) {
    sources.push_back(part.sent);
    outs.emplace_back(part.sent.size(), 0xEE);
  }
  std::vector<MessagePart> parts;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    std::uint8_t* out = in_place ? sources[i].data() : outs[i].data();
    parts.push_back({sources[i].data(), message.parts[i].sealed ? out : nullptr, sources[i].size(),
                     message.parts[i].sign});
  }
  const Bytes before = saved(*ends_[at]);
  const Result<Arrival> arrival = ends_[at]->open(parts, message.signature);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Part& part = message.parts[i];
    const Bytes& out = in_place ? sources[i] : outs[i];
    if (!part.sealed) {
      GSSNTLM_HOLDS(sources[i] == part.sent);
    } else if (arrival) {
      GSSNTLM_HOLDS(!honest || out == part.clear);
    } else if (in_place) {
      GSSNTLM_HOLDS(out == part.sent);
    } else {
      GSSNTLM_HOLDS(out == Bytes(out.size(), 0xEE) || out == Bytes(out.size()));
    }
  }
  if (!arrival) {
    const Bytes after = saved(*ends_[at]);
    // A key stream may have been made, and stands at its beginning.
    GSSNTLM_HOLDS(after == before || after.size() > before.size());
  }
  return arrival;
}

void Conversation::deliver(std::size_t from, Input& in) {
  if (way_[from].empty()) {
    return;
  }
  const bool any = datagram() && ess();
  const std::size_t which = any ? in.below(way_[from].size()) : 0;
  const auto place = way_[from].begin() + static_cast<std::ptrdiff_t>(which);
  const Result<Arrival> arrival = open(1 - from, *place, in.flag(), true);
  GSSNTLM_HOLDS(arrival.ok() && (*arrival == Arrival::kExpected || datagram()));
  arrived_[from].push_back(std::move(*place));
  way_[from].erase(place);
}

void Conversation::tamper(std::size_t from, Input& in) {
  if (way_[from].empty() || (!works() && !dummies())) {
    return;
  }
  Message forged = way_[from].front();
  const std::size_t at = in.below(700);
  const auto change = static_cast<std::uint8_t>(1 + in.u8() % 255);
  std::size_t left = at;
  bool changed = false;
  for (Part& part : forged.parts) {
    if (!changed && left < part.sent.size() && (part.sign || ess()) && works()) {
      part.sent[left] ^= change;
      changed = true;
    }
    left -= std::min(left, part.sent.size());
  }
  if (!changed) {
    // The random pad of a legacy signature counts for nothing.
    const std::size_t first = ess() || !works() ? 0 : 8;
    forged.signature[first + at % (16 - first)] ^= change;
  }
  const Result<Arrival> arrival = open(1 - from, forged, in.flag(), false);
  GSSNTLM_HOLDS(!arrival && arrival.error().major == Major::kBadSig);
}

void Conversation::repeat(std::size_t from, Input& in) {
  if (arrived_[from].empty() || !works()) {
    return;
  }
  const Message& old = arrived_[from][in.below(arrived_[from].size())];
  if (datagram() && (!ess() || !way_[from].empty())) {
    return;
  }
  const Result<Arrival> arrival = open(1 - from, old, in.flag(), true);
  if (!datagram()) {
    GSSNTLM_HOLDS(!arrival);
    GSSNTLM_HOLDS(!ess() || arrival.error().minor == Minor::kDuplicateToken ||
                  sent_by(from) == kNumbersEnd);
  } else if (rules_.detect_replay) {
    const bool sealed = std::any_of(old.parts.begin(), old.parts.end(), [](const Part& part) {
      return part.sealed && !part.sent.empty();
    });
    GSSNTLM_HOLDS(!arrival || *arrival != Arrival::kExpected || (fixed_ && !sealed));
  }
}

void Conversation::restart(std::size_t from) {
  if (!works() || !way_[0].empty() || !way_[1].empty()) {
    return;
  }
  ends_[from]->reset_stream(false);
  ends_[1 - from]->reset_stream(true);
  stream_[ess() ? from : 0] = 0;
}

void Conversation::number(Input& in) {
  if (!way_[0].empty() || !way_[1].empty()) {
    return;
  }
  const std::uint32_t told = in.flag() ? 0xFFFFFFFE + in.u8() % 2 : in.u16();
  GSSNTLM_HOLDS(ends_[0]->set_sequence(told) == datagram());
  GSSNTLM_HOLDS(ends_[1]->set_sequence(told) == datagram());
  if (datagram()) {
    fixed_ = told;
    arrived_ = {};
  }
}

void Conversation::reload(std::size_t end, Input& in) {
  const Bytes before = saved(*ends_[end]);
  const std::uint8_t how = in.u8() % 3;
  if (how == 2) {
    Bytes changed = before;
    const std::size_t at = in.below(changed.size());
    const ByteView edits = in.take(4);
    for (std::size_t i = 0; i < edits.size(); ++i) {
      changed[(at + i) % changed.size()] ^= edits[i];
    }
    const std::unique_ptr<Session> loaded = load_all(changed);
    GSSNTLM_HOLDS(!loaded || saved(*loaded) == changed);
    return;
  }
  ends_[end] = how == 0 ? load_all(before) : std::make_unique<Session>(std::move(*ends_[end]));
  GSSNTLM_HOLDS(ends_[end] && saved(*ends_[end]) == before);
}

// Nearly, or quite, to the end of all numbers.
void Conversation::count_far(std::size_t from, Input& in) {
  const std::uint64_t count = kNumbersEnd - in.u8() % 3;
  if (!works() || datagram() || !way_[0].empty() || !way_[1].empty()) {
    return;
  }
  ends_[from] = with_count(*ends_[from], 0, count);
  ends_[1 - from] = with_count(*ends_[1 - from], ess() ? 1 : 0, count);
  sent_by(from) = count;
}

// What no session has made.
void Conversation::invent(std::size_t from, Input& in) {
  Message made;
  made.parts = read_parts(in, true);
  in.copy(made.signature);
  // An empty part has no place to be opened into: open() sees nothing to unseal.
  const bool seals = std::any_of(made.parts.begin(), made.parts.end(), [](const Part& part) {
    return part.sealed && !part.sent.empty();
  });
  const bool dummy = dummies() && !seals;
  const Result<Arrival> arrival = open(1 - from, made, in.flag(), false);
  if (arrival) {
    GSSNTLM_HOLDS(dummy && made.signature == Signature{1});
    return;
  }
  const bool judged = dummy || (works() && (!seals || ends_[1 - from]->can_seal()));
  GSSNTLM_HOLDS(arrival.error().major == (judged ? Major::kBadSig : Major::kUnavailable));
}

void Conversation::step(Input& in) {
  const std::uint8_t what = in.u8();
  const std::size_t side = what & 1;
  switch ((what >> 1) % 10) {
    case 0:
    case 1:
      return send(side, in);
    case 2:
      return deliver(side, in);
    case 3:
      return tamper(side, in);
    case 4:
      return repeat(side, in);
    case 5:
      return restart(side);
    case 6:
      return number(in);
    case 7:
      return reload(side, in);
    case 8:
      return count_far(side, in);
    default:
      return invent(side, in);
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in({data, size});
  Conversation conversation(in);
  for (int steps = 0; steps < 64 && !in.empty(); ++steps) {
    conversation.step(in);
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  constexpr std::size_t kHead = 23;
  Chance chance(seed);
  Bytes input(data, data + size);
  input.resize(std::max(input.size(), kHead));
  if (chance.one_in(6)) {
    input[0] = static_cast<std::uint8_t>(chance.below(13));
  } else if (chance.one_in(2)) {
    // A message on its way, or what else may happen to it.
    const auto what = static_cast<std::uint8_t>(chance.below(20));
    const std::size_t at = kHead + chance.below(input.size() - kHead + 1);
    const std::array<std::uint8_t, 4> step{what, static_cast<std::uint8_t>(chance.next()),
                                           static_cast<std::uint8_t>(chance.below(4)), 0};
    input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), step.begin(), step.end());
  } else {
    mutate_bytes(input, max, chance);
  }
  return give_back(input, data, max);
}
