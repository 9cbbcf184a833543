// RFC 2744 5.1, 5.19, 5.9, 5.8, 5.23: contexts are made, asked for their time, and deleted.
#include <memory>
#include <utility>

#include "mech/spi/context.h"

namespace gssntlm::spi {
namespace {

struct InitArguments {
  gss_cred_id_t credential;
  gss_ctx_id_t* context;
  gss_name_t target;
  OM_uint32 flags;
  gss_channel_bindings_t bindings;
  ByteView input;
  gss_buffer_t output;
};

Answer init_first(const InitArguments& a) {
  if (a.target == GSS_C_NO_NAME) {
    return Error{Major::kBadName, Minor::kBadArgument};
  }
  if (!a.input.empty()) {
    return defective(Minor::kWrongMessage);
  }
  Result<Ref<const Credential>> credential = credential_or_default(a.credential, Usage::kInitiate);
  if (!credential) {
    return credential.error();
  }
  // Fixed here, and never chosen again.
  credential = (*credential)->for_target(*name_of(a.target));
  if (!credential) {
    return credential.error();
  }
  auto context = std::make_unique<Context>(
      InitiatorCall{std::move(*credential), Ref<const Name>::share(name_of(a.target)), a.flags});
  Result<Buffer> token = context->negotiate();
  if (!token) {
    return token.error();
  }
  give(a.output, std::move(*token));
  *a.context = handle_of(context.release());
  return Answer::continue_needed();
}

Answer init_next(const InitArguments& a, Context& context) {
  const std::optional<ChannelBindingHash> bindings = binding_hash(a.bindings);
  Result<Buffer> token = context.authenticate(a.input, bindings ? &*bindings : nullptr);
  if (!token) {
    return token.error();
  }
  give(a.output, std::move(*token));
  return {};
}

struct AcceptArguments {
  gss_ctx_id_t* context;
  gss_cred_id_t credential;
  ByteView input;
  gss_channel_bindings_t bindings;
  gss_buffer_t output;
};

Answer accept_negotiate(const AcceptArguments& a, Context& context) {
  Result<Buffer> token = context.challenge(a.input);
  if (!token) {
    return token.error();
  }
  give(a.output, std::move(*token));
  return Answer::continue_needed();
}

Answer accept_first(const AcceptArguments& a) {
  Result<Ref<const Credential>> credential = credential_or_default(a.credential, Usage::kAccept);
  if (!credential) {
    return credential.error();
  }
  auto context = std::make_unique<Context>(std::move(*credential));
  const Answer answer = accept_negotiate(a, *context);
  if (!GSS_ERROR(answer.major)) {
    *a.context = handle_of(context.release());
  }
  return answer;
}

bool is_negotiate(ByteView token) noexcept {
  const Result<MessageType> type = peek_type(token);
  return type && *type == MessageType::kNegotiate;
}

Answer accept_next(const AcceptArguments& a, Context& context) {
  // Servers keep the context of a connection after a failed attempt and hand the next one to it.
  if (!context.is_initiator() && context.has_failed() && is_negotiate(a.input)) {
    context.restart();
    return accept_negotiate(a, context);
  }
  const std::optional<ChannelBindingHash> bindings = binding_hash(a.bindings);
  return context.accept(a.input, bindings ? &*bindings : nullptr);
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
  return guard(minor, [&]() -> Answer {
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
    const InitArguments a{credential, context, target, flags, bindings, view_of(input), output};
    const Answer answer =
        *context == GSS_C_NO_CONTEXT ? init_first(a) : init_next(a, *context_of(*context));
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
  return guard(minor, [&]() -> Answer {
    clear(output);
    store(source, GSS_C_NO_NAME);
    store(mech, mechanism_oid());
    store(ret_flags, OM_uint32{0});
    store(time_rec, OM_uint32{GSS_C_INDEFINITE});
    store(delegated, GSS_C_NO_CREDENTIAL);
    if (context == nullptr || output == nullptr || is_broken(input)) {
      return kBadArgument;
    }
    const AcceptArguments a{context, credential, view_of(input), bindings, output};
    const Answer answer =
        *context == GSS_C_NO_CONTEXT ? accept_first(a) : accept_next(a, *context_of(*context));
    if (answer.major == GSS_S_COMPLETE) {
      const Context& open = *context_of(*context);
      store(ret_flags, open.gss_flags());
      if (source != nullptr) {
        *source = handle_of(open.source());
      }
    }
    return answer;
  });
}

OM_uint32 gss_delete_sec_context(OM_uint32* minor, gss_ctx_id_t* context, gss_buffer_t output) {
  return guard(minor, [&]() -> Answer {
    clear(output);
    if (context != nullptr) {
      delete context_of(*context);
      *context = GSS_C_NO_CONTEXT;
    }
    return {};
  });
}

OM_uint32 gss_context_time(OM_uint32* minor, gss_ctx_id_t context, OM_uint32* time_rec) {
  return guard(minor, [&]() -> Answer {
    store(time_rec, OM_uint32{0});
    if (context == GSS_C_NO_CONTEXT) {
      return kBadHandle;
    }
    if (!context_of(context)->is_open()) {
      return Error{Major::kNoContext, Minor::kIncomplete};
    }
    store(time_rec, OM_uint32{GSS_C_INDEFINITE});
    return {};
  });
}

// NTLM has no tokens beyond the handshake.
OM_uint32 gss_process_context_token(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t) {
  return guard(minor, [&]() -> Answer {
    return context == GSS_C_NO_CONTEXT ? Answer(kBadHandle)
                                       : Answer(defective(Minor::kNotSupported));
  });
}

}  // extern "C"
