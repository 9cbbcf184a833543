// The initiator's steps. Input in chunks: options (policy, request, who, bits), CHALLENGE, how an
// agent's answer is changed, and how the saved handshake is.
//
// What is answered was demanded by policy and request; it decodes; an NTLMv2 response is the
// password's, as computed by reference.cc, with exactly our own pairs in it and the MIC over the
// very messages; no older response is sent unless policy says so; a handshake saved and loaded
// answers alike, and what is loaded of a changed one is saved as it was loaded; a step is taken
// once.
#include <algorithm>

#include "mech/wire/authenticate.h"
#include "test/fuzz/choices.h"
#include "test/fuzz/reference.h"
#include "test/support/handshake.h"
#include "test/support/text.h"

namespace gssntlm::fuzz {
namespace {

constexpr std::string_view kPassword = "Password";

// Answers as winbind does, and then changes bytes: pairs of 16-bit place and value.
class Agent : public LogonAgent {
 public:
  explicit Agent(ByteView edits) : edits_(edits.begin(), edits.end()) {}
  Result<AgentAnswer> answer(ByteView, ByteView challenge_token, const Runtime&) const override {
    const Result<ChallengeMessage> challenge = decode_challenge(challenge_token);
    GSSNTLM_HOLDS(challenge && !challenge->target_info.empty());
    Bytes nt(44);
    nt[16] = nt[17] = 1;
    append(nt, challenge->target_info.first(challenge->target_info.size() - 4));
    append_av_pair(nt, AvId::kEol, {});
    nt.resize(nt.size() + 4);
    const Bytes user = test::wide("User");
    const Bytes domain = test::wide("DOMAIN");
    const Bytes wrapped(has(challenge->flags, flag::kKeyExchange) ? 16 : 0, 0x33);
    AuthenticateFields fields;
    fields.flags = challenge->flags;
    fields.lm_response = ByteView(nt).first(24);
    fields.nt_response = nt;
    fields.user = user;
    fields.domain = domain;
    fields.session_key = wrapped;
    fields.version = kOurVersion;
    fields.mic = true;
    const Result<Buffer> token = encode_authenticate(fields);
    if (!token || (!edits_.empty() && (edits_[0] & 2) != 0)) {
      return failure(Minor::kDomain);
    }
    AgentAnswer made;
    made.authenticate.assign(token->view().begin(), token->view().end());
    change(made.authenticate);
    return made;
  }

 private:
  void change(Bytes& token) const {
    Input in(edits_);
    if (in.flag()) {
      token.resize(in.below(token.size() + 1));
    }
    while (!in.empty() && !token.empty()) {
      const std::size_t at = in.below(token.size());
      token[at] = in.u8();
    }
  }
  Bytes edits_;
};

enum class Who { kUser, kNobody, kAgent, kWithoutLm };

// Of what there may be too much, or too little, in the upper half of the last byte of options.
enum Extreme : std::uint8_t { kLongUser = 12, kLongWorkstation, kLongTarget, kNoRandom };

struct Scene {
  explicit Scene(const Chunks& chunks) {
    Input in(chunk(chunks, 0));
    setup = test::setup_for({"User", "DOMAIN", std::string(kPassword)}, choose_policy(in));
    setup.request = choose_request(in);
    const unsigned bits = in.u8();
    who = static_cast<Who>(bits & 3);
    if (who == Who::kNobody) {
      setup.identity = Identity::anonymous();
    } else if (who == Who::kAgent) {
      setup.identity = Ref<const Identity>::adopt(new Identity(
          test::wide("User"), test::wide("DOMAIN"), std::make_shared<Agent>(chunk(chunks, 2))));
    } else if (who == Who::kWithoutLm) {
      setup.identity = Ref<const Identity>::adopt(
          new Identity(test::wide("Us\u0435r"), test::wide("D\u00d6M"),
                       derive_nt_hash(test::wide(kPassword)), std::nullopt));
    }
    bindings = (bits & 4) != 0 ? &kSomeBindings : nullptr;
    const unsigned extreme = bits >> 4;
    env.has_random = extreme != kNoRandom;
    if (extreme == kLongUser && who == Who::kUser) {
      setup.identity = Ref<const Identity>::adopt(
          new Identity(test::wide(std::string(300, 'u')), test::wide("DOMAIN"),
                       derive_nt_hash(test::wide(kPassword)), std::nullopt));
    } else if (extreme == kLongWorkstation) {
      setup.workstation.resize(0x10000, 'w');
    } else if (extreme == kLongTarget) {
      setup.target_name.resize(0xFFF0, 't');
    }
    withhold_mic = (bits & 8) != 0;
  }

  Who who = Who::kUser;
  InitiatorSetup setup;
  const ChannelBindingHash* bindings = nullptr;
  bool withhold_mic = false;
  test::FixedEnvironment env;
};

bool sends_v1(const Policy& policy) {
  return policy.initiator_level <= 2;
}

// Ours at the end, and none of them from the server.
void check_pairs(const Scene& scene, const PlainMessage& pairs, const PlainMessage& challenge) {
  const Policy& policy = scene.setup.policy;
  const bool none = challenge.fields.at("info").empty();
  const auto flags = pairs.fields.find("av6");
  const bool mic = !none && policy.send_mic && !scene.withhold_mic;
  GSSNTLM_HOLDS((flags != pairs.fields.end()) == mic);
  GSSNTLM_HOLDS(!mic || flags->second == Bytes({2, 0, 0, 0}));
  const auto bound = pairs.fields.find("av10");
  GSSNTLM_HOLDS((bound != pairs.fields.end()) == (scene.bindings != nullptr));
  GSSNTLM_HOLDS(scene.bindings == nullptr || same_bytes(bound->second, *scene.bindings));
  const auto target = pairs.fields.find("av9");
  GSSNTLM_HOLDS((target != pairs.fields.end()) == !none);
  GSSNTLM_HOLDS(none || target->second == scene.setup.target_name);
  const bool host = policy.send_single_host && mic;
  GSSNTLM_HOLDS(scene.who == Who::kAgent || (pairs.fields.count("av8") != 0) == host);
}

void check_v2(const Scene& scene, const PlainMessage& answer, const PlainMessage& challenge,
              const Outcome& outcome) {
  const std::optional<PlainMessage> pairs = plain_pairs(answer.fields.at("pairs"));
  GSSNTLM_HOLDS(pairs.has_value());
  check_pairs(scene, *pairs, challenge);
  if (!scene.setup.policy.send_lmv2) {
    GSSNTLM_HOLDS(answer.fields.at("lm") == Bytes(24));
  }
  const Sixteen hash = plain_md4(test::wide(kPassword));
  Bytes user(scene.setup.identity->user().begin(), scene.setup.identity->user().end());
  upcase_utf16le(user);
  const Bytes& nt = answer.fields.at("nt");
  const PlainProof made = plain_v2_proof(hash, user, scene.setup.identity->domain(),
                                         challenge.fields.at("nonce"), ByteView(nt).subspan(16));
  GSSNTLM_HOLDS(same_bytes(made.proof, ByteView(nt).first(16)));
  Bytes key(made.base.begin(), made.base.end());
  if (exchanges_key(outcome.flags)) {
    key = plain_rc4(made.base, answer.fields.at("key"));
  }
  GSSNTLM_HOLDS(same_bytes(key, outcome.key.view()));
}

void check_mic(const PlainMessage& answer, ByteView negotiate, ByteView challenge, ByteView token,
               const Outcome& outcome) {
  const auto mic = answer.numbers.find("mic");
  GSSNTLM_HOLDS((mic != answer.numbers.end()) == outcome.mic);
  if (outcome.mic) {
    const Bytes bytes(token.begin(), token.end());
    const auto at = static_cast<std::size_t>(mic->second);
    GSSNTLM_HOLDS(same_bytes(plain_mic(outcome.key.view(), negotiate, challenge, bytes, at),
                             token.subspan(at, 16)));
  }
}

void check_flags(const Scene& scene, Flags offered, Flags challenge, const Outcome& outcome) {
  constexpr Flags kGiven = flag::kSign | flag::kSeal | flag::kEss | flag::k128 |
                           flag::kKeyExchange | flag::kLmKey | flag::kNonNtSessionKey | flag::k56 |
                           flag::kDatagram;
  GSSNTLM_HOLDS((outcome.flags & kGiven & ~(offered & challenge)) == 0);
  const InitiatorRequest& request = scene.setup.request;
  GSSNTLM_HOLDS(!request.confidentiality || has(outcome.flags, flag::kSeal));
  GSSNTLM_HOLDS(!request.integrity || has_any(outcome.flags, flag::kProtection));
  GSSNTLM_HOLDS(!request.connectionless || has(outcome.flags, flag::kDatagram));
  const Policy& policy = scene.setup.policy;
  GSSNTLM_HOLDS(!initiator_demands_ess(policy) || has(outcome.flags, flag::kEss));
  GSSNTLM_HOLDS(!outcome.protects() || key_bits(outcome.flags) >= policy.min_key_bits);
}

void check_answer(const Scene& scene, Flags offered, ByteView negotiate, ByteView challenge_token,
                  ByteView token, const Outcome& outcome) {
  const std::optional<PlainMessage> challenge = plain_decode(challenge_token, false);
  GSSNTLM_HOLDS(challenge && challenge->type == 2);
  const bool oem = has(outcome.flags, flag::kOem);
  const std::optional<PlainMessage> answer = plain_decode(token, oem);
  GSSNTLM_HOLDS(answer && answer->type == 3);
  GSSNTLM_HOLDS(decode_authenticate(token, oem).ok());
  GSSNTLM_HOLDS(answer->numbers.at("flags") == outcome.flags);
  check_flags(scene, offered, static_cast<Flags>(challenge->numbers.at("flags")), outcome);
  check_mic(*answer, negotiate, challenge_token, token, outcome);
  if (scene.who == Who::kAgent) {
    const std::optional<PlainMessage> pairs = plain_pairs(answer->fields.at("pairs"));
    GSSNTLM_HOLDS(pairs.has_value());
    check_pairs(scene, *pairs, *challenge);
    return;
  }
  GSSNTLM_HOLDS(!kind_name(outcome.kind).empty());
  (void)weaknesses_of(outcome, scene.setup.policy.dummy_signatures);
  const std::size_t nt = answer->fields.at("nt").size();
  if (scene.who == Who::kNobody) {
    GSSNTLM_HOLDS(nt == 0 && answer->fields.at("user").empty());
    GSSNTLM_HOLDS(answer->fields.at("lm") == Bytes(1) && scene.bindings == nullptr);
    return;
  }
  GSSNTLM_HOLDS(sends_v1(scene.setup.policy) ? nt == 24 : nt > 24);
  GSSNTLM_HOLDS(nt != 24 || scene.bindings == nullptr);
  if (nt > 24) {
    check_v2(scene, *answer, *challenge, outcome);
  }
}

InitiatorSetup copy_of(const InitiatorSetup& setup) {
  return {setup.policy, setup.request, setup.identity, setup.target_name, setup.workstation};
}

void check_changed(const Scene& scene, ByteView saved, ByteView edits) {
  const Bytes changed = change_state(saved, edits);
  Deserializer in(changed);
  const Result<Initiator> loaded = Initiator::load(copy_of(scene.setup), in);
  if (loaded && in.finished()) {
    Serializer again;
    GSSNTLM_HOLDS(loaded->save(again).ok() && same_bytes(again.view(), changed));
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Chunks chunks = split_chunks({data, size});
  Scene scene(chunks);
  Initiator initiator(copy_of(scene.setup));
  const Result<Buffer> negotiate = initiator.negotiate();
  GSSNTLM_HOLDS(negotiate.ok() && !initiator.negotiate());
  const Flags offered = initiator.flags();
  Serializer saved;
  GSSNTLM_HOLDS(initiator.save(saved).ok());
  Deserializer in(saved.view());
  Result<Initiator> loaded = Initiator::load(copy_of(scene.setup), in);
  GSSNTLM_HOLDS(loaded.ok() && in.finished());
  check_changed(scene, saved.view(), chunk(chunks, 3));
  loaded->set_identity(scene.setup.identity);
  GSSNTLM_HOLDS(&loaded->identity() == scene.setup.identity.get());
  if (scene.withhold_mic) {
    initiator.withhold_mic();
    loaded->withhold_mic();
  }
  const ByteView challenge = chunk(chunks, 1);
  test::FixedEnvironment other;
  other.has_random = scene.env.has_random;
  const Result<Buffer> token = initiator.authenticate(challenge, scene.bindings, scene.env);
  const Result<Buffer> again = loaded->authenticate(challenge, scene.bindings, other);
  GSSNTLM_HOLDS(token.ok() == again.ok());
  if (token) {
    GSSNTLM_HOLDS(same_bytes(token->view(), again->view()));
    const Outcome outcome = initiator.take_outcome();
    check_answer(scene, offered, negotiate->view(), challenge, token->view(), outcome);
  }
  const Result<Buffer> late = initiator.authenticate(challenge, scene.bindings, scene.env);
  GSSNTLM_HOLDS(!late && late.error().minor == Minor::kBadState);
  Serializer nothing;
  GSSNTLM_HOLDS(!initiator.save(nothing));
  check_trace(scene.env);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  return mutate_input(data, size, max, seed, [](Chunks&, Chance&) {});
}
