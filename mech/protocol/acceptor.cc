#include "mech/protocol/acceptor.h"

#include <algorithm>
#include <utility>

#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"

namespace gssntlm {
namespace {

// Capabilities that AUTHENTICATE may neither add to CHALLENGE nor, but for the last two, take back.
constexpr Flags kFixedBits =
    flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::kKeyExchange | flag::kDatagram;
constexpr Flags kAddableNever = kFixedBits | flag::kLmKey | flag::kNonNtSessionKey;

constexpr std::uint64_t kMaxFiletime = ~std::uint64_t{0};

Flags compute_reply(Flags offered, const HostNames& names) noexcept {
  Flags reply =
      offered & (flag::kSign | flag::kSeal | flag::kEss | flag::kIdentify | flag::k128 | flag::k56);
  if (has_any(offered, flag::kProtection)) {
    reply |= offered & flag::kKeyExchange;
  }
  reply |= has(offered, flag::kUnicode) ? flag::kUnicode : flag::kOem;
  reply |= names.domain_member ? flag::kTargetTypeDomain : flag::kTargetTypeServer;
  return reply | flag::kRequestTarget | flag::kNtlm | flag::kAlwaysSign | flag::kTargetInfo |
         flag::kVersion;
}

Status check_offer(Flags offered, const Policy& policy) noexcept {
  if (policy.require_ess && !has(offered, flag::kEss)) {
    return failure(Minor::kPolicyFlags);
  }
  if (has_any(offered, flag::kProtection) && key_bits(offered) < policy.min_key_bits) {
    return failure(Minor::kPolicyKeyLength);
  }
  return {};
}

void append_name(Bytes& list, AvId id, ByteView name) {
  if (!name.empty()) {
    append_av_pair(list, id, name);
  }
}

// In Windows' order. Names 1 and 2 are always there, the timestamp too: it makes the client send a
// MIC. MsvAvFlags never: Windows clients then fail to verify.
Bytes compose_target_info(const HostNames& names, std::uint64_t now) {
  Bytes list;
  list.reserve(28 + names.nb_domain.size() + names.nb_computer.size() + names.dns_domain.size() +
               names.dns_computer.size() + names.dns_tree.size() + 12);
  std::array<std::uint8_t, 8> time;
  store_le64(time.data(), now);
  append_av_pair(list, AvId::kNbDomainName, names.nb_domain);
  append_av_pair(list, AvId::kNbComputerName, names.nb_computer);
  append_name(list, AvId::kDnsDomainName, names.dns_domain);
  append_name(list, AvId::kDnsComputerName, names.dns_computer);
  append_name(list, AvId::kDnsTreeName, names.dns_tree);
  append_av_pair(list, AvId::kTimestamp, time);
  append_av_pair(list, AvId::kEol, {});
  return list;
}

bool is_zero(ByteView bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

bool echoes(const std::optional<ByteView>& sent, const std::optional<ByteView>& back,
            bool required) noexcept {
  if (!back) {
    return !(required && sent);
  }
  return sent && same_bytes(*sent, *back);
}

}  // namespace

Result<Buffer> Acceptor::challenge(ByteView negotiate, const HostNames& names,
                                   const Environment& env) {
  if (state_ != State::kStart) {
    return failure(Minor::kOutOfTurn);
  }
  state_ = State::kFailed;
  const Result<NegotiateMessage> offer = decode_negotiate(negotiate);
  if (!offer) {
    return offer.error();
  }
  if (Status s = check_charset(offer->flags); !s) {
    return s.error();
  }
  if (Status s = check_offer(offer->flags, policy_); !s) {
    return s.error();
  }
  if (!env.random(server_challenge_)) {
    return failure(Minor::kNoRandom);
  }
  const Bytes info = compose_target_info(names, env.now());
  ChallengeMessage reply;
  reply.flags = compute_reply(offer->flags, names);
  reply.server_challenge = server_challenge_;
  reply.target_info = info;
  reply.version = kOurVersion;
  Bytes oem_name;
  reply.target_name = names.domain_member ? names.nb_domain : names.nb_computer;
  if (has(reply.flags, flag::kOem)) {
    Result<Bytes> oem = oem_from_utf16le(reply.target_name, policy_.code_page);
    oem_name = oem ? std::move(*oem) : Bytes();
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
  outcome_.flags = reply.flags;
  state_ = State::kChallengeSent;
  return token;
}

Result<AcceptedLogon> Acceptor::authenticate(ByteView token, const ChannelBindingHash* bindings,
                                             const AccountSource& accounts,
                                             const Environment& env) {
  if (state_ != State::kChallengeSent) {
    return failure(Minor::kOutOfTurn);
  }
  state_ = State::kFailed;
  Result<AcceptedLogon> accepted = judge(token, bindings, accounts, env);
  if (accepted) {
    state_ = State::kDone;
  }
  transcript_ = Bytes();
  return accepted;
}

Result<AcceptedLogon> Acceptor::judge(ByteView token, const ChannelBindingHash* bindings,
                                      const AccountSource& accounts, const Environment& env) {
  const Result<AuthenticateMessage> message =
      decode_authenticate(token, has(outcome_.flags, flag::kOem));
  if (!message) {
    return message.error();
  }
  if (message->is_anonymous()) {
    env.trace("acceptor: refused, anonymous logons are off");
    return failure(Minor::kAnonymous);
  }
  const Result<Flags> agreed = agree(*message);
  if (!agreed) {
    env.trace("acceptor: refused, AUTHENTICATE changed what CHALLENGE had settled");
    return agreed.error();
  }
  Result<Names> names = read_names(*message);
  if (!names) {
    return names.error();
  }
  if (has(*agreed, flag::kKeyExchange) && message->session_key.size() != SessionKey::kSize) {
    return defective(Minor::kBadResponse);
  }
  LogonRequest request;
  request.server_challenge = server_challenge_;
  request.user = names->user;
  request.domain = names->domain;
  request.workstation = names->workstation;
  request.lm_response = message->lm_response;
  request.nt_response = message->nt_response;
  request.flags = *agreed;
  if (Status s = check_kind(request, bindings, env); !s) {
    return s.error();
  }
  Result<Logon> logon = accounts.logon(request, policy_, env);
  if (!logon) {
    return logon.error();
  }
  Result<SessionKey> key = session_key(*message, *agreed, *logon);
  if (!key) {
    return key.error();
  }
  if (Status s = check_mic(token, *message, *key, env); !s) {
    return s.error();
  }
  if (message->v2) {
    if (Status s = check_blob(*message->v2, env); !s) {
      return s.error();
    }
  }
  if (Status s = check_bindings(*message, bindings, env); !s) {
    return s.error();
  }
  outcome_.flags = *agreed;
  outcome_.key = std::move(*key);
  outcome_.kind = logon->kind;
  outcome_.mic = message->mic_at.has_value();
  outcome_.peer_tells_sealing = tells_sealing(message->version);

  AcceptedLogon accepted;
  accepted.user = std::move(logon->user);
  accepted.domain = std::move(logon->domain);
  accepted.workstation = std::move(names->workstation);
  accepted.attributes = std::move(logon->attributes);
  if (message->v2 && message->v2->target_info.target_name &&
      (message->v2->target_info.flags.value_or(0) & av_flag::kUntrustedTargetName) == 0) {
    const ByteView spn = *message->v2->target_info.target_name;
    accepted.target_name.assign(spn.begin(), spn.end());
  }
  return accepted;
}

// [MS-NLMP] 3.2.5.1.2: what was settled stays, what was not is not added. Bits 56 and TARGET_INFO
// are dropped by honest clients; the key length is judged again.
Result<Flags> Acceptor::agree(const AuthenticateMessage& message) const noexcept {
  const Flags settled = outcome_.flags;
  const Flags answer = message.flags;
  if ((settled & kFixedBits & ~answer) != 0 || (answer & kAddableNever & ~settled) != 0) {
    return failure(Minor::kDowngrade);
  }
  if (has(settled, flag::kUnicode) && !has(answer, flag::kUnicode)) {
    return failure(Minor::kDowngrade);
  }
  const Flags agreed = settled & (answer | ~(flag::k56 | flag::kIdentify));
  if (has_any(agreed, flag::kProtection) && key_bits(agreed) < policy_.min_key_bits) {
    return failure(Minor::kPolicyKeyLength);
  }
  return agreed;
}

Result<Acceptor::Names> Acceptor::read_names(const AuthenticateMessage& message) const {
  Names names;
  struct Slot {
    ByteView from;
    Bytes* to;
  };
  for (const Slot slot : {Slot{message.user, &names.user}, Slot{message.domain, &names.domain},
                          Slot{message.workstation, &names.workstation}}) {
    if (has(outcome_.flags, flag::kOem)) {
      Result<Bytes> wide = utf16le_from_oem(slot.from, policy_.code_page);
      if (!wide) {
        return wide.error();
      }
      *slot.to = std::move(*wide);
    } else {
      slot.to->assign(slot.from.begin(), slot.from.end());
    }
    if (!is_clean_name(*slot.to)) {
      return defective(Minor::kBadString);
    }
  }
  return names;
}

Status Acceptor::check_kind(const LogonRequest& request, const ChannelBindingHash* bindings,
                            const Environment& env) const {
  const ResponseKind kind = response_kind(request);
  if (!accepts_kind(kind, policy_)) {
    env.trace("acceptor: refused, policy does not take this kind of response");
    return failure(Minor::kPolicyVersion);
  }
  if (kind != ResponseKind::kNtlmV2 && bindings != nullptr) {
    env.trace("acceptor: refused, channel bindings need NTLMv2");
    return Error{Major::kBadBindings, Minor::kBindings};
  }
  return {};
}

Result<SessionKey> Acceptor::session_key(const AuthenticateMessage& message, Flags agreed,
                                         const Logon& logon) const noexcept {
  if (!has(agreed, flag::kKeyExchange)) {
    return SessionKey(logon.base.view());
  }
  SessionKey key;
  rc4k(logon.base.view(), message.session_key.first<SessionKey::kSize>(), key.bytes());
  return key;
}

Status Acceptor::check_mic(ByteView token, const AuthenticateMessage& message,
                           const SessionKey& key, const Environment& env) const {
  if (!message.mic_at) {
    if (policy_.allow_missing_mic) {
      return {};
    }
    env.trace("acceptor: refused, the client sent no MIC");
    return failure(Minor::kLogonFailure);
  }
  const ByteView transcript(transcript_);
  const Mic mic = compute_mic(key, transcript.first(negotiate_size_),
                              transcript.subspan(negotiate_size_), token, *message.mic_at);
  if (verify_equal(mic, token.subspan(*message.mic_at, mic.size()))) {
    return {};
  }
  env.trace(has(message.flags, flag::kKeyExchange) || message.session_key.empty()
                ? "acceptor: refused, the MIC does not verify"
                : "acceptor: refused, the MIC does not verify; the client exchanged a key without "
                  "signing or sealing, which [MS-NLMP] 3.1.5.1.2 does not know");
  return failure(Minor::kLogonFailure);
}

// The response must have been made for this server and now: a relayed one names another.
Status Acceptor::check_blob(const V2ClientChallenge& blob, const Environment& env) const {
  const Result<ChallengeMessage> challenge =
      decode_challenge(ByteView(transcript_).subspan(negotiate_size_));
  const Result<TargetInfo> sent = challenge ? decode_target_info(challenge->target_info)
                                            : Result<TargetInfo>(challenge.error());
  if (!sent) {
    return failure(Minor::kInternal);
  }
  const TargetInfo& back = blob.target_info;
  const bool same = echoes(sent->nb_computer, back.nb_computer, true) &&
                    echoes(sent->nb_domain, back.nb_domain, true) &&
                    echoes(sent->dns_computer, back.dns_computer, false) &&
                    echoes(sent->dns_domain, back.dns_domain, false) &&
                    echoes(sent->dns_tree, back.dns_tree, false) &&
                    (!back.timestamp || back.timestamp == sent->timestamp);
  if (!same) {
    env.trace("acceptor: refused, the response was made for another server's challenge");
    return failure(Minor::kLogonFailure);
  }
  const std::uint64_t now = env.now();
  const std::uint64_t skew = now > blob.timestamp ? now - blob.timestamp : blob.timestamp - now;
  if (policy_.max_skew_seconds <= kMaxFiletime / kFiletimePerSecond &&
      skew > policy_.max_skew_seconds * kFiletimePerSecond) {
    env.trace("acceptor: refused, the client's clock differs by more than is allowed");
    return failure(Minor::kLogonFailure);
  }
  return {};
}

Status Acceptor::check_bindings(const AuthenticateMessage& message,
                                const ChannelBindingHash* bindings, const Environment& env) {
  if (bindings == nullptr || policy_.channel_bindings == Demand::kOff) {
    return {};
  }
  const Error refused{Major::kBadBindings, Minor::kBindings};
  const std::optional<ByteView> given =
      message.v2 ? message.v2->target_info.channel_bindings : std::nullopt;
  if (!given || is_zero(*given)) {
    if (policy_.channel_bindings == Demand::kAccept) {
      return {};
    }
    env.trace("acceptor: refused, the client gave no channel bindings");
    return refused;
  }
  if (!verify_equal(*given, *bindings)) {
    env.trace("acceptor: refused, the client's channel bindings are those of another channel");
    return refused;
  }
  outcome_.channel_bound = true;
  return {};
}

}  // namespace gssntlm
