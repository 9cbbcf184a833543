#include "mech/spi/context.h"

#include <utility>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/spi/spnego_probe.h"

namespace gssntlm::spi {
namespace {

LoginRequest request_of(OM_uint32 flags, bool initiator) noexcept {
  LoginRequest request;
  request.caller_flags = flags;
  request.initiator.integrity = (flags & GSS_C_INTEG_FLAG) != 0;
  request.initiator.confidentiality = (flags & GSS_C_CONF_FLAG) != 0;
  request.initiator.detection = (flags & (GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG)) != 0;
  request.initiator.identify = (flags & GSS_C_IDENTIFY_FLAG) != 0;
  request.initiator.connectionless = (flags & GSS_NTLM_DATAGRAM_FLAG) != 0;
  // An acceptor has no way to be asked for replay detection, and always detects.
  request.detect_replay = !initiator || (flags & GSS_C_REPLAY_FLAG) != 0;
  return request;
}

}  // namespace

Context::Context(InitiatorCall call)
    : LoginContext(std::move(call.credential), std::move(call.target),
                   request_of(call.flags, true)) {}

Context::Context(Ref<const Credential> credential) : LoginContext(std::move(credential)) {}

Context::Context(const Head& head)
    : LoginContext(head, request_of(head.caller_flags, head.initiator)) {}

Result<std::unique_ptr<Context>> Context::load(Deserializer& in) {
  const Result<Head> head = load_head(in);
  if (!head) {
    return head.error();
  }
  std::unique_ptr<Context> context(new Context(*head));
  if (Status s = context->LoginContext::load(*head, in); !s) {
    return s.error();
  }
  return context;
}

Result<Buffer> Context::authenticate(ByteView challenge, const ChannelBindingHash* bindings) {
  return LoginContext::authenticate(challenge, bindings, spnego_carries_mic);
}

OM_uint32 Context::gss_flags() const noexcept {
  if (!is_open()) {
    return 0;
  }
  const Session& now = session();
  OM_uint32 flags = GSS_C_PROT_READY_FLAG | GSS_C_TRANS_FLAG;
  if (now.protects()) {
    flags |= GSS_C_INTEG_FLAG;
    // On a connection every message is numbered and checked in order, whether that was asked for or
    // not; connectionless ones may come in any order.
    if (!now.is_connectionless()) {
      flags |= GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
    } else if (detects_replay()) {
      flags |= GSS_C_REPLAY_FLAG;
    }
  }
  if (now.is_connectionless()) {
    flags |= GSS_NTLM_DATAGRAM_FLAG;
  }
  if (is_anonymous()) {
    flags |= GSS_C_ANON_FLAG;
  }
  if (now.seals()) {
    flags |= GSS_C_CONF_FLAG;
  }
  if (has(now.flags(), flag::kIdentify)) {
    flags |= GSS_C_IDENTIFY_FLAG;
  }
  if (is_channel_bound()) {
    flags |= GSS_C_CHANNEL_BOUND_FLAG;
  }
  // DCE style asks for a third leg from the initiator, which NTLM always has.
  return flags | (caller_flags() & GSS_C_DCE_STYLE);
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
    // Deeper than what the handshake around this clears.
    clear_stack<kCredentialStack>();
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
