#include "mech/protocol/initiator.h"

#include <utility>

#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"

namespace gssntlm {
namespace {

// Capabilities that count only if both sides name them [MS-NLMP] 2.2.2.5.
constexpr Flags kAgreedBits = flag::kSign | flag::kSeal | flag::kLmKey | flag::kNtlm |
                              flag::kAlwaysSign | flag::kEss | flag::kIdentify |
                              flag::kNonNtSessionKey | flag::k128 | flag::kKeyExchange | flag::k56;

Flags compute_offer(const Policy& policy, const InitiatorRequest& request) noexcept {
  Flags offer = flag::kUnicode | flag::kRequestTarget | flag::kNtlm | flag::kAlwaysSign |
                flag::kEss | flag::k128 | flag::kVersion;
  if (request.negotiate_flags) {
    // A caller may ask for less than the default, never for less than policy demands.
    offer = *request.negotiate_flags | flag::kNtlm | flag::kRequestTarget;
    if (!has_any(offer, flag::kUnicode | flag::kOem)) {
      offer |= flag::kUnicode;
    }
    if (policy.require_ess) {
      offer |= flag::kEss;
    }
    if (policy.min_key_bits == 128) {
      offer |= flag::k128;
    }
  }
  const bool default_protection = request.offer_protection && !request.negotiate_flags;
  if (request.integrity || request.confidentiality || default_protection) {
    offer |= flag::kSign | flag::kKeyExchange;
  }
  if (request.confidentiality || default_protection) {
    offer |= flag::kSeal;
  }
  if (policy.min_key_bits <= 56) {
    offer |= flag::k56;
  }
  if (policy.offer_oem) {
    offer |= flag::kOem;
  }
  if (request.identify) {
    offer |= flag::kIdentify;
  }
  return offer;
}

Flags agree(Flags offered, Flags returned) noexcept {
  Flags agreed = offered & returned & kAgreedBits;
  agreed |= returned & flag::kTargetInfo;
  agreed |= flag::kRequestTarget | (offered & flag::kVersion);
  if (has(agreed, flag::kEss)) {
    agreed &= ~flag::kLmKey;
  }
  if (!has_any(agreed, flag::kProtection)) {
    agreed &= ~flag::kKeyExchange;
  }
  agreed |=
      has(returned, flag::kUnicode) && has(offered, flag::kUnicode) ? flag::kUnicode : flag::kOem;
  return agreed;
}

// [MS-NLMP] 3.1.5.1.2: required features must still be there.
Status check_agreed(Flags agreed, Flags offered, const InitiatorSetup& setup) noexcept {
  if (has(agreed, flag::kOem) && !has(offered, flag::kOem)) {
    return failure(Minor::kPolicyFlags);
  }
  if (setup.policy.require_ess && !has(agreed, flag::kEss)) {
    return failure(Minor::kPolicyFlags);
  }
  if (setup.request.confidentiality && !has(agreed, flag::kSeal)) {
    return failure(Minor::kPolicyFlags);
  }
  if (setup.request.integrity && !has_any(agreed, flag::kProtection)) {
    return failure(Minor::kPolicyFlags);
  }
  if (has_any(agreed, flag::kProtection) && key_bits(agreed) < setup.policy.min_key_bits) {
    return failure(Minor::kPolicyKeyLength);
  }
  return {};
}

std::array<std::uint8_t, 4> le32(std::uint32_t v) noexcept {
  std::array<std::uint8_t, 4> out;
  store_le32(out.data(), v);
  return out;
}

// The server's pairs but those that are the client's to say, then our own, in Windows' order.
void append_client_pairs(Bytes& to, ByteView server_list, const ChannelBindingHash* bindings,
                         ByteView target_name) {
  AvReader pairs(server_list);
  while (const std::optional<AvPair> pair = pairs.next()) {
    switch (pair->id) {
      case AvId::kFlags:
      case AvId::kSingleHost:
      case AvId::kTargetName:
      case AvId::kChannelBindings:
        break;
      default:
        append_av_pair(to, pair->id, pair->value);
    }
  }
  append_av_pair(to, AvId::kFlags, le32(av_flag::kMicPresent));
  if (bindings != nullptr) {
    append_av_pair(to, AvId::kChannelBindings, *bindings);
  }
  append_av_pair(to, AvId::kTargetName, target_name);
  append_av_pair(to, AvId::kEol, {});
}

struct Nonces {
  Nonce client_challenge;
  std::array<std::uint8_t, 16> session_key;
};

// NTLMv2_RESPONSE [MS-NLMP] 2.2.2.8 with room for the proof in front.
Bytes compose_v2_response(const Nonce& client, std::uint64_t time, ByteView server_list,
                          const ChannelBindingHash* bindings, ByteView target_name) {
  constexpr std::size_t kOwnPairs = 8 + 20 + 4 + 4 + 4;
  Bytes response;
  response.reserve(kNtProofSize + kClientChallengeHeadSize + server_list.size() +
                   target_name.size() + kOwnPairs);
  response.resize(kNtProofSize + kClientChallengeHeadSize);
  std::uint8_t* temp = response.data() + kNtProofSize;
  temp[0] = temp[1] = 1;
  store_le64(temp + 8, time);
  std::copy(client.begin(), client.end(), temp + 16);
  append_client_pairs(response, server_list, bindings, target_name);
  response.resize(response.size() + 4);
  return response;
}

}  // namespace

Result<Buffer> Initiator::negotiate() {
  if (state_ != State::kStart) {
    return failure(Minor::kOutOfTurn);
  }
  state_ = State::kFailed;
  NegotiateMessage message;
  message.flags = compute_offer(setup_.policy, setup_.request);
  if (has(message.flags, flag::kVersion)) {
    message.version = kOurVersion;
  }
  Result<Buffer> token = encode_negotiate(message);
  if (!token) {
    return token.error();
  }
  const ByteView bytes = token->view();
  negotiate_.assign(bytes.begin(), bytes.end());
  outcome_.flags = message.flags;
  state_ = State::kNegotiateSent;
  return token;
}

Result<Buffer> Initiator::authenticate(ByteView challenge, const ChannelBindingHash* bindings,
                                       const Environment& env) {
  if (state_ != State::kNegotiateSent) {
    return failure(Minor::kOutOfTurn);
  }
  state_ = State::kFailed;
  Result<Buffer> token = answer(challenge, bindings, env);
  if (token) {
    state_ = State::kDone;
    negotiate_ = Bytes();
  }
  return token;
}

Result<Buffer> Initiator::answer(ByteView token, const ChannelBindingHash* bindings,
                                 const Environment& env) {
  const Result<ChallengeMessage> challenge = decode_challenge(token);
  if (!challenge) {
    return challenge.error();
  }
  if (Status s = check_charset(challenge->flags); !s) {
    return s.error();
  }
  const Flags offered = outcome_.flags;
  const Flags agreed = agree(offered, challenge->flags);
  if (Status s = check_agreed(agreed, offered, setup_); !s) {
    return s.error();
  }
  const Result<TargetInfo> info = decode_target_info(challenge->target_info);
  if (challenge->target_info.empty() || !info) {
    return failure(Minor::kTargetInfo);
  }
  if (has_any(agreed, flag::kProtection) && (!info->nb_computer || !info->nb_domain)) {
    return failure(Minor::kTargetInfo);
  }

  Nonces random;
  Secret<struct NoncesTag, sizeof(Nonces)> random_bytes;
  if (!env.random(random_bytes.bytes())) {
    return failure(Minor::kNoRandom);
  }
  std::memcpy(&random, random_bytes.view().data(), sizeof random);

  const Identity& identity = *setup_.identity;
  Bytes response = compose_v2_response(random.client_challenge, info->timestamp.value_or(env.now()),
                                       challenge->target_info, bindings, setup_.target_name);
  V2Proof proof = compute_v2_proof(identity.response_key(), challenge->server_challenge,
                                   ByteView(response).subspan(kNtProofSize));
  std::copy(proof.nt_proof.begin(), proof.nt_proof.end(), response.begin());

  // KXKEY of NTLMv2 is the session base key itself [MS-NLMP] 3.4.5.1.
  std::array<std::uint8_t, 16> wrapped{};
  SessionKey key(proof.base.view());
  const bool exchange = has(agreed, flag::kKeyExchange);
  if (exchange) {
    key = SessionKey(std::span<const std::uint8_t, 16>(random.session_key));
    rc4k(proof.base.view(), key.view(), wrapped);
  }
  wipe(random.session_key);

  // With NTLMv2 the LM field carries zeros: LMv2 would be a second, weaker proof
  // [MS-NLMP] 3.1.5.1.2.
  constexpr Response24 kNoLmResponse{};
  AuthenticateFields fields;
  fields.flags = agreed;
  fields.lm_response = kNoLmResponse;
  fields.nt_response = response;
  fields.version = has(agreed, flag::kVersion) ? kOurVersion : Version{};
  fields.mic = true;
  fields.session_key = exchange ? ByteView(wrapped) : ByteView();
  Bytes oem_names[3];
  const ByteView names[3] = {identity.domain(), identity.user(), setup_.workstation};
  ByteView sent[3] = {names[0], names[1], names[2]};
  if (has(agreed, flag::kOem)) {
    for (int i = 0; i < 3; ++i) {
      Result<Bytes> oem = oem_from_utf16le(names[i], setup_.policy.code_page);
      if (!oem) {
        return oem.error();
      }
      oem_names[i] = std::move(*oem);
      sent[i] = oem_names[i];
    }
  }
  fields.domain = sent[0];
  fields.user = sent[1];
  fields.workstation = sent[2];
  Result<Buffer> message = encode_authenticate(fields);
  if (!message) {
    return message.error();
  }
  const Mic mic = compute_mic(key, negotiate_, token, message->view(), kMicOffset);
  std::copy(mic.begin(), mic.end(), message->data() + kMicOffset);

  outcome_.flags = agreed;
  outcome_.key = std::move(key);
  outcome_.kind = ResponseKind::kNtlmV2;
  outcome_.mic = true;
  outcome_.peer_tells_sealing = tells_sealing(challenge->version);
  return message;
}

}  // namespace gssntlm
