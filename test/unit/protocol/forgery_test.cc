// Session security of both ends: what is forged is refused and changes nothing [MS-NLMP] 2.2.2.9,
// 2.2.2.9.1, 2.2.2.9.2, 3.4, 3.4.2, 3.4.3.
#include "mech/protocol/session.h"

#include <random>

#include "test/support/catch.h"
#include "test/support/hex.h"

namespace gssntlm {
namespace {

using namespace test;

constexpr Flags kEssFlags =
    flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::kKeyExchange;
constexpr Flags kLegacyFlags = flag::kSign | flag::kSeal | flag::k128 | flag::kKeyExchange;

SessionKey test_key() {
  const auto bytes = unhex<16>("000102030405060708090a0b0c0d0e0f");
  return SessionKey(std::span<const std::uint8_t, 16>(bytes));
}

struct Ends {
  explicit Ends(Flags flags)
      : client(flags, test_key(), Side::kClient), server(flags, test_key(), Side::kServer) {}
  Session client;
  Session server;
};

struct Sealed {
  Bytes data;
  Signature signature{};
};

Sealed seal(Session& from, ByteView clear, bool conf = true) {
  Sealed out{Bytes(clear.begin(), clear.end()), {}};
  const MessagePart part{clear.data(), conf ? out.data.data() : nullptr, clear.size(), true};
  REQUIRE(from.protect({&part, 1}, out.signature));
  return out;
}

Result<Arrival> open_in_place(Session& at, Bytes& data, const Signature& signature,
                              bool conf = true) {
  const MessagePart part{data.data(), conf ? data.data() : nullptr, data.size(), true};
  return at.open({&part, 1}, signature);
}

Result<Arrival> open_elsewhere(Session& at, const Sealed& sealed, Bytes& out) {
  out.assign(sealed.data.size(), 0xEE);
  const MessagePart part{sealed.data.data(), out.data(), sealed.data.size(), true};
  return at.open({&part, 1}, sealed.signature);
}

const Bytes& message() {
  static const Bytes text = [] {
    Bytes bytes(100);
    std::mt19937 random(7);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    return bytes;
  }();
  return text;
}

TEST_CASE("session: a forged signature leaves data, stream and counter as they were", "[session]") {
  for (const Flags flags : {kEssFlags, kEssFlags & ~flag::kKeyExchange, kLegacyFlags}) {
    for (std::size_t bit = 0; bit < 8 * kSignatureSize; ++bit) {
      // Without extended session security receivers ignore bytes 4 to 7 [MS-NLMP] 3.4.4.1.
      if (!has(flags, flag::kEss) && bit / 32 == 1) {
        continue;
      }
      Ends ends(flags);
      const Sealed sealed = seal(ends.client, message());
      Sealed forged = sealed;
      forged.signature[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      Bytes data = forged.data;
      const Result<Arrival> in_place = open_in_place(ends.server, data, forged.signature);
      CAPTURE(flags, bit);
      REQUIRE_FALSE(in_place);
      CHECK(in_place.error().major == Major::kBadSig);
      CHECK(data == sealed.data);
      Bytes clear;
      CHECK_FALSE(open_elsewhere(ends.server, forged, clear));
      CHECK((clear == Bytes(message().size()) || clear == Bytes(message().size(), 0xEE)));
      CHECK(open_in_place(ends.server, data, sealed.signature));
      CHECK(data == message());
    }
  }
}

TEST_CASE("session: changed data leaves data, stream and counter as they were", "[session]") {
  for (const Flags flags : {kEssFlags, kLegacyFlags}) {
    for (std::size_t at = 0; at < message().size(); ++at) {
      Ends ends(flags);
      const Sealed sealed = seal(ends.client, message());
      Bytes data = sealed.data;
      data[at] ^= 1;
      const Bytes before = data;
      CAPTURE(flags, at);
      CHECK_FALSE(open_in_place(ends.server, data, sealed.signature));
      CHECK(data == before);
      Bytes clear;
      CHECK_FALSE(open_elsewhere(ends.server, {before, sealed.signature}, clear));
      CHECK(clear == Bytes(message().size()));
      data[at] ^= 1;
      CHECK(open_in_place(ends.server, data, sealed.signature));
      CHECK(data == message());
    }
  }
}

TEST_CASE("session: no message is taken twice, early or late", "[session]") {
  for (const Flags flags : {kEssFlags, kEssFlags & ~flag::kKeyExchange, kLegacyFlags}) {
    Ends ends(flags);
    std::vector<Sealed> sent;
    for (int i = 0; i < 4; ++i) {
      sent.push_back(seal(ends.client, message()));
    }
    for (std::size_t turn = 0; turn < sent.size(); ++turn) {
      for (std::size_t i = 0; i < sent.size(); ++i) {
        if (i != turn) {
          Bytes data = sent[i].data;
          const Result<Arrival> s = open_in_place(ends.server, data, sent[i].signature);
          CAPTURE(flags, turn, i);
          REQUIRE_FALSE(s);
          CHECK(s.error().major == Major::kBadSig);
          CHECK(data == sent[i].data);
        }
      }
      Bytes data = sent[turn].data;
      CHECK(open_in_place(ends.server, data, sent[turn].signature));
      CHECK(data == message());
    }
  }
}

TEST_CASE("session: a message does not open at its own sender", "[session]") {
  Ends ends(kEssFlags);
  const Sealed sealed = seal(ends.client, message());
  Bytes data = sealed.data;
  CHECK_FALSE(open_in_place(ends.client, data, sealed.signature));
  CHECK(data == sealed.data);
}

TEST_CASE("session: sealed and signed messages may alternate, forged ones in between",
          "[session]") {
  for (const Flags flags : {kEssFlags, kEssFlags & ~flag::kKeyExchange, kLegacyFlags}) {
    Ends ends(flags);
    std::mt19937 random(11);
    for (int i = 0; i < 200; ++i) {
      const bool conf = random() % 2 != 0;
      const bool to_server = random() % 2 != 0;
      Session& from = to_server ? ends.client : ends.server;
      Session& to = to_server ? ends.server : ends.client;
      const ByteView clear = ByteView(message()).first(random() % 100);
      const Sealed sealed = seal(from, clear, conf);
      for (auto tries = random() % 3; tries > 0; --tries) {
        Sealed forged = sealed;
        forged.signature[8] ^= static_cast<std::uint8_t>(1 + random() % 255);
        CHECK_FALSE(open_in_place(to, forged.data, forged.signature, conf));
        CHECK(forged.data == sealed.data);
      }
      Bytes data = sealed.data;
      CAPTURE(flags, i, conf);
      REQUIRE(open_in_place(to, data, sealed.signature, conf));
      REQUIRE(same_bytes(data, clear));
    }
  }
}

TEST_CASE("session: parts that are opened elsewhere, in place or only signed fail together",
          "[session]") {
  for (const Flags flags : {kEssFlags, kLegacyFlags}) {
    Ends ends(flags);
    Bytes header = unhex("00112233");
    Bytes first(message().begin(), message().begin() + 30);
    Bytes second(message().begin() + 30, message().end());
    const Bytes clear_first = first;
    const Bytes clear_second = second;
    MessagePart parts[] = {{header.data(), nullptr, header.size(), true},
                           {first.data(), first.data(), first.size(), true},
                           {second.data(), second.data(), second.size(), true}};
    Signature signature;
    REQUIRE(ends.client.protect(parts, signature));
    const Bytes sealed_first = first;
    const Bytes sealed_second = second;
    Bytes elsewhere(first.size(), 0xEE);
    parts[1].out = elsewhere.data();
    header[0] ^= 1;
    CAPTURE(flags);
    CHECK_FALSE(ends.server.open(parts, signature));
    CHECK(elsewhere == Bytes(first.size()));
    CHECK(first == sealed_first);
    CHECK(second == sealed_second);
    header[0] ^= 1;
    REQUIRE(ends.server.open(parts, signature));
    CHECK(elsewhere == clear_first);
    CHECK(second == clear_second);
  }
}

TEST_CASE("session: an empty message is a bare signature", "[session]") {
  for (const Flags flags : {kEssFlags, kLegacyFlags}) {
    Ends ends(flags);
    const Sealed sealed = seal(ends.client, {});
    Bytes data;
    CHECK(open_in_place(ends.server, data, sealed.signature));
    Signature signature{};
    REQUIRE(ends.client.protect({}, signature));
    CHECK(ends.server.open({}, signature));
  }
}

TEST_CASE("session: without SIGN and SEAL nothing is protected", "[session]") {
  Ends ends(kEssFlags & ~flag::kProtection);
  Signature signature{1};
  const Status made = ends.client.protect({}, signature);
  const Result<Arrival> taken = ends.server.open({}, signature);
  REQUIRE_FALSE(made);
  REQUIRE_FALSE(taken);
  CHECK(made.error().major == Major::kUnavailable);
  CHECK(taken.error().major == Major::kUnavailable);
  CHECK(taken.error().minor == Minor::kNoProtection);
}

TEST_CASE("session: restarting a stream does not restart its counter", "[session]") {
  Ends ends(kEssFlags);
  const Sealed mic = seal(ends.client, message(), false);
  Bytes data = mic.data;
  REQUIRE(open_in_place(ends.server, data, mic.signature, false));
  ends.client.reset_stream(false);
  const Sealed next = seal(ends.client, message());
  CHECK(load_le32(&next.signature[12]) == 1);
  data = next.data;
  CHECK_FALSE(open_in_place(ends.server, data, next.signature));
  ends.server.reset_stream(true);
  CHECK(open_in_place(ends.server, data, next.signature));
  CHECK(data == message());
}

}  // namespace
}  // namespace gssntlm
