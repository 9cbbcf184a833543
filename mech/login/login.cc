#include "mech/login/login.h"

#include <utility>

#include "mech/base/text.h"
#include "mech/config/access_lists.h"
#include "mech/credential/issued_challenges.h"
#include "mech/login/access.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

InitiatorSetup make_setup(const Credential& credential, const Name& target,
                          const InitiatorRequest& request) {
  const Credential::Options& options = credential.options();
  InitiatorSetup setup = setup_for(credential.settings(), target, request);
  setup.identity = credential.identity();
  setup.request.offer_protection = !options.protection_only_if_asked;
  setup.request.negotiate_flags = options.negotiate_flags;
  return setup;
}

}  // namespace

InitiatorSetup setup_for(const Settings& settings, const Name& target,
                         const InitiatorRequest& request) {
  InitiatorSetup setup;
  setup.policy = settings.policy;
  setup.workstation = settings.names.nb_computer;
  setup.request = request;
  // The name was checked to be UTF-8 when it was imported.
  if (Result<Bytes> spn = target.wide_target_spn()) {
    setup.target_name = std::move(*spn);
  }
  return setup;
}

LoginContext::LoginContext(Ref<const Credential> credential, Ref<const Name> target,
                           const LoginRequest& request)
    : settings_(credential->shared_settings()),
      report_(settings_, true),
      credential_(std::move(credential)),
      request_(request),
      handshake_(std::in_place_type<Initiator>,
                 make_setup(*credential_, *target, request.initiator)),
      source_(credential_->name()),
      target_(std::move(target)),
      initiator_role_(true) {}

LoginContext::LoginContext(Ref<const Credential> credential)
    : settings_(credential->shared_settings()),
      report_(settings_, false),
      credential_(std::move(credential)),
      handshake_(std::in_place_type<Acceptor>, policy()),
      target_(credential_->name()),
      initiator_role_(false) {}

Status LoginContext::restart(bool connectionless) {
  if (connectionless != connectionless_) {
    report_.trace("acceptor: rejected, the token would make the context one of another kind");
    return error_with_detail(Major::kDefectiveToken, Minor::kWrongMessage,
                             connectionless_
                                 ? "a connectionless context does not start again with NEGOTIATE"
                                 : "a connection's context starts again with NEGOTIATE only");
  }
  report_.restart();
  handshake_.emplace<Acceptor>(policy());
  begun_in_ = process_generation();
  lease_ = {};
  fresh_ = true;
  failed_ = false;
  return {};
}

Result<Buffer> LoginContext::negotiate() {
  auto* initiator = std::get_if<Initiator>(&handshake_);
  if (initiator == nullptr || !fresh_) {
    return failure(Minor::kBadState);
  }
  fresh_ = false;
  report_.begin(*target_, *source_);
  const std::uint32_t events = env().events();
  Result<Buffer> token = initiator->negotiate();
  failed_ = !token;
  if (!token) {
    report_.failed(token.error(), events);
    return token;
  }
  report_.decided();
  report_.negotiated(*target_, *source_);
  report_.sent(token->view());
  return token;
}

Result<Buffer> LoginContext::authenticate(ByteView challenge, const ChannelBindingHash* bindings,
                                          bool (*carries_mech_list_mic)() noexcept) {
  auto* initiator = std::get_if<Initiator>(&handshake_);
  if (initiator == nullptr || fresh_ || failed_) {
    return failure(Minor::kBadState);
  }
  failed_ = true;
  report_.begin(*target_, *source_);
  if (Status s = check_turn(); !s) {
    return s.error();
  }
  report_.received(challenge);
  Result<Buffer> token = answer(*initiator, challenge, bindings, carries_mech_list_mic);
  if (!token) {
    (void)audit({}, false);
    return token;
  }
  report_.decided();
  Outcome outcome = initiator->take_outcome();
  outcome.channel_bound = false;  // the acceptor alone can tell
  note(outcome);
  Session session = make_session(std::move(outcome));
  report_.sent(token->view());
  report_.trace("initiator: AUTHENTICATE made, context open");
  if (Status s = audit(token->view(), true); !s) {
    return s.error();
  }
  open(std::move(session));
  return token;
}

Result<Buffer> LoginContext::answer(Initiator& initiator, ByteView challenge,
                                    const ChannelBindingHash* bindings,
                                    bool (*carries_mech_list_mic)() noexcept) {
  if (withholds_mic(credential_->settings().spnego_mic, above_, carries_mech_list_mic)) {
    report_.trace(
        "initiator: no MIC, because this SPNEGO cannot carry the mechListMIC that goes with it");
    initiator.withhold_mic();
  }
  const std::uint32_t before = env().events();
  const bool reflected = was_issued_here(challenge);
  if (reflected) {
    report_.reflected();
    // A server that checks a password of its client's by a login to itself.
    initiator.withhold_single_host();
  }
  const Status unreflected = check_reflection(*credential_, *target_, challenge, reflected, env());
  // That the login is reflected is an event, but not the reason of a later failure.
  const std::uint32_t events = unreflected ? env().events() : before;
  Result<Buffer> token = unreflected ? initiator.authenticate(challenge, bindings, env())
                                     : Result<Buffer>(unreflected.error());
  if (!token) {
    report_.failed(token.error(), events);
    return token;
  }
  const Status claimed = claim();
  return claimed ? std::move(token) : Result<Buffer>(claimed.error());
}

Result<Buffer> LoginContext::challenge(ByteView negotiate) {
  auto* acceptor = std::get_if<Acceptor>(&handshake_);
  if (acceptor == nullptr || !fresh_) {
    return failure(Minor::kBadState);
  }
  fresh_ = false;
  failed_ = true;
  connectionless_ = negotiate.empty();
  report_.received(negotiate);
  const std::uint32_t events = env().events();
  const std::optional<HostNames> domain_names = credential_->domain_names();
  const HostNames& names = domain_names ? *domain_names : settings_->names;
  Result<Buffer> token = negotiate.empty() ? acceptor->connectionless_challenge(names, env())
                                           : acceptor->challenge(negotiate, names, env());
  if (!token) {
    report_.failed(token.error(), events);
    return token;
  }
  failed_ = false;
  remember_issued(token->view());
  report_.trace("acceptor: CHALLENGE made");
  report_.sent(token->view());
  return token;
}

Status LoginContext::accept(ByteView token, const ChannelBindingHash* bindings) {
  auto* acceptor = std::get_if<Acceptor>(&handshake_);
  if (acceptor == nullptr || fresh_ || failed_) {
    return failure(Minor::kBadState);
  }
  failed_ = true;
  report_.begin(token);
  if (Status s = check_turn(); !s) {
    return s;
  }
  report_.received(token);
  if (Status judged = judge(*acceptor, token, bindings); !judged) {
    source_ = Ref<const Name>();
    (void)audit(token, false);
    return judged;
  }
  report_.decided();
  Outcome outcome = acceptor->take_outcome();
  note(outcome);
  Session session = make_session(std::move(outcome));
  report_.logged_in(*source_);
  if (Status s = audit(token, true); !s) {
    source_ = Ref<const Name>();
    return s;
  }
  open(std::move(session));
  return {};
}

Status LoginContext::judge(Acceptor& acceptor, ByteView token, const ChannelBindingHash* bindings) {
  const std::uint32_t events = env().events();
  Result<AcceptedLogon> logon = acceptor.authenticate(
      token, bindings, RuledAccounts(credential_->accounts(), *settings_), env());
  const Status named = logon ? take_source(*logon) : Status(logon.error());
  if (!named) {
    report_.failed(named.error(), events);
    return named;
  }
  if (Status s = check_access(*source_, *settings_, env(), report_.would_reject()); !s) {
    return s;
  }
  return claim();
}

Status LoginContext::audit(ByteView authenticate, bool accepted) const {
  return report_.audit(
      {authenticate, target_.get(), source_.get(), accepted, above_ == LayerAbove::kSpnego});
}

Status LoginContext::take_source(AcceptedLogon& logon) {
  if (logon.anonymous) {
    source_ = Name::anonymous();
    return {};
  }
  Result<std::string> user = utf8_from_utf16le(logon.user);
  Result<std::string> domain = utf8_from_utf16le(logon.domain);
  if (!user || !domain) {
    return failure(Minor::kLogonFailure);
  }
  source_ = Name::authenticated(std::move(*user), std::move(*domain), std::move(logon.attributes),
                                std::move(logon.facts));
  return {};
}

// What is to be known of a login. Whatever fails between here and open() leaves a failed handshake.
void LoginContext::note(const Outcome& outcome) {
  mic_ = outcome.mic;
  channel_bound_ = outcome.channel_bound;
  kind_ = outcome.kind;
  peer_tells_sealing_ = outcome.peer_tells_sealing;
  seals_when_signing_ = policy().seal_when_signing;
  report_.agreed(outcome, policy());
}

Session LoginContext::make_session(Outcome outcome) const {
  // Keys that an attacker can compute protect nothing, whatever was agreed [MS-NLMP] 3.4.
  const Flags flags = outcome.flags & ~(outcome.protects() ? 0 : flag::kProtection);
  SessionRules rules;
  rules.detect_replay = request_.detect_replay;
  rules.dummy_signatures = policy().dummy_signatures;
  return Session(flags, std::move(outcome.key), initiator_role_ ? Side::kClient : Side::kServer,
                 rules);
}

void LoginContext::open(Session session) noexcept {
  session_.emplace(std::move(session));
  handshake_.emplace<std::monostate>();
  failed_ = false;
}

}  // namespace gssntlm
