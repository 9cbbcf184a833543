// LmCompatibilityLevel [MS-NLMP] 7 <82>, 3.1.1.1: what each level sends, and what each takes.
#include "mech/crypto/derive.h"
#include "test/support/catch.h"
#include "test/support/duel.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

// No demands beyond the level's own.
Policy at_level(unsigned level) {
  Policy policy;
  policy.initiator_level = policy.acceptor_level = level;
  policy.require_ess = false;
  policy.min_key_bits = 40;
  return policy;
}

DuelSetup levels(unsigned initiator, unsigned acceptor) {
  DuelSetup setup;
  setup.initiator = at_level(initiator);
  setup.acceptor = at_level(acceptor);
  return setup;
}

constexpr Flags kPlainOffer = kUsualOffer & ~flag::kEss;

Nonce server_challenge(const Duel& duel) {
  return decode_challenge(duel.challenge_token)->server_challenge;
}

const NtHash& nt_hash() {
  static const NtHash hash = derive_nt_hash(wide("Password"));
  return hash;
}

const LmHash& lm_hash() {
  static const LmHash hash = *lm_hash_of_password(wide("Password"), CodePage::k437);
  return hash;
}

bool is(ByteView field, const Response24& response) {
  return hex(field) == hex(response);
}

TEST_CASE(
    "levels: [MS-NLMP] 2.2.2.3, 2.2.2.6, 3.3.1 level 0 sends LM and NTLMv1, and never offers ESS",
    "[levels]") {
  Duel duel(levels(0, 0));
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK_FALSE(has(load_le32(&duel.negotiate_token[12]), flag::kEss));
  const AuthenticateMessage message = duel.decoded();
  CHECK(is(message.nt_response, compute_v1_response(nt_hash().view(), server_challenge(duel))));
  CHECK(is(message.lm_response, compute_v1_response(lm_hash().view(), server_challenge(duel))));
  CHECK_FALSE(message.mic_at);
  CHECK(duel.client.kind == ResponseKind::kLm);
  CHECK(duel.server.kind == ResponseKind::kNtlmV1);
  CHECK(hex(duel.client.key.view()) == hex(duel.server.key.view()));
}

TEST_CASE("levels: a password without LM hash sends the NT response in both fields", "[levels]") {
  DuelSetup setup = levels(0, 0);
  setup.account.password = setup.claimed.password = "a password of more than 14 bytes";
  Duel duel(setup);
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK(hex(duel.decoded().lm_response) == hex(duel.decoded().nt_response));
  CHECK(duel.client.kind == ResponseKind::kNtlmV1);
}

TEST_CASE("levels: 1 and 2 send NTLMv1 with the client's challenge where ESS is agreed",
          "[levels]") {
  for (const unsigned level : {1u, 2u}) {
    Duel duel(levels(level, 0));
    REQUIRE(duel.run() == Leg::kOpen);
    const AuthenticateMessage message = duel.decoded();
    Nonce client;
    std::copy_n(message.lm_response.begin(), client.size(), client.begin());
    CHECK(is(message.nt_response,
             compute_v1_ess_response(nt_hash(), server_challenge(duel), client)));
    CHECK(hex(message.lm_response.subspan(8)) == hex(Bytes(16)));
    CHECK(duel.server.kind == ResponseKind::kNtlmV1Ess);
    CHECK(hex(duel.client.key.view()) == hex(duel.server.key.view()));
  }
}

TEST_CASE("levels: without ESS 1 sends an LM response, 2 the NT response in its place",
          "[levels]") {
  for (const unsigned level : {1u, 2u}) {
    DuelSetup setup = levels(level, 0);
    setup.request.negotiate_flags = kPlainOffer;
    Duel duel(setup);
    REQUIRE(duel.run() == Leg::kOpen);
    const AuthenticateMessage message = duel.decoded();
    const Response24 nt = compute_v1_response(nt_hash().view(), server_challenge(duel));
    CHECK(is(message.nt_response, nt));
    CHECK(is(message.lm_response,
             level == 1 ? compute_v1_response(lm_hash().view(), server_challenge(duel)) : nt));
  }
}

TEST_CASE("levels: 3 and above send NTLMv2, with ESS or without", "[levels]") {
  for (const unsigned level : {3u, 4u, 5u}) {
    for (const Flags offer : {kUsualOffer, kPlainOffer}) {
      DuelSetup setup = levels(level, 5);
      setup.request.negotiate_flags = offer;
      Duel duel(setup);
      REQUIRE(duel.run() == Leg::kOpen);
      CHECK(duel.decoded().v2);
      CHECK(hex(duel.decoded().lm_response) == hex(Bytes(24)));
      CHECK(duel.server.kind == ResponseKind::kNtlmV2);
      CHECK(duel.server.mic);
    }
  }
}

TEST_CASE("levels: an acceptor takes what its level says and nothing else", "[levels]") {
  for (unsigned initiator = 0; initiator <= 5; ++initiator) {
    for (unsigned acceptor = 0; acceptor <= 5; ++acceptor) {
      Duel duel(levels(initiator, acceptor));
      duel.run();
      CAPTURE(initiator, acceptor);
      if (initiator >= 3 || acceptor <= 4) {
        CHECK(duel.ended_at() == Leg::kOpen);
      } else {
        CHECK(duel.ended_at() == Leg::kJudgement);
        CHECK(duel.error().minor == Minor::kPolicyVersion);
        CHECK(duel.traced("response is NTLMv1"));
      }
    }
  }
}

TEST_CASE("levels: ESS is demanded above level 0 where policy demands it", "[levels]") {
  for (unsigned level = 0; level <= 5; ++level) {
    DuelSetup setup = levels(level, level);
    setup.initiator.require_ess = setup.acceptor.require_ess = true;
    setup.request.negotiate_flags = kPlainOffer;
    Duel duel(setup);
    REQUIRE(duel.run() == Leg::kOpen);
    CHECK(has(duel.server.flags, flag::kEss) == (level >= 1));
  }
  DuelSetup setup = levels(0, 1);
  setup.acceptor.require_ess = true;
  Duel duel(setup);
  CHECK(duel.run() == Leg::kChallenge);
  CHECK(duel.error().minor == Minor::kPolicyFlags);
  CHECK(duel.traced("extended session security"));
}

// An AUTHENTICATE with chosen response fields, for the account of the tests.
struct Fields {
  Bytes lm;
  Bytes nt;
};

Result<AcceptedLogon> judge_fields(Scene& scene, const Fields& fields) {
  const Bytes user = wide("User");
  const Bytes domain = wide("DOMAIN");
  const Bytes key(16);
  AuthenticateFields message;
  message.flags = scene.acceptor.flags();
  message.lm_response = fields.lm;
  message.nt_response = fields.nt;
  message.user = user;
  message.domain = domain;
  message.session_key = key;
  const Result<Buffer> token = encode_authenticate(message);
  REQUIRE(token);
  return scene.judge(token->view());
}

Bytes bytes(const Response24& response) {
  return Bytes(response.begin(), response.end());
}

Nonce asked(const Scene& scene) {
  return decode_challenge(scene.challenge)->server_challenge;
}

TEST_CASE("levels: an LM response alone is taken up to level 3", "[levels]") {
  for (unsigned level = 0; level <= 5; ++level) {
    Scene scene(at_level(level), kPlainOffer);
    const bool taken =
        judge_fields(scene, {bytes(compute_v1_response(lm_hash().view(), asked(scene))), {}}).ok();
    CAPTURE(level);
    CHECK(taken == (level <= 3));
    if (taken) {
      CHECK(scene.acceptor.take_outcome().kind == ResponseKind::kLm);
    }
  }
}

TEST_CASE("levels: [MS-NLMP] 2.2.2.4 an LMv2 response alone is taken up to level 4", "[levels]") {
  const Nonce client{1, 2, 3, 4, 5, 6, 7, 8};
  for (const std::string_view domain : {"DOMAIN", ""}) {
    const ResponseKey key = derive_response_key(nt_hash(), wide("User"), wide(domain));
    for (unsigned level = 0; level <= 5; ++level) {
      for (const Flags offer : {kUsualOffer, kPlainOffer}) {
        Scene scene(at_level(level), offer);
        const bool taken =
            judge_fields(scene, {bytes(compute_lmv2_response(key, asked(scene), client)), {}}).ok();
        CAPTURE(level, domain);
        CHECK(taken == (level <= 4));
        if (taken) {
          CHECK(scene.acceptor.take_outcome().kind == ResponseKind::kLmV2);
        }
      }
    }
  }
}

TEST_CASE("levels: wrong LM, LMv2 and NTLMv1 responses are refused", "[levels]") {
  for (const Flags offer : {kUsualOffer, kPlainOffer}) {
    for (const Fields& fields :
         {Fields{Bytes(24, 7), {}}, Fields{Bytes(24, 7), Bytes(24, 7)}, Fields{{}, Bytes(24, 7)}}) {
      Scene scene(at_level(0), offer);
      const Result<AcceptedLogon> answer = judge_fields(scene, fields);
      REQUIRE_FALSE(answer);
      CHECK((answer.error().minor == Minor::kLogonFailure ||
             answer.error().minor == Minor::kPolicyVersion));
    }
  }
}

TEST_CASE("levels: a right LM response does not excuse a wrong NT response", "[levels]") {
  Scene scene(at_level(0), kPlainOffer);
  const Result<AcceptedLogon> answer = judge_fields(
      scene, {bytes(compute_v1_response(lm_hash().view(), asked(scene))), Bytes(24, 7)});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().minor == Minor::kLogonFailure);
}

TEST_CASE("levels: an account without LM hash does not log in with the hash of zeros", "[levels]") {
  const Nonce server{1, 2, 3};
  const Response24 response = compute_v1_response(LmHash().view(), server);
  LogonRequest request;
  request.server_challenge = server;
  request.lm_response = response;
  const LmHash zeros;
  CHECK(verify_response(request, nt_hash(), &zeros, at_level(0)));
  CHECK_FALSE(verify_response(request, nt_hash(), nullptr, at_level(0)));
}

TEST_CASE("levels: under ESS the LM field is the client's challenge, never an LM response",
          "[levels]") {
  Scene lm(at_level(0), kUsualOffer);
  CHECK_FALSE(judge_fields(lm, {bytes(compute_v1_response(lm_hash().view(), asked(lm))), {}}));
  Scene short_field(at_level(0), kUsualOffer);
  const Nonce zeros{};
  CHECK_FALSE(judge_fields(
      short_field, {{}, bytes(compute_v1_ess_response(nt_hash(), asked(short_field), zeros))}));
}

TEST_CASE("levels: the v1 family is refused on both sides where bindings are given", "[levels]") {
  const ChannelBindingHash bindings{1, 2, 3};
  for (const unsigned level : {0u, 1u, 2u}) {
    DuelSetup setup = levels(level, 0);
    setup.initiator_bindings = &bindings;
    Duel refusing(setup);
    CHECK(refusing.run() == Leg::kAuthenticate);
    CHECK(refusing.error().major == Major::kBadBindings);
    setup.initiator_bindings = nullptr;
    setup.acceptor_bindings = &bindings;
    Duel refused(setup);
    CHECK(refused.run() == Leg::kJudgement);
    CHECK(refused.error().major == Major::kBadBindings);
  }
}

TEST_CASE("levels: [MS-NLMP] 3.4.5.1 keys from the LM hash agree, where both ends allow them",
          "[levels]") {
  for (const Flags weak : {flag::kLmKey, flag::kNonNtSessionKey}) {
    for (const Flags exchange : {flag::kKeyExchange, Flags{0}}) {
      DuelSetup setup = levels(0, 0);
      setup.request.negotiate_flags =
          (kPlainOffer & ~(flag::k128 | flag::kKeyExchange)) | weak | exchange;
      Duel duel(setup);
      CAPTURE(weak, exchange);
      REQUIRE(duel.run() == Leg::kOpen);
      CHECK(has(duel.server.flags, weak));
      CHECK(hex(duel.client.key.view()) == hex(duel.server.key.view()));
      CHECK(key_bits(duel.server.flags) == 56);
      Session client = duel.client_session();
      Session server = duel.server_session();
      CHECK(converse(client, server, 10));

      setup.acceptor.min_key_bits = 128;
      Duel strict(setup);
      CHECK(strict.run() == Leg::kChallenge);
      CHECK(strict.error().minor == Minor::kPolicyKeyLength);
    }
  }
}

TEST_CASE("levels: LM_KEY is offered at levels 0 and 1 where short keys are allowed", "[levels]") {
  for (unsigned level = 0; level <= 5; ++level) {
    for (const unsigned bits : {40u, 56u, 128u}) {
      Policy policy = at_level(level);
      policy.min_key_bits = bits;
      InitiatorRequest request;
      request.confidentiality = true;
      CAPTURE(level, bits);
      CHECK(has(negotiate_flags_for_offer(policy, request, false), flag::kLmKey) ==
            (level <= 1 && bits <= 56));
    }
  }
}

TEST_CASE("levels: LM_KEY goes when ESS is agreed", "[levels]") {
  DuelSetup setup = levels(1, 0);
  setup.request.confidentiality = true;
  Duel duel(setup);
  REQUIRE(duel.run() == Leg::kOpen);
  CHECK(has(load_le32(&duel.negotiate_token[12]), flag::kLmKey | flag::kEss));
  CHECK(has(duel.server.flags, flag::kEss));
  CHECK_FALSE(has(duel.server.flags, flag::kLmKey));
  CHECK_FALSE(has(duel.client.flags, flag::kLmKey));
}

TEST_CASE("levels: without ESS LM_KEY shortens the key to 56 bits at most", "[levels]") {
  CHECK(key_bits(flag::kLmKey | flag::k128) == 40);
  CHECK(key_bits(flag::kLmKey | flag::k128 | flag::k56) == 56);
  CHECK(key_bits(flag::kLmKey | flag::k128 | flag::kEss) == 128);
  CHECK(key_bits(flag::kDatagram | flag::k128) == 40);
}

TEST_CASE(
    "levels: [MS-NLMP] 3.1.5.1.2 LMv2 is sent to servers without a clock where policy says so",
    "[levels]") {
  for (const bool send : {false, true}) {
    for (const bool clock : {false, true}) {
      DuelSetup setup;
      setup.initiator.send_lmv2 = send;
      Duel duel(setup);
      REQUIRE(duel.negotiate());
      REQUIRE(duel.challenge());
      const Result<ChallengeMessage> said = decode_challenge(duel.challenge_token);
      Bytes info;
      AvReader pairs(said->target_info);
      while (const std::optional<AvPair> pair = pairs.next()) {
        if (clock || pair->id != AvId::kTimestamp) {
          append_av_pair(info, pair->id, pair->value);
        }
      }
      append_av_pair(info, AvId::kEol, {});
      ChallengeMessage again = *said;
      again.target_info = info;
      const Result<Buffer> token = encode_challenge(again);
      duel.challenge_token.assign(token->view().begin(), token->view().end());
      REQUIRE(duel.authenticate());
      const AuthenticateMessage message = duel.decoded();
      Nonce client = message.v2->client_challenge;
      const ResponseKey key = derive_response_key(nt_hash(), wide("User"), wide("DOMAIN"));
      CAPTURE(send, clock);
      CHECK(is(message.lm_response, send && !clock
                                        ? compute_lmv2_response(key, server_challenge(duel), client)
                                        : Response24{}));
    }
  }
}

TEST_CASE("levels: without target information NTLMv2 is sent only where policy says so",
          "[levels]") {
  const ChannelBindingHash bindings{1};
  for (const bool allowed : {false, true}) {
    for (const bool bound : {false, true}) {
      DuelSetup setup;
      setup.initiator.require_target_info = !allowed;
      setup.initiator_bindings = bound ? &bindings : nullptr;
      Duel duel(setup);
      REQUIRE(duel.negotiate());
      REQUIRE(duel.challenge());
      ChallengeMessage bare = *decode_challenge(duel.challenge_token);
      bare.target_info = {};
      const Result<Buffer> token = encode_challenge(bare);
      duel.challenge_token.assign(token->view().begin(), token->view().end());
      CAPTURE(allowed, bound);
      if (bound) {
        CHECK_FALSE(duel.authenticate());
        CHECK(duel.error().major == Major::kBadBindings);
      } else if (!allowed) {
        CHECK_FALSE(duel.authenticate());
        CHECK(duel.error().minor == Minor::kTargetInfo);
      } else {
        REQUIRE(duel.authenticate());
        const AuthenticateMessage message = duel.decoded();
        CHECK(message.v2);
        CHECK_FALSE(message.mic_at);
        CHECK_FALSE(message.v2->target_info.target_name);
        CHECK_FALSE(duel.client.mic);
      }
    }
  }
}

TEST_CASE("levels: every weak choice has a name, the default has none", "[levels]") {
  const auto names = [](const Outcome& outcome) {
    std::string all;
    for (const std::string_view name : weaknesses_of(outcome)) {
      all.append(name).append("; ");
    }
    return all;
  };
  Duel strong((DuelSetup()));
  REQUIRE(strong.run() == Leg::kOpen);
  CHECK(names(strong.client).empty());
  CHECK(names(strong.server).empty());

  DuelSetup setup = levels(0, 0);
  setup.request.negotiate_flags =
      (kPlainOffer & ~(flag::k128 | flag::k56 | flag::kUnicode)) | flag::kOem | flag::kLmKey;
  Duel weak(setup);
  REQUIRE(weak.run() == Leg::kOpen);
  CHECK(names(weak.server) ==
        "NTLMv1; no extended session security; LM session key; 40-bit session key; names in an OEM "
        "code page; ");
  CHECK(names(weak.client).find("LM; ") == 0);
}

}  // namespace
}  // namespace gssntlm
