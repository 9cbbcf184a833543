// A login saved and loaded: open with its session, or half-way with its handshake.
#include <algorithm>
#include <utility>

#include "mech/crypto/primitives.h"
#include "mech/login/access.h"
#include "mech/login/login.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

constexpr auto kLastKind = static_cast<std::uint8_t>(ResponseKind::kNtlmV2);
constexpr std::uint64_t kLongestLease = 24 * 60 * 60;  // the most that max_handshake_age can be

using Origin = std::array<std::uint8_t, 32>;

// What exporting and importing process have in common: the machine since it was started, or the
// farm that settings name. Zeros: not known.
Origin origin_of(const Settings& settings, const Runtime& env) noexcept {
  if (settings.farm.empty()) {
    return env.machine_id();
  }
  Origin farm{};
  const std::span<std::uint8_t, 32> out(farm);
  hash_md5({as_bytes("farm 1"), as_bytes(settings.farm)}, out.first<16>());
  hash_md5({as_bytes("farm 2"), as_bytes(settings.farm)}, out.last<16>());
  return farm;
}

bool is_known(const Origin& origin) noexcept {
  return std::any_of(origin.begin(), origin.end(), [](std::uint8_t b) { return b != 0; });
}

}  // namespace

LoginContext::LoginContext(const Head& head, const LoginRequest& request)
    : settings_(head.settings),
      report_(settings_, head.initiator),
      request_(request),
      initiator_role_(head.initiator),
      fresh_(false) {}

Status LoginContext::save(Serializer& out) const {
  if (failed_ || fresh_ || (!is_open() && !target_)) {
    return Error{Major::kNoContext, Minor::kBadState};
  }
  if (is_inherited()) {
    return failure(Minor::kForked);
  }
  const Result<std::uint64_t> id = token_id();
  if (!id) {
    return id.error();
  }
  out.flag(initiator_role_);
  out.flag(is_open());
  out.u32(request_.caller_flags);
  out.u64(*id);
  out.flag(static_cast<bool>(source_));
  if (source_) {
    (initiator_role_ ? source_->unproven() : source_)->save(out);
  }
  target_->unproven()->save(out);
  if (!is_open()) {
    if (Status s = save_origin(out); !s) {
      return s;
    }
  }
  if (const auto* initiator = std::get_if<Initiator>(&handshake_)) {
    return initiator->save(out);
  }
  if (const auto* acceptor = std::get_if<Acceptor>(&handshake_)) {
    return acceptor->save(out);
  }
  out.u8(static_cast<std::uint8_t>(kind_));
  out.flag(mic_);
  out.flag(channel_bound_);
  out.flag(peer_tells_sealing_);
  out.flag(seals_when_signing_);
  session_->save(out);
  return {};
}

// An acceptor's handshake is named by its challenge: with another one the client's answer is wrong.
// An initiator's keeps the name of its first export. An established context is named by its token.
Result<std::uint64_t> LoginContext::token_id() const {
  if (const auto* acceptor = std::get_if<Acceptor>(&handshake_)) {
    return load_le64(acceptor->server_challenge().data());
  }
  if (!is_open() && lease_.id != 0) {
    return lease_.id;
  }
  std::array<std::uint8_t, sizeof lease_.id> id{};
  if (!env().random(id)) {
    return failure(Minor::kNoRandom);
  }
  return std::max<std::uint64_t>(load_le64(id.data()), 1);
}

// A handshake that moves on keeps the times of its first export.
Status LoginContext::save_origin(Serializer& out) const {
  const Origin origin = origin_of(*settings_, env());
  if (!is_known(origin)) {
    return error_with_detail(Major::kFailure, Minor::kNotAvailable,
                             "this machine cannot be told from others; give [policy] farm a name");
  }
  const bool moves_on = lease_.ends != 0;
  const std::uint64_t begins = moves_on ? lease_.begins : seconds_of(clock());
  out.put(origin);
  out.u64(begins);
  out.u64(moves_on ? lease_.ends : begins + settings_->max_handshake_age);
  return {};
}

Status LoginContext::load_origin(Deserializer& in) {
  Origin origin{};
  in.copy(origin);
  lease_.begins = in.u64();
  lease_.ends = in.u64();
  if (!in.ok() || lease_.ends <= lease_.begins || lease_.ends - lease_.begins > kLongestLease) {
    return defective(Minor::kImport);
  }
  if (!is_known(origin) || origin != origin_of(*settings_, env())) {
    return error_with_detail(
        Major::kDefectiveToken, Minor::kImport,
        "the handshake began on another machine; give [policy] farm the same name on "
        "all hosts that share handshakes");
  }
  return check_age();
}

// The setting of today may shorten what the exporting process allowed, never extend it. The clocks
// of a farm differ a little, so that a token may seem to come from the future.
Status LoginContext::check_age() const {
  const std::uint64_t now = seconds_of(clock());
  const std::uint64_t age = now > lease_.begins ? now - lease_.begins : lease_.begins - now;
  if (now < lease_.ends && age <= settings_->max_handshake_age) {
    return {};
  }
  return error_with_detail(Major::kContextExpired, Minor::kExpired,
                           now < lease_.begins
                               ? "the handshake was exported by a host whose clock is ahead of "
                                 "this one's by more than [policy] max_handshake_age"
                               : "the handshake was exported longer ago than [policy] "
                                 "max_handshake_age");
}

Status LoginContext::check_turn() const {
  if (is_inherited()) {
    env().trace("rejected, another process began the handshake; it must be exported to this one");
    return failure(Minor::kForked);
  }
  if (lease_.ends == 0) {
    return {};
  }
  Status young = check_age();
  if (!young) {
    env().trace("rejected, the handshake was exported too long ago");
  }
  return young;
}

// A challenge is answered once: of those that imported the same token one gets the keys. Messages
// that prove nothing claim nothing.
Status LoginContext::claim() const {
  if (lease_.ends == 0) {
    return {};
  }
  switch (claim_handshake(clock(), lease_.id, lease_.ends)) {
    case Claim::kFirst:
      return {};
    case Claim::kDuplicateToken:
      env().trace("rejected, the handshake was completed before, from the same exported token");
      return error_with_detail(
          Major::kFailure, Minor::kBadState,
          "the exported token was imported twice; the handshake is completed once");
    case Claim::kExpired:
      env().trace("rejected, the handshake has expired, or the clock was set back meanwhile");
      return error_with_detail(
          Major::kContextExpired, Minor::kExpired,
          "the handshake expires at a time that this process has seen pass; if the clock was set "
          "back, restart the process");
    case Claim::kFull:
      break;
  }
  env().trace("rejected, too many imported handshakes were completed lately");
  return error_with_detail(
      Major::kFailure, Minor::kNotAvailable,
      "too many imported handshakes were completed within [policy] max_handshake_age");
}

Status LoginContext::claim_import() const {
  if (!is_open() || claim_session(lease_.id)) {
    return {};
  }
  env().trace("rejected, the exported token was imported before");
  return error_with_detail(
      Major::kFailure, Minor::kBadState,
      "the exported token was imported twice; two contexts would use the same key streams");
}

Result<LoginContext::Head> LoginContext::load_head(Deserializer& in) {
  Result<Ref<const Settings>> settings = load_settings_or_trace();
  if (!settings) {
    return settings.error();
  }
  Head head;
  head.settings = std::move(*settings);
  head.initiator = in.flag();
  head.open = in.flag();
  head.caller_flags = in.u32();
  head.id = in.u64();
  return head;
}

Status LoginContext::load(const Head& head, Deserializer& in) {
  const Error bad = defective(Minor::kImport);
  lease_.id = head.id;
  // The one that accepts learns its peer's name last.
  const bool has_source = in.flag();
  if (lease_.id == 0 || has_source != (head.open || head.initiator)) {
    return bad;
  }
  if (has_source) {
    // Only a logon here proved attributes: those of an acceptor's source.
    Result<Ref<const Name>> source = head.initiator ? Name::load_unproven(in) : Name::load(in);
    if (!source) {
      return bad;
    }
    source_ = std::move(*source);
  }
  Result<Ref<const Name>> target = Name::load_unproven(in);
  if (!target) {
    return bad;
  }
  target_ = std::move(*target);
  if (Status s = head.open ? load_open(in) : load_handshake(in); !s) {
    return s;
  }
  report_.trace(head.open ? "imported, open" : "imported, half-way");
  return {};
}

Status LoginContext::load_handshake(Deserializer& in) {
  if (Status s = load_origin(in); !s) {
    return s;
  }
  if (initiator_role_) {
    Result<Initiator> initiator =
        Initiator::load(setup_for(*settings_, *target_, request_.initiator), in);
    if (!initiator) {
      return initiator.error();
    }
    handshake_.emplace<Initiator>(std::move(*initiator));
    return {};
  }
  return load_acceptor(in);
}

Status LoginContext::load_acceptor(Deserializer& in) {
  Result<Acceptor> acceptor = Acceptor::load(policy(), in);
  if (!acceptor) {
    return acceptor.error().minor == Minor::kPolicyBlocked ? connectionless_off()
                                                           : acceptor.error();
  }
  if (lease_.id != load_le64(acceptor->server_challenge().data())) {
    return defective(Minor::kImport);
  }
  connectionless_ = has(acceptor->flags(), flag::kDatagram);
  handshake_.emplace<Acceptor>(std::move(*acceptor));
  return {};
}

Status LoginContext::load_open(Deserializer& in) {
  const std::uint8_t kind = in.u8();
  mic_ = in.flag();
  channel_bound_ = in.flag();
  peer_tells_sealing_ = in.flag();
  seals_when_signing_ = in.flag();
  Result<Session> session = Session::load(in);
  if (!session || kind > kLastKind) {
    return defective(Minor::kImport);
  }
  kind_ = static_cast<ResponseKind>(kind);
  const bool anonymous = kind_ == ResponseKind::kAnonymous;
  if (anonymous && session->protects()) {
    return defective(Minor::kImport);
  }
  if (const unsigned bits = key_bits(session->flags());
      session->protects() && bits < policy().min_key_bits) {
    return error_with_detail(
        Major::kFailure, Minor::kPolicyKeyLength,
        "the imported context has a session key of " + std::to_string(bits) +
            " bits, and [policy] min_key_bits = " + std::to_string(policy().min_key_bits));
  }
  if (!initiator_role_ && session->is_connectionless() && !policy().allow_connectionless) {
    return connectionless_off();
  }
  session_.emplace(std::move(*session));
  return {};
}

Status LoginContext::bind(Ref<const Credential> credential) {
  if (auto* initiator = std::get_if<Initiator>(&handshake_)) {
    const Name& mine = *credential->name();
    const bool both_anonymous =
        mine.kind() == NameKind::kAnonymous && source_->kind() == NameKind::kAnonymous;
    if (!both_anonymous && !mine.equals(*source_)) {
      return Error{Major::kNoCred, Minor::kBadCredential};
    }
    initiator->set_identity(credential->identity());
  }
  credential_ = std::move(credential);
  return {};
}

}  // namespace gssntlm
