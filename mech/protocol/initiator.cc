#include "mech/protocol/initiator.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mech/protocol/mic_policy.h"
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"

namespace gssntlm {
namespace {

// What one AUTHENTICATE needs of chance, drawn at once.
class Chance {
 public:
  [[nodiscard]] bool draw(const Runtime& env) noexcept { return env.random(bytes_.bytes()); }
  [[nodiscard]] Nonce client_challenge() const noexcept {
    Nonce nonce;
    const auto from = bytes_.view().first<kNonceSize>();
    std::copy(from.begin(), from.end(), nonce.begin());
    return nonce;
  }
  [[nodiscard]] SessionKey session_key() const noexcept {
    return SessionKey(bytes_.view().last<SessionKey::kSize>());
  }

 private:
  static constexpr std::size_t kNonceSize = 8;
  Secret<struct ChanceTag, kNonceSize + SessionKey::kSize> bytes_;
};

// Names in the character set that was agreed.
class WireNames {
 public:
  WireNames(ByteView domain, ByteView user, ByteView workstation) noexcept
      : views_{domain, user, workstation} {}
  [[nodiscard]] Status encode(CodePage page) {
    for (std::size_t i = 0; i < views_.size(); ++i) {
      Result<Bytes> oem = oem_from_utf16le(views_[i], page);
      if (!oem) {
        return oem.error();
      }
      oem_[i] = std::move(*oem);
      views_[i] = oem_[i];
    }
    return {};
  }
  [[nodiscard]] ByteView domain() const noexcept { return views_[0]; }
  [[nodiscard]] ByteView user() const noexcept { return views_[1]; }
  [[nodiscard]] ByteView workstation() const noexcept { return views_[2]; }

 private:
  std::array<ByteView, 3> views_;
  std::array<Bytes, 3> oem_;
};

// Whether `answered` begins with the pairs that were asked for, the final one aside.
bool repeats_pairs(ByteView asked, ByteView answered) noexcept {
  constexpr std::size_t kEolSize = 4;
  const std::size_t size = asked.size() - kEolSize;
  return answered.size() > size && same_bytes(asked.first(size), answered.first(size));
}

Error refuse(Error error, std::string_view reason, const Runtime& env) {
  return refuse(error, "initiator", reason, env);
}

Error refuse_agent(const Runtime& env) {
  return refuse(failure(Minor::kPolicyFlags),
                "the answer of the agent (winbind) lacks what was asked for", env);
}

}  // namespace

Result<Buffer> Initiator::negotiate() {
  if (state_ != State::kStart) {
    return failure(Minor::kBadState);
  }
  state_ = State::kFailed;
  outcome_.flags =
      negotiate_flags_for_offer(setup_.policy, setup_.request, setup_.identity->is_anonymous());
  if (setup_.request.connectionless) {
    state_ = State::kNegotiateSent;
    return Buffer();
  }
  NegotiateMessage message;
  message.flags = outcome_.flags;
  if (has(message.flags, flag::kVersion)) {
    message.version = kOurVersion;
  }
  Result<Buffer> token = encode_negotiate(message);
  if (!token) {
    return token.error();
  }
  const ByteView bytes = token->view();
  negotiate_.assign(bytes.begin(), bytes.end());
  state_ = State::kNegotiateSent;
  return token;
}

Result<Buffer> Initiator::authenticate(ByteView challenge, const ChannelBindingHash* bindings,
                                       const Runtime& env) {
  if (state_ != State::kNegotiateSent) {
    return failure(Minor::kBadState);
  }
  // Before anything can fail: each context answers one challenge, or none.
  state_ = State::kFailed;
  Result<Buffer> token = answer(challenge, bindings, env);
  if (token) {
    state_ = State::kDone;
    negotiate_ = Bytes();
  }
  return token;
}

// [MS-NLMP] 3.1.5.1.2, in the order of its text.
Result<Buffer> Initiator::answer(ByteView token, const ChannelBindingHash* bindings,
                                 const Runtime& env) {
  const Result<ChallengeMessage> challenge = decode_challenge(token);
  if (!challenge) {
    return explain_name(challenge.error(), "the target name of the server's CHALLENGE", env);
  }
  const Result<Flags> agreed = agree(challenge->flags, env);
  if (!agreed) {
    return agreed.error();
  }
  if (setup_.identity->agent() != nullptr) {
    return ask_agent(token, *challenge, *agreed, bindings, env);
  }
  Chance chance;
  if (!chance.draw(env)) {
    return failure(Minor::kNoRandom);
  }
  Result<Responses> responses =
      compute_responses({setup_.policy, *setup_.identity, *challenge, *agreed,
                         chance.client_challenge(), bindings, setup_.target_name},
                        env);
  if (!responses) {
    return responses.error();
  }
  Outcome outcome;
  outcome.flags = *agreed;
  outcome.kind = responses->kind;
  outcome.mic = responses->mic;
  outcome.peer_tells_sealing = distinguishes_wrap_modes(challenge->version);
  outcome.key = SessionKey(responses->key.view());
  std::array<std::uint8_t, SessionKey::kSize> wrapped{};
  const bool exchange = exchanges_key(*agreed);
  if (exchange) {
    outcome.key = chance.session_key();
    rc4k(responses->key.view(), outcome.key.view(), wrapped);
  }
  Result<Buffer> message =
      compose(*agreed, *responses, exchange ? ByteView(wrapped) : ByteView(), env);
  if (!message) {
    return message;
  }
  // Last: it covers every byte of the three messages [MS-NLMP] 3.1.5.1.2.
  if (outcome.mic) {
    const Mic mic = compute_mic(outcome.key, negotiate_, token, message->view(), kMicOffset);
    std::copy(mic.begin(), mic.end(), message->data() + kMicOffset);
  }
  outcome_ = std::move(outcome);
  return message;
}

// An agent knows neither bindings nor target nor what is wanted of the session, and makes its MIC
// over the CHALLENGE it was given. So it is given one that has ours in its target information,
// which its proof then covers; the flags, on which an NTLMv2 proof and key do not depend, are set
// to what was agreed, and the MIC is made again over the messages that travel.
Result<Buffer> Initiator::ask_agent(ByteView challenge_token, const ChallengeMessage& challenge,
                                    Flags agreed, const ChannelBindingHash* bindings,
                                    const Runtime& env) {
  if (setup_.request.connectionless) {
    return refuse(failure(Minor::kPolicyFlags),
                  "the application requires a connectionless context (GSS_C_DATAGRAM_FLAG), for "
                  "which an agent (winbind) answers no challenge",
                  env);
  }
  const Result<Bytes> pairs = compose_agent_pairs(
      {setup_.policy, *setup_.identity, challenge, agreed, Nonce(), bindings, setup_.target_name},
      env);
  if (!pairs) {
    return pairs.error();
  }
  ChallengeMessage question = challenge;
  question.flags = agreed | flag::kTargetInfo | (challenge.flags & flag::kTargetTypeDomain);
  question.target_info = *pairs;
  const Result<Buffer> question_token = encode_challenge(question);
  if (!question_token) {
    return question_token.error();
  }
  Result<AgentAnswer> answer =
      setup_.identity->agent()->answer(negotiate_, question_token->view(), env);
  if (!answer) {
    return answer.error();
  }
  const Result<AuthenticateMessage> message = decode_authenticate(answer->authenticate);
  const bool mic = sends_mic(setup_.policy, challenge.target_info);
  if (!message || !message->v2 || message->mic_at.has_value() != mic ||
      !repeats_pairs(*pairs, message->v2->av_pairs) ||
      !has(message->flags & agreed, flag::kUnicode) ||
      has(message->flags, flag::kKeyExchange) != has(agreed, flag::kKeyExchange)) {
    return refuse_agent(env);
  }
  Buffer token = Buffer::copy_of(answer->authenticate);
  store_le32(token.data() + kAuthenticateFlagsOffset, agreed);
  // Where a MIC has its place depends on the flags that are sent.
  const Result<AuthenticateMessage> sent = decode_authenticate(token.view());
  const std::optional<std::size_t> place = message->mic_at;
  if (!sent || place != sent->mic_at) {
    return refuse_agent(env);
  }
  if (mic) {
    const Mic made = compute_mic(answer->key, negotiate_, challenge_token, token.view(), *place);
    std::copy(made.begin(), made.end(), token.data() + *place);
  }
  outcome_.flags = agreed;
  outcome_.key = std::move(answer->key);
  outcome_.kind = ResponseKind::kNtlmV2;
  outcome_.mic = mic;
  outcome_.peer_tells_sealing = distinguishes_wrap_modes(challenge.version);
  return token;
}

Result<Flags> Initiator::agree(Flags challenge, const Runtime& env) const {
  if (Status s = check_charset(challenge); !s) {
    return s.error();
  }
  const Flags offered = outcome_.flags;
  const Flags agreed = agree_with_challenge(offered, challenge, setup_.request);
  if (const std::optional<Refusal> refusal =
          check_challenge_flags({offered, challenge, agreed}, setup_.policy, setup_.request)) {
    return refuse(refusal->error, refusal->reason, env);
  }
  return agreed;
}

Result<Buffer> Initiator::compose(Flags agreed, const Responses& responses, ByteView wrapped_key,
                                  const Runtime& env) const {
  const bool anonymous = responses.kind == ResponseKind::kAnonymous;
  const Identity& identity = *setup_.identity;
  // The workstation is the client's; 3.1.5.1.2 calls it NbMachineName, which is the server's.
  WireNames names(identity.domain(), identity.user(),
                  anonymous ? ByteView() : ByteView(setup_.workstation));
  if (has(agreed, flag::kOem)) {
    if (Status s = names.encode(setup_.policy.code_page); !s) {
      return refuse(s.error(),
                    "the server's CHALLENGE has OEM names only, and the user, domain or "
                    "workstation cannot be written in [policy] code_page",
                    env);
    }
  }
  AuthenticateFields fields;
  fields.flags = agreed;
  fields.lm_response = responses.lm();
  fields.nt_response = responses.nt;
  fields.domain = names.domain();
  fields.user = names.user();
  fields.workstation = names.workstation();
  fields.session_key = wrapped_key;
  fields.version = has(agreed, flag::kVersion) ? kOurVersion : Version{};
  fields.mic = kReservesMicField;
  return encode_authenticate(fields);
}

}  // namespace gssntlm
