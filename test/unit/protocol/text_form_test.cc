// What names look like on the wire: OEM and Unicode, target forms, the machine [MS-NLMP] 2.2.
#include "mech/wire/challenge.h"
#include "test/support/catch.h"
#include "test/support/duel.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

DuelSetup oem(CodePage page, const std::string& user) {
  DuelSetup setup;
  setup.initiator.code_page = setup.acceptor.code_page = page;
  setup.account.user = setup.claimed.user = user;
  setup.request.negotiate_flags = (kUsualOffer & ~flag::kUnicode) | flag::kOem;
  return setup;
}

TEST_CASE("OEM: names go both ways in the code page that policy names", "[oem]") {
  const struct {
    CodePage page;
    const char* user;
    const char* bytes;
  } cases[] = {
      {CodePage::k437, "M\u00fcller", "4d816c6c6572"},
      {CodePage::k850, "\u00d8re", "9d7265"},
      {CodePage::k1252, "M\u00fcller\u20ac", "4dfc6c6c657280"},
  };
  for (const auto& c : cases) {
    Duel duel(oem(c.page, c.user));
    REQUIRE(duel.run() == Leg::kOpen);
    CHECK(hex(duel.decoded().user) == c.bytes);
    CHECK(has(duel.server.flags, flag::kOem));
    CHECK_FALSE(has(duel.server.flags, flag::kUnicode));
    CHECK(narrow(duel.logon.user) == c.user);
    CHECK(narrow(duel.logon.facts.workstation) == "WKS01");
    CHECK(hex(decode_challenge(duel.challenge_token)->target_name) == "534552564552");
  }
}

TEST_CASE("OEM: a name that the code page lacks is an error, not another name", "[oem]") {
  Duel duel(oem(CodePage::k437, "M\u0416"));
  CHECK(duel.run() == Leg::kAuthenticate);
  CHECK(duel.error().minor == Minor::kUnencodable);
  CHECK(duel.traced("OEM"));
  DuelSetup setup = oem(CodePage::k437, "User");
  setup.names.nb_computer = wide("\u0416");
  Duel server(setup);
  CHECK(server.run() == Leg::kChallenge);
  CHECK(server.error().minor == Minor::kUnencodable);
}

TEST_CASE("OEM: bytes that the code page does not define are refused", "[oem]") {
  for (const unsigned byte : {0x81U, 0x8dU, 0x8fU, 0x90U, 0x9dU}) {
    Duel duel(oem(CodePage::k1252, "User"));
    REQUIRE(duel.negotiate());
    REQUIRE(duel.challenge());
    REQUIRE(duel.authenticate());
    duel.authenticate_token[load_le32(&duel.authenticate_token[40])] =
        static_cast<std::uint8_t>(byte);
    CHECK_FALSE(duel.judge());
    CHECK(duel.error().major == Major::kDefectiveToken);
    CHECK(duel.error().minor == Minor::kBadString);
  }
}

TEST_CASE("OEM: control characters in names are refused", "[oem]") {
  for (const unsigned byte : {0x00U, 0x0aU, 0x1fU, 0x7fU}) {
    Duel duel(oem(CodePage::k437, "User"));
    REQUIRE(duel.negotiate());
    REQUIRE(duel.challenge());
    REQUIRE(duel.authenticate());
    duel.authenticate_token[load_le32(&duel.authenticate_token[40])] =
        static_cast<std::uint8_t>(byte);
    CHECK_FALSE(duel.judge());
    CHECK(duel.error().minor == Minor::kBadString);
  }
}

TEST_CASE("OEM: Unicode is preferred wherever both know it", "[oem]") {
  DuelSetup setup;
  setup.initiator.offer_oem = true;
  Duel duel(setup);
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK(has(load_le32(&duel.negotiate_token[12]), flag::kUnicode | flag::kOem));
  CHECK(has(duel.client.flags, flag::kUnicode));
  CHECK_FALSE(has(duel.client.flags, flag::kOem));

  // A CHALLENGE with both, as WinPR sends.
  Duel both(setup);
  REQUIRE(both.negotiate());
  REQUIRE(both.challenge());
  store_le32(&both.challenge_token[20], load_le32(&both.challenge_token[20]) | flag::kOem);
  REQUIRE(both.authenticate());
  CHECK(has(both.client.flags, flag::kUnicode));
  CHECK_FALSE(has(both.client.flags, flag::kOem));
}

TEST_CASE("OEM: the v1 family hashes no name and works the same", "[oem]") {
  DuelSetup setup = oem(CodePage::k437, "M\u00fcller");
  setup.initiator.initiator_level = 1;
  setup.acceptor.acceptor_level = 1;
  Duel duel(setup);
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK(narrow(duel.logon.user) == "M\u00fcller");
}

TEST_CASE("target: its type and name follow the host's membership [MS-NLMP] 2.2.1.2", "[target]") {
  for (const bool member : {false, true}) {
    for (const Flags offer : {kUsualOffer, kUsualOffer & ~flag::kRequestTarget}) {
      FixedEnvironment env;
      Acceptor acceptor((Policy()));
      HostNames names = server_names();
      names.domain_member = member;
      const Result<Buffer> token = acceptor.challenge(make_negotiate(offer), names, env);
      const Result<ChallengeMessage> challenge = decode_challenge(token->view());
      REQUIRE(challenge);
      CHECK(has(challenge->flags, flag::kRequestTarget));
      CHECK(has(challenge->flags, flag::kTargetTypeDomain) == member);
      CHECK(has(challenge->flags, flag::kTargetTypeServer) == !member);
      CHECK(narrow(challenge->target_name) == (member ? "DOMAIN" : "SERVER"));
      CHECK(has(challenge->flags, flag::kTargetInfo));
    }
  }
}

TEST_CASE("identify: agreed if both name it", "[target]") {
  for (const bool asked : {false, true}) {
    DuelSetup setup;
    setup.request.identify = asked;
    Duel duel(setup);
    REQUIRE(duel.run() == Leg::kOpen);
    CHECK(has(duel.client.flags, flag::kIdentify) == asked);
    CHECK(has(duel.server.flags, flag::kIdentify) == asked);
  }
}

TEST_CASE("SingleHost: a client on this machine is refused, unless policy takes it", "[target]") {
  std::array<std::uint8_t, 32> here;
  here.fill(0xA5);
  std::array<std::uint8_t, 32> elsewhere = here;
  elsewhere.back() ^= 1;
  struct Case {
    std::array<std::uint8_t, 32> client;
    std::array<std::uint8_t, 32> server;
    bool refuse;
    bool open;
  };
  for (const Case& c : {Case{here, here, true, false}, Case{here, here, false, true},
                        Case{elsewhere, here, true, true}, Case{{}, {}, true, true}}) {
    DuelSetup setup;
    setup.initiator.send_single_host = true;
    setup.acceptor.refuse_reflection = c.refuse;
    Duel duel(setup);
    duel.client_env.machine = c.client;
    duel.server_env.machine = c.server;
    CAPTURE(c.refuse, c.open);
    CHECK((duel.run() == Leg::kOpen) == c.open);
    CHECK(duel.server_env.traced("on this machine, and [policy] refuse_reflection = yes") ==
          !c.open);
  }
}

TEST_CASE("SingleHost: sent where policy says so, and understood [MS-NLMP] 2.2.2.2", "[target]") {
  std::array<std::uint8_t, 32> here;
  here.fill(0xA5);
  for (const bool send : {false, true}) {
    DuelSetup setup;
    setup.initiator.send_single_host = send;
    setup.acceptor.refuse_reflection = false;
    Duel duel(setup);
    duel.client_env.machine = here;
    duel.server_env.machine = here;
    REQUIRE(duel.run() == Leg::kOpen);
    const auto value = duel.decoded().v2->target_info.single_host;
    REQUIRE(value.has_value() == send);
    CHECK(duel.server_env.traced("runs on this machine") == send);
    if (send) {
      CHECK(hex(*value) == "30000000000000000100000000200000" + hex(here));
    }
  }
  DuelSetup setup;
  setup.initiator.send_single_host = true;
  Duel elsewhere(setup);
  elsewhere.client_env.machine = here;
  REQUIRE(elsewhere.run() == Leg::kOpen);
  CHECK(elsewhere.server_env.traced("runs on another machine"));
}

TEST_CASE("SingleHost: the longer form of newer systems is understood, a shorter one is not one",
          "[target]") {
  SingleHost host;
  host.machine_id.fill(7);
  Bytes value;
  append(value, encode_single_host(host));
  value.resize(80, 0xEE);
  REQUIRE(decode_single_host(value));
  CHECK(decode_single_host(value)->machine_id == host.machine_id);
  CHECK_FALSE(decode_single_host(ByteView(value).first(47)));
}

// AUTHENTICATE without flags, key and Version, as Windows 9x ends it: 52 bytes, then payload.
Bytes without_flags(const Bytes& token) {
  constexpr std::uint32_t kShort = 52;
  constexpr std::uint32_t kLong = 88;
  Bytes cut(token.begin(), token.begin() + kShort);
  cut.insert(cut.end(), token.begin() + kLong, token.end());
  for (std::size_t at = 12; at < kShort; at += 8) {
    store_le32(&cut[at + 4], load_le32(&cut[at + 4]) - (kLong - kShort));
  }
  return cut;
}

TEST_CASE("legacy: a message of 52 bytes of header takes what CHALLENGE said", "[target]") {
  for (const bool protect : {false, true}) {
    DuelSetup setup;
    setup.initiator.initiator_level = 1;
    setup.acceptor.acceptor_level = 1;
    setup.request.offer_protection = protect;
    Duel duel(setup);
    REQUIRE(duel.negotiate());
    REQUIRE(duel.challenge());
    REQUIRE(duel.authenticate());
    duel.authenticate_token = without_flags(duel.authenticate_token);
    CAPTURE(protect);
    // It has no room for the key that protection needs.
    CHECK(duel.judge() == !protect);
    if (protect) {
      CHECK(duel.error().minor == Minor::kBadResponse);
    } else {
      CHECK(duel.server.kind == ResponseKind::kNtlmV1Ess);
      CHECK(has(duel.server.flags, flag::kEss));
    }
  }
}

}  // namespace
}  // namespace gssntlm
