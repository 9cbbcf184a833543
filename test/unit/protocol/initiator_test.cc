// What the initiator sends [MS-NLMP] 2.2.2.8, 3.1.1.2, 3.1.5.1.1, and the challenges it does not
// answer [MS-NLMP] 3.1.5.1, 3.1.5.1.2.
#include "mech/protocol/initiator.h"

#include "mech/crypto/derive.h"
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/support/catch.h"
#include "test/support/handshake.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

constexpr Flags kUsualReply = kUsualOffer | flag::kTargetInfo | flag::kTargetTypeServer;

// A server made by hand.
struct Server {
  Flags flags = kUsualReply;
  std::vector<Pair> pairs = {{AvId::kNbDomainName, wide("DOMAIN")},
                             {AvId::kNbComputerName, wide("SERVER")},
                             {AvId::kTimestamp, unhex("0090d336b734c301")}};
  Bytes behind_pairs = Bytes(4);

  [[nodiscard]] Bytes challenge() const {
    Bytes info;
    for (const Pair& pair : pairs) {
      append_av_pair(info, pair.id, pair.value);
    }
    append(info, behind_pairs);
    ChallengeMessage message;
    message.flags = flags;
    message.server_challenge = unhex<8>("0123456789abcdef");
    message.target_info = info;
    message.version = kOurVersion;
    const Result<Buffer> token = encode_challenge(message);
    REQUIRE(token);
    return Bytes(token->view().begin(), token->view().end());
  }
};

struct Client {
  explicit Client(InitiatorSetup setup = setup_for({})) : initiator(std::move(setup)) {
    const Result<Buffer> token = initiator.negotiate();
    REQUIRE(token);
    negotiate.assign(token->view().begin(), token->view().end());
  }
  Result<Buffer> answer(const Server& server, const ChannelBindingHash* bindings = nullptr) {
    return initiator.authenticate(server.challenge(), bindings, env);
  }
  Minor refusal(const Server& server) {
    const Result<Buffer> token = answer(server);
    return token ? Minor::kNone : token.error().minor;
  }

  FixedEnvironment env;
  Initiator initiator;
  Bytes negotiate;
};

InitiatorSetup setup_with(Policy policy, InitiatorRequest request = {}) {
  InitiatorSetup setup = setup_for({}, policy);
  setup.request = request;
  return setup;
}

std::vector<Pair> pairs_of(const AuthenticateMessage& message) {
  std::vector<Pair> out;
  AvReader pairs(message.v2->av_pairs);
  while (const std::optional<AvPair> pair = pairs.next()) {
    out.push_back({pair->id, Bytes(pair->value.begin(), pair->value.end())});
  }
  return out;
}

std::vector<unsigned> ids_of(const std::vector<Pair>& pairs) {
  std::vector<unsigned> out;
  for (const Pair& pair : pairs) {
    out.push_back(static_cast<unsigned>(pair.id));
  }
  return out;
}

TEST_CASE("initiator offers NTLMv2's needs and protection by default", "[initiator]") {
  const Client client;
  const Result<NegotiateMessage> m = decode_negotiate(client.negotiate);
  REQUIRE(m);
  CHECK(client.negotiate.size() == 40);
  CHECK(has(m->flags, flag::kUnicode | flag::kRequestTarget | flag::kNtlm | flag::kAlwaysSign |
                          flag::kEss | flag::k128 | flag::kVersion | flag::kSign | flag::kSeal |
                          flag::kKeyExchange));
  CHECK_FALSE(has_any(m->flags, flag::kOem | flag::kLmKey | flag::kNonNtSessionKey |
                                    flag::kAnonymous | flag::kDatagram | flag::k56));
}

TEST_CASE("initiator asks for protection only when it may", "[initiator]") {
  InitiatorRequest request;
  request.offer_protection = false;
  const auto flags = [&] { return Client(setup_with({}, request)).initiator.flags(); };
  CHECK_FALSE(has_any(flags(), flag::kProtection | flag::kKeyExchange));
  request.integrity = true;
  CHECK((flags() & (flag::kProtection | flag::kKeyExchange)) == (flag::kSign | flag::kKeyExchange));
  request.confidentiality = true;
  CHECK(has(flags(), flag::kProtection | flag::kKeyExchange));
}

TEST_CASE("initiator that is asked to sign offers no sealing", "[initiator]") {
  constexpr Flags kSigning = flag::kSign | flag::kKeyExchange;
  constexpr Flags kSealing = kSigning | flag::kSeal;
  for (unsigned bits = 0; bits < 16; ++bits) {
    InitiatorRequest request;
    request.integrity = (bits & 1) != 0;
    request.confidentiality = (bits & 2) != 0;
    request.detection = (bits & 4) != 0;
    request.offer_protection = (bits & 8) != 0;
    CAPTURE(bits);
    const Flags offered = Client(setup_with({}, request)).initiator.flags();
    const bool nothing_asked = (bits & 7) == 0;
    const Flags expected = request.confidentiality                         ? kSealing
                           : request.offer_protection && nothing_asked     ? kSealing
                           : request.offer_protection || request.integrity ? kSigning
                                                                           : 0;
    CHECK((offered & kSealing) == expected);
  }
}

TEST_CASE("initiator's caller cannot offer less than policy demands", "[initiator]") {
  InitiatorRequest request;
  request.negotiate_flags = 0;
  CHECK(has(Client(setup_with({}, request)).initiator.flags(),
            flag::kUnicode | flag::kNtlm | flag::kRequestTarget | flag::kEss | flag::k128));
  Policy loose;
  loose.require_ess = false;
  loose.min_key_bits = 40;
  CHECK_FALSE(
      has_any(Client(setup_with(loose, request)).initiator.flags(), flag::kEss | flag::k128));
}

TEST_CASE("initiator's answer proves the password, and its MIC covers all messages",
          "[initiator]") {
  Client client;
  client.env.next_random = unhex(
      "a1a2a3a4a5a6a7a8"
      "000102030405060708090a0b0c0d0e0f");
  const Server server;
  const Result<Buffer> token = client.answer(server);
  REQUIRE(token);
  const Result<AuthenticateMessage> m = decode_authenticate(token->view());
  REQUIRE(m);
  REQUIRE(m->v2);
  const ResponseKey key =
      derive_response_key(derive_nt_hash(wide("Password")), wide("User"), wide("DOMAIN"));
  const V2Proof proof =
      compute_v2_proof(key, unhex<8>("0123456789abcdef"), m->nt_response.subspan(kNtProofSize));
  CHECK(hex(proof.nt_proof) == hex(m->nt_response.first(kNtProofSize)));
  CHECK(hex(m->v2->client_challenge) == "a1a2a3a4a5a6a7a8");
  const Outcome outcome = client.initiator.take_outcome();
  CHECK(hex(outcome.key.view()) == "000102030405060708090a0b0c0d0e0f");
  std::array<std::uint8_t, 16> unwrapped;
  REQUIRE(m->session_key.size() == 16);
  rc4k(proof.base.view(), m->session_key.first<16>(), unwrapped);
  CHECK(hex(unwrapped) == hex(outcome.key.view()));
  REQUIRE(m->mic_at == kMicOffset);
  CHECK(hex(compute_mic(outcome.key, client.negotiate, server.challenge(), token->view(),
                        kMicOffset)) == hex(token->view().subspan(kMicOffset, kMicSize)));
  CHECK(outcome.mic);
  CHECK(narrow(m->user) == "User");
  CHECK(narrow(m->domain) == "DOMAIN");
  CHECK(narrow(m->workstation) == "WKS01");
}

TEST_CASE("initiator sends no second proof in the LM field", "[initiator]") {
  for (const bool timestamp : {true, false}) {
    Client client;
    Server server;
    if (!timestamp) {
      server.pairs.pop_back();
    }
    const Result<Buffer> token = client.answer(server);
    REQUIRE(token);
    CHECK(hex(decode_authenticate(token->view())->lm_response) == std::string(48, '0'));
  }
}

TEST_CASE("initiator takes the server's time, or its own where there is none", "[initiator]") {
  Server server;
  Client with_server_time;
  const Result<Buffer> a = with_server_time.answer(server);
  REQUIRE(a);
  CHECK(decode_authenticate(a->view())->v2->timestamp == 0x01c334b736d39000);
  server.pairs.pop_back();
  Client with_own_time;
  const Result<Buffer> b = with_own_time.answer(server);
  REQUIRE(b);
  CHECK(decode_authenticate(b->view())->v2->timestamp == kNoon);
  CHECK(decode_authenticate(b->view())->mic_at == kMicOffset);
}

TEST_CASE("initiator drops what a server must not say, and says it itself once", "[initiator]") {
  Server server;
  server.pairs.insert(server.pairs.begin(), {AvId::kFlags, Bytes(4)});
  server.pairs.push_back({AvId::kSingleHost, Bytes(48, 0xEE)});
  server.pairs.push_back({AvId::kTargetName, wide("cifs/evil")});
  server.pairs.push_back({AvId::kChannelBindings, Bytes(16, 0xEE)});
  server.pairs.push_back({static_cast<AvId>(0x7777), Bytes(3, 0x77)});
  Client client;
  const Result<Buffer> token = client.answer(server);
  REQUIRE(token);
  const Result<AuthenticateMessage> m = decode_authenticate(token->view());
  REQUIRE(m);
  const std::vector<Pair> pairs = pairs_of(*m);
  CHECK(ids_of(pairs) == std::vector<unsigned>{2, 1, 7, 0x7777, 6, 9});
  CHECK(m->v2->target_info.flags == av_flag::kMicPresent);
  CHECK(narrow(*m->v2->target_info.target_name) == "cifs/server.domain.example");
}

TEST_CASE("initiator sends channel bindings exactly when it has them", "[initiator]") {
  Client without;
  const Result<Buffer> none = without.answer({});
  REQUIRE(none);
  CHECK_FALSE(decode_authenticate(none->view())->v2->target_info.channel_bindings);
  ChannelBindingHash hash{};
  hash.fill(0x42);
  Client with;
  const Result<Buffer> some = with.answer({}, &hash);
  REQUIRE(some);
  CHECK(hex(*decode_authenticate(some->view())->v2->target_info.channel_bindings) == hex(hash));
}

TEST_CASE("initiator does not answer a challenge without TargetInfo", "[initiator]") {
  Server server;
  server.pairs.clear();
  server.behind_pairs.clear();
  CHECK(Client().refusal(server) == Minor::kTargetInfo);
  server.behind_pairs = Bytes(4);
  CHECK(Client().refusal(server) == Minor::kTargetInfo);
}

TEST_CASE("initiator needs both NetBIOS names where messages are protected", "[initiator]") {
  InitiatorRequest bare;
  bare.offer_protection = false;
  for (const std::size_t missing : {std::size_t{0}, std::size_t{1}}) {
    Server server;
    server.pairs.erase(server.pairs.begin() + static_cast<std::ptrdiff_t>(missing));
    CHECK(Client().refusal(server) == Minor::kTargetInfo);
    CHECK(Client(setup_with({}, bare)).refusal(server) == Minor::kNone);
  }
}

TEST_CASE("initiator refuses a challenge that took needed flags away", "[initiator]") {
  const auto refusal = [](Flags without, InitiatorRequest request = {}, Policy policy = {}) {
    Server server;
    server.flags &= ~without;
    return Client(setup_with(policy, request)).refusal(server);
  };
  InitiatorRequest integrity;
  integrity.integrity = true;
  InitiatorRequest confidentiality;
  confidentiality.confidentiality = true;
  InitiatorRequest nothing;
  nothing.offer_protection = false;
  CHECK(refusal(0) == Minor::kNone);
  CHECK(refusal(flag::kEss) == Minor::kPolicyFlags);
  CHECK(refusal(flag::k128) == Minor::kPolicyKeyLength);
  CHECK(refusal(flag::k128, nothing) == Minor::kNone);
  CHECK(refusal(flag::kSeal) == Minor::kNone);
  CHECK(refusal(flag::kSeal, confidentiality) == Minor::kPolicyFlags);
  CHECK(refusal(flag::kSeal, integrity) == Minor::kNone);
  CHECK(refusal(flag::kProtection, integrity) == Minor::kPolicyFlags);
  CHECK(refusal(flag::kUnicode) == Minor::kCharset);
  Policy loose;
  loose.require_ess = false;
  CHECK(refusal(flag::kEss, {}, loose) == Minor::kNone);
  loose.min_key_bits = 56;
  CHECK(refusal(flag::k128, {}, loose) == Minor::kNone);
  CHECK(refusal(flag::k128 | flag::k56, {}, loose) == Minor::kPolicyKeyLength);
}

TEST_CASE("initiator does not speak OEM to a server that was not offered it", "[initiator]") {
  Server server;
  server.flags = (server.flags & ~flag::kUnicode) | flag::kOem;
  CHECK(Client().refusal(server) == Minor::kPolicyFlags);
  server.flags |= flag::kUnicode;
  Client client;
  const Result<Buffer> token = client.answer(server);
  REQUIRE(token);
  CHECK((decode_authenticate(token->view())->flags & (flag::kUnicode | flag::kOem)) ==
        flag::kUnicode);
}

TEST_CASE("initiator refuses malformed TargetInfo", "[initiator]") {
  const auto refusal = [](const Pair& more) {
    Server server;
    server.pairs.push_back(more);
    return Client().refusal(server);
  };
  CHECK(refusal({AvId::kNbComputerName, wide("OTHER")}) == Minor::kBadAvPairs);
  CHECK(refusal({AvId::kTimestamp, Bytes(8)}) == Minor::kBadAvPairs);
  CHECK(refusal({AvId::kDnsTreeName, Bytes(3)}) == Minor::kBadAvPairs);
  CHECK(refusal({AvId::kFlags, Bytes(3)}) == Minor::kBadAvPairs);
  CHECK(refusal({AvId::kChannelBindings, Bytes(15)}) == Minor::kBadAvPairs);
  CHECK(refusal({AvId::kDnsTreeName, Bytes(4)}) == Minor::kNone);
  Server endless;
  endless.behind_pairs.clear();
  CHECK(Client().refusal(endless) == Minor::kBadAvPairs);
}

TEST_CASE("initiator without randomness sends no answer", "[initiator]") {
  Client client;
  client.env.has_random = false;
  CHECK(client.refusal({}) == Minor::kNoRandom);
}

TEST_CASE("initiator lends no claimed flag that it did not offer", "[initiator]") {
  Server server;
  server.flags = ~Flags{0};
  InitiatorRequest request;
  request.offer_protection = false;
  Client client(setup_with({}, request));
  const Result<Buffer> token = client.answer(server);
  REQUIRE(token);
  const Flags agreed = client.initiator.take_outcome().flags;
  CHECK_FALSE(has_any(agreed, flag::kProtection | flag::kKeyExchange | flag::kLmKey |
                                  flag::kNonNtSessionKey | flag::kDatagram | flag::k56));
  CHECK(decode_authenticate(token->view())->flags == agreed);
}

// Answers as the initiator itself would, and then changes that.
class Agent : public LogonAgent {
 public:
  explicit Agent(void (*change)(Bytes& authenticate)) : change_(change) {}
  Result<AgentAnswer> answer(ByteView, ByteView challenge, const Runtime&) const override {
    Client client;
    const Result<Buffer> token = client.initiator.authenticate(challenge, nullptr, client.env);
    REQUIRE(token);
    AgentAnswer made;
    made.authenticate.assign(token->view().begin(), token->view().end());
    made.key = client.initiator.take_outcome().key.clone();
    change_(made.authenticate);
    return made;
  }

 private:
  void (*change_)(Bytes& authenticate);
};

Minor refusal_of_agent(void (*change)(Bytes& authenticate)) {
  Policy policy;
  policy.send_single_host = false;
  InitiatorSetup setup = setup_with(policy);
  setup.identity = Ref<const Identity>::adopt(
      new Identity(wide("User"), wide("DOMAIN"), std::make_shared<Agent>(change)));
  return Client(std::move(setup)).refusal({});
}

TEST_CASE("initiator refuses an agent's answer whose MIC would be elsewhere", "[initiator]") {
  CHECK(refusal_of_agent([](Bytes&) {}) == Minor::kNone);
  // Without the flag a Version that is not zero is taken for the MIC, with it the MIC is behind.
  CHECK(refusal_of_agent([](Bytes& token) {
          store_le32(&token[kAuthenticateFlagsOffset],
                     load_le32(&token[kAuthenticateFlagsOffset]) & ~flag::kVersion);
        }) == Minor::kPolicyFlags);
}

}  // namespace
}  // namespace gssntlm
