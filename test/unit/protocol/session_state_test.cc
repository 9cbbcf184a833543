// What Session::load() is given by the maker of the token.
#include "mech/protocol/session.h"
#include "test/support/catch.h"

namespace gssntlm {
namespace {

constexpr Flags kOpen = flag::kUnicode | flag::kSign | flag::kSeal | flag::kEss | flag::k128;

struct Way {
  std::uint64_t sequence = 0;
  bool stream = false;
  Bytes cipher = {};
};

// The permutation that changes nothing, and two indices.
Bytes state() {
  Bytes bytes(Arcfour::kStateSize);
  for (std::size_t i = 0; i < 256; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i);
  }
  return bytes;
}

Result<Session> load(Flags flags, const Way& sending, const Way& receiving) {
  Serializer out;
  out.u32(flags);
  out.put(Bytes(SessionKey::kSize, 9));
  for (const bool fact : {true, true, false}) {
    out.flag(fact);
  }
  for (const Way& way : {sending, receiving}) {
    out.u64(way.sequence);
    out.flag(way.stream);
    out.put(way.cipher);
  }
  Deserializer in(out.view());
  Result<Session> session = Session::load(in);
  CHECK((!session || in.finished()));
  return session;
}

bool loads(Flags flags, const Way& sending, const Way& receiving) {
  return load(flags, sending, receiving).ok();
}

TEST_CASE("session state: what could have been saved is loaded", "[session]") {
  CHECK(loads(kOpen, {}, {}));
  CHECK(loads(kOpen, {5, true, state()}, {std::uint64_t{1} << 32, true, state()}));
  CHECK(loads(kOpen & ~flag::kEss, {5, true, state()}, {}));
  CHECK(loads(flag::kUnicode, {}, {}));
}

TEST_CASE("session state: a counter beyond the last number is refused", "[session]") {
  CHECK_FALSE(loads(kOpen, {(std::uint64_t{1} << 32) + 1, true, state()}, {}));
  CHECK_FALSE(loads(kOpen, {~std::uint64_t{0}, true, state()}, {}));
}

TEST_CASE("session state: after the last number nothing is sent or taken", "[session]") {
  constexpr std::uint64_t kEnd = std::uint64_t{1} << 32;
  const std::uint8_t text[] = {'x'};
  const MessagePart part{text, nullptr, 1};
  for (const bool ess : {true, false}) {
    const Way spent{kEnd, true, state()};
    Result<Session> session = load(ess ? kOpen : kOpen & ~flag::kEss, spent, ess ? spent : Way());
    REQUIRE(session.ok());
    Signature signature{};
    const Status sent = session->protect({&part, 1}, signature);
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().minor == Minor::kSequenceEnd);
    // As a message of number 0 would begin, which is what follows the last one in 32 bits.
    signature = {1};
    const Result<Arrival> taken = session->open({&part, 1}, signature);
    REQUIRE_FALSE(taken.ok());
    CHECK(taken.error().minor == Minor::kGapToken);
  }
}

TEST_CASE("session state: a key stream that is no permutation is refused", "[session]") {
  Bytes twice = state();
  twice[7] = 8;
  CHECK_FALSE(loads(kOpen, {1, true, twice}, {}));
}

TEST_CASE("session state: who protects nothing has neither counter nor key stream", "[session]") {
  CHECK_FALSE(loads(flag::kUnicode, {1, true, state()}, {}));
  CHECK_FALSE(loads(flag::kUnicode, {0, true, state()}, {}));
  CHECK_FALSE(loads(kOpen & ~flag::kEss, {1, true, state()}, {1, true, state()}));
}

TEST_CASE("session state: connectionless, a number that was not told is none", "[session]") {
  const auto load_told = [](bool told, std::uint32_t number) {
    Serializer out;
    out.u32(kOpen | flag::kDatagram);
    out.put(Bytes(SessionKey::kSize, 9));
    for (const bool fact : {true, true, false}) {
      out.flag(fact);
    }
    out.u64(3);
    out.u32(2);
    out.flag(told);
    out.u32(number);
    ReplayWindow().save(out);
    Deserializer in(out.view());
    const Result<Session> session = Session::load(in);
    CHECK((!session || in.finished()));
    return session ? Minor::kNone : session.error().minor;
  };
  CHECK(load_told(false, 0) == Minor::kNone);
  CHECK(load_told(true, 0) == Minor::kNone);
  CHECK(load_told(true, 7) == Minor::kNone);
  CHECK(load_told(false, 7) == Minor::kImport);
}

}  // namespace
}  // namespace gssntlm
