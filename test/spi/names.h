// What the tests of names share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {

inline constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";
inline const std::string kPassword = "Passw0rd";
inline const std::string kOurs = "[names]\nnetbios_domain = OURS\nnetbios_computer = BOX\n";

inline gss_OID_desc kPrincipalName = {
    10, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01")};

inline NameHandle canonical(const std::string& text, gss_OID type) {
  const NameHandle name(text, type);
  NameHandle made;
  OM_uint32 minor = 0;
  REQUIRE(gss_canonicalize_name(&minor, name.get(), &kNtlm, made.out()) == 0);
  return made;
}

inline std::string exported(const NameHandle& name, bool composite = false) {
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  const OM_uint32 major = composite ? gss_export_name_composite(&minor, name.get(), &out)
                                    : gss_export_name(&minor, name.get(), &out);
  REQUIRE(major == 0);
  return take(out);
}

inline OM_uint32 import_token(const std::string& token, gss_OID type, NameHandle& name) {
  gss_buffer_desc in = buffer_of(token);
  OM_uint32 minor = 0;
  NameHandle united;
  const OM_uint32 major = gss_import_name(&minor, &in, type, united.out());
  return GSS_ERROR(major) ? major : gss_canonicalize_name(&minor, united.get(), &kNtlm, name.out());
}

inline bool equal(const NameHandle& a, const NameHandle& b) {
  OM_uint32 minor = 0;
  int same = -1;
  REQUIRE(gss_compare_name(&minor, a.get(), b.get(), &same) == 0);
  return same == 1;
}

struct Attribute {
  OM_uint32 major = 0;
  int authenticated = -1;
  int complete = -1;
  std::string value;
  std::string display;
};

inline Attribute attribute(const NameHandle& name, const std::string& which) {
  Attribute a;
  gss_buffer_desc in = buffer_of(which);
  gss_buffer_desc value = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc display = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  int more = -1;
  a.major = gss_get_name_attribute(&minor, name.get(), &in, &a.authenticated, &a.complete, &value,
                                   &display, &more);
  CHECK(more == 0);
  a.value = take(value);
  a.display = take(display);
  return a;
}

inline OM_uint32 set_attribute(const NameHandle& name, const std::string& which,
                               const std::string& value) {
  gss_buffer_desc in = buffer_of(which);
  gss_buffer_desc v = buffer_of(value);
  OM_uint32 minor = 0;
  return gss_set_name_attribute(&minor, name.get(), 1, &in, &v);
}

inline std::string localname(const NameHandle& name) {
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  if (GSS_ERROR(gss_localname(&minor, name.get(), &kNtlm, &out))) {
    return {};
  }
  return take(out);
}

/// A local user by its number, in both forms.
inline std::vector<std::pair<gss_OID, std::string>> numbers_of(uid_t uid) {
  return {
      {GSS_C_NT_STRING_UID_NAME, std::to_string(uid)},
      {GSS_C_NT_MACHINE_UID_NAME, std::string(reinterpret_cast<const char*>(&uid), sizeof uid)}};
}

/// The source of a login that this process proved; `line` is the users file.
inline NameHandle logged_in(const std::string& line, const std::string& user, gss_OID mech = &kNtlm,
                            End* end = nullptr) {
  const Workshop workshop(line, kOurs);
  CredHandle cred;
  REQUIRE(acquire_password(user, kPassword, mech, cred).ok());
  Exchange x;
  x.mech = mech;
  x.initiator_cred = cred.get();
  End i;
  End a;
  REQUIRE(run(x, i, a));
  NameHandle source = std::move(a.source);
  if (end != nullptr) {
    std::swap(end->context, a.context);
  }
  return source;
}

}  // namespace gssntlm::test
