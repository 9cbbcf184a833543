// The acceptor's steps. Input in chunks: options (policy, names, bits), NEGOTIATE, AUTHENTICATE,
// perhaps another one, and how the saved handshake is changed. The mutator gives the AUTHENTICATE
// the proof and the MIC of a client that knows the password, most of the time.
//
// Properties: an accepted client has proven the password, as computed by reference.cc, to this
// server, now, with the MIC that was announced and the bindings of this channel; an acceptor whose
// account has another password accepts no one; a response that policy rejects is never verified; a
// handshake saved and loaded gives the same result, and what is loaded of a changed one is saved as
// it was loaded; a step is taken once.
#include <algorithm>

#include "mech/wire/challenge.h"
#include "test/fuzz/choices.h"
#include "test/fuzz/reference.h"
#include "test/support/handshake.h"
#include "test/support/text.h"

namespace gssntlm::fuzz {
namespace {

constexpr std::string_view kPassword = "Password";

struct Scene {
  explicit Scene(ByteView options);

  [[nodiscard]] Result<Buffer> challenge(ByteView negotiate) {
    return connectionless ? acceptor.connectionless_challenge(names, env)
                          : acceptor.challenge(negotiate, names, env);
  }

  Policy policy;
  HostNames names;
  bool connectionless = false;
  const ChannelBindingHash* bindings = nullptr;
  test::FixedEnvironment env;
  Acceptor acceptor;
};

Scene::Scene(ByteView options) : acceptor(Policy{}) {
  Input in(options);
  policy = choose_policy(in);
  names = choose_names(in);
  const unsigned bits = in.u8();
  connectionless = (bits & 1) != 0;
  bindings = (bits & 2) != 0 ? &kSomeBindings : nullptr;
  env.has_random = (bits & 0xF0) != 0xF0;
  env.machine.fill((bits & 4) != 0 ? 7 : 0);
  env.next_random = Bytes{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  acceptor = Acceptor(policy);
}

// Looks on as an account's response is verified.
class Watched : public AccountSource {
 public:
  Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                      const Runtime& env) const override {
    const NtHash hash = derive_nt_hash(test::wide(kPassword));
    const LmHash nobody;
    for (unsigned level = 0; level < 6; ++level) {
      Policy other = policy;
      other.acceptor_level = level;
      GSSNTLM_HOLDS(accepts_response(request, other) ||
                    !verify_response(request, hash, &nobody, other));
    }
    return account_.logon(request, policy, env);
  }

 private:
  test::OneAccount account_;
};

bool same_error(Error a, Error b) {
  return a.major == b.major && a.minor == b.minor;
}

void check_policy(const Scene& scene, const Outcome& outcome) {
  GSSNTLM_HOLDS(accepts_kind(outcome.kind, scene.policy));
  GSSNTLM_HOLDS(!outcome.protects() || key_bits(outcome.flags) >= scene.policy.min_key_bits);
  GSSNTLM_HOLDS(outcome.kind == ResponseKind::kAnonymous || !acceptor_demands_ess(scene.policy) ||
                has(outcome.flags, flag::kEss));
  GSSNTLM_HOLDS(has(outcome.flags, flag::kDatagram) == scene.connectionless);
  if (scene.bindings != nullptr) {
    GSSNTLM_HOLDS(outcome.kind == ResponseKind::kNtlmV2);
  }
  GSSNTLM_HOLDS(!outcome.channel_bound || outcome.mic);
  (void)weaknesses_of(outcome, scene.policy.dummy_signatures);
  GSSNTLM_HOLDS(!kind_name(outcome.kind).empty());
}

void check_pairs(const Scene& scene, const PlainMessage& pairs) {
  const auto equal = [&](const char* name, const Bytes& wanted) {
    const auto pair = pairs.fields.find(name);
    GSSNTLM_HOLDS(pair != pairs.fields.end() && pair->second == wanted);
  };
  equal("av1", scene.names.nb_computer);
  equal("av2", scene.names.nb_domain);
  if (scene.bindings == nullptr || scene.policy.channel_bindings == Demand::kOff) {
    return;
  }
  const auto given = pairs.fields.find("av10");
  const bool none = given == pairs.fields.end() || given->second == Bytes(16);
  if (none) {
    GSSNTLM_HOLDS(scene.policy.channel_bindings == Demand::kAccept);
  } else {
    GSSNTLM_HOLDS(same_bytes(given->second, *scene.bindings));
  }
}

// NTLMv2 computed another way, with each of the accepted spellings of the domain.
void check_proof(const Scene& scene, const PlainMessage& message, ByteView negotiate,
                 ByteView challenge, ByteView token, const Outcome& outcome) {
  const auto wide = [&](const Bytes& name) {
    if (has(outcome.flags, flag::kOem)) {
      const Result<Bytes> converted = utf16le_from_oem(name, scene.policy.code_page);
      GSSNTLM_HOLDS(converted.ok());
      return *converted;
    }
    return name;
  };
  Bytes user = wide(message.fields.at("user"));
  upcase_utf16le(user);
  GSSNTLM_HOLDS(user == test::wide("USER"));
  const Bytes domain = wide(message.fields.at("domain"));
  Bytes upper = domain;
  upcase_utf16le(upper);
  const Sixteen hash = plain_md4(test::wide(kPassword));
  const Bytes& nt = message.fields.at("nt");
  bool proven = false;
  bool mic_right = false;
  for (const Bytes& spelling : {domain, upper, Bytes()}) {
    const PlainProof made =
        plain_v2_proof(hash, user, spelling, challenge.subspan(24, 8), ByteView(nt).subspan(16));
    if (!same_bytes(made.proof, ByteView(nt).first(16))) {
      continue;
    }
    proven = true;
    Bytes key(made.base.begin(), made.base.end());
    if (exchanges_key(outcome.flags)) {
      key = plain_rc4(made.base, message.fields.at("key"));
    }
    GSSNTLM_HOLDS(same_bytes(key, outcome.key.view()));
    const auto mic = message.numbers.find("mic");
    if (mic != message.numbers.end()) {
      const Bytes bytes(token.begin(), token.end());
      const auto at = static_cast<std::size_t>(mic->second);
      mic_right =
          same_bytes(plain_mic(key, negotiate, challenge, bytes, at), token.subspan(at, 16));
    }
  }
  GSSNTLM_HOLDS(proven);
  GSSNTLM_HOLDS(outcome.mic == (message.numbers.count("mic") != 0));
  GSSNTLM_HOLDS(outcome.mic ? mic_right : !scene.policy.require_mic);
  const std::uint64_t time = message.numbers.at("time");
  const std::uint64_t skew = time > test::kNoon ? time - test::kNoon : test::kNoon - time;
  GSSNTLM_HOLDS(scene.policy.max_skew_seconds == ~std::uint64_t{0} ||
                skew / kFiletimePerSecond <= scene.policy.max_skew_seconds);
  const std::optional<PlainMessage> pairs = plain_pairs(message.fields.at("pairs"));
  GSSNTLM_HOLDS(pairs.has_value());
  check_pairs(scene, *pairs);
}

void check_accepted(Scene& scene, const AcceptedLogon& logon, ByteView negotiate,
                    ByteView challenge, ByteView token) {
  const Outcome& outcome = scene.acceptor.outcome();
  check_policy(scene, outcome);
  const bool oem = !has(load_le32(&challenge[20]), flag::kUnicode);
  const std::optional<PlainMessage> message = plain_decode(token, oem);
  GSSNTLM_HOLDS(message && message->type == 3);
  if (logon.anonymous) {
    GSSNTLM_HOLDS(outcome.kind == ResponseKind::kAnonymous && scene.bindings == nullptr);
    GSSNTLM_HOLDS(message->fields.at("user").empty() && message->fields.at("nt").empty());
    GSSNTLM_HOLDS(logon.user.empty() && logon.domain.empty() && !outcome.protects());
    return;
  }
  GSSNTLM_HOLDS(logon.user == test::wide("User") && logon.domain == test::wide("DOMAIN"));
  GSSNTLM_HOLDS(is_clean_name(logon.facts.workstation));
  if (outcome.kind == ResponseKind::kNtlmV2) {
    check_proof(scene, *message, negotiate, challenge, token, outcome);
  }
}

// A loaded state gives some result, whatever it holds.
void check_changed(const Scene& scene, ByteView saved, ByteView edits, ByteView token) {
  const Bytes changed = change_state(saved, edits);
  Deserializer in(changed);
  Result<Acceptor> loaded = Acceptor::load(scene.policy, in);
  if (loaded && in.finished()) {
    Serializer again;
    GSSNTLM_HOLDS(loaded->save(again).ok() && same_bytes(again.view(), changed));
    (void)loaded->authenticate(token, scene.bindings, Watched(), scene.env);
  }
}

// One acceptor goes on; a copy that was saved before gives the same result; one with another
// password refuses.
void judge(Scene& scene, const Chunks& chunks, ByteView negotiate, ByteView challenge) {
  Serializer saved;
  GSSNTLM_HOLDS(scene.acceptor.save(saved).ok());
  const auto load = [&] {
    Deserializer in(saved.view());
    Result<Acceptor> acceptor = Acceptor::load(scene.policy, in);
    GSSNTLM_HOLDS(acceptor.ok() && in.finished());
    return std::move(*acceptor);
  };
  const ByteView token = chunk(chunks, 2);
  const Watched right;
  const test::OneAccount wrong({"User", "DOMAIN", "another password"});
  check_changed(scene, saved.view(), chunk(chunks, 4), token);
  Acceptor copy = load();
  GSSNTLM_HOLDS(copy.flags() == scene.acceptor.flags());
  Acceptor strict = load();
  const Result<AcceptedLogon> logon =
      scene.acceptor.authenticate(token, scene.bindings, right, scene.env);
  const Result<AcceptedLogon> again = copy.authenticate(token, scene.bindings, right, scene.env);
  GSSNTLM_HOLDS(logon.ok() == again.ok());
  if (logon) {
    GSSNTLM_HOLDS(same_bytes(copy.outcome().key.view(), scene.acceptor.outcome().key.view()));
    check_accepted(scene, *logon, negotiate, challenge, token);
  } else {
    GSSNTLM_HOLDS(same_error(logon.error(), again.error()));
  }
  const Result<AcceptedLogon> forged = strict.authenticate(token, scene.bindings, wrong, scene.env);
  GSSNTLM_HOLDS(!forged || forged->anonymous);
  const ByteView second = chunks.size() > 3 ? chunk(chunks, 3) : token;
  const Result<AcceptedLogon> late =
      scene.acceptor.authenticate(second, scene.bindings, right, scene.env);
  GSSNTLM_HOLDS(!late && late.error().minor == Minor::kBadState);
  Serializer nothing;
  GSSNTLM_HOLDS(!scene.acceptor.save(nothing));
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Chunks chunks = split_chunks({data, size});
  Scene scene(chunk(chunks, 0));
  const ByteView negotiate = scene.connectionless ? ByteView() : chunk(chunks, 1);
  const Result<Buffer> challenge = scene.challenge(negotiate);
  if (challenge) {
    judge(scene, chunks, negotiate, challenge->view());
  }
  const Result<Buffer> late = scene.acceptor.challenge(chunk(chunks, 1), scene.names, scene.env);
  GSSNTLM_HOLDS(!late && late.error().minor == Minor::kBadState);
  GSSNTLM_HOLDS(!scene.acceptor.connectionless_challenge(scene.names, scene.env));
  check_trace(scene.env);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  return mutate_input(data, size, max, seed, [](Chunks& chunks, Chance& chance) {
    if (chunks.size() < 3 || chance.one_in(4)) {
      return;
    }
    Scene scene(chunks[0]);
    const ByteView negotiate = scene.connectionless ? ByteView() : ByteView(chunks[1]);
    if (const Result<Buffer> challenge = scene.challenge(negotiate)) {
      repair_authenticate(chunks[2], negotiate, challenge->view(), kPassword,
                          scene.policy.code_page);
    }
  });
}
