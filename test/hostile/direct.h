// The module's own entry points, without a mechglue between: what a test counts in a call is then
// the module's alone.
#pragma once

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include <cstdio>
#include <cstdlib>
#include <string>

#include <dlfcn.h>

#include "include/gssapi/gssapi_ntlm.h"

namespace gssntlm::direct {

struct Module {
  /// Opens it; ends the process when it cannot be.
  explicit Module(const char* path) : handle(::dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (handle == nullptr) {
      std::fprintf(stderr, "%s\n", ::dlerror());
      std::exit(1);
    }
  }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  void* handle;

 private:
  template <typename F>
  F* find(const char* name) const {
    auto* found = reinterpret_cast<F*>(::dlsym(handle, name));
    if (found == nullptr) {
      std::fprintf(stderr, "%s is not exported\n", name);
      std::exit(1);
    }
    return found;
  }

 public:
#define GSS_NTLM_ENTRY(name) \
  decltype(::gss_##name)* name = find<decltype(::gss_##name)>("gss_" #name)
  GSS_NTLM_ENTRY(accept_sec_context);
  GSS_NTLM_ENTRY(acquire_cred);
  GSS_NTLM_ENTRY(acquire_cred_from);
  GSS_NTLM_ENTRY(compare_name);
  GSS_NTLM_ENTRY(complete_auth_token);
  GSS_NTLM_ENTRY(context_time);
  GSS_NTLM_ENTRY(delete_name_attribute);
  GSS_NTLM_ENTRY(delete_sec_context);
  GSS_NTLM_ENTRY(display_name);
  GSS_NTLM_ENTRY(display_name_ext);
  GSS_NTLM_ENTRY(display_status);
  GSS_NTLM_ENTRY(duplicate_name);
  GSS_NTLM_ENTRY(export_cred);
  GSS_NTLM_ENTRY(export_name);
  GSS_NTLM_ENTRY(export_name_composite);
  GSS_NTLM_ENTRY(export_sec_context);
  GSS_NTLM_ENTRY(get_mic);
  GSS_NTLM_ENTRY(get_mic_iov);
  GSS_NTLM_ENTRY(get_mic_iov_length);
  GSS_NTLM_ENTRY(get_name_attribute);
  GSS_NTLM_ENTRY(import_cred);
  GSS_NTLM_ENTRY(import_name);
  GSS_NTLM_ENTRY(import_sec_context);
  GSS_NTLM_ENTRY(indicate_mechs);
  GSS_NTLM_ENTRY(init_sec_context);
  GSS_NTLM_ENTRY(inquire_attrs_for_mech);
  GSS_NTLM_ENTRY(inquire_context);
  GSS_NTLM_ENTRY(inquire_cred);
  GSS_NTLM_ENTRY(inquire_cred_by_mech);
  GSS_NTLM_ENTRY(inquire_cred_by_oid);
  GSS_NTLM_ENTRY(inquire_mech_for_saslname);
  GSS_NTLM_ENTRY(inquire_name);
  GSS_NTLM_ENTRY(inquire_names_for_mech);
  GSS_NTLM_ENTRY(inquire_saslname_for_mech);
  GSS_NTLM_ENTRY(inquire_sec_context_by_oid);
  GSS_NTLM_ENTRY(localname);
  GSS_NTLM_ENTRY(process_context_token);
  GSS_NTLM_ENTRY(release_cred);
  GSS_NTLM_ENTRY(release_name);
  GSS_NTLM_ENTRY(set_name_attribute);
  GSS_NTLM_ENTRY(set_sec_context_option);
  GSS_NTLM_ENTRY(store_cred);
  GSS_NTLM_ENTRY(store_cred_into);
  GSS_NTLM_ENTRY(unwrap);
  GSS_NTLM_ENTRY(unwrap_aead);
  GSS_NTLM_ENTRY(unwrap_iov);
  GSS_NTLM_ENTRY(verify_mic);
  GSS_NTLM_ENTRY(verify_mic_iov);
  GSS_NTLM_ENTRY(wrap);
  GSS_NTLM_ENTRY(wrap_aead);
  GSS_NTLM_ENTRY(wrap_iov);
  GSS_NTLM_ENTRY(wrap_iov_length);
  GSS_NTLM_ENTRY(wrap_size_limit);
#undef GSS_NTLM_ENTRY

  // These have no public prototype, or another one than modules have.
  using AcquireWithPassword = OM_uint32(OM_uint32*, gss_name_t, gss_buffer_t, OM_uint32,
                                        gss_OID_set, gss_cred_usage_t, gss_cred_id_t*, gss_OID_set*,
                                        OM_uint32*);
  AcquireWithPassword* acquire_cred_with_password =
      find<AcquireWithPassword>("gssspi_acquire_cred_with_password");
  using Authorize = OM_uint32(OM_uint32*, gss_name_t, gss_const_buffer_t, gss_const_OID);
  Authorize* authorize_localname = find<Authorize>("gssspi_authorize_localname");
  using SetCredOption = OM_uint32(OM_uint32*, gss_cred_id_t*, gss_OID, gss_buffer_t);
  SetCredOption* set_cred_option = find<SetCredOption>("gssspi_set_cred_option");
  using Invoke = OM_uint32(OM_uint32*, gss_OID, gss_OID, gss_buffer_t);
  Invoke* mech_invoke = find<Invoke>("gssspi_mech_invoke");
  using ReleaseOid = OM_uint32(OM_uint32*, gss_OID*);
  ReleaseOid* internal_release_oid = find<ReleaseOid>("gss_internal_release_oid");
};

/// The module that the registration in GSS_MECH_CONFIG names; ends the process without one.
inline std::string registered_module() {
  const char* path = std::getenv("GSS_MECH_CONFIG");
  std::FILE* file = path != nullptr ? std::fopen(path, "re") : nullptr;
  char module[4096];
  if (file == nullptr || std::fscanf(file, "%*s %*s %4095s", module) != 1) {
    std::fprintf(stderr, "GSS_MECH_CONFIG names no registration\n");
    std::exit(1);
  }
  std::fclose(file);
  return module;
}

/// The module in use.
inline const Module& spi() {
  static const Module& module = *new Module(registered_module().c_str());
  return module;
}

inline void release(gss_name_t& name) {
  OM_uint32 minor = 0;
  spi().release_name(&minor, &name);
}
inline void release(gss_cred_id_t& cred) {
  OM_uint32 minor = 0;
  spi().release_cred(&minor, &cred);
}
inline void release(gss_ctx_id_t& context) {
  OM_uint32 minor = 0;
  spi().delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
}
inline void release(gss_OID_set& set) {
  OM_uint32 minor = 0;
  gss_release_oid_set(&minor, &set);
}
inline void release(gss_buffer_set_t& set) {
  OM_uint32 minor = 0;
  gss_release_buffer_set(&minor, &set);
}

/// Owners of handles, to be had with `&`.
template <typename T>
class Owner {
 public:
  Owner() = default;
  Owner(Owner&& o) noexcept : handle_(o.handle_) { o.handle_ = T{}; }
  Owner& operator=(Owner&& o) noexcept {
    std::swap(handle_, o.handle_);
    return *this;
  }
  Owner(const Owner&) = delete;
  ~Owner() { release(handle_); }
  T* operator&() { return &handle_; }
  T& get() { return handle_; }
  operator T() const { return handle_; }

 private:
  T handle_{};
};

using Name = Owner<gss_name_t>;
using Cred = Owner<gss_cred_id_t>;
using Context = Owner<gss_ctx_id_t>;
using OidSet = Owner<gss_OID_set>;
using BufferSet = Owner<gss_buffer_set_t>;

/// A buffer that is given back.
struct Buffer : gss_buffer_desc {
  Buffer() : gss_buffer_desc{0, nullptr} {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { clear(); }
  void clear() {
    OM_uint32 minor = 0;
    gss_release_buffer(&minor, this);
  }
  [[nodiscard]] std::string text() const {
    return {static_cast<const char*>(value), value == nullptr ? 0 : length};
  }
};

/// A buffer that looks at a text.
inline gss_buffer_desc view(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

inline gss_OID_desc g_mech = {GSS_NTLM_MECH_OID_LENGTH, const_cast<char*>(GSS_NTLM_MECH_OID_BYTES)};

}  // namespace gssntlm::direct
