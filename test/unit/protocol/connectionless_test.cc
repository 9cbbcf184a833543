// Connectionless handshakes [MS-NLMP] 1.3.1.2, 3.1.5.2, 3.2.5.2, 3.2.5.2.1, 3.2.5.2.2: no
// NEGOTIATE, the client chooses.
#include "mech/crypto/derive.h"
#include "mech/wire/challenge.h"
#include "test/support/catch.h"
#include "test/support/duel.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

constexpr std::size_t kFlagsAt = 60;
constexpr Flags kAllThere =
    flag::kDatagram | flag::kKeyExchange | flag::kEss | flag::k128 | flag::kSign | flag::kSeal;

DuelSetup connectionless() {
  DuelSetup setup;
  setup.request.connectionless = true;
  setup.acceptor.allow_connectionless = true;
  return setup;
}

// Everything is allowed that the wire format has.
DuelSetup weak() {
  DuelSetup setup = connectionless();
  for (Policy* policy : {&setup.initiator, &setup.acceptor}) {
    policy->require_ess = false;
    policy->min_key_bits = 40;
    policy->initiator_level = policy->acceptor_level = 1;
  }
  return setup;
}

TEST_CASE("connectionless: nothing is sent before CHALLENGE, which offers all there is",
          "[connectionless]") {
  Duel duel(connectionless());
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK(duel.negotiate_token.empty());
  const Result<ChallengeMessage> challenge = decode_challenge(duel.challenge_token);
  REQUIRE(challenge);
  CHECK(has(challenge->flags, kAllThere | flag::kIdentify | flag::kTargetInfo | flag::kUnicode));
  CHECK_FALSE(has_any(challenge->flags, flag::kOem | flag::kLmKey | flag::k56));
  const AuthenticateMessage message = duel.decoded();
  CHECK(has(message.flags, kAllThere | flag::kUnicode));
  CHECK_FALSE(has_any(message.flags, flag::kOem | flag::kIdentify));
  CHECK(message.session_key.size() == 16);
  CHECK(duel.client.flags == duel.server.flags);
  CHECK(hex(duel.client.key.view()) == hex(duel.server.key.view()));
  CHECK(narrow(duel.logon.user) == "User");
}

TEST_CASE("connectionless: the MIC covers CHALLENGE and AUTHENTICATE [MS-NLMP] 3.1.5.2.1",
          "[connectionless]") {
  Duel duel(connectionless());
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK(duel.server.mic);
  const Mic mic =
      compute_mic(duel.client.key, {}, duel.challenge_token, duel.authenticate_token, kMicOffset);
  CHECK(hex(mic) == hex(ByteView(duel.authenticate_token).subspan(kMicOffset, kMicSize)));

  Duel forged(connectionless());
  REQUIRE(forged.negotiate());
  REQUIRE(forged.challenge());
  REQUIRE(forged.authenticate());
  forged.authenticate_token[kMicOffset] ^= 1;
  CHECK_FALSE(forged.judge());
  CHECK(forged.error().minor == Minor::kLogonFailure);
}

TEST_CASE("connectionless: messages of the two ends are read by each other", "[connectionless]") {
  Duel duel(connectionless());
  REQUIRE(duel.run() == Leg::kOpen);
  Session client = duel.client_session();
  Session server = duel.server_session();
  CHECK(client.is_connectionless());
  CHECK(converse(client, server, 100));
}

TEST_CASE("connectionless: acceptors do without unless policy has them", "[connectionless]") {
  DuelSetup setup = connectionless();
  setup.acceptor = Policy();
  Duel duel(setup);
  CHECK(duel.run() == Leg::kChallenge);
  CHECK(duel.error().minor == Minor::kPolicyBlocked);
  CHECK(duel.traced("allow_connectionless = no"));
}

TEST_CASE("connectionless: a client needs DATAGRAM and KEY_EXCH in the offer", "[connectionless]") {
  for (const Flags bit : {flag::kDatagram, flag::kKeyExchange}) {
    Duel duel(connectionless());
    REQUIRE(duel.negotiate());
    REQUIRE(duel.challenge());
    store_le32(&duel.challenge_token[20], load_le32(&duel.challenge_token[20]) & ~bit);
    CHECK_FALSE(duel.authenticate());
    CHECK(duel.error().minor == Minor::kPolicyFlags);
    CHECK(duel.traced("do not have connectionless NTLM"));
  }
}

TEST_CASE("connectionless: a connection's client ignores the offer of it", "[connectionless]") {
  Duel duel((DuelSetup()));
  REQUIRE(duel.negotiate());
  REQUIRE(duel.challenge());
  store_le32(&duel.challenge_token[20], load_le32(&duel.challenge_token[20]) | flag::kDatagram);
  REQUIRE(duel.authenticate());
  CHECK_FALSE(has(duel.client.flags, flag::kDatagram));
}

// The verdict on an AUTHENTICATE whose flags were changed to `flags`, by a client that sends no
// MIC.
Minor verdict(Duel& duel, Flags flags) {
  store_le32(&duel.authenticate_token[kFlagsAt], flags);
  return duel.judge() ? Minor::kNone : duel.error().minor;
}

void make_v1(Duel& duel) {
  REQUIRE(duel.negotiate());
  REQUIRE(duel.challenge());
  REQUIRE(duel.authenticate());
  REQUIRE_FALSE(duel.decoded().mic_at);
}

TEST_CASE("connectionless: the acceptor checks the choice", "[connectionless]") {
  const struct {
    const char* what;
    Flags drop;
    Flags add;
    Minor minor;
  } cases[] = {
      {"not connectionless", flag::kDatagram, 0, Minor::kDowngrade},
      {"no key exchange", flag::kKeyExchange, 0, Minor::kBadResponse},
      {"no character set", flag::kUnicode, 0, Minor::kCharset},
      {"both character sets", 0, flag::kOem, Minor::kDowngrade},
      {"another character set", flag::kUnicode, flag::kOem, Minor::kDowngrade},
      {"a key that was not offered", 0, flag::kNonNtSessionKey, Minor::kDowngrade},
  };
  for (const auto& c : cases) {
    Duel duel(weak());
    make_v1(duel);
    CAPTURE(c.what);
    CHECK(verdict(duel, (duel.decoded().flags & ~c.drop) | c.add) == c.minor);
  }
}

TEST_CASE("connectionless: both character sets may be offered, one must be chosen",
          "[connectionless]") {
  DuelSetup setup = weak();
  setup.acceptor.offer_oem = true;
  Duel both(setup);
  make_v1(both);
  CHECK(verdict(both, both.decoded().flags | flag::kOem) == Minor::kCharset);
  setup.request.negotiate_flags = (kUsualOffer & ~flag::kUnicode) | flag::kOem;
  Duel oem(setup);
  REQUIRE(oem.run() == Leg::kOpen);
  CHECK(has(oem.server.flags, flag::kOem));
  CHECK_FALSE(has(oem.server.flags, flag::kUnicode));
  CHECK(narrow(oem.logon.user) == "User");
}

TEST_CASE("connectionless: dropping ESS or 128 bits is refused by default on both sides",
          "[connectionless]") {
  const struct {
    Flags bit;
    Minor minor;
  } cases[] = {{flag::kEss, Minor::kPolicyFlags}, {flag::k128, Minor::kPolicyKeyLength}};
  for (const auto& c : cases) {
    Duel server(connectionless());
    REQUIRE(server.negotiate());
    REQUIRE(server.challenge());
    store_le32(&server.challenge_token[20], load_le32(&server.challenge_token[20]) & ~c.bit);
    CHECK_FALSE(server.authenticate());
    CHECK(server.error().minor == c.minor);

    DuelSetup setup = connectionless();
    setup.initiator = weak().initiator;
    setup.initiator.initiator_level = 3;
    setup.request.negotiate_flags = kUsualOffer & ~(c.bit | flag::kSeal);
    Duel client(setup);
    CHECK(client.run() == Leg::kJudgement);
    CHECK(client.error().minor == c.minor);
  }
}

TEST_CASE("connectionless: without ESS messages are signed only [MS-NLMP] 3.4.3",
          "[connectionless]") {
  DuelSetup setup = weak();
  setup.request.negotiate_flags = (kUsualOffer & ~(flag::kEss | flag::kSeal)) | flag::kSign;
  Duel signing(setup);
  REQUIRE(signing.run() == Leg::kOpen);
  CHECK(key_bits(signing.server.flags) == 56);
  Session client = signing.client_session();
  Session server = signing.server_session();
  CHECK_FALSE(client.can_seal());
  CHECK(converse(client, server, 20));

  setup.request.negotiate_flags = kUsualOffer & ~flag::kEss;
  Duel sealing(setup);
  CHECK(sealing.run() == Leg::kAuthenticate);
  CHECK(sealing.error().minor == Minor::kPolicyFlags);
  CHECK(sealing.traced("cannot be sealed"));

  // A client that seals nevertheless.
  Duel forced(weak());
  make_v1(forced);
  CHECK(verdict(forced, forced.decoded().flags & ~flag::kEss) == Minor::kPolicyFlags);
}

TEST_CASE("connectionless: neither signed nor sealed no key travels", "[connectionless]") {
  DuelSetup setup = connectionless();
  setup.request.offer_protection = false;
  Duel duel(setup);
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK(duel.decoded().session_key.empty());
  CHECK(has(duel.decoded().flags, flag::kKeyExchange));
  CHECK(hex(duel.client.key.view()) == hex(duel.server.key.view()));
}

TEST_CASE("connectionless: the v1 family and anonymous clients, where policy accepts them",
          "[connectionless]") {
  for (const unsigned level : {0u, 1u, 2u}) {
    DuelSetup setup = weak();
    setup.initiator.initiator_level = level;
    Duel duel(setup);
    REQUIRE(duel.run() == Leg::kOpen);
    // Level 0 has no extended session security, and so no sealing, which was not requested.
    CHECK(has(duel.server.flags, flag::kSign));
    CHECK(has(duel.server.flags, flag::kSeal) == (level != 0));
    CHECK(duel.server.kind != ResponseKind::kNtlmV2);
    CHECK(hex(duel.client.key.view()) == hex(duel.server.key.view()));
  }
  DuelSetup asked = weak();
  asked.initiator.initiator_level = 0;
  asked.request.confidentiality = true;
  Duel sealing(asked);
  CHECK(sealing.run() == Leg::kAuthenticate);
  CHECK(sealing.error().minor == Minor::kPolicyFlags);
  DuelSetup setup = connectionless();
  setup.anonymous = true;
  setup.acceptor.allow_anonymous = true;
  Duel nobody(setup);
  REQUIRE(nobody.run() == Leg::kOpen);
  CHECK(nobody.logon.anonymous);
}

TEST_CASE("connectionless: an AUTHENTICATE without flags, or cut anywhere, is refused",
          "[connectionless]") {
  Duel whole(connectionless());
  REQUIRE(whole.run() == Leg::kOpen);
  for (std::size_t size = 0; size < whole.authenticate_token.size(); size += 3) {
    Duel duel(connectionless());
    REQUIRE(duel.negotiate());
    REQUIRE(duel.challenge());
    REQUIRE(duel.authenticate());
    duel.authenticate_token.resize(size);
    CHECK_FALSE(duel.judge());
  }
}

TEST_CASE("connectionless: CHALLENGE is answered once, and AUTHENTICATE verified once",
          "[connectionless]") {
  Duel duel(connectionless());
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK_FALSE(duel.authenticate());
  CHECK(duel.error().minor == Minor::kBadState);
  CHECK_FALSE(duel.judge());
  CHECK(duel.error().minor == Minor::kBadState);
  CHECK_FALSE(duel.challenge());
  CHECK(duel.error().minor == Minor::kBadState);
}

}  // namespace
}  // namespace gssntlm
