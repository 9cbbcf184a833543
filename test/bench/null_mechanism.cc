// A mechanism that does nothing: what libgssapi itself takes to load one.
extern "C" {
#include <gssapi/gssapi.h>
}

extern "C" [[gnu::visibility("default")]] OM_uint32 gss_acquire_cred(OM_uint32* minor, gss_name_t,
                                                                     OM_uint32, gss_OID_set,
                                                                     gss_cred_usage_t,
                                                                     gss_cred_id_t*, gss_OID_set*,
                                                                     OM_uint32*) {
  *minor = 0;
  return GSS_S_UNAVAILABLE;
}
