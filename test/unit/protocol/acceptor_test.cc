// What the acceptor says [MS-NLMP] 3.2.5.1.1, what it believes, and what it does not [MS-NLMP]
// 3.2.5.1, 3.3.2.
#include "mech/protocol/acceptor.h"

#include "mech/crypto/derive.h"
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "test/support/handshake.h"
#include "test/support/hex.h"
#include "test/support/refused.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

TEST_CASE("acceptor takes an honest NTLMv2 answer with MIC", "[acceptor]") {
  Scene scene;
  Answer answer = scene.answer();
  answer.set(AvId::kTargetName, wide("HTTP/server"));
  const Sent sent = scene.encode(answer);
  const Result<AcceptedLogon> logon = scene.judge(sent.token);
  REQUIRE(logon);
  CHECK(narrow(logon->user) == "User");
  CHECK(narrow(logon->domain) == "DOMAIN");
  CHECK(narrow(logon->facts.workstation) == "WKS01");
  CHECK(narrow(logon->facts.target_name) == "HTTP/server");
  const Outcome outcome = scene.acceptor.take_outcome();
  CHECK(hex(outcome.key.view()) == hex(sent.key));
  CHECK(outcome.kind == ResponseKind::kNtlmV2);
  CHECK(outcome.mic);
  CHECK_FALSE(outcome.channel_bound);
  CHECK(has(outcome.flags, flag::kSign | flag::kSeal | flag::kEss | flag::k128));
}

TEST_CASE("acceptor reports the account's own spelling of the user", "[acceptor]") {
  Scene scene;
  Answer answer = scene.answer();
  answer.account.user = "uSER";
  const Result<AcceptedLogon> logon = scene.judge(answer);
  REQUIRE(logon);
  CHECK(narrow(logon->user) == "User");
}

TEST_CASE("acceptor rejects a wrong password, with a MIC and without", "[acceptor]") {
  for (const bool mic : {true, false}) {
    Scene scene;
    Answer answer = scene.answer();
    answer.account.password = "password";
    answer.mic = mic;
    if (!mic) {
      answer.remove(AvId::kFlags);
    }
    check_refused(scene.judge(answer), Minor::kLogonFailure);
    CHECK(scene.accounts.questions() == 1);
  }
}

TEST_CASE("acceptor reports an unknown user and a wrong password alike", "[acceptor]") {
  Scene wrong;
  Scene unknown;
  Answer answer = wrong.answer();
  answer.account.password = "password";
  const Result<AcceptedLogon> a = wrong.judge(answer);
  answer.account.user = "Stranger";
  const Result<AcceptedLogon> b = unknown.judge(unknown.encode(answer).token);
  REQUIRE_FALSE(a);
  REQUIRE_FALSE(b);
  CHECK(a.error().major == b.error().major);
  CHECK(a.error().minor == b.error().minor);
  CHECK(unknown.accounts.questions() == wrong.accounts.questions());
}

TEST_CASE("acceptor does not fall back to the LM response when the NT response is wrong",
          "[acceptor]") {
  Scene scene;
  Answer answer = scene.answer();
  const ResponseKey key =
      derive_response_key(derive_nt_hash(wide("Password")), wide("User"), wide("DOMAIN"));
  const Result<ChallengeMessage> challenge = decode_challenge(scene.challenge);
  REQUIRE(challenge);
  const Response24 lmv2 =
      compute_lmv2_response(key, challenge->server_challenge, answer.client_challenge);
  answer.lm_response.assign(lmv2.begin(), lmv2.end());
  REQUIRE(Scene().judge(answer));
  answer.account.password = "password";
  check_refused(scene.judge(answer), Minor::kLogonFailure);
}

TEST_CASE("acceptor hashes the domain as sent, upper-cased, or empty", "[acceptor]") {
  for (const char* hashed : {"domAIN", "DOMAIN", ""}) {
    Scene scene;
    Answer answer = scene.answer();
    answer.account.domain = "domAIN";
    answer.hash_domain = hashed;
    CAPTURE(hashed);
    CHECK(scene.judge(answer));
  }
  Scene scene;
  Answer answer = scene.answer();
  answer.account.domain = "domAIN";
  answer.hash_domain = "domain";
  check_refused(scene.judge(answer), Minor::kLogonFailure);
}

TEST_CASE("acceptor needs the session key that KEY_EXCH promises", "[acceptor]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{15}}) {
    Scene scene;
    Answer answer = scene.answer();
    answer.edit = [&](Bytes& token) { store_le16(&token[52], static_cast<std::uint16_t>(size)); };
    CAPTURE(size);
    check_refused(scene.judge(answer), Minor::kBadResponse, Major::kDefectiveToken);
  }
}

TEST_CASE("acceptor agrees to no key exchange where nothing is protected", "[acceptor]") {
  Scene scene({}, kUsualOffer & ~flag::kProtection);
  CHECK_FALSE(has(scene.acceptor.flags(), flag::kKeyExchange));
  const Sent sent = scene.encode(scene.answer());
  REQUIRE(scene.judge(sent.token));
  const Outcome outcome = scene.acceptor.take_outcome();
  CHECK(hex(outcome.key.view()) == hex(sent.key));
  CHECK_FALSE(has_any(outcome.flags, flag::kProtection));
}

TEST_CASE("acceptor believes no MIC of a client that exchanges a key without protection",
          "[acceptor]") {
  Scene scene({}, kUsualOffer & ~flag::kProtection);
  Answer answer = scene.answer();
  answer.flags |= flag::kKeyExchange;
  check_refused(scene.judge(answer), Minor::kDowngrade);
}

TEST_CASE("acceptor hands out no target name of untrusted source", "[acceptor]") {
  Scene scene;
  Answer answer = scene.answer();
  answer.set(AvId::kTargetName, wide("HTTP/server"));
  answer.set(AvId::kFlags, unhex("06000000"));
  const Result<AcceptedLogon> logon = scene.judge(answer);
  REQUIRE(logon);
  CHECK(logon->facts.target_name.empty());
}

TEST_CASE("acceptor refuses names with NUL or control characters though their proof is right",
          "[acceptor]") {
  for (const std::string_view bad :
       {std::string_view("Us\0er", 5), std::string_view("User\n", 5), std::string_view("\x1b[1m"),
        std::string_view("User\x7f"), std::string_view("User\xc2\x85")}) {
    for (int place = 0; place < 3; ++place) {
      Scene scene({}, kUsualOffer, {std::string(place == 0 ? bad : "User"), "DOMAIN", "Password"});
      Answer answer = scene.answer();
      (place == 0   ? answer.account.user
       : place == 1 ? answer.account.domain
                    : answer.workstation) = bad;
      CAPTURE(place, hex(as_bytes(bad)));
      check_refused(scene.judge(answer), Minor::kBadString, Major::kDefectiveToken);
      CHECK(scene.accounts.questions() == 0);
    }
  }
}

TEST_CASE("acceptor takes NTLMv2 only by default", "[acceptor]") {
  const auto judge = [](Bytes lm, Bytes nt, Flags offer) {
    Policy policy;
    policy.require_ess = false;
    Scene scene(policy, offer);
    AuthenticateFields fields;
    const Bytes user = wide("User");
    const Bytes key(16);
    fields.flags = offer;
    fields.lm_response = lm;
    fields.nt_response = nt;
    fields.user = user;
    fields.session_key = key;
    const Result<Buffer> token = encode_authenticate(fields);
    return scene.judge(token->view());
  };
  const Flags plain = kUsualOffer & ~flag::kEss;
  check_refused(judge(Bytes(24, 1), Bytes(24, 2), plain), Minor::kPolicyVersion);
  check_refused(judge(Bytes(24, 1), Bytes(24, 2), kUsualOffer), Minor::kPolicyVersion);
  check_refused(judge(Bytes(24, 1), {}, plain), Minor::kPolicyVersion);
  check_refused(judge({}, {}, plain), Minor::kPolicyVersion);
}

TEST_CASE("acceptor without randomness sends no challenge", "[acceptor]") {
  FixedEnvironment env;
  env.has_random = false;
  Acceptor acceptor((Policy()));
  const Result<Buffer> challenge =
      acceptor.challenge(make_negotiate(kUsualOffer), server_names(), env);
  REQUIRE_FALSE(challenge);
  CHECK(challenge.error().minor == Minor::kNoRandom);
}

TEST_CASE("acceptor's challenge names the server, the time, and no MsvAvFlags", "[acceptor]") {
  const Scene scene;
  const Result<ChallengeMessage> challenge = decode_challenge(scene.challenge);
  REQUIRE(challenge);
  CHECK(narrow(challenge->target_name) == "SERVER");
  CHECK(has(challenge->flags, flag::kTargetInfo | flag::kTargetTypeServer | flag::kVersion |
                                  flag::kUnicode | flag::kRequestTarget));
  CHECK_FALSE(has_any(challenge->flags, flag::kOem | flag::kTargetTypeDomain));
  std::vector<unsigned> ids;
  AvReader pairs(challenge->target_info);
  while (const std::optional<AvPair> pair = pairs.next()) {
    ids.push_back(static_cast<unsigned>(pair->id));
  }
  CHECK(ids == std::vector<unsigned>{2, 1, 4, 3, 5, 7});
  CHECK(decode_target_info(challenge->target_info)->timestamp == kNoon);
}

TEST_CASE("acceptor of a domain member names the domain", "[acceptor]") {
  FixedEnvironment env;
  Acceptor acceptor((Policy()));
  HostNames names = server_names();
  names.domain_member = true;
  const Result<Buffer> token = acceptor.challenge(make_negotiate(kUsualOffer), names, env);
  REQUIRE(token);
  const Result<ChallengeMessage> challenge = decode_challenge(token->view());
  REQUIRE(challenge);
  CHECK(narrow(challenge->target_name) == "DOMAIN");
  CHECK(has(challenge->flags, flag::kTargetTypeDomain));
  CHECK_FALSE(has(challenge->flags, flag::kTargetTypeServer));
}

TEST_CASE("acceptors' challenges differ", "[acceptor]") {
  FixedEnvironment env;
  Acceptor a((Policy()));
  Acceptor b((Policy()));
  const Result<Buffer> one = a.challenge(make_negotiate(kUsualOffer), server_names(), env);
  const Result<Buffer> two = b.challenge(make_negotiate(kUsualOffer), server_names(), env);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(decode_challenge(one->view())->server_challenge !=
        decode_challenge(two->view())->server_challenge);
}

}  // namespace
}  // namespace gssntlm
