// RFC 2744 5.1, 5.19, 5.9, 5.8, 5.23: contexts are made, asked for their time, and deleted.
#include <memory>
#include <utility>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/spi/context.h"
#include "mech/spi/framing.h"

namespace gssntlm::spi {
namespace {

struct InitArguments {
  gss_cred_id_t credential;
  gss_ctx_id_t* context;
  gss_name_t target;
  OM_uint32 flags;
  gss_channel_bindings_t bindings;
  Incoming input;
  gss_buffer_t output;
};

// GSS_C_ANON_FLAG hides the credential's account. `name` is the account of a default credential, if
// it matters.
Result<Ref<const Credential>> initiator_credential(const InitArguments& a,
                                                   const Ref<const Name>& name) {
  if ((a.flags & GSS_C_ANON_FLAG) == 0) {
    return credential_or_default(a.credential, Usage::kInitiate, name);
  }
  if (const Credential* credential = credential_of(a.credential)) {
    return credential->anonymous();
  }
  if (a.credential != GSS_C_NO_CREDENTIAL) {
    return reject_credential(a.credential);
  }
  CredentialRequest request;
  request.usage = Usage::kInitiate;
  request.name = Name::anonymous();
  return Credential::acquire(request);
}

// A handshake that began in another process goes on with a credential of this one.
Status bind_initiator(const InitArguments& a, Context& context) {
  InitArguments asked = a;
  asked.flags = context.requested_flags();
  Result<Ref<const Credential>> credential = initiator_credential(asked, context.source());
  if (credential) {
    credential = (*credential)->for_target(*context.target());
  }
  return credential ? context.bind(std::move(*credential)) : Status(credential.error());
}

Answer init_next(const InitArguments& a, Context* found) {
  if (found == nullptr) {
    return reject_context(*a.context);
  }
  Context& context = *found;
  if (context.is_initiator() && context.needs_credential()) {
    if (Status s = bind_initiator(a, context); !s) {
      return s;
    }
  }
  AnswerFraming framing(a.input.framed);
  const std::optional<ChannelBindingHash> bindings = binding_hash(a.bindings);
  Result<Buffer> token = context.authenticate(a.input.message, bindings ? &*bindings : nullptr);
  if (!token) {
    return token.error();
  }
  framing.give(a.output, std::move(*token));
  return {};
}

Answer init_first(const InitArguments& a) {
  const Name* name = name_of(a.target);
  if (name == nullptr) {
    return reject_name(a.target);
  }
  const auto target = Ref<const Name>::share(&name->as_target());
  // Connectionless the server's CHALLENGE may be here already.
  if (!a.input.empty() && (a.flags & GSS_NTLM_DATAGRAM_FLAG) == 0) {
    return defective(Minor::kWrongMessage);
  }
  Result<Ref<const Credential>> credential = initiator_credential(a, {});
  if (!credential) {
    return credential.error();
  }
  // Fixed here, and never chosen again.
  credential = (*credential)->for_target(*target);
  if (!credential) {
    return credential.error();
  }
  auto context = std::make_unique<Context>(InitiatorCall{std::move(*credential), target, a.flags});
  Result<Buffer> token = context->negotiate();
  if (!token) {
    return token.error();
  }
  Answer answer = Answer::continue_needed();
  if (a.input.empty()) {
    give(a.output, std::move(*token));
  } else {
    answer = init_next(a, context.get());
  }
  if (!GSS_ERROR(answer.major)) {
    *a.context = handle_of(context.release());
  }
  return answer;
}

struct AcceptArguments {
  gss_ctx_id_t* context;
  gss_cred_id_t credential;
  Incoming input;
  gss_channel_bindings_t bindings;
  gss_buffer_t output;
};

// Nothing, framed so that the mechglue hands it to this mechanism: gss_encapsulate_token() makes
// it.
bool opens_connectionless(const Incoming& input) noexcept {
  return input.framed && input.message.empty();
}

// The first token: NEGOTIATE, or the one that opens a connectionless context.
Answer accept_opening(const AcceptArguments& a, Context& context) {
  if (a.input.empty()) {
    return defective(Minor::kTruncated);
  }
  // The peer of a connectionless context frames its empty token only, and expects bare messages.
  AnswerFraming framing(a.input.framed && !opens_connectionless(a.input));
  Result<Buffer> token = context.challenge(a.input.message);
  if (!token) {
    return token.error();
  }
  framing.give(a.output, std::move(*token));
  return Answer::continue_needed();
}

Answer accept_first(const AcceptArguments& a) {
  Result<Ref<const Credential>> credential = credential_or_default(a.credential, Usage::kAccept);
  if (!credential) {
    return credential.error();
  }
  auto context = std::make_unique<Context>(std::move(*credential));
  const Answer answer = accept_opening(a, *context);
  if (!GSS_ERROR(answer.major)) {
    *a.context = handle_of(context.release());
  }
  return answer;
}

bool is_opening(const Incoming& input) noexcept {
  const Result<MessageType> type = peek_type(input.message);
  return (type && *type == MessageType::kNegotiate) || opens_connectionless(input);
}

Answer accept_next(const AcceptArguments& a, Context* found) {
  if (found == nullptr) {
    return reject_context(*a.context);
  }
  Context& context = *found;
  // Servers keep the context of a connection after a failed attempt and hand the next one to it.
  if (!context.is_initiator() && context.has_failed() && is_opening(a.input)) {
    if (Status s = context.restart(opens_connectionless(a.input)); !s) {
      return s;
    }
    return accept_opening(a, context);
  }
  if (!context.is_initiator() && context.needs_credential()) {
    Result<Ref<const Credential>> credential = credential_or_default(a.credential, Usage::kAccept);
    if (!credential) {
      return credential.error();
    }
    if (Status s = context.bind(std::move(*credential)); !s) {
      return s;
    }
  }
  const std::optional<ChannelBindingHash> bindings = binding_hash(a.bindings);
  return context.accept(a.input.message, bindings ? &*bindings : nullptr);
}

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_init_sec_context(OM_uint32* minor, gss_cred_id_t credential, gss_ctx_id_t* context,
                               gss_name_t target, gss_OID mech, OM_uint32 flags, OM_uint32,
                               gss_channel_bindings_t bindings, gss_buffer_t input,
                               gss_OID* actual_mech, gss_buffer_t output, OM_uint32* ret_flags,
                               OM_uint32* time_rec) {
  return guard_secret<kSecretStack>(minor, true, [&]() -> Answer {
    clear(output);
    store(actual_mech, mechanism_oid());
    store(ret_flags, OM_uint32{0});
    store(time_rec, OM_uint32{GSS_C_INDEFINITE});
    if (context == nullptr || output == nullptr || is_broken(input)) {
      return kBadArgument;
    }
    if (!is_ours(mech)) {
      return Error{Major::kBadMech, Minor::kBadArgument};
    }
    const InitArguments a{
        credential, context, target, flags, bindings, remove_framing(view_of(input)), output};
    const Answer answer =
        *context == GSS_C_NO_CONTEXT ? init_first(a) : init_next(a, context_of(*context));
    if (!GSS_ERROR(answer.major)) {
      store(ret_flags, context_of(*context)->gss_flags());
    }
    return answer;
  });
}

OM_uint32 gss_accept_sec_context(OM_uint32* minor, gss_ctx_id_t* context, gss_cred_id_t credential,
                                 gss_buffer_t input, gss_channel_bindings_t bindings,
                                 gss_name_t* source, gss_OID* mech, gss_buffer_t output,
                                 OM_uint32* ret_flags, OM_uint32* time_rec,
                                 gss_cred_id_t* delegated) {
  // A CHALLENGE is made without a secret, unless a default credential is acquired.
  const bool secret =
      credential == GSS_C_NO_CREDENTIAL || (context != nullptr && *context != GSS_C_NO_CONTEXT);
  return guard_secret<kSecretStack>(minor, secret, [&]() -> Answer {
    clear(output);
    store(source, GSS_C_NO_NAME);
    store(mech, mechanism_oid());
    store(ret_flags, OM_uint32{0});
    store(time_rec, OM_uint32{GSS_C_INDEFINITE});
    store(delegated, GSS_C_NO_CREDENTIAL);
    if (context == nullptr || output == nullptr || is_broken(input)) {
      return kBadArgument;
    }
    const AcceptArguments a{context, credential, remove_framing(view_of(input)), bindings, output};
    // A name is known at the end only, when the context is there already.
    NameOutput from(*context != GSS_C_NO_CONTEXT ? source : nullptr);
    const Answer answer =
        *context == GSS_C_NO_CONTEXT ? accept_first(a) : accept_next(a, context_of(*context));
    if (answer.major == GSS_S_COMPLETE) {
      const Context& open = *context_of(*context);
      store(ret_flags, open.gss_flags());
      from.give(open.source());
    }
    return answer;
  });
}

OM_uint32 gss_delete_sec_context(OM_uint32* minor, gss_ctx_id_t* context, gss_buffer_t output) {
  const CancellationHold hold;
  return guard_release(minor, [&]() -> Answer {
    clear(output);
    if (context == nullptr || *context == GSS_C_NO_CONTEXT) {
      return {};
    }
    Context* ours = context_of(*context);
    if (ours == nullptr) {
      return reject_context(*context);
    }
    delete ours;
    *context = GSS_C_NO_CONTEXT;
    return {};
  });
}

OM_uint32 gss_context_time(OM_uint32* minor, gss_ctx_id_t context, OM_uint32* time_rec) {
  return guard(minor, [&]() -> Answer {
    store(time_rec, OM_uint32{0});
    const Context* ours = context_of(context);
    if (ours == nullptr) {
      return reject_context(context);
    }
    if (!ours->is_open()) {
      return Error{Major::kNoContext, Minor::kIncomplete};
    }
    store(time_rec, OM_uint32{GSS_C_INDEFINITE});
    return {};
  });
}

// NTLM has no tokens beyond the handshake.
OM_uint32 gss_process_context_token(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t) {
  return guard(minor, [&]() -> Answer {
    return context_of(context) == nullptr ? Answer(reject_context(context))
                                          : Answer(defective(Minor::kNotSupported));
  });
}

// RFC 4121's extended exchanges are not NTLM's: AUTHENTICATE completes both ends.
OM_uint32 gss_complete_auth_token(OM_uint32* minor, const gss_ctx_id_t context, gss_buffer_t) {
  return guard(minor, [&]() -> Answer {
    return context_of(context) == nullptr ? Answer(reject_context(context)) : Answer();
  });
}

}  // extern "C"
