#include "mech/protocol/acceptor.h"

#include <string>
#include <utility>

#include "mech/protocol/mic_policy.h"
#include "mech/protocol/negotiation.h"
#include "mech/protocol/server_info.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"

namespace gssntlm {
namespace {

constexpr std::uint64_t kMaxFiletime = ~std::uint64_t{0};
constexpr std::string_view kClientNames =
    "the user, domain or workstation of the client's AUTHENTICATE";
constexpr Error kUnbound{Major::kBadBindings, Minor::kBindings};
constexpr std::string_view kConnectionlessOff =
    "the client begins a connectionless context, and [policy] allow_connectionless = no; set it "
    "for a service that uses NTLM over datagrams";

Error refuse(Error error, std::string_view reason, const Runtime& env) {
  return refuse(error, "acceptor", reason, env);
}

// ExportedSessionKey: the one that was wrapped, or the key exchange key itself.
SessionKey unwrap_key(const AuthenticateMessage& message, Flags agreed,
                      const KeyExchangeKey& with) noexcept {
  if (!exchanges_key(agreed)) {
    return SessionKey(with.view());
  }
  SessionKey key;
  rc4k(with.view(), message.session_key.first<SessionKey::kSize>(), key.bytes());
  return key;
}

// Whether the client says that it runs here, as in a reflected login. Windows ignores the pair.
bool names_this_machine(const V2ClientChallenge& blob, const Runtime& env) {
  if (!blob.target_info.single_host) {
    return false;
  }
  const Result<SingleHost> host = decode_single_host(*blob.target_info.single_host);
  const auto own = env.machine_id();
  const bool here = host && !is_zero(own) && host->machine_id == own;
  env.trace(here ? "acceptor: the client says that it runs on this machine"
                 : "acceptor: the client says that it runs on another machine");
  return here;
}

}  // namespace

Result<Buffer> Acceptor::challenge(ByteView negotiate, const HostNames& names, const Runtime& env) {
  if (state_ != State::kStart) {
    return failure(Minor::kBadState);
  }
  state_ = State::kFailed;
  const Result<NegotiateMessage> offer = decode_negotiate(negotiate);
  if (!offer) {
    return offer.error();
  }
  if (Status s = check_charset(offer->flags); !s) {
    return s.error();
  }
  const Flags reply = negotiate_flags_for_challenge(offer->flags, policy_, names);
  // Only AUTHENTICATE proves that the client is anonymous, and if it is not, the same is checked
  // there.
  const bool anonymous = policy_.allow_anonymous && has(offer->flags, flag::kAnonymous);
  const std::optional<Refusal> refusal =
      anonymous ? std::nullopt : check_reply_flags(reply, offer->flags, policy_);
  if (refusal) {
    return refuse(refusal->error, refusal->reason, env);
  }
  return emit(reply, negotiate, names, env);
}

Result<Buffer> Acceptor::connectionless_challenge(const HostNames& names, const Runtime& env) {
  if (state_ != State::kStart) {
    return failure(Minor::kBadState);
  }
  state_ = State::kFailed;
  if (!policy_.allow_connectionless) {
    return refuse(failure(Minor::kPolicyBlocked), kConnectionlessOff, env);
  }
  return emit(negotiate_flags_for_connectionless_challenge(policy_, names), {}, names, env);
}

Result<Buffer> Acceptor::emit(Flags flags, ByteView negotiate, const HostNames& names,
                              const Runtime& env) {
  if (!env.random(server_challenge_)) {
    return failure(Minor::kNoRandom);
  }
  const Bytes info = compose_target_info(names, env.now());
  ChallengeMessage reply;
  reply.flags = flags;
  reply.server_challenge = server_challenge_;
  reply.target_info = info;
  reply.version = kOurVersion;
  reply.target_name = names.domain_member ? names.nb_domain : names.nb_computer;
  Bytes oem_name;
  if (!has(flags, flag::kUnicode)) {
    Result<Bytes> oem = oem_from_utf16le(reply.target_name, policy_.code_page);
    if (!oem) {
      return refuse(oem.error(),
                    describe_offer({"client", flags}) +
                        " do not have Unicode names, and this host's name cannot be written in "
                        "[policy] code_page",
                    env);
    }
    oem_name = std::move(*oem);
    reply.target_name = oem_name;
  }
  Result<Buffer> token = encode_challenge(reply);
  if (!token) {
    return token.error();
  }
  transcript_.reserve(negotiate.size() + token->size());
  append(transcript_, negotiate);
  append(transcript_, token->view());
  negotiate_size_ = negotiate.size();
  outcome_.flags = flags;
  state_ = State::kChallengeSent;
  return token;
}

Result<AcceptedLogon> Acceptor::authenticate(ByteView token, const ChannelBindingHash* bindings,
                                             const AccountSource& accounts, const Runtime& env) {
  if (state_ != State::kChallengeSent) {
    return failure(Minor::kBadState);
  }
  // First: one challenge is answered once, so a second AUTHENTICATE is no second guess.
  state_ = State::kFailed;
  Result<AcceptedLogon> accepted = verify(token, bindings, accounts, env);
  if (accepted) {
    state_ = State::kDone;
  }
  transcript_ = Bytes();
  return accepted;
}

// [MS-NLMP] 3.2.5.1.2.
Result<AcceptedLogon> Acceptor::verify(ByteView token, const ChannelBindingHash* bindings,
                                       const AccountSource& accounts, const Runtime& env) {
  const Result<AuthenticateMessage> message = decode_authenticate(token, uses_oem());
  if (!message) {
    return explain_name(message.error(), kClientNames, env);
  }
  const Result<Flags> agreed = agree(*message, env);
  if (!agreed) {
    return agreed.error();
  }
  if (exchanges_key(*agreed) && message->session_key.size() != SessionKey::kSize) {
    return defective(Minor::kBadResponse);
  }
  return message->is_anonymous() ? check_anonymous(*message, *agreed, bindings, env)
                                 : verify_user({token, *message, *agreed, bindings}, accounts, env);
}

Result<AcceptedLogon> Acceptor::verify_user(const Answer& answer, const AccountSource& accounts,
                                            const Runtime& env) {
  const AuthenticateMessage& message = answer.message;
  Result<Names> names = read_names(message, answer.agreed, env);
  if (!names) {
    return names.error();
  }
  LogonRequest request;
  request.server_challenge = server_challenge_;
  request.user = names->user;
  request.domain = names->domain;
  request.workstation = names->workstation;
  request.lm_response = message.lm_response;
  request.nt_response = message.nt_response;
  request.flags = answer.agreed;
  // Policy first: no account source is asked about a response that would be rejected anyway.
  if (Status s = check_kind(request, answer.bindings, env); !s) {
    return s.error();
  }
  Result<Logon> logon = accounts.logon(request, policy_, env);
  if (!logon) {
    return logon.error();
  }
  Outcome outcome;
  outcome.flags = answer.agreed;
  outcome.key = unwrap_key(message, answer.agreed, key_exchange_key(request, *logon));
  outcome.kind = logon->kind;
  outcome.mic = message.mic_at.has_value();
  outcome.peer_tells_sealing = distinguishes_wrap_modes(message.version);
  // Nothing in the pairs is evidence before the response is proven, and neither flags nor names are
  // before the MIC is: so the MIC comes first, which 3.2.5.1.2 has last.
  if (Status s = check_mic(answer, outcome.key, env); !s) {
    return s.error();
  }
  if (message.v2 && message.v2->target_info.repeats_bindings && !proves_pairs(message)) {
    return refuse(defective(Minor::kBadAvPairs),
                  "no MIC covers a duplicate pair of channel bindings", env);
  }
  if (message.v2) {
    if (Status s = check_blob(*message.v2, env); !s) {
      return s.error();
    }
  }
  const Result<bool> bound = check_bindings(message, answer.bindings, env);
  if (!bound) {
    return bound.error();
  }
  outcome.channel_bound = *bound;
  outcome_ = std::move(outcome);

  AcceptedLogon accepted;
  accepted.user = std::move(logon->user);
  accepted.domain = std::move(logon->domain);
  accepted.attributes = std::move(logon->attributes);
  accepted.facts = facts_of(message, names->workstation, outcome_);
  return accepted;
}

// [MS-NLMP] 3.2.5.1.2, 3.3: an anonymous client has no password, and its key is public. Some name a
// domain, which means nothing.
Result<AcceptedLogon> Acceptor::check_anonymous(const AuthenticateMessage& message, Flags agreed,
                                                const ChannelBindingHash* bindings,
                                                const Runtime& env) {
  if (!accepts_kind(ResponseKind::kAnonymous, policy_)) {
    return refuse(failure(Minor::kAnonymous),
                  "the client is anonymous, and [policy] allow_anonymous = no", env);
  }
  if (bindings != nullptr) {
    return refuse(kUnbound,
                  "the client is anonymous and cannot send channel bindings, which the application "
                  "requires",
                  env);
  }
  outcome_.flags = agreed;
  outcome_.key = unwrap_key(message, agreed, KeyExchangeKey());
  outcome_.kind = ResponseKind::kAnonymous;
  AcceptedLogon accepted;
  accepted.anonymous = true;
  return accepted;
}

bool Acceptor::uses_oem() const noexcept {
  return !has(outcome_.flags, flag::kUnicode);
}

Result<Flags> Acceptor::agree(const AuthenticateMessage& message, const Runtime& env) const {
  const Flags challenge = outcome_.flags;
  // A client of Windows 9x, whose message ends before the flags, takes what was said to it.
  const Flags answer = message.has_flags ? message.flags : challenge;
  const bool anonymous = message.is_anonymous();
  if (const std::optional<Refusal> refusal =
          anonymous ? check_anonymous_flags(challenge, answer)
                    : check_authenticate_flags(challenge, answer, policy_)) {
    return refuse(refusal->error, refusal->reason, env);
  }
  return anonymous ? anonymous_flags(challenge, answer)
                   : negotiate_flags_for_session(challenge, answer);
}

Result<Acceptor::Names> Acceptor::read_names(const AuthenticateMessage& message, Flags agreed,
                                             const Runtime& env) const {
  Names names;
  struct Slot {
    ByteView from;
    ByteView* to;
    Bytes* converted;
  };
  for (const Slot slot : {Slot{message.user, &names.user, &names.converted[0]},
                          Slot{message.domain, &names.domain, &names.converted[1]},
                          Slot{message.workstation, &names.workstation, &names.converted[2]}}) {
    *slot.to = slot.from;
    if (has(agreed, flag::kOem)) {
      Result<Bytes> wide = utf16le_from_oem(slot.from, policy_.code_page);
      if (!wide) {
        return wide.error();
      }
      *slot.converted = std::move(*wide);
      *slot.to = *slot.converted;
    }
    if (!is_clean_name(*slot.to)) {
      return explain_name(defective(Minor::kBadString), kClientNames, env);
    }
  }
  return names;
}

Status Acceptor::check_kind(const LogonRequest& request, const ChannelBindingHash* bindings,
                            const Runtime& env) const {
  const ResponseKind kind = response_kind(request);
  const std::string_view name = kind_name(kind);
  if (!accepts_response(request, policy_)) {
    return refuse(failure(Minor::kPolicyVersion),
                  std::string("the kind of the client's response is ")
                      .append(name)
                      .append(", which [policy] accept_level = ")
                      .append(std::to_string(policy_.acceptor_level))
                      .append(" rejects"),
                  env);
  }
  if (kind != ResponseKind::kNtlmV2 && bindings != nullptr) {
    return refuse(kUnbound,
                  std::string("the kind of the client's response is ")
                      .append(name)
                      .append(", which carries no channel bindings, and the application requires "
                              "them"),
                  env);
  }
  return {};
}

Status Acceptor::check_mic(const Answer& answer, const SessionKey& key, const Runtime& env) const {
  const AuthenticateMessage& message = answer.message;
  switch (mic_demand(policy_, message)) {
    case MicDemand::kNone:
      return {};
    case MicDemand::kMissing:
      return reject_logon("acceptor", env,
                          [] { return "the client sent no MIC, and [policy] require_mic = yes"; });
    case MicDemand::kVerify:
      break;
  }
  const ByteView transcript(transcript_);
  const Mic mic = compute_mic(key, transcript.first(negotiate_size_),
                              transcript.subspan(negotiate_size_), answer.token, *message.mic_at);
  if (verify_equal(mic, answer.token.subspan(*message.mic_at, mic.size()))) {
    return {};
  }
  env.trace(has(message.flags, flag::kKeyExchange) || message.session_key.empty()
                ? "acceptor: rejected, the MIC does not verify"
                : "acceptor: rejected, the MIC does not verify; the client exchanged a key without "
                  "signing or sealing, which [MS-NLMP] 3.1.5.1.2 does not know");
  return failure(Minor::kLogonFailure);
}

// The response must have been made for this server and now: a relayed one names another. [MS-NLMP]
// does not compare the pairs, and Windows checks the age up to 2008 R2 only.
Status Acceptor::check_blob(const V2ClientChallenge& blob, const Runtime& env) const {
  const Result<ChallengeMessage> challenge =
      decode_challenge(ByteView(transcript_).subspan(negotiate_size_));
  const Result<TargetInfo> sent = challenge ? decode_target_info(challenge->target_info)
                                            : Result<TargetInfo>(challenge.error());
  if (!sent) {
    return failure(Minor::kInternal);
  }
  if (!answers_target_info(*sent, blob.target_info)) {
    return reject_logon("acceptor", env,
                        [] { return "the response was made for another server's challenge"; });
  }
  if (names_this_machine(blob, env) && policy_.refuse_reflection) {
    return reject_logon("acceptor", env, [] {
      return "the client says that it runs on this machine, and [policy] refuse_reflection = yes";
    });
  }
  const std::uint64_t now = env.now();
  const std::uint64_t skew = now > blob.timestamp ? now - blob.timestamp : blob.timestamp - now;
  if (policy_.max_skew_seconds <= kMaxFiletime / kFiletimePerSecond &&
      skew > policy_.max_skew_seconds * kFiletimePerSecond) {
    return reject_logon("acceptor", env, [&] {
      return "the client's clock differs by " + std::to_string(skew / kFiletimePerSecond) +
             " s, and [policy] max_clock_skew = " + std::to_string(policy_.max_skew_seconds) + "s";
    });
  }
  return {};
}

// Whether both sides gave the same ones. check_mic() has verified the MIC, if there is one.
Result<bool> Acceptor::check_bindings(const AuthenticateMessage& message,
                                      const ChannelBindingHash* bindings,
                                      const Runtime& env) const {
  if (bindings == nullptr || policy_.channel_bindings == Demand::kOff) {
    return false;
  }
  const std::optional<ByteView> given =
      message.v2 ? message.v2->target_info.channel_bindings : std::nullopt;
  if (!given || is_zero(*given)) {
    return check_unbound("the client sent no channel bindings", env);
  }
  if (!verify_equal(*given, *bindings)) {
    return refuse(kUnbound,
                  "the client's channel bindings are those of another channel, and [policy] "
                  "channel_bindings is not off",
                  env);
  }
  if (!proves_pairs(message)) {
    return check_unbound("no MIC covers the client's channel bindings", env);
  }
  return true;
}

Result<bool> Acceptor::check_unbound(std::string_view why, const Runtime& env) const {
  if (policy_.channel_bindings == Demand::kAccept) {
    return false;
  }
  return refuse(kUnbound, std::string(why).append(", and [policy] channel_bindings = require"),
                env);
}

}  // namespace gssntlm
