// Anonymous logons: the exact form [MS-NLMP] 3.2.5.1.2, 3.3, and what comes close to it.
#include "test/support/catch.h"
#include "test/support/duel.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

constexpr std::size_t kLmLengthAt = 12;
constexpr std::size_t kNtLengthAt = 20;
constexpr std::size_t kDomainLengthAt = 28;
constexpr std::size_t kUserLengthAt = 36;
constexpr std::size_t kFlagsAt = 60;

DuelSetup nobody() {
  DuelSetup setup;
  setup.anonymous = true;
  setup.acceptor.allow_anonymous = true;
  return setup;
}

TEST_CASE("anonymous: the message has one zero byte as its LM response and no names",
          "[anonymous]") {
  for (const bool protect : {false, true}) {
    DuelSetup setup = nobody();
    setup.request.offer_protection = protect;
    Duel duel(setup);
    REQUIRE(duel.run() == Leg::kOpen);
    CHECK(has(load_le32(&duel.negotiate_token[12]), flag::kAnonymous));
    const AuthenticateMessage message = duel.decoded();
    CHECK(hex(message.lm_response) == "00");
    CHECK(message.nt_response.empty());
    CHECK(message.user.empty());
    CHECK(message.domain.empty());
    CHECK(message.workstation.empty());
    CHECK(has(message.flags, flag::kAnonymous));
    CHECK(message.session_key.size() == (protect ? 16u : 0u));
    CHECK(hex(ByteView(duel.authenticate_token).subspan(kMicOffset, kMicSize)) == hex(Bytes(16)));
    CHECK(load_le32(&duel.authenticate_token[16]) == 88);
    CHECK(duel.authenticate_token.size() == (protect ? 105u : 89u));
  }
}

TEST_CASE("anonymous: the client has no name, and neither end claims to protect anything",
          "[anonymous]") {
  for (const bool exchange : {false, true}) {
    DuelSetup setup = nobody();
    setup.request.offer_protection = exchange;
    Duel duel(setup);
    REQUIRE(duel.run() == Leg::kOpen);
    CHECK(duel.logon.anonymous);
    CHECK(duel.logon.user.empty());
    CHECK(duel.accounts.questions() == 0);
    for (const Outcome* outcome : {&duel.client, &duel.server}) {
      CHECK(outcome->kind == ResponseKind::kAnonymous);
      CHECK_FALSE(outcome->protects());
      CHECK_FALSE(outcome->mic);
      CHECK(weaknesses_of(*outcome) == std::vector<std::string_view>{"anonymous"});
    }
    CHECK(hex(duel.client.key.view()) == hex(duel.server.key.view()));
    CHECK((hex(duel.server.key.view()) == hex(Bytes(16))) == !exchange);
  }
}

TEST_CASE("anonymous: acceptors reject anonymous clients by default", "[anonymous]") {
  DuelSetup setup = nobody();
  setup.acceptor.allow_anonymous = Policy().allow_anonymous;
  Duel duel(setup);
  CHECK(duel.run() == Leg::kJudgement);
  CHECK(duel.error().minor == Minor::kAnonymous);
  CHECK(duel.traced("allow_anonymous = no"));
  CHECK(duel.accounts.questions() == 0);
}

// Clients of Samba.
DuelSetup without_ess() {
  DuelSetup setup = nobody();
  setup.initiator.require_ess = false;
  setup.request.negotiate_flags = kUsualOffer & ~flag::kEss;
  return setup;
}

TEST_CASE("anonymous: a NEGOTIATE without ESS follows the policy for anonymous clients",
          "[anonymous]") {
  Duel duel(without_ess());
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK(duel.logon.anonymous);
  CHECK_FALSE(has(duel.server.flags, flag::kEss));

  DuelSetup setup = without_ess();
  setup.acceptor.allow_anonymous = false;
  Duel off(setup);
  CHECK(off.run() == Leg::kChallenge);
  CHECK(off.error().minor == Minor::kPolicyFlags);
}

TEST_CASE("anonymous: flag J lets no user log in without ESS", "[anonymous]") {
  DuelSetup setup = without_ess();
  setup.anonymous = false;
  setup.initiator.initiator_level = 1;
  Duel plain(setup);
  CHECK(plain.run() == Leg::kChallenge);

  Duel duel(setup);
  REQUIRE(duel.negotiate());
  store_le32(&duel.negotiate_token[12], load_le32(&duel.negotiate_token[12]) | flag::kAnonymous);
  REQUIRE(duel.challenge());
  REQUIRE(duel.authenticate());
  CHECK_FALSE(duel.judge());
  CHECK(duel.error().minor == Minor::kPolicyFlags);
}

TEST_CASE("anonymous: channel bindings on either side end it", "[anonymous]") {
  const ChannelBindingHash bindings{1};
  DuelSetup setup = nobody();
  setup.initiator_bindings = &bindings;
  Duel client(setup);
  CHECK(client.run() == Leg::kAuthenticate);
  CHECK(client.error().major == Major::kBadBindings);
  setup = nobody();
  setup.acceptor_bindings = &bindings;
  Duel server(setup);
  CHECK(server.run() == Leg::kJudgement);
  CHECK(server.error().major == Major::kBadBindings);
}

// An anonymous AUTHENTICATE, changed; whether it opens a context.
template <typename Change>
bool opens(Change&& change) {
  Duel duel(nobody());
  REQUIRE(duel.negotiate());
  REQUIRE(duel.challenge());
  REQUIRE(duel.authenticate());
  change(duel.authenticate_token);
  const bool open = duel.judge();
  CHECK(duel.accounts.questions() <= 1);
  return open;
}

void set_field(Bytes& token, std::size_t at, std::uint16_t length, std::uint32_t offset) {
  store_le16(&token[at], length);
  store_le16(&token[at + 2], length);
  store_le32(&token[at + 4], offset);
}

TEST_CASE("anonymous: an empty LM response is anonymous too, and flag J decides nothing",
          "[anonymous]") {
  CHECK(opens([](Bytes&) {}));
  CHECK(opens([](Bytes& token) { set_field(token, kLmLengthAt, 0, 88); }));
  CHECK(opens([](Bytes& token) {
    store_le32(&token[kFlagsAt], load_le32(&token[kFlagsAt]) & ~flag::kAnonymous);
  }));
}

TEST_CASE("anonymous: a domain that the client names is not looked at", "[anonymous]") {
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{2, 16, 24}) {
    CAPTURE(length);
    CHECK(opens([&](Bytes& token) {
      token.resize(token.size() + length, 'D');
      set_field(token, kDomainLengthAt, length, static_cast<std::uint32_t>(token.size() - length));
    }));
  }
}

TEST_CASE("anonymous: nearly right forms are refused", "[anonymous]") {
  for (unsigned value = 1; value < 256; ++value) {
    CHECK_FALSE(opens([&](Bytes& token) { token[88] = static_cast<std::uint8_t>(value); }));
  }
  for (const std::size_t at : {kNtLengthAt, kUserLengthAt}) {
    for (const std::uint16_t length : std::initializer_list<std::uint16_t>{1, 2, 16, 17, 24}) {
      CAPTURE(at, length);
      CHECK_FALSE(opens([&](Bytes& token) {
        token.resize(token.size() + length);
        set_field(token, at, length, static_cast<std::uint32_t>(token.size() - length));
      }));
    }
  }
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{2, 8, 16, 23, 24, 25}) {
    CHECK_FALSE(opens([&](Bytes& token) {
      token.resize(token.size() + length);
      set_field(token, kLmLengthAt, length, static_cast<std::uint32_t>(token.size() - length));
    }));
  }
}

// Bytes that no receiver reads: MaxLen of each field, the offsets of empty ones, domain and
// workstation (some clients name one), Version, the place of a MIC, and the key, which is public.
bool is_looked_at(const Bytes& token, std::size_t at) {
  constexpr std::size_t kWorkstationAt = 44;
  constexpr std::size_t kKeyAt = 52;
  if (at >= kDomainLengthAt && at < kUserLengthAt) {
    return false;
  }
  if (at < kLmLengthAt || at == 88) {
    return true;
  }
  if (at >= kFlagsAt || (at >= kWorkstationAt && at < kKeyAt)) {
    return false;
  }
  const std::size_t field = kLmLengthAt + (at - kLmLengthAt) / 8 * 8;
  const bool has_payload = load_le16(&token[field]) != 0 && field != kKeyAt;
  return at - field < 2 || (at - field >= 4 && has_payload);
}

TEST_CASE("anonymous: each byte of the form changed is refused", "[anonymous]") {
  Duel honest(nobody());
  REQUIRE(honest.run() == Leg::kOpen);
  const Bytes& form = honest.authenticate_token;
  for (std::size_t at = 0; at < form.size(); ++at) {
    if (!is_looked_at(form, at)) {
      continue;
    }
    for (const unsigned bit : {0u, 4u, 7u}) {
      const auto change = static_cast<std::uint8_t>(1u << bit);
      // The LM response's length may become 0, and its one byte may be found at another zero.
      Bytes changed = form;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ change);
      const bool still_the_form = at == kLmLengthAt && changed[at] == 0;
      const std::uint32_t lm_at = load_le32(&changed[16]);
      const bool other_zero = at >= 16 && at < 20 && lm_at < form.size() && form[lm_at] == 0;
      CAPTURE(at, change);
      CHECK(opens([&](Bytes& token) { token = changed; }) == (still_the_form || other_zero));
    }
  }
}

TEST_CASE("anonymous: flags may be taken back, as Samba's client does, and not added",
          "[anonymous]") {
  constexpr Flags kFixed = flag::kDatagram | flag::kLmKey | flag::kNonNtSessionKey;
  for (Flags bit = 1; bit != 0; bit <<= 1) {
    CAPTURE(bit);
    CHECK(opens([&](Bytes& token) {
            store_le32(&token[kFlagsAt], load_le32(&token[kFlagsAt]) ^ bit);
          }) == !has_any(kFixed, bit));
  }
}

TEST_CASE("anonymous: a user without a password is not anonymous", "[anonymous]") {
  DuelSetup setup = nobody();
  setup.anonymous = false;
  setup.claimed.password.clear();
  Duel duel(setup);
  CHECK(duel.run() == Leg::kJudgement);
  CHECK(duel.error().minor == Minor::kLogonFailure);
}

}  // namespace
}  // namespace gssntlm
