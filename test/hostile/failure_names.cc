// Names and their attributes.
#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {
namespace {

gss_OID_desc g_principal_name = {10, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01")};

void import_name(Trial& t, const std::string& text, gss_OID type) {
  gss_buffer_desc value = view(text);
  Name name;
  t.call([&](OM_uint32* minor) { return spi().import_name(minor, &value, type, &name); });
  t.expect_none(name.get());
}

std::string exported(gss_name_t name, bool composite) {
  Buffer token;
  OM_uint32 minor = 0;
  composite ? spi().export_name_composite(&minor, name, &token)
            : spi().export_name(&minor, name, &token);
  return token.text();
}

Name annotated() {
  Name name = import("CORP\\alice", GSS_C_NT_USER_NAME);
  std::string key = "urn:test:key";
  std::string text = "value";
  gss_buffer_desc attribute = view(key);
  gss_buffer_desc value = view(text);
  OM_uint32 minor = 0;
  spi().set_name_attribute(&minor, name, 1, &attribute, &value);
  return name;
}

std::string value_of(gss_name_t name, std::string key) {
  gss_buffer_desc attribute = view(key);
  Buffer value;
  int more = -1;
  OM_uint32 minor = 0;
  spi().get_name_attribute(&minor, name, &attribute, nullptr, nullptr, &value, nullptr, &more);
  return value.text();
}

const Operation kNames[] = {
    {"gss_import_name: user", [](Trial& t) { import_name(t, "CORP\\alice", GSS_C_NT_USER_NAME); }},
    {"gss_import_name: service",
     [](Trial& t) { import_name(t, "HTTP@server.example", GSS_C_NT_HOSTBASED_SERVICE); }},
    {"gss_import_name: anonymous", [](Trial& t) { import_name(t, "", GSS_C_NT_ANONYMOUS); }},
    {"gss_import_name: exported",
     [](Trial& t) { import_name(t, exported(g_target, false), GSS_C_NT_EXPORT_NAME); }},
    {"gss_import_name: composite",
     [](Trial& t) { import_name(t, exported(g_proven, true), GSS_C_NT_COMPOSITE_EXPORT); }},
    {"gss_import_name: principal",
     [](Trial& t) { import_name(t, "alice@REALM", &g_principal_name); }},
    {"gss_duplicate_name",
     [](Trial& t) {
       Name copy;
       t.call([&](OM_uint32* minor) { return spi().duplicate_name(minor, g_proven, &copy); });
       t.expect_none(copy.get());
     }},
    {"gss_release_name",
     [](Trial& t) {
       Name name = import("alice", GSS_C_NT_USER_NAME);
       t.call([&](OM_uint32* minor) { return spi().release_name(minor, &name); });
       t.expect(name.get() == GSS_C_NO_NAME, "the handle is left");
     }},
    {"gss_display_name",
     [](Trial& t) {
       Buffer text;
       gss_OID type = GSS_C_NO_OID;
       t.call([&](OM_uint32* minor) { return spi().display_name(minor, g_proven, &text, &type); });
       t.expect_empty(text);
       t.expect(t.ok() || type == GSS_C_NO_OID, "a type is left");
     }},
    {"gss_display_name_ext",
     [](Trial& t) {
       Buffer text;
       t.call([&](OM_uint32* minor) {
         return spi().display_name_ext(minor, g_proven, GSS_C_NT_USER_NAME, &text);
       });
       t.expect_empty(text);
     }},
    {"gss_compare_name",
     [](Trial& t) {
       int equal = 77;
       t.call(
           [&](OM_uint32* minor) { return spi().compare_name(minor, g_proven, g_target, &equal); });
       t.expect(equal == 0, "different names are the same");
     }},
    {"gss_export_name",
     [](Trial& t) {
       Buffer token;
       t.call([&](OM_uint32* minor) { return spi().export_name(minor, g_proven, &token); });
       t.expect_empty(token);
     }},
    {"gss_export_name_composite",
     [](Trial& t) {
       Buffer token;
       t.call(
           [&](OM_uint32* minor) { return spi().export_name_composite(minor, g_proven, &token); });
       t.expect_empty(token);
     }},
    {"gss_inquire_name",
     [](Trial& t) {
       BufferSet set;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_name(minor, g_proven, nullptr, nullptr, &set);
       });
       t.expect_none(set.get());
     },
     true},
    {"gss_get_name_attribute",
     [](Trial& t) {
       const Name name = annotated();
       std::string key = "urn:test:key";
       gss_buffer_desc attribute = view(key);
       Buffer value;
       Buffer shown;
       int more = -1;
       t.call([&](OM_uint32* minor) {
         return spi().get_name_attribute(minor, name, &attribute, nullptr, nullptr, &value, &shown,
                                         &more);
       });
       t.expect_empty(value);
       t.expect_empty(shown);
       t.expect(more == 0, "there is said to be more");
     }},
    // The mechglue's gss_authorize_localname takes every other error for leave to compare names.
    {"gss_get_name_attribute: local user",
     [](Trial& t) {
       std::string key = "local-login-user";
       gss_buffer_desc attribute = view(key);
       Buffer value;
       Buffer shown;
       int authenticated = -1;
       int more = -1;
       t.call([&](OM_uint32* minor) {
         return spi().get_name_attribute(minor, g_proven, &attribute, &authenticated, nullptr,
                                         &value, &shown, &more);
       });
       t.expect(!t.ok() || (value.text() == "root" && authenticated == 1), "it is another user");
       t.expect_empty(value);
       t.expect_empty(shown);
       t.expect(more == 0, "there is said to be more");
       t.expect(t.ok() || t.major == GSS_S_UNAUTHORIZED, "names would be compared");
       if (t.major == GSS_S_UNAUTHORIZED) {
         t.major = GSS_S_FAILURE;
       }
     },
     true},
    {"gss_set_name_attribute",
     [](Trial& t) {
       const Name name = annotated();
       std::string key = "urn:test:other";
       std::string text = "other value, too long to be kept without memory";
       gss_buffer_desc attribute = view(key);
       gss_buffer_desc value = view(text);
       t.call([&](OM_uint32* minor) {
         return spi().set_name_attribute(minor, name, 1, &attribute, &value);
       });
       t.expect(value_of(name, "urn:test:key") == "value", "an attribute is gone");
       t.expect(value_of(name, key) == (t.ok() ? text : ""), "set or not, and told otherwise");
       t.expect(display(name) == "CORP\\alice", "the name is another one");
     }},
    {"gss_delete_name_attribute",
     [](Trial& t) {
       const Name name = annotated();
       std::string key = "urn:test:key";
       gss_buffer_desc attribute = view(key);
       t.call(
           [&](OM_uint32* minor) { return spi().delete_name_attribute(minor, name, &attribute); });
       t.expect(value_of(name, key) == (t.ok() ? "" : "value"), "gone or not, and told otherwise");
     }},
    {"gss_localname",
     [](Trial& t) {
       Buffer user;
       t.call([&](OM_uint32* minor) { return spi().localname(minor, g_proven, &g_mech, &user); });
       t.expect_empty(user);
       t.expect(!t.ok() || user.text() == "root", "it is another user");
     },
     true},
    {"gssspi_authorize_localname",
     [](Trial& t) {
       std::string text = "root";
       gss_buffer_desc user = view(text);
       t.call([&](OM_uint32* minor) {
         return spi().authorize_localname(minor, g_proven, &user, GSS_C_NT_USER_NAME);
       });
     },
     true},
};

}  // namespace

std::span<const Operation> name_operations() {
  return kNames;
}

}  // namespace gssntlm::test::failure
