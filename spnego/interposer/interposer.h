// What the interposer's functions share. It is loaded by the mechglue in SPNEGO's place, checks
// what peers send, and passes every call on to MIT's own SPNEGO:
// docs/decisions/0030-spnego-interposer.md.
#pragma once

// gssapi.h closes its own extern "C" too early.
extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include "mech/base/bytes.h"

namespace gssntlm::interposer {

/// The object identifier that leads to MIT's SPNEGO: the registered prefix, then SPNEGO's. Set by
/// gss_mech_interposer before the mechglue calls anything else here.
[[nodiscard]] gss_OID special_oid() noexcept;
/// The same as a set of one.
[[nodiscard]] gss_OID_set special_set() noexcept;
/// `oid` starts with the registered prefix.
[[nodiscard]] bool has_prefix(ByteView oid) noexcept;

/// The context was made through this interposer: a handle of the mechglue's, whose first word
/// points to itself. One of SPNEGO's own, from before the interposer was loaded, starts with a
/// number.
[[nodiscard]] inline bool is_ours(gss_ctx_id_t context) noexcept {
  return context != GSS_C_NO_CONTEXT && *reinterpret_cast<gss_ctx_id_t*>(context) == context;
}

[[nodiscard]] inline ByteView view_of(const gss_buffer_desc_struct* buffer) noexcept {
  if (buffer == nullptr || buffer->value == nullptr) {
    return {};
  }
  return {static_cast<const std::uint8_t*>(buffer->value), buffer->length};
}

}  // namespace gssntlm::interposer
