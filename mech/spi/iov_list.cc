#include "mech/spi/iov_list.h"

#include <algorithm>

namespace gssntlm::spi {
namespace {

Status note_single(gss_iov_buffer_desc*& slot, gss_iov_buffer_desc& iov) noexcept {
  if (slot != nullptr) {
    return kBadList;
  }
  slot = &iov;
  return {};
}

Status note(Layout& layout, gss_iov_buffer_desc& iov) noexcept {
  switch (type_of(iov)) {
    case GSS_IOV_BUFFER_TYPE_EMPTY:
      return {};
    case GSS_IOV_BUFFER_TYPE_DATA:
      layout.data = layout.data != nullptr ? layout.data : &iov;
      ++layout.data_count;
      return {};
    case GSS_IOV_BUFFER_TYPE_SIGN_ONLY:
      ++layout.signed_count;
      return {};
    case GSS_IOV_BUFFER_TYPE_HEADER:
      return note_single(layout.header, iov);
    case GSS_IOV_BUFFER_TYPE_PADDING:
      return note_single(layout.padding, iov);
    case GSS_IOV_BUFFER_TYPE_TRAILER:
      return note_single(layout.trailer, iov);
    case GSS_IOV_BUFFER_TYPE_STREAM:
      return note_single(layout.stream, iov);
    case GSS_IOV_BUFFER_TYPE_MIC_TOKEN:
      return note_single(layout.mic, iov);
    default:
      return kBadList;
  }
}

MessagePart part_of(const gss_buffer_desc& buffer, bool sealed) noexcept {
  auto* bytes = static_cast<std::uint8_t*>(buffer.value);
  return {bytes, sealed ? bytes : nullptr, buffer.value != nullptr ? buffer.length : 0};
}

}  // namespace

Result<Layout> read_layout(IovSpan list) noexcept {
  Layout layout;
  for (gss_iov_buffer_desc& iov : list) {
    if (Status s = note(layout, iov); !s) {
      return s.error();
    }
  }
  return layout;
}

bool has_broken(IovSpan list, OM_uint32 type) noexcept {
  return std::any_of(list.begin(), list.end(), [type](const gss_iov_buffer_desc& iov) {
    return type_of(iov) == type && is_broken(&iov.buffer);
  });
}

bool has_broken(IovSpan list) noexcept {
  return has_broken(list, GSS_IOV_BUFFER_TYPE_DATA) ||
         has_broken(list, GSS_IOV_BUFFER_TYPE_SIGN_ONLY);
}

void gather(IovSpan list, bool sealed, const MessagePart* stream_data, Parts& parts) noexcept {
  for (const gss_iov_buffer_desc& iov : list) {
    switch (type_of(iov)) {
      case GSS_IOV_BUFFER_TYPE_DATA:
        parts.add(stream_data != nullptr ? *stream_data : part_of(iov.buffer, sealed));
        break;
      case GSS_IOV_BUFFER_TYPE_SIGN_ONLY:
        parts.add(part_of(iov.buffer, false));
        break;
      default:
        break;
    }
  }
}

void empty_out(gss_iov_buffer_desc* iov) noexcept {
  if (iov != nullptr) {
    iov->buffer.length = 0;
    if (wants_memory(*iov)) {
      iov->buffer.value = nullptr;
    }
  }
}

}  // namespace gssntlm::spi
