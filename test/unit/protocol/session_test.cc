// Session security between two ends, from their first message [MS-NLMP] 3.1.3, 3.2.3 on
// [MS-NLMP] 3.4, 3.4.1, 3.4.4, 3.4.4.2, 3.4.4.3: order, loss, repetition, forgery.
#include "mech/protocol/session.h"

#include <string>
#include <vector>

#include "test/support/catch.h"

namespace gssntlm {
namespace {

constexpr Flags kEssFlags =
    flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::kKeyExchange | flag::kAlwaysSign;
constexpr Flags kDatagramFlags = kEssFlags | flag::kDatagram;

struct Token {
  Signature signature{};
  Bytes body;
};

SessionKey test_key(std::uint8_t first = 0) {
  SessionKey key;
  for (std::uint8_t& byte : key.bytes()) {
    byte = first++;
  }
  return key;
}

struct Pair {
  explicit Pair(Flags flags, SessionRules rules = {})
      : client(flags, test_key(), Side::kClient, rules),
        server(flags, test_key(), Side::kServer, rules) {}
  Session client;
  Session server;
};

const Bytes& text() {
  static const Bytes bytes = {'a', ' ', 'm', 'e', 's', 's', 'a', 'g', 'e'};
  return bytes;
}

Token seal(Session& from) {
  Token token;
  token.body.resize(text().size());
  const MessagePart part{text().data(), token.body.data(), text().size()};
  REQUIRE(from.protect({&part, 1}, token.signature));
  return token;
}

Token sign(Session& from) {
  Token token;
  token.body = text();
  const MessagePart part{text().data(), nullptr, text().size()};
  REQUIRE(from.protect({&part, 1}, token.signature));
  return token;
}

// Opens in place of a copy; a success must give the text, a failure leave what was there.
Result<Arrival> open(Session& to, const Token& token) {
  Bytes body = token.body;
  const MessagePart part{body.data(), body.data(), body.size()};
  const Result<Arrival> arrival = to.open({&part, 1}, token.signature);
  CHECK(body == (arrival ? text() : token.body));
  return arrival;
}

Result<Arrival> verify(Session& to, const Token& token) {
  const MessagePart part{token.body.data(), nullptr, token.body.size()};
  return to.open({&part, 1}, token.signature);
}

bool arrived(const Result<Arrival>& result, Arrival arrival) {
  return result && *result == arrival;
}

bool refused(const Result<Arrival>& result, Minor minor) {
  return !result && result.error().major == Major::kBadSig && result.error().minor == minor;
}

TEST_CASE("connection: a repeated, skipped or reordered message is named, and the next one opens") {
  Pair ends(kEssFlags);
  const Token first = seal(ends.client);
  const Token second = seal(ends.client);
  const Token third = sign(ends.client);
  CHECK(refused(open(ends.server, second), Minor::kGapToken));
  CHECK(arrived(open(ends.server, first), Arrival::kExpected));
  CHECK(refused(open(ends.server, first), Minor::kDuplicateToken));
  CHECK(refused(verify(ends.server, third), Minor::kGapToken));
  CHECK(arrived(open(ends.server, second), Arrival::kExpected));
  CHECK(arrived(verify(ends.server, third), Arrival::kExpected));
  CHECK(arrived(open(ends.client, seal(ends.server)), Arrival::kExpected));
}

TEST_CASE("connection: without extended session security both directions share stream and count") {
  Pair ends(kEssFlags & ~flag::kEss);
  for (int i = 0; i < 3; ++i) {
    CHECK(arrived(open(ends.server, seal(ends.client)), Arrival::kExpected));
    CHECK(arrived(verify(ends.client, sign(ends.server)), Arrival::kExpected));
  }
  const Token lost = seal(ends.client);
  CHECK(refused(open(ends.server, seal(ends.client)), Minor::kBadSignature));
  CHECK(arrived(open(ends.server, lost), Arrival::kExpected));
}

TEST_CASE("connection: a sequence number cannot be set") {
  Pair ends(kEssFlags);
  CHECK_FALSE(ends.client.set_sequence(5));
  CHECK(arrived(open(ends.server, seal(ends.client)), Arrival::kExpected));
}

TEST_CASE("connectionless: messages open in any order, and each number once") {
  Pair ends(kDatagramFlags);
  std::vector<Token> tokens;
  for (int i = 0; i < 6; ++i) {
    tokens.push_back(seal(ends.client));
  }
  for (const std::size_t i : {5u, 0u, 3u, 1u}) {
    CHECK(arrived(open(ends.server, tokens[i]), Arrival::kExpected));
  }
  for (const std::size_t i : {5u, 0u, 3u, 1u}) {
    CHECK(arrived(open(ends.server, tokens[i]), Arrival::kDuplicate));
  }
  CHECK(arrived(open(ends.server, tokens[2]), Arrival::kExpected));
  CHECK(arrived(open(ends.client, seal(ends.server)), Arrival::kExpected));
}

TEST_CASE("connectionless: a message beyond the window is old, and said to be") {
  Pair ends(kDatagramFlags);
  const Token first = seal(ends.client);
  const Token second = seal(ends.client);
  REQUIRE(ends.client.set_sequence(ReplayWindow::kWidth));
  CHECK(arrived(open(ends.server, seal(ends.client)), Arrival::kExpected));
  CHECK(arrived(open(ends.server, first), Arrival::kOldToken));
  CHECK(arrived(open(ends.server, second), Arrival::kExpected));
}

TEST_CASE("connectionless: where replay is not looked for, a number may come again") {
  Pair ends(kDatagramFlags, SessionRules{false, false});
  const Token token = seal(ends.client);
  for (int i = 0; i < 3; ++i) {
    CHECK(arrived(open(ends.server, token), Arrival::kExpected));
  }
}

TEST_CASE("connectionless: a forged number or byte is refused and marks nothing as taken") {
  Pair ends(kDatagramFlags);
  const Token token = seal(ends.client);
  for (std::size_t i = 0; i < kSignatureSize + token.body.size(); ++i) {
    Token forged = token;
    (i < kSignatureSize ? forged.signature[i] : forged.body[i - kSignatureSize]) ^= 0x40;
    CHECK(refused(open(ends.server, forged), Minor::kBadSignature));
  }
  CHECK(arrived(open(ends.server, token), Arrival::kExpected));
}

TEST_CASE("connectionless: a forged message leaves nothing open") {
  Pair pair(kDatagramFlags);
  Token token = seal(pair.client);
  token.signature[5] ^= 1;
  const Bytes sealed = token.body;
  Bytes apart(sealed.size(), 0xAA);
  const MessagePart elsewhere{token.body.data(), apart.data(), apart.size()};
  REQUIRE_FALSE(pair.server.open({&elsewhere, 1}, token.signature));
  CHECK(apart == Bytes(sealed.size()));
  const MessagePart in_place{token.body.data(), token.body.data(), token.body.size()};
  REQUIRE_FALSE(pair.server.open({&in_place, 1}, token.signature));
  CHECK(token.body == sealed);
}

TEST_CASE("connectionless: a message of another context or direction is refused") {
  Pair ends(kDatagramFlags);
  Session other(kDatagramFlags, test_key(1), Side::kClient);
  CHECK(refused(open(ends.server, seal(other)), Minor::kBadSignature));
  CHECK(refused(open(ends.client, seal(ends.client)), Minor::kBadSignature));
}

// Why a sealed message is not made; kNone if it is.
Minor sealing_error(Session& session) {
  Bytes body = text();
  const MessagePart part{body.data(), body.data(), body.size()};
  Signature signature;
  const Status made = session.protect({&part, 1}, signature);
  return made ? Minor::kNone : made.error().minor;
}

TEST_CASE("connectionless: a number that was set holds for signatures until it is set again") {
  Pair ends(kDatagramFlags);
  for (const std::uint32_t number : {7u, 0u, 0xFFFFFFFFu, 3u}) {
    REQUIRE(ends.client.set_sequence(number));
    REQUIRE(ends.server.set_sequence(number));
    for (int i = 0; i < 3; ++i) {
      const Token token = sign(ends.client);
      CHECK(load_le32(&token.signature[12]) == number);
      CHECK(arrived(verify(ends.server, token), Arrival::kExpected));
      CHECK(arrived(verify(ends.client, sign(ends.server)), Arrival::kExpected));
    }
  }
}

TEST_CASE("connectionless: no number is sealed twice, nor one below a number sent") {
  Pair ends(kDatagramFlags);
  for (const std::uint32_t number : {7u, 9u, 0xFFFFFFFEu}) {
    REQUIRE(ends.client.set_sequence(number));
    CHECK(load_le32(&seal(ends.client).signature[12]) == number);
    CHECK(sealing_error(ends.client) == Minor::kSequenceUsed);
    REQUIRE(ends.client.set_sequence(number));
    CHECK(sealing_error(ends.client) == Minor::kSequenceUsed);
    REQUIRE(ends.client.set_sequence(number - 1));
    CHECK(sealing_error(ends.client) == Minor::kSequenceUsed);
    CHECK(load_le32(&sign(ends.client).signature[12]) == number - 1);
  }
  // A signature uses the key stream of its number too.
  REQUIRE(ends.client.set_sequence(0xFFFFFFFF));
  CHECK(load_le32(&sign(ends.client).signature[12]) == 0xFFFFFFFF);
  CHECK(sealing_error(ends.client) == Minor::kSequenceEnd);
}

TEST_CASE("connectionless: a number set for receiving refuses others, and a sealed one twice") {
  Pair ends(kDatagramFlags);
  const Token zero = seal(ends.client);
  const Token one = seal(ends.client);
  REQUIRE(ends.server.set_sequence(1));
  CHECK(refused(open(ends.server, zero), Minor::kSequence));
  CHECK(arrived(open(ends.server, one), Arrival::kExpected));
  CHECK(arrived(open(ends.server, one), Arrival::kDuplicate));
  CHECK(refused(open(ends.server, zero), Minor::kSequence));
}

TEST_CASE("connectionless without extended session security: signed by number, never sealed") {
  Pair ends(kDatagramFlags & ~flag::kEss);
  CHECK_FALSE(ends.client.can_seal());
  Bytes body = text();
  const MessagePart part{body.data(), body.data(), body.size()};
  Signature signature;
  CHECK_FALSE(ends.client.protect({&part, 1}, signature));
  CHECK(body == text());
  const Token zero = sign(ends.client);
  const Token one = sign(ends.client);
  CHECK(refused(verify(ends.server, one), Minor::kBadSignature));
  CHECK(arrived(verify(ends.server, zero), Arrival::kExpected));
  CHECK(arrived(verify(ends.server, one), Arrival::kExpected));
  REQUIRE(ends.server.set_sequence(0));
  CHECK(arrived(verify(ends.server, zero), Arrival::kExpected));
  CHECK(arrived(verify(ends.server, zero), Arrival::kExpected));
  CHECK(refused(verify(ends.server, one), Minor::kBadSignature));
}

TEST_CASE("neither SIGN nor SEAL: no protection, unless the constant signature is allowed") {
  constexpr Flags kNone = kEssFlags & ~flag::kProtection;
  Pair ends(kNone);
  const MessagePart part{text().data(), nullptr, text().size()};
  Signature signature;
  const Status none = ends.client.protect({&part, 1}, signature);
  REQUIRE_FALSE(none);
  CHECK(none.error().major == Major::kUnavailable);
  CHECK_FALSE(ends.server.open({&part, 1}, signature));

  Pair dummies(kNone, SessionRules{true, true});
  const Token token = sign(dummies.client);
  CHECK(token.signature == Signature{1});
  CHECK(arrived(verify(dummies.server, token), Arrival::kExpected));
  Token wrong = token;
  wrong.signature[15] = 1;
  CHECK(refused(verify(dummies.server, wrong), Minor::kBadSignature));
  Pair silent(kNone & ~flag::kAlwaysSign, SessionRules{true, true});
  CHECK_FALSE(silent.client.protect({&part, 1}, signature));
}

}  // namespace
}  // namespace gssntlm
