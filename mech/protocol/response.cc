#include "mech/protocol/response.h"

#include <algorithm>
#include <string>

#include "mech/protocol/mic_policy.h"
#include "mech/protocol/refusal.h"
#include "mech/wire/authenticate.h"

namespace gssntlm {
namespace {

constexpr std::uint8_t kResponseVersion = 1;

Error refuse(Error error, std::string_view reason, const Runtime& env) {
  return refuse(error, "initiator", reason, env);
}

std::array<std::uint8_t, 4> le32(std::uint32_t v) noexcept {
  std::array<std::uint8_t, 4> out;
  store_le32(out.data(), v);
  return out;
}

void set_lm(Responses& to, const Response24& bytes) noexcept {
  to.lm_bytes = bytes;
  to.lm_size = bytes.size();
}

// One zero byte and nothing else; the key is known to everybody [MS-NLMP] 3.2.5.1.2.
Responses respond_anonymously() {
  Responses r;
  r.kind = ResponseKind::kAnonymous;
  r.lm_size = 1;
  return r;
}

// [MS-NLMP] 3.3.1. With extended session security the LM field carries the client's challenge.
Responses respond_v1(const ResponseInput& in) {
  const Nonce& server = in.challenge.server_challenge;
  const NtHash& hash = in.identity.nt_hash();
  const LmHash* lm_hash = in.identity.lm_hash();
  Responses r;
  Response24 nt{};
  if (has(in.agreed, flag::kEss)) {
    r.kind = ResponseKind::kNtlmV1Ess;
    nt = compute_v1_ess_response(hash, server, in.client_challenge);
    Response24 lm{};
    std::copy(in.client_challenge.begin(), in.client_challenge.end(), lm.begin());
    set_lm(r, lm);
  } else if (family_sent(in.policy) == ResponseFamily::kLmAndNtlm && lm_hash != nullptr) {
    r.kind = ResponseKind::kLm;
    nt = compute_v1_response(hash.view(), server);
    set_lm(r, compute_v1_response(lm_hash->view(), server));
  } else {
    // Without an LM hash, or where policy withholds it, the NT response takes its place (3.3.1).
    r.kind = ResponseKind::kNtlmV1;
    nt = compute_v1_response(hash.view(), server);
    set_lm(r, nt);
  }
  r.nt.assign(nt.begin(), nt.end());
  r.key =
      derive_v1_key_exchange_key(in.agreed, derive_v1_base_key(hash), lm_hash, r.lm_bytes, server);
  return r;
}

struct ClientPairs {
  bool mic;
  const SingleHost* single_host;
  bool timestamp = true;
};

// The server's pairs but those that are the client's to say, then our own, in Windows' order.
// Without target information from the server there are none [MS-NLMP] 3.1.5.1.2. Without bindings
// there is no pair, where Windows sends zeros: some acceptors take those for a mismatch. Bit 4 of
// MsvAvFlags is never set: strict acceptors reject what it calls untrusted.
void append_pairs(Bytes& to, const ResponseInput& in, const ClientPairs& own) {
  AvReader pairs(in.challenge.target_info);
  while (const std::optional<AvPair> pair = pairs.next()) {
    const bool echoed = av_row(pair->id).sender == AvSender::kServer &&
                        (own.timestamp || pair->id != AvId::kTimestamp);
    if (echoed) {
      append_av_pair(to, pair->id, pair->value);
    }
  }
  if (own.mic) {
    append_av_pair(to, AvId::kFlags, le32(av_flag::kMicPresent));
  }
  if (own.single_host != nullptr) {
    append_av_pair(to, AvId::kSingleHost, encode_single_host(*own.single_host));
  }
  if (!in.challenge.target_info.empty()) {
    if (in.bindings != nullptr) {
      append_av_pair(to, AvId::kChannelBindings, *in.bindings);
    }
    append_av_pair(to, AvId::kTargetName, in.target_name);
  }
  append_av_pair(to, AvId::kEol, {});
}

// NTLMv2_RESPONSE [MS-NLMP] 2.2.2.8 with room for the proof in front.
Bytes compose_v2_response(const ResponseInput& in, std::uint64_t time, const ClientPairs& own) {
  constexpr std::size_t kOwnPairs = 8 + 20 + 4 + 4 + 4;
  Bytes response;
  response.reserve(kNtProofSize + kClientChallengeHeadSize + in.challenge.target_info.size() +
                   in.target_name.size() + kOwnPairs +
                   (own.single_host != nullptr ? 4 + kSingleHostSize : 0));
  response.resize(kNtProofSize + kClientChallengeHeadSize);
  std::uint8_t* temp = response.data() + kNtProofSize;
  temp[0] = temp[1] = kResponseVersion;
  store_le64(temp + 8, time);
  std::copy(in.client_challenge.begin(), in.client_challenge.end(), temp + 16);
  append_pairs(response, in, own);
  response.resize(response.size() + 4);
  return response;
}

// [MS-NLMP] 3.3.2.
Responses respond_v2(const ResponseInput& in, const TargetInfo& info, const Runtime& env) {
  Responses r;
  r.kind = ResponseKind::kNtlmV2;
  r.mic = sends_mic(in.policy, in.challenge.target_info);
  std::optional<SingleHost> host;
  if (sends_single_host(in.policy, r.mic)) {
    host = SingleHost{kOurCustomData, env.machine_id()};
  }
  // The server's time, where it gives one: a client whose clock is wrong can then log in.
  r.nt =
      compose_v2_response(in, info.timestamp.value_or(env.now()), {r.mic, host ? &*host : nullptr});
  const ResponseKey key = in.identity.response_key();
  V2Proof proof =
      compute_v2_proof(key, in.challenge.server_challenge, ByteView(r.nt).subspan(kNtProofSize));
  std::copy(proof.nt_proof.begin(), proof.nt_proof.end(), r.nt.begin());
  // Zeros in the LM field: LMv2 would be a second, weaker proof [MS-NLMP] 3.1.5.1.2.
  set_lm(r, in.policy.send_lmv2 && !info.timestamp
                ? compute_lmv2_response(key, in.challenge.server_challenge, in.client_challenge)
                : Response24{});
  // KXKEY of NTLMv2 is the session base key itself [MS-NLMP] 3.4.5.1.
  r.key = KeyExchangeKey(proof.base.view());
  return r;
}

// [MS-NLMP] 3.1.5.1.2: where messages are protected the server must say who it is. Both pairs must
// be there; empty values, which some servers send, are accepted as Windows accepts them.
Status check_target_info(const ResponseInput& in, const TargetInfo& info, const Runtime& env) {
  if (in.challenge.target_info.empty()) {
    return in.policy.require_target_info
               ? refuse(failure(Minor::kTargetInfo),
                        "the server sent no target information, and [policy] require_target_info = "
                        "yes",
                        env)
               : Status();
  }
  if (has_any(in.agreed, flag::kProtection) && (!info.nb_computer || !info.nb_domain)) {
    return refuse(failure(Minor::kTargetInfo),
                  "the server's target information lacks its NetBIOS names, which signing and "
                  "sealing require",
                  env);
  }
  return {};
}

// Whether AUTHENTICATE can carry the channel bindings that the application passed, if it did.
Status check_bindings(const ResponseInput& in, bool v2, const Runtime& env) {
  if (in.bindings == nullptr || (v2 && !in.challenge.target_info.empty())) {
    return {};
  }
  const std::string why =
      v2 ? "the server sent no target information"
      : in.identity.is_anonymous()
          ? "an anonymous client sends none"
          : "[policy] send_level = " + std::to_string(in.policy.initiator_level) +
                " sends no NTLMv2 response, which alone carries them";
  return refuse({Major::kBadBindings, Minor::kBindings},
                "the application passed channel bindings that cannot be sent: " + why, env);
}

}  // namespace

Result<Responses> compute_responses(const ResponseInput& in, const Runtime& env) {
  const bool anonymous = in.identity.is_anonymous();
  const bool v2 = !anonymous && family_sent(in.policy) == ResponseFamily::kNtlmV2;
  if (Status s = check_bindings(in, v2, env); !s) {
    return s.error();
  }
  if (!v2) {
    return anonymous ? respond_anonymously() : respond_v1(in);
  }
  TargetInfo info;
  if (!in.challenge.target_info.empty()) {
    const Result<TargetInfo> decoded = decode_target_info(in.challenge.target_info);
    if (!decoded || decoded->repeats_bindings) {
      return decoded ? defective(Minor::kBadAvPairs) : decoded.error();
    }
    info = *decoded;
  }
  if (Status s = check_target_info(in, info, env); !s) {
    return s.error();
  }
  return respond_v2(in, info, env);
}

Result<Bytes> compose_agent_pairs(const ResponseInput& in, const Runtime& env) {
  const Result<TargetInfo> info = decode_target_info(in.challenge.target_info);
  if (in.challenge.target_info.empty() || !info || info->repeats_bindings) {
    return refuse(failure(Minor::kTargetInfo),
                  "the server sent no valid target information, which an agent needs", env);
  }
  if (Status s = check_target_info(in, *info, env); !s) {
    return s.error();
  }
  Bytes pairs;
  // The time of the server is what makes an agent add a MIC.
  const bool mic = sends_mic(in.policy, in.challenge.target_info);
  append_pairs(pairs, in, {mic, nullptr, mic});
  return pairs;
}

}  // namespace gssntlm
