// A context saved and loaded: open with its session, or half-way with its handshake.
#include <utility>

#include "mech/spi/context.h"

namespace gssntlm::spi {
namespace {

constexpr auto kLastKind = static_cast<std::uint8_t>(ResponseKind::kNtlmV2);

}  // namespace

Context::Context(Ref<const Settings> settings, bool initiator)
    : settings_(std::move(settings)),
      env_(settings_, initiator ? "initiator" : "acceptor"),
      initiator_role_(initiator),
      fresh_(false) {}

Status Context::save(Saver& out) const {
  if (failed_ || fresh_ || (!is_open() && !target_)) {
    return Error{Major::kNoContext, Minor::kOutOfTurn};
  }
  if (is_open() && is_inherited()) {
    return failure(Minor::kForked);
  }
  out.flag(initiator_role_);
  out.flag(is_open());
  out.u32(requested_);
  out.flag(static_cast<bool>(source_));
  if (source_) {
    source_->save(out);
  }
  target_->save(out);
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

Result<std::unique_ptr<Context>> Context::load(Loader& in) {
  const Error bad = defective(Minor::kImport);
  Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    return settings.error();
  }
  const bool initiator = in.flag();
  const bool open = in.flag();
  std::unique_ptr<Context> context(new Context(std::move(*settings), initiator));
  context->requested_ = in.u32();
  // The one that accepts learns its peer's name last.
  const bool has_source = in.flag();
  if (has_source != (open || initiator)) {
    return bad;
  }
  if (has_source) {
    Result<Ref<const Name>> source = Name::load(in);
    if (!source) {
      return bad;
    }
    context->source_ = std::move(*source);
  }
  Result<Ref<const Name>> target = Name::load(in);
  if (!target) {
    return bad;
  }
  context->target_ = std::move(*target);
  if (Status s = open ? context->load_open(in) : context->load_handshake(in); !s) {
    return s.error();
  }
  context->env_.trace(open ? "imported, open" : "imported, half-way");
  return context;
}

Status Context::load_handshake(Loader& in) {
  if (initiator_role_) {
    Result<Initiator> initiator = Initiator::load(setup_for(*settings_, *target_, requested_), in);
    if (!initiator) {
      return initiator.error();
    }
    handshake_.emplace<Initiator>(std::move(*initiator));
    return {};
  }
  Result<Acceptor> acceptor = Acceptor::load(policy(), in);
  if (!acceptor) {
    return acceptor.error();
  }
  handshake_.emplace<Acceptor>(std::move(*acceptor));
  return {};
}

Status Context::load_open(Loader& in) {
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
  const bool nobody = kind_ == ResponseKind::kAnonymous;
  if (nobody && session->protects()) {
    return defective(Minor::kImport);
  }
  if (session->protects() && key_bits(session->flags()) < policy().min_key_bits) {
    return failure(Minor::kPolicyKeyLength);
  }
  session_.emplace(std::move(*session));
  opened_in_ = process_generation();
  return {};
}

Status Context::bind(Ref<const Credential> credential) {
  if (auto* initiator = std::get_if<Initiator>(&handshake_)) {
    const Name& mine = *credential->name();
    const bool both_nobody =
        mine.kind() == NameKind::kAnonymous && source_->kind() == NameKind::kAnonymous;
    if (!both_nobody && !mine.equals(*source_)) {
      return Error{Major::kNoCred, Minor::kBadCredential};
    }
    initiator->set_identity(credential->identity());
  }
  credential_ = std::move(credential);
  return {};
}

}  // namespace gssntlm::spi
