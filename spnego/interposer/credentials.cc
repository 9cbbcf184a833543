// Credentials: all passed on.
#include "spnego/interposer/faults.h"
#include "spnego/interposer/framing.h"

using namespace gssntlm::interposer;

extern "C" {

OM_uint32 gssi_acquire_cred(OM_uint32* minor, gss_name_t name, OM_uint32 time, gss_OID_set,
                            gss_cred_usage_t usage, gss_cred_id_t* credential,
                            gss_OID_set* actual_mechs, OM_uint32* time_rec) noexcept {
  return gss_acquire_cred(minor, name, time, special_set(), usage, credential, actual_mechs,
                          time_rec);
}

OM_uint32 gssi_acquire_cred_from(OM_uint32* minor, gss_name_t name, OM_uint32 time, gss_OID_set,
                                 gss_cred_usage_t usage, gss_const_key_value_set_t store,
                                 gss_cred_id_t* credential, gss_OID_set* actual_mechs,
                                 OM_uint32* time_rec) noexcept {
  return gss_acquire_cred_from(minor, name, time, special_set(), usage, store, credential,
                               actual_mechs, time_rec);
}

OM_uint32 gssi_acquire_cred_with_password(OM_uint32* minor, gss_name_t name, gss_buffer_t password,
                                          OM_uint32 time, gss_OID_set, gss_cred_usage_t usage,
                                          gss_cred_id_t* credential, gss_OID_set* actual_mechs,
                                          OM_uint32* time_rec) noexcept {
  return gss_acquire_cred_with_password(minor, name, password, time, special_set(), usage,
                                        credential, actual_mechs, time_rec);
}

OM_uint32 gssi_acquire_cred_impersonate_name(OM_uint32* minor, gss_cred_id_t impersonator,
                                             gss_name_t name, OM_uint32 time, gss_OID_set,
                                             gss_cred_usage_t usage, gss_cred_id_t* credential,
                                             gss_OID_set* actual_mechs,
                                             OM_uint32* time_rec) noexcept {
  return gss_acquire_cred_impersonate_name(minor, impersonator, name, time, special_set(), usage,
                                           credential, actual_mechs, time_rec);
}

OM_uint32 gssi_release_cred(OM_uint32* minor, gss_cred_id_t* credential) noexcept {
  return gss_release_cred(minor, credential);
}

OM_uint32 gssi_inquire_cred(OM_uint32* minor, gss_cred_id_t credential, gss_name_t* name,
                            OM_uint32* lifetime, gss_cred_usage_t* usage,
                            gss_OID_set* mechs) noexcept {
  return gss_inquire_cred(minor, credential, name, lifetime, usage, mechs);
}

OM_uint32 gssi_inquire_cred_by_oid(OM_uint32* minor, gss_cred_id_t credential, gss_OID object,
                                   gss_buffer_set_t* data) noexcept {
  return gss_inquire_cred_by_oid(minor, credential, object, data);
}

OM_uint32 gssi_set_cred_option(OM_uint32* minor, gss_cred_id_t* credential, gss_OID object,
                               gss_buffer_t value) noexcept {
  // Without a credential the mechglue would ask Kerberos.
  if (*credential == GSS_C_NO_CREDENTIAL) {
    *minor = 0;
    return GSS_S_UNAVAILABLE;
  }
  return gss_set_cred_option(minor, credential, object, value);
}

OM_uint32 gssi_set_neg_mechs(OM_uint32* minor, gss_cred_id_t credential,
                             gss_OID_set mechs) noexcept {
  return gss_set_neg_mechs(minor, credential, mechs);
}

OM_uint32 gssi_export_cred(OM_uint32* minor, gss_cred_id_t credential,
                           gss_buffer_t token) noexcept {
  const OM_uint32 major = gss_export_cred(minor, credential, token);
  return GSS_ERROR(major) ? major : strip_mech(minor, token, true);
}

OM_uint32 gssi_import_cred_by_mech(OM_uint32* minor, gss_OID, gss_buffer_t token,
                                   gss_cred_id_t* credential) noexcept {
  FramedToken framed(view_of(token), true);
  if (framed.buffer() == GSS_C_NO_BUFFER) {
    *minor = static_cast<OM_uint32>(Fault::kNoMemory);
    return GSS_S_FAILURE;
  }
  return gss_import_cred(minor, framed.buffer(), credential);
}

}  // extern "C"
