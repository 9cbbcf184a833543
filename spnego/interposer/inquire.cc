// What is asked of the mechanism itself: passed on with the special object identifier.
#include <cstdlib>
#include <cstring>

#include "spnego/interposer/faults.h"
#include "spnego/interposer/interposer.h"
#include "spnego/token.h"

namespace gssntlm::interposer {
namespace {

gss_OID_desc g_spnego = {sizeof kSpnegoOid, const_cast<std::uint8_t*>(kSpnegoOid)};

OM_uint32 give_text(OM_uint32* minor, std::string_view text, gss_buffer_t to) noexcept {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) {
    *minor = static_cast<OM_uint32>(Fault::kNoMemory);
    return GSS_S_FAILURE;
  }
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  to->length = text.size();
  to->value = copy;
  *minor = 0;
  return GSS_S_COMPLETE;
}

// The mechglue looks the mechanism of a SASL name up by what it was given in some releases, and by
// what that selects in others: one of the two identifiers ends here again. The second call on a
// thread tries the other.
thread_local int t_depth = 0;

class Depth {
 public:
  Depth() noexcept { ++t_depth; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;
  ~Depth() { --t_depth; }
  [[nodiscard]] gss_OID mech() const noexcept {
    return t_depth == 1 ? &g_spnego : t_depth == 2 ? special_oid() : GSS_C_NO_OID;
  }
};

}  // namespace
}  // namespace gssntlm::interposer

using namespace gssntlm::interposer;

extern "C" {

OM_uint32 gssi_display_status(OM_uint32* minor, OM_uint32 value, int type, gss_OID,
                              OM_uint32* context, gss_buffer_t text) noexcept {
  const std::string_view own = type == GSS_C_MECH_CODE ? fault_text(value) : std::string_view();
  if (!own.empty()) {
    *context = 0;
    return give_text(minor, own, text);
  }
  return gss_display_status(minor, value, type, special_oid(), context, text);
}

OM_uint32 gssi_inquire_names_for_mech(OM_uint32* minor, gss_OID, gss_OID_set* types) noexcept {
  return gss_inquire_names_for_mech(minor, special_oid(), types);
}

OM_uint32 gssi_inquire_attrs_for_mech(OM_uint32* minor, gss_const_OID, gss_OID_set* attributes,
                                      gss_OID_set* known) noexcept {
  return gss_inquire_attrs_for_mech(minor, special_oid(), attributes, known);
}

OM_uint32 gssi_inquire_saslname_for_mech(OM_uint32* minor, gss_OID, gss_buffer_t sasl_name,
                                         gss_buffer_t name, gss_buffer_t description) noexcept {
  const Depth depth;
  if (depth.mech() == GSS_C_NO_OID) {
    *minor = 0;
    return GSS_S_UNAVAILABLE;
  }
  return gss_inquire_saslname_for_mech(minor, depth.mech(), sasl_name, name, description);
}

OM_uint32 gssi_inquire_mech_for_saslname(OM_uint32* minor, gss_buffer_t sasl_name,
                                         gss_OID* mech) noexcept {
  const Depth depth;
  if (depth.mech() == GSS_C_NO_OID) {
    *minor = 0;
    return GSS_S_BAD_MECH;
  }
  return gss_inquire_mech_for_saslname(minor, sasl_name, mech);
}

}  // extern "C"
