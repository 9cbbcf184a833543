// RFC 2744 5.10, 5.32, 5.34, 5.33, 5.35: per-message protection.
#include <algorithm>
#include <utility>

#include "mech/spi/context.h"

namespace gssntlm::spi {
namespace {

// The open session behind a handle.
Result<Session*> session_of(gss_ctx_id_t handle) noexcept {
  if (handle == GSS_C_NO_CONTEXT) {
    return kBadHandle;
  }
  Context& context = *context_of(handle);
  if (!context.is_open()) {
    return Error{Major::kNoContext, Minor::kIncomplete};
  }
  return &context.session();
}

// A wrap token does not say whether it is sealed: both ends must decide alike, by what was agreed.
bool wrap_seals(Context& context) noexcept {
  Session& session = context.session();
  return session.seals() || (context.policy().seal_when_signing && session.can_seal());
}

Answer sign(gss_ctx_id_t handle, ByteView message, gss_buffer_t token) {
  Result<Session*> session = session_of(handle);
  if (!session) {
    return session.error();
  }
  const MessagePart part{message.data(), nullptr, message.size()};
  Buffer signature(kSignatureSize);
  if (Status s = (*session)->protect({&part, 1}, signature.bytes().first<kSignatureSize>()); !s) {
    return s;
  }
  give(token, std::move(signature));
  return {};
}

Answer verify(gss_ctx_id_t handle, ByteView message, ByteView token) {
  Result<Session*> session = session_of(handle);
  if (!session) {
    return session.error();
  }
  if (token.size() != kSignatureSize) {
    return defective(Minor::kShortSignature);
  }
  const MessagePart part{message.data(), nullptr, message.size()};
  const Result<Arrival> arrival = (*session)->open({&part, 1}, token.first<kSignatureSize>());
  return arrival ? Answer(*arrival) : Answer(arrival.error());
}

Answer wrap(gss_ctx_id_t handle, ByteView message, int* conf_state, gss_buffer_t output) {
  Result<Session*> session = session_of(handle);
  if (!session) {
    return session.error();
  }
  const bool seals = wrap_seals(*context_of(handle));
  if (message.size() > SIZE_MAX - kSignatureSize) {
    return failure(Minor::kTooLong);
  }
  Buffer token(kSignatureSize + message.size());
  std::uint8_t* body = token.data() + kSignatureSize;
  if (!seals) {
    std::copy(message.begin(), message.end(), body);
  }
  const MessagePart part{message.data(), seals ? body : nullptr, message.size()};
  if (Status s = (*session)->protect({&part, 1}, token.bytes().first<kSignatureSize>()); !s) {
    return s;
  }
  store(conf_state, seals ? 1 : 0);
  give(output, std::move(token));
  return {};
}

Answer unwrap(gss_ctx_id_t handle, ByteView token, int* conf_state, gss_buffer_t output) {
  Result<Session*> session = session_of(handle);
  if (!session) {
    return session.error();
  }
  if (token.size() < kSignatureSize) {
    return defective(Minor::kShortSignature);
  }
  const bool seals = wrap_seals(*context_of(handle));
  const ByteView body = token.subspan(kSignatureSize);
  Buffer message(body.size());
  if (!seals) {
    std::copy(body.begin(), body.end(), message.data());
  }
  const MessagePart part{body.data(), seals ? message.data() : nullptr, body.size()};
  const Result<Arrival> arrival = (*session)->open({&part, 1}, token.first<kSignatureSize>());
  if (!arrival) {
    return arrival.error();
  }
  store(conf_state, seals ? 1 : 0);
  give(output, std::move(message));
  return *arrival;
}

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_get_mic(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t qop, gss_buffer_t message,
                      gss_buffer_t token) {
  return guard(minor, [&]() -> Answer {
    clear(token);
    if (token == nullptr || is_broken(message)) {
      return kBadArgument;
    }
    if (qop != GSS_C_QOP_DEFAULT) {
      return Error{Major::kBadQop, Minor::kBadQop};
    }
    return sign(context, view_of(message), token);
  });
}

OM_uint32 gss_verify_mic(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t message,
                         gss_buffer_t token, gss_qop_t* qop) {
  return guard(minor, [&]() -> Answer {
    store(qop, gss_qop_t{GSS_C_QOP_DEFAULT});
    if (token == nullptr || is_broken(message) || is_broken(token)) {
      return kBadArgument;
    }
    return verify(context, view_of(message), view_of(token));
  });
}

OM_uint32 gss_wrap(OM_uint32* minor, gss_ctx_id_t context, int, gss_qop_t qop, gss_buffer_t message,
                   int* conf_state, gss_buffer_t output) {
  return guard(minor, [&]() -> Answer {
    clear(output);
    store(conf_state, 0);
    if (output == nullptr || is_broken(message)) {
      return kBadArgument;
    }
    if (qop != GSS_C_QOP_DEFAULT) {
      return Error{Major::kBadQop, Minor::kBadQop};
    }
    return wrap(context, view_of(message), conf_state, output);
  });
}

OM_uint32 gss_unwrap(OM_uint32* minor, gss_ctx_id_t context, gss_buffer_t token,
                     gss_buffer_t output, int* conf_state, gss_qop_t* qop) {
  return guard(minor, [&]() -> Answer {
    clear(output);
    store(conf_state, 0);
    store(qop, gss_qop_t{GSS_C_QOP_DEFAULT});
    if (output == nullptr || token == nullptr || is_broken(token)) {
      return kBadArgument;
    }
    return unwrap(context, view_of(token), conf_state, output);
  });
}

OM_uint32 gss_wrap_size_limit(OM_uint32* minor, gss_ctx_id_t context, int, gss_qop_t qop,
                              OM_uint32 output_size, OM_uint32* input_size) {
  return guard(minor, [&]() -> Answer {
    store(input_size, OM_uint32{0});
    if (qop != GSS_C_QOP_DEFAULT) {
      return Error{Major::kBadQop, Minor::kBadQop};
    }
    Result<Session*> session = session_of(context);
    if (!session) {
      return session.error();
    }
    if (!(*session)->protects()) {
      return Error{Major::kUnavailable, Minor::kNoProtection};
    }
    constexpr auto kOverhead = static_cast<OM_uint32>(kSignatureSize);
    store(input_size, output_size > kOverhead ? output_size - kOverhead : 0);
    return {};
  });
}

}  // extern "C"
