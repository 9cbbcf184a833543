#include "mech/spi/context.h"

#include <utility>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/backends/winbind/winbind_logon.h"
#include "mech/base/text.h"
#include "mech/config/access_lists.h"
#include "mech/credential/issued_challenges.h"
#include "mech/log/audit.h"
#include "mech/os/error_detail.h"
#include "mech/spi/spnego_probe.h"

namespace gssntlm::spi {
namespace {

InitiatorSetup make_setup(const InitiatorCall& call) {
  const Credential::Options& options = call.credential->options();
  InitiatorSetup setup = setup_for(call.credential->settings(), *call.target, call.flags);
  setup.identity = call.credential->identity();
  setup.request.offer_protection = !options.protection_only_if_asked;
  setup.request.negotiate_flags = options.negotiate_flags;
  return setup;
}

// What a target says of its host; a service without one is this host's.
std::string host_of(const Name& target) {
  return target.kind() == NameKind::kService ? target.domain_part() : target.target_spn();
}

std::optional<std::string> user_refusal_of(const Name& name, const Settings& settings) {
  AccountSpelling account{name.user_part(), name.domain_part()};
  if (settings.deny_users.empty()) {
    return user_refusal(account, settings);
  }
  const std::vector<LogonAttribute> attributes = name.attributes();
  for (const LogonAttribute& a : attributes) {
    if (a.name == attribute::kUserPrincipal) {
      account.principal = a.value;
    } else if (a.name == attribute::kDnsDomain) {
      account.dns_domain = a.value;
    }
  }
  return user_refusal(account, settings);
}

Error connectionless_off() noexcept {
  return error_with_detail(Major::kFailure, Minor::kPolicyBlocked,
                           "connectionless contexts are off; set [policy] allow_connectionless = "
                           "yes for a service that uses NTLM over datagrams");
}

}  // namespace

InitiatorSetup setup_for(const Settings& settings, const Name& target, OM_uint32 flags) {
  InitiatorSetup setup;
  setup.policy = settings.policy;
  setup.workstation = settings.names.nb_computer;
  setup.request.integrity = (flags & GSS_C_INTEG_FLAG) != 0;
  setup.request.confidentiality = (flags & GSS_C_CONF_FLAG) != 0;
  setup.request.identify = (flags & GSS_C_IDENTIFY_FLAG) != 0;
  setup.request.connectionless = (flags & GSS_NTLM_DATAGRAM_FLAG) != 0;
  // The name was checked to be UTF-8 when it was imported.
  if (Result<Bytes> spn = target.wide_target_spn()) {
    setup.target_name = std::move(*spn);
  }
  return setup;
}

Context::Context(InitiatorCall call)
    : settings_(call.credential->shared_settings()),
      env_(settings_, "initiator"),
      credential_(call.credential),
      handshake_(std::in_place_type<Initiator>, make_setup(call)),
      source_(call.credential->name()),
      target_(std::move(call.target)),
      requested_(call.flags),
      initiator_role_(true) {}

Context::Context(Ref<const Credential> credential)
    : settings_(credential->shared_settings()),
      env_(settings_, "acceptor"),
      credential_(std::move(credential)),
      handshake_(std::in_place_type<Acceptor>, policy()),
      target_(credential_->name()),
      initiator_role_(false) {}

Status Context::restart(bool connectionless) {
  if (connectionless != connectionless_) {
    env_.trace("acceptor: refused, the token would make the context one of another kind");
    return error_with_detail(Major::kDefectiveToken, Minor::kWrongMessage,
                             connectionless_
                                 ? "a connectionless context does not start again with NEGOTIATE"
                                 : "a connection's context starts again with NEGOTIATE only");
  }
  handshake_.emplace<Acceptor>(policy());
  begun_in_ = process_generation();
  handshake_id_ = 0;
  fresh_ = true;
  failed_ = false;
  return {};
}

Result<Buffer> Context::negotiate() {
  auto* initiator = std::get_if<Initiator>(&handshake_);
  if (initiator == nullptr || !fresh_) {
    return failure(Minor::kBadState);
  }
  fresh_ = false;
  Result<Buffer> token = initiator->negotiate();
  failed_ = !token;
  if (!token) {
    env_.trace("initiator: NEGOTIATE could not be made");
    return token;
  }
  if (env_.tracing()) {
    env_.trace("initiator: NEGOTIATE made, to log in to " + printable_utf8(target_->display()) +
               " as " + printable_account(source_->user_part(), source_->domain_part()));
    env_.trace_message("sent", token->view());
  }
  return token;
}

Result<Buffer> Context::authenticate(ByteView challenge, const ChannelBindingHash* bindings) {
  auto* initiator = std::get_if<Initiator>(&handshake_);
  if (initiator == nullptr || fresh_ || failed_) {
    return failure(Minor::kBadState);
  }
  failed_ = true;
  if (Status s = claim(); !s) {
    return s.error();
  }
  env_.trace_message("received", challenge);
  if (withholds_mic(credential_->settings().spnego_mic, above_, spnego_carries_mic)) {
    env_.trace(
        "initiator: no MIC, because this SPNEGO cannot carry the mechListMIC that goes with it");
    initiator->withhold_mic();
  }
  const std::uint32_t before = env_.events();
  const Status unreflected = check_reflection(challenge);
  // That the login is reflected is an event, but not the reason of a later failure.
  const std::uint32_t events = unreflected ? env_.events() : before;
  if (reflected_) {
    // A server that checks a password of its client's by a login to itself.
    initiator->withhold_single_host();
  }
  Result<Buffer> token = unreflected ? initiator->authenticate(challenge, bindings, env_)
                                     : Result<Buffer>(unreflected.error());
  if (!token) {
    trace_failure(token.error(), events);
    (void)audit({}, false);
    return token;
  }
  Outcome outcome = initiator->take_outcome();
  outcome.channel_bound = false;  // the acceptor alone can tell
  note(outcome);
  Session session = make_session(std::move(outcome));
  env_.trace_message("sent", token->view());
  env_.trace("initiator: AUTHENTICATE made, context open");
  if (Status s = audit(token->view(), true); !s) {
    return s.error();
  }
  open(std::move(session));
  return token;
}

// A challenge of this host that reaches a stored credential is a reflected one: nothing asks for a
// login to itself without supplying the secret.
Status Context::check_reflection(ByteView challenge) {
  reflected_ = was_issued_here(challenge);
  if (reflected_) {
    env_.trace(
        "initiator: an acceptor of this very process issued the challenge: a login to "
        "itself, or a reflected one");
  }
  if (!credential_->is_ambient()) {
    return {};
  }
  const Settings& settings = credential_->settings();
  std::string_view why;
  if (reflected_ && settings.policy.refuse_reflection) {
    why = "a stored credential does not answer a challenge of its own process (refuse_reflection)";
  } else if (settings.refuse_host_reflection &&
             reflects_this_host(challenge, host_of(*target_), settings)) {
    why = "the challenge names this host, and the target is another (refuse_host_reflection)";
  } else {
    return {};
  }
  if (env_.tracing()) {
    env_.trace("initiator: refused, " + std::string(why));
  }
  return error_with_detail(Major::kFailure, Minor::kPolicyBlocked, why);
}

Result<Buffer> Context::challenge(ByteView negotiate) {
  auto* acceptor = std::get_if<Acceptor>(&handshake_);
  if (acceptor == nullptr || !fresh_) {
    return failure(Minor::kBadState);
  }
  fresh_ = false;
  failed_ = true;
  connectionless_ = negotiate.empty();
  env_.trace_message("received", negotiate);
  const std::uint32_t events = env_.events();
  const std::optional<HostNames> domain_names = credential_->domain_names();
  const HostNames& names = domain_names ? *domain_names : settings_->names;
  Result<Buffer> token = negotiate.empty() ? acceptor->connectionless_challenge(names, env_)
                                           : acceptor->challenge(negotiate, names, env_);
  if (!token) {
    trace_failure(token.error(), events);
    return token.error().minor == Minor::kPolicyBlocked ? connectionless_off() : token.error();
  }
  failed_ = false;
  remember_issued(token->view());
  env_.trace("acceptor: CHALLENGE made");
  env_.trace_message("sent", token->view());
  return token;
}

Status Context::accept(ByteView token, const ChannelBindingHash* bindings) {
  auto* acceptor = std::get_if<Acceptor>(&handshake_);
  if (acceptor == nullptr || fresh_ || failed_) {
    return failure(Minor::kBadState);
  }
  failed_ = true;
  if (Status s = claim(); !s) {
    return s;
  }
  env_.trace_message("received", token);
  const std::uint32_t events = env_.events();
  Result<AcceptedLogon> logon = acceptor->authenticate(
      token, bindings, RuledAccounts(credential_->accounts(), *settings_), env_);
  Status judged = logon ? take_source(*logon, acceptor->outcome()) : Status(logon.error());
  if (judged) {
    judged = check_rules();
  } else {
    trace_failure(judged.error(), events);
  }
  if (!judged) {
    source_ = Ref<const Name>();
    (void)audit(token, false);
    return judged;
  }
  Outcome outcome = acceptor->take_outcome();
  note(outcome);
  Session session = make_session(std::move(outcome));
  if (env_.tracing()) {
    env_.trace("acceptor: " + printable_account(source_->user_part(), source_->domain_part()) +
               " logged in");
  }
  if (Status s = audit(token, true); !s) {
    source_ = Ref<const Name>();
    return s;
  }
  open(std::move(session));
  return {};
}

// Unless the step has said more precisely what was wrong since there were `events`.
void Context::trace_failure(Error error, std::uint32_t events) const {
  if (env_.events() == events) {
    env_.trace(minor_text(static_cast<std::uint32_t>(error.minor)));
  }
}

// Who may log in here, and meant to.
Status Context::check_rules() const {
  const Settings& settings = *settings_;
  if (const std::optional<std::string> why = user_refusal_of(*source_, settings)) {
    env_.trace("acceptor: " + *why);
    if (!settings.audit_only) {
      return failure(Minor::kLogonFailure);
    }
  }
  if (settings.target_check == TargetCheck::kOff) {
    return {};
  }
  Result<std::string> target =
      utf8_from_utf16le(source_->facts() != nullptr ? source_->facts()->target_name : Bytes());
  if (const std::optional<std::string> why =
          target_refusal(target ? *target : std::string(), settings)) {
    env_.trace("acceptor: " + *why);
    if (settings.target_check == TargetCheck::kRequire && !settings.audit_only) {
      return failure(Minor::kLogonFailure);
    }
  }
  return {};
}

// An error only for a login that must not go unrecorded.
Status Context::audit(ByteView authenticate, bool accepted) const {
  const Settings& settings = *settings_;
  if (settings.audit == AuditSink::kOff) {
    return {};
  }
  AuditRecord record;
  record.initiator = initiator_role_;
  record.authenticate = authenticate;
  record.target = target_ ? std::string_view(target_->display()) : std::string_view();
  record.accepted = accepted;
  record.channel_bound = channel_bound_;
  record.account = source_ ? std::string_view(source_->display()) : std::string_view();
  record.reason = reflected_ ? "the challenge was issued by this very process" : env_.last_event();
  record.weak = weak_;
  const std::optional<std::string> problem = write_audit(settings, record);
  if (!problem) {
    return {};
  }
  env_.trace(*problem);
  return accepted && settings.audit_required
             ? Status(error_with_detail(Major::kFailure, Minor::kPolicyBlocked, *problem))
             : Status();
}

Status Context::take_source(AcceptedLogon& logon, const Outcome& outcome) {
  if (logon.anonymous) {
    source_ = Name::anonymous();
    return {};
  }
  Result<std::string> user = utf8_from_utf16le(logon.user);
  Result<std::string> domain = utf8_from_utf16le(logon.domain);
  if (!user || !domain) {
    return failure(Minor::kLogonFailure);
  }
  LoginFacts facts;
  facts.workstation = std::move(logon.workstation);
  facts.target_name = std::move(logon.target_name);
  facts.kind = outcome.kind;
  facts.mic = outcome.mic;
  facts.channel_bound = outcome.channel_bound;
  facts.key_bits = outcome.protects() ? key_bits(outcome.flags) : 0;
  source_ = Name::authenticated(std::move(*user), std::move(*domain), std::move(logon.attributes),
                                std::move(facts));
  return {};
}

// What is to be known of a login. Whatever fails between here and open() leaves a failed handshake.
void Context::note(const Outcome& outcome) {
  mic_ = outcome.mic;
  channel_bound_ = outcome.channel_bound;
  kind_ = outcome.kind;
  peer_tells_sealing_ = outcome.peer_tells_sealing;
  seals_when_signing_ = policy().seal_when_signing;
  weak_ = weaknesses_of(outcome, policy().dummy_signatures);
  for (const std::string_view weakness : weak_) {
    if (env_.tracing()) {
      env_.trace((initiator_role_ ? "initiator: weak: " : "acceptor: weak: ") +
                 std::string(weakness));
    }
  }
}

Session Context::make_session(Outcome outcome) const {
  // What anybody can compute the keys of is not protected, whatever was agreed [MS-NLMP] 3.4.
  const Flags flags = outcome.flags & ~(outcome.protects() ? 0 : flag::kProtection);
  return Session(flags, std::move(outcome.key), initiator_role_ ? Side::kClient : Side::kServer,
                 session_rules());
}

void Context::open(Session session) noexcept {
  session_.emplace(std::move(session));
  handshake_.emplace<std::monostate>();
  failed_ = false;
}

// An acceptor has no way to be asked for replay detection, and always detects.
SessionRules Context::session_rules() const noexcept {
  SessionRules rules;
  rules.detect_replay = !initiator_role_ || (requested_ & GSS_C_REPLAY_FLAG) != 0;
  rules.dummy_signatures = policy().dummy_signatures;
  return rules;
}

OM_uint32 Context::gss_flags() const noexcept {
  if (!session_) {
    return 0;
  }
  OM_uint32 flags = GSS_C_PROT_READY_FLAG | GSS_C_TRANS_FLAG;
  if (session_->protects()) {
    flags |= GSS_C_INTEG_FLAG;
    // On a connection every message is numbered and checked in order, whether that was asked for or
    // not; connectionless ones may come in any order.
    if (!session_->is_connectionless()) {
      flags |= GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
    } else if (session_rules().detect_replay) {
      flags |= GSS_C_REPLAY_FLAG;
    }
  }
  if (session_->is_connectionless()) {
    flags |= GSS_NTLM_DATAGRAM_FLAG;
  }
  if (kind_ == ResponseKind::kAnonymous) {
    flags |= GSS_C_ANON_FLAG;
  }
  if (session_->seals()) {
    flags |= GSS_C_CONF_FLAG;
  }
  if (has(session_->flags(), flag::kIdentify)) {
    flags |= GSS_C_IDENTIFY_FLAG;
  }
  if (channel_bound_) {
    flags |= GSS_C_CHANNEL_BOUND_FLAG;
  }
  // DCE style asks for a third leg from the initiator, which NTLM always has.
  return flags | (requested_ & GSS_C_DCE_STYLE);
}

std::optional<ChannelBindingHash> binding_hash(gss_channel_bindings_t b) noexcept {
  if (b == GSS_C_NO_CHANNEL_BINDINGS) {
    return std::nullopt;
  }
  ChannelBindings bindings;
  bindings.initiator_type = b->initiator_addrtype;
  bindings.initiator = view_of(&b->initiator_address);
  bindings.acceptor_type = b->acceptor_addrtype;
  bindings.acceptor = view_of(&b->acceptor_address);
  bindings.application_data = view_of(&b->application_data);
  return compute_binding_hash(bindings);
}

Result<Ref<const Credential>> credential_or_default(gss_cred_id_t handle, Usage usage,
                                                    Ref<const Name> name) {
  if (handle == GSS_C_NO_CREDENTIAL) {
    CredentialRequest request;
    request.name = std::move(name);
    request.usage = usage;
    Result<Ref<const Credential>> acquired = Credential::acquire(request);
    // More than the handshake around this clears.
    clear_stack<kSecretStack>();
    return acquired;
  }
  auto credential = Ref<const Credential>::share(credential_of(handle));
  if (!credential) {
    return reject_credential(handle);
  }
  if (usage == Usage::kInitiate && !credential->can_initiate()) {
    return Error{Major::kNoCred, Minor::kBadCredential};
  }
  if (usage == Usage::kAccept && !credential->can_accept()) {
    return Error{Major::kNoCred, Minor::kBadCredential};
  }
  return credential;
}

}  // namespace gssntlm::spi
