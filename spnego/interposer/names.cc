// Names: SPNEGO's are the mechglue's own, and all is passed on.
#include <cstring>

#include "spnego/interposer/faults.h"
#include "spnego/interposer/interposer.h"
#include "spnego/token.h"

namespace gssntlm::interposer {
namespace {

bool is_same(const gss_OID_desc* a, const gss_OID_desc* b) noexcept {
  return a != nullptr && b != nullptr && a->length == b->length &&
         std::memcmp(a->elements, b->elements, a->length) == 0;
}

// An exported name (RFC 2743 3.2) of this interposer's own object identifiers. The mechglue hands
// it to the interposer, which would hand it to the mechglue, without end.
bool leads_back(gss_buffer_t name, gss_OID type) noexcept {
  constexpr std::size_t kHead = 4;  // 04 01 or 04 02, and the size of what follows
  const ByteView token = view_of(name);
  if (token.size() < kHead ||
      !(is_same(type, GSS_C_NT_EXPORT_NAME) || is_same(type, GSS_C_NT_COMPOSITE_EXPORT))) {
    return false;
  }
  DerReader reader(token.subspan(kHead));
  return has_prefix(reader.next(der_tag::kOid).content) && reader.ok();
}

// The private identifiers stay inside: MIT's SPNEGO exports a name of its own.
OM_uint32 export_canonical(OM_uint32* minor, gss_name_t name, gss_buffer_t exported) noexcept {
  gss_name_t canonical = GSS_C_NO_NAME;
  OM_uint32 major = gss_canonicalize_name(minor, name, special_oid(), &canonical);
  if (!GSS_ERROR(major)) {
    major = gss_export_name(minor, canonical, exported);
    OM_uint32 ignored = 0;
    gss_release_name(&ignored, &canonical);
  }
  return major;
}

}  // namespace
}  // namespace gssntlm::interposer

using namespace gssntlm::interposer;

extern "C" {

OM_uint32 gssi_import_name(OM_uint32* minor, gss_buffer_t text, gss_OID type,
                           gss_name_t* name) noexcept {
  if (leads_back(text, type)) {
    *minor = static_cast<OM_uint32>(Fault::kBadName);
    return GSS_S_BAD_NAME;
  }
  return gss_import_name(minor, text, type, name);
}

OM_uint32 gssi_release_name(OM_uint32* minor, gss_name_t* name) noexcept {
  return gss_release_name(minor, name);
}

OM_uint32 gssi_duplicate_name(OM_uint32* minor, gss_name_t name, gss_name_t* copy) noexcept {
  return gss_duplicate_name(minor, name, copy);
}

OM_uint32 gssi_compare_name(OM_uint32* minor, gss_name_t a, gss_name_t b, int* equal) noexcept {
  return gss_compare_name(minor, a, b, equal);
}

OM_uint32 gssi_display_name(OM_uint32* minor, gss_name_t name, gss_buffer_t text,
                            gss_OID* type) noexcept {
  return gss_display_name(minor, name, text, type);
}

OM_uint32 gssi_display_name_ext(OM_uint32* minor, gss_name_t name, gss_OID as,
                                gss_buffer_t text) noexcept {
  return gss_display_name_ext(minor, name, as, text);
}

OM_uint32 gssi_export_name(OM_uint32* minor, gss_name_t name, gss_buffer_t exported) noexcept {
  const OM_uint32 major = gss_export_name(minor, name, exported);
  return major == GSS_S_NAME_NOT_MN ? export_canonical(minor, name, exported) : major;
}

OM_uint32 gssi_export_name_composite(OM_uint32* minor, gss_name_t name,
                                     gss_buffer_t exported) noexcept {
  return gss_export_name_composite(minor, name, exported);
}

OM_uint32 gssi_localname(OM_uint32* minor, gss_name_t name, gss_const_OID,
                         gss_buffer_t user) noexcept {
  return gss_localname(minor, name, special_oid(), user);
}

OM_uint32 gssi_inquire_name(OM_uint32* minor, gss_name_t name, int* is_mn, gss_OID* mech,
                            gss_buffer_set_t* attributes) noexcept {
  return gss_inquire_name(minor, name, is_mn, mech, attributes);
}

OM_uint32 gssi_get_name_attribute(OM_uint32* minor, gss_name_t name, gss_buffer_t attribute,
                                  int* authenticated, int* complete, gss_buffer_t value,
                                  gss_buffer_t display, int* more) noexcept {
  const OM_uint32 major =
      gss_get_name_attribute(minor, name, attribute, authenticated, complete, value, display, more);
  // The mechglue asks again while there is more, failures included (g_glue.c).
  if (GSS_ERROR(major) && more != nullptr) {
    *more = 0;
  }
  return major;
}

OM_uint32 gssi_set_name_attribute(OM_uint32* minor, gss_name_t name, int complete,
                                  gss_buffer_t attribute, gss_buffer_t value) noexcept {
  return gss_set_name_attribute(minor, name, complete, attribute, value);
}

OM_uint32 gssi_delete_name_attribute(OM_uint32* minor, gss_name_t name,
                                     gss_buffer_t attribute) noexcept {
  return gss_delete_name_attribute(minor, name, attribute);
}

OM_uint32 gssi_map_name_to_any(OM_uint32* minor, gss_name_t name, int authenticated,
                               gss_buffer_t type, gss_any_t* any) noexcept {
  return gss_map_name_to_any(minor, name, authenticated, type, any);
}

OM_uint32 gssi_release_any_name_mapping(OM_uint32* minor, gss_name_t name, gss_buffer_t type,
                                        gss_any_t* any) noexcept {
  return gss_release_any_name_mapping(minor, name, type, any);
}

}  // extern "C"
