// RFC 2744 5.10, 5.32, 5.34, 5.33, 5.35: per-message protection.
#include <algorithm>
#include <utility>

#include "mech/spi/protection.h"

namespace gssntlm::spi {
namespace {

// The signature is the token's start; `message` follows it, sealed or not. `associated` is signed
// only, before it.
Answer wrap(gss_ctx_id_t handle, int conf_req, ByteView associated, ByteView message,
            int* conf_state, gss_buffer_t output) {
  const Result<Context*> context = sending_context(handle);
  if (!context) {
    return context.error();
  }
  const bool sealed = seals(**context, conf_req);
  if (message.size() > SIZE_MAX - kSignatureSize) {
    return failure(Minor::kTooLong);
  }
  Buffer token(kSignatureSize + message.size());
  std::uint8_t* body = token.data() + kSignatureSize;
  if (!sealed) {
    std::copy(message.begin(), message.end(), body);
  }
  const MessagePart parts[] = {
      {associated.data(), nullptr, associated.size()},
      {message.data(), sealed ? body : nullptr, message.size()},
  };
  if (Status s = (*context)->session().protect(parts, token.bytes().first<kSignatureSize>()); !s) {
    return s;
  }
  store(conf_state, sealed ? 1 : 0);
  give(output, std::move(token));
  return {};
}

Answer unwrap(gss_ctx_id_t handle, ByteView token, ByteView associated, int* conf_state,
              gss_buffer_t output) {
  const Result<Context*> context = open_context(handle);
  if (!context) {
    return context.error();
  }
  if (token.size() < kSignatureSize) {
    return defective(Minor::kShortSignature);
  }
  const ByteView body = token.subspan(kSignatureSize);
  Buffer message(body.size());
  MessagePart parts[] = {
      {associated.data(), nullptr, associated.size()},
      {body.data(), message.data(), body.size()},
  };
  bool sealed = false;
  const Result<Arrival> arrival =
      open_wrapped(**context, parts, token.first<kSignatureSize>(), sealed);
  if (!arrival) {
    return arrival.error();
  }
  store(conf_state, sealed ? 1 : 0);
  give(output, std::move(message));
  return *arrival;
}

Answer sign(gss_ctx_id_t handle, ByteView message, gss_buffer_t token) {
  const Result<Context*> context = sending_context(handle);
  if (!context) {
    return context.error();
  }
  const MessagePart part{message.data(), nullptr, message.size()};
  Buffer signature(kSignatureSize);
  if (Status s =
          (*context)->session().protect({&part, 1}, signature.bytes().first<kSignatureSize>());
      !s) {
    return s;
  }
  give(token, std::move(signature));
  return {};
}

Answer verify(gss_ctx_id_t handle, ByteView message, ByteView token) {
  const Result<Context*> context = open_context(handle);
  if (!context) {
    return context.error();
  }
  if (token.size() != kSignatureSize) {
    return defective(Minor::kShortSignature);
  }
  const MessagePart part{message.data(), nullptr, message.size()};
  const Result<Arrival> arrival =
      (*context)->session().open({&part, 1}, token.first<kSignatureSize>());
  return arrival ? Answer(*arrival) : Answer(arrival.error());
}

constexpr Error kWrongQop{Major::kBadQop, Minor::kBadQop};

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_get_mic(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t qop, gss_buffer_t message,
                      gss_buffer_t token) {
  return guard_brief(minor, [&]() -> Answer {
    clear(token);
    if (token == nullptr || is_broken(message)) {
      return kBadArgument;
    }
    if (qop != GSS_C_QOP_DEFAULT) {
      return kWrongQop;
    }
    return sign(context, view_of(message), token);
  });
}

OM_uint32 gss_verify_mic(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t message,
                         gss_buffer_t token, gss_qop_t* qop) {
  return guard_brief(minor, [&]() -> Answer {
    store(qop, gss_qop_t{GSS_C_QOP_DEFAULT});
    if (token == nullptr || is_broken(message) || is_broken(token)) {
      return kBadArgument;
    }
    return verify(context, view_of(message), view_of(token));
  });
}

OM_uint32 gss_wrap(OM_uint32* minor, gss_ctx_id_t context, int conf_req, gss_qop_t qop,
                   gss_buffer_t message, int* conf_state, gss_buffer_t output) {
  return guard_brief(minor, [&]() -> Answer {
    clear(output);
    store(conf_state, 0);
    if (output == nullptr || is_broken(message)) {
      return kBadArgument;
    }
    if (qop != GSS_C_QOP_DEFAULT) {
      return kWrongQop;
    }
    return wrap(context, conf_req, {}, view_of(message), conf_state, output);
  });
}

OM_uint32 gss_unwrap(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t token,
                     gss_buffer_t output, int* conf_state, gss_qop_t* qop) {
  return guard_brief(minor, [&]() -> Answer {
    clear(output);
    store(conf_state, 0);
    store(qop, gss_qop_t{GSS_C_QOP_DEFAULT});
    if (output == nullptr || token == nullptr || is_broken(token)) {
      return kBadArgument;
    }
    return unwrap(context, view_of(token), {}, conf_state, output);
  });
}

OM_uint32 gss_wrap_aead(OM_uint32* minor, gss_ctx_id_t context, int conf_req, gss_qop_t qop,
                        gss_buffer_t associated, gss_buffer_t message, int* conf_state,
                        gss_buffer_t output) {
  return guard_brief(minor, [&]() -> Answer {
    clear(output);
    store(conf_state, 0);
    if (output == nullptr || is_broken(message) || is_broken(associated)) {
      return kBadArgument;
    }
    if (qop != GSS_C_QOP_DEFAULT) {
      return kWrongQop;
    }
    return wrap(context, conf_req, view_of(associated), view_of(message), conf_state, output);
  });
}

OM_uint32 gss_unwrap_aead(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t token,
                          gss_buffer_t associated, gss_buffer_t output, int* conf_state,
                          gss_qop_t* qop) {
  return guard_brief(minor, [&]() -> Answer {
    clear(output);
    store(conf_state, 0);
    store(qop, gss_qop_t{GSS_C_QOP_DEFAULT});
    if (output == nullptr || token == nullptr || is_broken(token) || is_broken(associated)) {
      return kBadArgument;
    }
    return unwrap(context, view_of(token), view_of(associated), conf_state, output);
  });
}

OM_uint32 gss_wrap_size_limit(OM_uint32* minor, gss_ctx_id_t context, int, gss_qop_t qop,
                              OM_uint32 output_size, OM_uint32* input_size) {
  return guard_brief(minor, [&]() -> Answer {
    store(input_size, OM_uint32{0});
    if (qop != GSS_C_QOP_DEFAULT) {
      return kWrongQop;
    }
    if (Status s = check_protects(context); !s) {
      return s;
    }
    constexpr auto kOverhead = static_cast<OM_uint32>(kSignatureSize);
    store(input_size, output_size > kOverhead ? output_size - kOverhead : 0);
    return {};
  });
}

}  // extern "C"
