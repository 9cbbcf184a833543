// Establishing, exporting and asking contexts: tokens of peers are checked, the rest is passed on.
#include <cstdlib>
#include <cstring>

#include "spnego/interposer/framing.h"
#include "spnego/interposer/incoming.h"

namespace gssntlm::interposer {
namespace {

OM_uint32 fail(OM_uint32* minor, OM_uint32 major, Fault fault) noexcept {
  *minor = static_cast<OM_uint32>(fault);
  return major;
}

// SPNEGO ends a context whose token was defective, so that no later token can revive it.
OM_uint32 reject(OM_uint32* minor, gss_ctx_id_t* context, Fault fault) noexcept {
  OM_uint32 ignored = 0;
  gss_delete_sec_context(&ignored, context, GSS_C_NO_BUFFER);
  return fail(minor, fault == Fault::kNoMemory ? GSS_S_FAILURE : GSS_S_DEFECTIVE_TOKEN, fault);
}

// With the default credential the mechglue would come back to the interposer: the special
// identifier enters through a credential alone (g_accept_sec_context.c). Later legs have their
// context.
class AcceptorCredential {
 public:
  AcceptorCredential(gss_cred_id_t given, bool first_leg) noexcept : used_(given) {
    if (given == GSS_C_NO_CREDENTIAL && first_leg) {
      major_ = gss_acquire_cred(&minor_, GSS_C_NO_NAME, GSS_C_INDEFINITE, special_set(),
                                GSS_C_ACCEPT, &own_, nullptr, nullptr);
      used_ = own_;
    }
  }
  AcceptorCredential(const AcceptorCredential&) = delete;
  AcceptorCredential& operator=(const AcceptorCredential&) = delete;
  ~AcceptorCredential() {
    OM_uint32 ignored = 0;
    gss_release_cred(&ignored, &own_);
  }
  [[nodiscard]] OM_uint32 major() const noexcept { return major_; }
  [[nodiscard]] OM_uint32 minor() const noexcept { return minor_; }
  [[nodiscard]] gss_cred_id_t get() const noexcept { return used_; }

 private:
  gss_cred_id_t own_ = GSS_C_NO_CREDENTIAL;
  gss_cred_id_t used_;
  OM_uint32 major_ = GSS_S_COMPLETE;
  OM_uint32 minor_ = 0;
};

}  // namespace
}  // namespace gssntlm::interposer

using namespace gssntlm::interposer;

extern "C" {

OM_uint32 gssi_init_sec_context(OM_uint32* minor, gss_cred_id_t credential, gss_ctx_id_t* context,
                                gss_name_t target, gss_OID, OM_uint32 flags, OM_uint32 time,
                                gss_channel_bindings_t bindings, gss_buffer_t token,
                                gss_OID* actual_mech, gss_buffer_t output, OM_uint32* ret_flags,
                                OM_uint32* time_rec) noexcept {
  const auto step = [&](gss_buffer_t input) {
    return gss_init_sec_context(minor, credential, context, target, special_oid(), flags, time,
                                bindings, input, actual_mech, output, ret_flags, time_rec);
  };
  // SPNEGO looks at no token on the first leg: servers' hints (NegTokenInit2) come there.
  if (*context == GSS_C_NO_CONTEXT) {
    return step(token);
  }
  if (!is_ours(*context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  Incoming incoming(token, Role::kInitiator);
  return incoming.fault() ? reject(minor, context, *incoming.fault()) : step(incoming.buffer());
}

OM_uint32 gssi_accept_sec_context(OM_uint32* minor, gss_ctx_id_t* context, gss_cred_id_t credential,
                                  gss_buffer_t token, gss_channel_bindings_t bindings,
                                  gss_name_t* source, gss_OID* mech, gss_buffer_t output,
                                  OM_uint32* ret_flags, OM_uint32* time_rec,
                                  gss_cred_id_t* delegated) noexcept {
  const bool first_leg = *context == GSS_C_NO_CONTEXT;
  if (!first_leg && !is_ours(*context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  // An empty first token asks for negHints.
  const bool asks_for_hints = first_leg && token != GSS_C_NO_BUFFER && token->length == 0;
  std::optional<Incoming> incoming;
  if (!asks_for_hints) {
    incoming.emplace(token, Role::kAcceptor);
    if (incoming->fault()) {
      return reject(minor, context, *incoming->fault());
    }
  }
  const AcceptorCredential used(credential, first_leg);
  if (GSS_ERROR(used.major())) {
    *minor = used.minor();
    return used.major();
  }
  return gss_accept_sec_context(minor, context, used.get(), incoming ? incoming->buffer() : token,
                                bindings, source, mech, output, ret_flags, time_rec, delegated);
}

OM_uint32 gssi_delete_sec_context(OM_uint32* minor, gss_ctx_id_t* context,
                                  gss_buffer_t output) noexcept {
  // Of another's context the mechglue's part can go, and nothing else be touched.
  if (!is_ours(*context)) {
    *minor = 0;
    *context = GSS_C_NO_CONTEXT;
    return GSS_S_COMPLETE;
  }
  return gss_delete_sec_context(minor, context, output);
}

OM_uint32 gssi_export_sec_context(OM_uint32* minor, gss_ctx_id_t* context,
                                  gss_buffer_t token) noexcept {
  if (!is_ours(*context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  const OM_uint32 major = gss_export_sec_context(minor, context, token);
  return GSS_ERROR(major) ? major : strip_mech(minor, token, false);
}

OM_uint32 gssi_import_sec_context_by_mech(OM_uint32* minor, gss_OID, gss_buffer_t token,
                                          gss_ctx_id_t* context) noexcept {
  FramedToken framed(view_of(token), false);
  if (framed.buffer() == GSS_C_NO_BUFFER) {
    return fail(minor, GSS_S_FAILURE, Fault::kNoMemory);
  }
  return gss_import_sec_context(minor, framed.buffer(), context);
}

OM_uint32 gssi_inquire_context(OM_uint32* minor, gss_ctx_id_t context, gss_name_t* source,
                               gss_name_t* target, OM_uint32* lifetime, gss_OID* mech,
                               OM_uint32* flags, int* local, int* open) noexcept {
  if (!is_ours(context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  return gss_inquire_context(minor, context, source, target, lifetime, mech, flags, local, open);
}

OM_uint32 gssi_context_time(OM_uint32* minor, gss_ctx_id_t context, OM_uint32* time) noexcept {
  if (!is_ours(context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  return gss_context_time(minor, context, time);
}

OM_uint32 gssi_inquire_sec_context_by_oid(OM_uint32* minor, gss_ctx_id_t context, gss_OID object,
                                          gss_buffer_set_t* data) noexcept {
  if (!is_ours(context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  return gss_inquire_sec_context_by_oid(minor, context, object, data);
}

OM_uint32 gssi_set_sec_context_option(OM_uint32* minor, gss_ctx_id_t* context, gss_OID object,
                                      gss_buffer_t value) noexcept {
  if (!is_ours(*context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  return gss_set_sec_context_option(minor, context, object, value);
}

OM_uint32 gssi_complete_auth_token(OM_uint32* minor, gss_ctx_id_t context,
                                   gss_buffer_t message) noexcept {
  if (!is_ours(context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  return gss_complete_auth_token(minor, context, message);
}

OM_uint32 gssi_pseudo_random(OM_uint32* minor, gss_ctx_id_t context, int key, gss_buffer_t input,
                             ssize_t size, gss_buffer_t output) noexcept {
  if (!is_ours(context)) {
    return fail(minor, GSS_S_NO_CONTEXT, Fault::kForeignContext);
  }
  return gss_pseudo_random(minor, context, key, input, size, output);
}

}  // extern "C"
