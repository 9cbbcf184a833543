// Flags that vanish or appear at each leg [MS-NLMP] 1.7, 2.2.2.5.
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "test/support/handshake.h"
#include "test/support/hex.h"
#include "test/support/refused.h"

namespace gssntlm {
namespace {

using namespace test;

// The verdict on a client without MIC whose AUTHENTICATE has `flags`.
Result<AcceptedLogon> judge_flags(Scene& scene, Flags flags) {
  Answer answer = scene.answer();
  answer.mic = false;
  answer.room_for_mic = false;
  answer.remove(AvId::kFlags);
  const bool had_exchange = has(answer.flags, flag::kKeyExchange);
  answer.edit = [&](Bytes& token) { store_le32(&token[60], flags); };
  REQUIRE(had_exchange);
  return scene.judge(answer);
}

TEST_CASE("flags: AUTHENTICATE cannot take back what protects messages, MIC or not", "[flags]") {
  for (const Flags bit :
       {flag::kSign, flag::kSeal, flag::kEss, flag::k128, flag::kKeyExchange, flag::kUnicode}) {
    Scene scene;
    CAPTURE(bit);
    check_refused(judge_flags(scene, scene.answer().flags & ~bit), Minor::kDowngrade);
  }
}

TEST_CASE("flags: AUTHENTICATE cannot add what CHALLENGE did not have", "[flags]") {
  const Flags weak_bits = flag::kLmKey | flag::kNonNtSessionKey | flag::kDatagram;
  for (Flags bit = 1; bit != 0; bit <<= 1) {
    if (has_any(weak_bits, bit)) {
      Scene scene;
      CAPTURE(bit);
      check_refused(judge_flags(scene, scene.answer().flags | bit), Minor::kDowngrade);
    }
  }
  for (const Flags bit : {flag::kSign, flag::kSeal}) {
    Scene scene({}, kUsualOffer & ~bit);
    CAPTURE(bit);
    check_refused(judge_flags(scene, scene.answer().flags | bit), Minor::kDowngrade);
  }
}

TEST_CASE("flags: bits that protect nothing come and go", "[flags]") {
  constexpr Flags kFixed = flag::kSign | flag::kSeal | flag::kEss | flag::k128 |
                           flag::kKeyExchange | flag::kUnicode | flag::kDatagram | flag::kLmKey |
                           flag::kNonNtSessionKey;
  for (Flags bit = 1; bit != 0; bit <<= 1) {
    if (!has_any(kFixed, bit)) {
      Scene scene;
      CAPTURE(bit);
      CHECK(judge_flags(scene, scene.answer().flags ^ bit));
    }
  }
}

TEST_CASE("flags: the key's length is checked again at AUTHENTICATE", "[flags]") {
  Policy policy;
  policy.min_key_bits = 56;
  Scene scene(policy, kUsualOffer & ~flag::k128);
  check_refused(judge_flags(scene, scene.answer().flags & ~flag::k56), Minor::kPolicyKeyLength);
  Scene kept(policy, kUsualOffer & ~flag::k128);
  REQUIRE(judge_flags(kept, kept.answer().flags));
  CHECK(key_bits(kept.acceptor.take_outcome().flags) == 56);
}

TEST_CASE("flags: what is agreed is what CHALLENGE had, not what AUTHENTICATE claims", "[flags]") {
  Scene scene({}, kUsualOffer & ~flag::kIdentify);
  REQUIRE(judge_flags(scene, scene.answer().flags | flag::kIdentify | flag::kAnonymous));
  const Flags agreed = scene.acceptor.take_outcome().flags;
  CHECK_FALSE(has_any(agreed, flag::kIdentify | flag::kAnonymous));
}

Minor refusal_of_offer(Flags offer, const Policy& policy) {
  FixedEnvironment env;
  Acceptor acceptor(policy);
  const Result<Buffer> challenge = acceptor.challenge(make_negotiate(offer), server_names(), env);
  return challenge ? Minor::kNone : challenge.error().minor;
}

TEST_CASE("flags: a weak offer gets no challenge", "[flags]") {
  const Policy strict;
  Policy loose;
  loose.require_ess = false;
  loose.min_key_bits = 40;
  Policy medium;
  medium.min_key_bits = 56;
  CHECK(refusal_of_offer(kUsualOffer, strict) == Minor::kNone);
  CHECK(refusal_of_offer(kUsualOffer & ~flag::kEss, strict) == Minor::kPolicyFlags);
  CHECK(refusal_of_offer(kUsualOffer & ~flag::k128, strict) == Minor::kPolicyKeyLength);
  CHECK(refusal_of_offer(kUsualOffer & ~flag::k128, medium) == Minor::kNone);
  CHECK(refusal_of_offer(kUsualOffer & ~(flag::k128 | flag::k56), medium) ==
        Minor::kPolicyKeyLength);
  CHECK(refusal_of_offer(kUsualOffer & ~(flag::k128 | flag::k56 | flag::kEss), loose) ==
        Minor::kNone);
  // Without messages to protect there is no key to be too short.
  CHECK(refusal_of_offer(kUsualOffer & ~(flag::k128 | flag::kProtection), strict) == Minor::kNone);
  CHECK(refusal_of_offer(kUsualOffer & ~flag::kUnicode, strict) == Minor::kCharset);
}

// A handshake between our own two ends with one message changed by `tamper`. Whether it succeeded
// at both ends.
template <typename Tamper>
bool shake_hands(int leg, const Tamper& tamper) {
  FixedEnvironment env;
  Initiator initiator(setup_for({}));
  Acceptor acceptor((Policy()));
  const auto carry = [&](int number, const Result<Buffer>& message) {
    Bytes bytes(message->view().begin(), message->view().end());
    if (number == leg) {
      tamper(bytes);
    }
    return bytes;
  };
  const Result<Buffer> negotiate = initiator.negotiate();
  REQUIRE(negotiate);
  const Result<Buffer> challenge = acceptor.challenge(carry(0, negotiate), server_names(), env);
  if (!challenge) {
    return false;
  }
  const Result<Buffer> answer = initiator.authenticate(carry(1, challenge), nullptr, env);
  if (!answer) {
    return false;
  }
  return acceptor.authenticate(carry(2, answer), nullptr, OneAccount(), env).ok();
}

TEST_CASE("flags: no bit of any leg can be changed between our own two ends", "[flags]") {
  REQUIRE(shake_hands(3, [](Bytes&) {}));
  constexpr std::size_t kFlagsAt[] = {12, 20, 60};
  for (int leg = 0; leg < 3; ++leg) {
    for (unsigned bit = 0; bit < 32; ++bit) {
      CAPTURE(leg, bit);
      CHECK_FALSE(shake_hands(leg, [&](Bytes& message) {
        message[kFlagsAt[leg] + bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      }));
    }
  }
}

TEST_CASE("flags: both ends agree on flags and key, whatever is offered", "[flags]") {
  for (unsigned choice = 0; choice < 32; ++choice) {
    const auto on = [&](unsigned bit, Flags flags) { return (choice >> bit & 1) != 0 ? flags : 0; };
    InitiatorSetup setup = setup_for({});
    setup.policy.require_ess = false;
    setup.policy.min_key_bits = 40;
    setup.request.negotiate_flags = flag::kUnicode | on(0, flag::kSign) | on(1, flag::kSeal) |
                                    on(2, flag::kEss) | on(3, flag::k128) |
                                    on(4, flag::kKeyExchange);
    Policy policy = setup.policy;
    FixedEnvironment env;
    Initiator initiator(std::move(setup));
    Acceptor acceptor(policy);
    const Result<Buffer> negotiate = initiator.negotiate();
    REQUIRE(negotiate);
    const Result<Buffer> challenge = acceptor.challenge(negotiate->view(), server_names(), env);
    REQUIRE(challenge);
    const Result<Buffer> answer = initiator.authenticate(challenge->view(), nullptr, env);
    REQUIRE(answer);
    CAPTURE(choice);
    REQUIRE(acceptor.authenticate(answer->view(), nullptr, OneAccount(), env));
    const Outcome client = initiator.take_outcome();
    const Outcome server = acceptor.take_outcome();
    CHECK(hex(client.key.view()) == hex(server.key.view()));
    constexpr Flags kMatter =
        flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::kKeyExchange | flag::k56;
    CHECK((client.flags & kMatter) == (server.flags & kMatter));
    CHECK(has(client.flags, flag::kEss) == (on(2, 1) != 0));
    CHECK(has(client.flags, flag::kKeyExchange) == (on(4, 1) != 0 && on(0, 1) + on(1, 1) != 0));
  }
}

}  // namespace
}  // namespace gssntlm
