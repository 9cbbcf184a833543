// gssapi_ext.h: messages in lists of buffers, protected in place.
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "mech/spi/iov_list.h"
#include "mech/spi/protection.h"

namespace gssntlm::spi {
namespace {

constexpr Error kWrongQop{Major::kBadQop, Minor::kBadQop};

Answer wrap(gss_ctx_id_t handle, int conf_req, IovSpan list, int* conf_state) {
  const Result<Layout> layout = read_layout(list);
  if (!layout || !is_message(*layout) || has_broken(list)) {
    return kBadList;
  }
  const Result<Context*> context = sending_context(handle);
  if (!context) {
    return context.error();
  }
  SignatureRoom room(*layout->header);
  if (!room.ok()) {
    return kBadList;
  }
  const bool sealed = seals(**context, conf_req);
  Parts parts(part_count(*layout));
  gather(list, sealed, nullptr, parts);
  Signature signature;
  if (Status s = (*context)->session().protect(parts.span(), signature); !s) {
    return s;
  }
  room.keep(signature);
  empty_out(layout->padding);
  empty_out(layout->trailer);
  store(conf_state, sealed ? 1 : 0);
  return {};
}

bool is_filled(const gss_iov_buffer_desc* iov) noexcept {
  return iov != nullptr && iov->buffer.length != 0;
}

Answer unwrap_list(Context& context, IovSpan list, const Layout& layout, int* conf_state) {
  const ByteView header = view_of(&layout.header->buffer);
  if (header.size() != kSignatureSize) {
    return defective(Minor::kShortSignature);
  }
  Parts parts(part_count(layout));
  gather(list, true, nullptr, parts);
  bool sealed = false;
  const Result<Arrival> arrival =
      open_wrapped(context, parts.span(), header.first<kSignatureSize>(), sealed);
  store(conf_state, arrival && sealed ? 1 : 0);
  return arrival ? Answer(*arrival) : Answer(arrival.error());
}

// The token is in one piece. Its message is opened there, or into memory for the caller.
Answer unwrap_stream(Context& context, IovSpan list, const Layout& layout, int* conf_state) {
  const ByteView token = view_of(&layout.stream->buffer);
  if (token.size() < kSignatureSize) {
    return defective(Minor::kShortSignature);
  }
  const std::size_t size = token.size() - kSignatureSize;
  auto* body = static_cast<std::uint8_t*>(layout.stream->buffer.value) + kSignatureSize;
  const bool allocate = wants_memory(*layout.data);
  Buffer copy(allocate ? size : 0);
  const MessagePart message{body, allocate ? copy.data() : body, size};
  Parts parts(part_count(layout));
  gather(list, true, &message, parts);
  bool sealed = false;
  const Result<Arrival> arrival =
      open_wrapped(context, parts.span(), token.first<kSignatureSize>(), sealed);
  if (!arrival) {
    return arrival.error();
  }
  layout.data->buffer.length = size;
  layout.data->buffer.value = allocate ? copy.release() : body;
  if (allocate) {
    layout.data->type |= GSS_IOV_BUFFER_FLAG_ALLOCATED;
  }
  store(conf_state, sealed ? 1 : 0);
  return *arrival;
}

Answer unwrap(gss_ctx_id_t handle, IovSpan list, int* conf_state) {
  const Result<Layout> layout = read_layout(list);
  if (!layout || !(is_message(*layout) || is_stream(*layout))) {
    return kBadList;
  }
  const bool stream = layout->stream != nullptr;
  // The DATA of a stream is an output.
  if (stream ? has_broken(list, GSS_IOV_BUFFER_TYPE_SIGN_ONLY) || is_broken(&layout->stream->buffer)
             : has_broken(list) || is_broken(&layout->header->buffer)) {
    return kBadList;
  }
  if (is_filled(layout->padding) || is_filled(layout->trailer)) {
    return defective(Minor::kBadIov);
  }
  const Result<Context*> context = open_context(handle);
  if (!context) {
    return context.error();
  }
  return stream ? unwrap_stream(**context, list, *layout, conf_state)
                : unwrap_list(**context, list, *layout, conf_state);
}

void set_length(gss_iov_buffer_desc* iov, std::size_t length) noexcept {
  if (iov != nullptr) {
    iov->buffer.length = length;
  }
}

Answer wrap_length(gss_ctx_id_t handle, int conf_req, IovSpan list, int* conf_state) {
  const Result<Layout> layout = read_layout(list);
  if (!layout || !is_message(*layout)) {
    return kBadList;
  }
  if (Status s = check_protects(handle); !s) {
    return s;
  }
  set_length(layout->header, kSignatureSize);
  set_length(layout->padding, 0);
  set_length(layout->trailer, 0);
  store(conf_state, seals(*context_of(handle), conf_req) ? 1 : 0);
  return {};
}

Answer get_mic(gss_ctx_id_t handle, IovSpan list) {
  const Result<Layout> layout = read_layout(list);
  if (!layout || !is_mic(*layout) || has_broken(list)) {
    return kBadList;
  }
  const Result<Context*> context = sending_context(handle);
  if (!context) {
    return context.error();
  }
  SignatureRoom room(*layout->mic);
  if (!room.ok()) {
    return kBadList;
  }
  Parts parts(part_count(*layout));
  gather(list, false, nullptr, parts);
  Signature signature;
  if (Status s = (*context)->session().protect(parts.span(), signature); !s) {
    return s;
  }
  room.keep(signature);
  return {};
}

Answer verify_mic(gss_ctx_id_t handle, IovSpan list) {
  const Result<Layout> layout = read_layout(list);
  if (!layout || !is_mic(*layout) || has_broken(list) || is_broken(&layout->mic->buffer)) {
    return kBadList;
  }
  const Result<Context*> context = open_context(handle);
  if (!context) {
    return context.error();
  }
  const ByteView token = view_of(&layout->mic->buffer);
  if (token.size() != kSignatureSize) {
    return defective(Minor::kShortSignature);
  }
  Parts parts(part_count(*layout));
  gather(list, false, nullptr, parts);
  const Result<Arrival> arrival =
      (*context)->session().open(parts.span(), token.first<kSignatureSize>());
  return arrival ? Answer(*arrival) : Answer(arrival.error());
}

Answer mic_length(gss_ctx_id_t handle, IovSpan list) {
  const Result<Layout> layout = read_layout(list);
  if (!layout || !is_mic(*layout)) {
    return kBadList;
  }
  if (Status s = check_protects(handle); !s) {
    return s;
  }
  layout->mic->buffer.length = kSignatureSize;
  return {};
}

// The list as the caller gave it; nothing for one that cannot be.
std::optional<IovSpan> list_of(gss_iov_buffer_desc* iov, int count) noexcept {
  if (iov == nullptr || count <= 0) {
    return std::nullopt;
  }
  return IovSpan(iov, static_cast<std::size_t>(count));
}

}  // namespace
}  // namespace gssntlm::spi

using namespace gssntlm;
using namespace gssntlm::spi;

extern "C" {

OM_uint32 gss_wrap_iov(OM_uint32* minor, gss_ctx_id_t context, int conf_req, gss_qop_t qop,
                       int* conf_state, gss_iov_buffer_desc* iov, int count) {
  return guard_brief(minor, [&]() -> Answer {
    store(conf_state, 0);
    const std::optional<IovSpan> list = list_of(iov, count);
    if (!list) {
      return kBadArgument;
    }
    return qop != GSS_C_QOP_DEFAULT ? kWrongQop : wrap(context, conf_req, *list, conf_state);
  });
}

OM_uint32 gss_unwrap_iov(OM_uint32* minor, gss_ctx_id_t context, int* conf_state, gss_qop_t* qop,
                         gss_iov_buffer_desc* iov, int count) {
  return guard_brief(minor, [&]() -> Answer {
    store(conf_state, 0);
    store(qop, gss_qop_t{GSS_C_QOP_DEFAULT});
    const std::optional<IovSpan> list = list_of(iov, count);
    return list ? unwrap(context, *list, conf_state) : kBadArgument;
  });
}

OM_uint32 gss_wrap_iov_length(OM_uint32* minor, gss_ctx_id_t context, int conf_req, gss_qop_t qop,
                              int* conf_state, gss_iov_buffer_desc* iov, int count) {
  return guard_brief(minor, [&]() -> Answer {
    store(conf_state, 0);
    const std::optional<IovSpan> list = list_of(iov, count);
    if (!list) {
      return kBadArgument;
    }
    return qop != GSS_C_QOP_DEFAULT ? kWrongQop : wrap_length(context, conf_req, *list, conf_state);
  });
}

OM_uint32 gss_get_mic_iov(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t qop,
                          gss_iov_buffer_desc* iov, int count) {
  return guard_brief(minor, [&]() -> Answer {
    const std::optional<IovSpan> list = list_of(iov, count);
    if (!list) {
      return kBadArgument;
    }
    return qop != GSS_C_QOP_DEFAULT ? kWrongQop : get_mic(context, *list);
  });
}

OM_uint32 gss_verify_mic_iov(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t* qop,
                             gss_iov_buffer_desc* iov, int count) {
  return guard_brief(minor, [&]() -> Answer {
    store(qop, gss_qop_t{GSS_C_QOP_DEFAULT});
    const std::optional<IovSpan> list = list_of(iov, count);
    return list ? verify_mic(context, *list) : kBadArgument;
  });
}

OM_uint32 gss_get_mic_iov_length(OM_uint32* minor, gss_ctx_id_t context, gss_qop_t qop,
                                 gss_iov_buffer_desc* iov, int count) {
  return guard_brief(minor, [&]() -> Answer {
    const std::optional<IovSpan> list = list_of(iov, count);
    if (!list) {
      return kBadArgument;
    }
    return qop != GSS_C_QOP_DEFAULT ? kWrongQop : mic_length(context, *list);
  });
}

}  // extern "C"
