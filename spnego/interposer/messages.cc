// Protection of messages: all passed on.
#include "spnego/interposer/faults.h"
#include "spnego/interposer/interposer.h"

namespace gssntlm::interposer {
namespace {

// `call` if the context is one that MIT's functions may be given.
template <typename Call>
OM_uint32 with(OM_uint32* minor, gss_ctx_id_t context, Call&& call) noexcept {
  if (!is_ours(context)) {
    *minor = static_cast<OM_uint32>(Fault::kForeignContext);
    return GSS_S_NO_CONTEXT;
  }
  return call();
}

}  // namespace
}  // namespace gssntlm::interposer

using namespace gssntlm::interposer;

extern "C" {

OM_uint32 gssi_get_mic(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t qop, gss_buffer_t message,
                       gss_buffer_t token) noexcept {
  return with(minor, context, [&] { return gss_get_mic(minor, context, qop, message, token); });
}

OM_uint32 gssi_verify_mic(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t message,
                          gss_buffer_t token, gss_qop_t* qop) noexcept {
  return with(minor, context, [&] { return gss_verify_mic(minor, context, message, token, qop); });
}

OM_uint32 gssi_wrap(OM_uint32* minor, gss_ctx_id_t context, int conf, gss_qop_t qop,
                    gss_buffer_t input, int* conf_state, gss_buffer_t output) noexcept {
  return with(minor, context,
              [&] { return gss_wrap(minor, context, conf, qop, input, conf_state, output); });
}

OM_uint32 gssi_unwrap(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t input,
                      gss_buffer_t output, int* conf_state, gss_qop_t* qop) noexcept {
  return with(minor, context,
              [&] { return gss_unwrap(minor, context, input, output, conf_state, qop); });
}

OM_uint32 gssi_wrap_size_limit(OM_uint32* minor, gss_ctx_id_t context, int conf, gss_qop_t qop,
                               OM_uint32 output_size, OM_uint32* input_size) noexcept {
  return with(minor, context, [&] {
    return gss_wrap_size_limit(minor, context, conf, qop, output_size, input_size);
  });
}

OM_uint32 gssi_wrap_aead(OM_uint32* minor, gss_ctx_id_t context, int conf, gss_qop_t qop,
                         gss_buffer_t associated, gss_buffer_t payload, int* conf_state,
                         gss_buffer_t output) noexcept {
  return with(minor, context, [&] {
    return gss_wrap_aead(minor, context, conf, qop, associated, payload, conf_state, output);
  });
}

OM_uint32 gssi_unwrap_aead(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t input,
                           gss_buffer_t associated, gss_buffer_t payload, int* conf_state,
                           gss_qop_t* qop) noexcept {
  return with(minor, context, [&] {
    return gss_unwrap_aead(minor, context, input, associated, payload, conf_state, qop);
  });
}

OM_uint32 gssi_wrap_iov(OM_uint32* minor, gss_ctx_id_t context, int conf, gss_qop_t qop,
                        int* conf_state, gss_iov_buffer_desc* iov, int count) noexcept {
  return with(minor, context,
              [&] { return gss_wrap_iov(minor, context, conf, qop, conf_state, iov, count); });
}

OM_uint32 gssi_unwrap_iov(OM_uint32* minor, gss_ctx_id_t context, int* conf_state, gss_qop_t* qop,
                          gss_iov_buffer_desc* iov, int count) noexcept {
  return with(minor, context,
              [&] { return gss_unwrap_iov(minor, context, conf_state, qop, iov, count); });
}

OM_uint32 gssi_wrap_iov_length(OM_uint32* minor, gss_ctx_id_t context, int conf, gss_qop_t qop,
                               int* conf_state, gss_iov_buffer_desc* iov, int count) noexcept {
  return with(minor, context, [&] {
    return gss_wrap_iov_length(minor, context, conf, qop, conf_state, iov, count);
  });
}

OM_uint32 gssi_get_mic_iov(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t qop,
                           gss_iov_buffer_desc* iov, int count) noexcept {
  return with(minor, context, [&] { return gss_get_mic_iov(minor, context, qop, iov, count); });
}

OM_uint32 gssi_verify_mic_iov(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t* qop,
                              gss_iov_buffer_desc* iov, int count) noexcept {
  return with(minor, context, [&] { return gss_verify_mic_iov(minor, context, qop, iov, count); });
}

OM_uint32 gssi_get_mic_iov_length(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t qop,
                                  gss_iov_buffer_desc* iov, int count) noexcept {
  return with(minor, context,
              [&] { return gss_get_mic_iov_length(minor, context, qop, iov, count); });
}

}  // extern "C"
