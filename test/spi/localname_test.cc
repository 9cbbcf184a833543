// Who a name is on this system: gss_localname and gss_authorize_localname.
#include <algorithm>
#include <cctype>

#include <pwd.h>
#include <unistd.h>

#include "test/spi/names.h"

namespace gssntlm::test {
namespace {

std::string own_account() {
  const passwd* entry = ::getpwuid(::getuid());
  REQUIRE(entry != nullptr);
  return entry->pw_name;
}

bool maps_to(const NameHandle& name, const std::string& account) {
  OM_uint32 minor = 0;
  const NameHandle own(account, GSS_C_NT_USER_NAME);
  const bool by_name = localname(name) == account;
  CHECK((attribute(name, "local-login-user").major == 0) == by_name);
  CHECK((gss_authorize_localname(&minor, name.get(), own.get()) == 0) == by_name);
  CHECK((gss_userok(name.get(), account.c_str()) == 1) == by_name);
  return by_name;
}

// Texts that name the user root in some way, each with its type.
std::vector<std::pair<gss_OID, std::string>> names_of_root() {
  std::vector<std::pair<gss_OID, std::string>> names = numbers_of(0);
  for (gss_OID type : {GSS_C_NT_USER_NAME, static_cast<gss_OID>(GSS_C_NO_OID), &kPrincipalName,
                       GSS_C_NT_HOSTBASED_SERVICE, GSS_C_NT_HOSTBASED_SERVICE_X}) {
    names.emplace_back(type, "root");
  }
  names.emplace_back(GSS_C_NT_USER_NAME, "\\root");
  names.emplace_back(GSS_C_NT_USER_NAME, "ROOT");
  return names;
}

}  // namespace

TEST_CASE("localname: a user of this host's own domain is the account of that name",
          "[spi][names]") {
  const std::string account = own_account();
  std::string upper = account;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return static_cast<char>(std::toupper(c)); });
  const std::pair<std::string, std::string> rows[] = {
      {"", account}, {"", upper}, {"OURS", account}, {"ours", upper}, {"BOX", account}};
  for (const auto& [domain, user] : rows) {
    CAPTURE(domain, user);
    const NameHandle name =
        logged_in(domain + ":" + user + ":" + kPassword + "\n", domain + "\\" + user);
    const Workshop workshop(kUsers, kOurs + "[policy]\nallow_system_users = " + account + "\n");
    CHECK(maps_to(name, account));
    CHECK(attribute(name, "local-login-user").authenticated == 1);
    CHECK(gss_userok(name.get(), "no-user-of-this-name") == 0);
    OM_uint32 minor = 0;
    const NameHandle number(std::to_string(::getuid()), GSS_C_NT_STRING_UID_NAME);
    CHECK(gss_authorize_localname(&minor, name.get(), number.get()) == 0);
    gss_buffer_desc shown = GSS_C_EMPTY_BUFFER;
    REQUIRE(gss_display_name_ext(&minor, name.get(), GSS_C_NT_STRING_UID_NAME, &shown) == 0);
    CHECK(take(shown) == std::to_string(::getuid()));
    REQUIRE(gss_display_name_ext(&minor, name.get(), GSS_C_NT_USER_NAME, &shown) == 0);
    CHECK(take(shown) == name.display());
    CHECK(GSS_ERROR(gss_display_name_ext(&minor, name.get(), GSS_C_NT_HOSTBASED_SERVICE, &shown)));
  }
}

TEST_CASE("localname: what no logon in this process proved is no account here", "[spi][names]") {
  const std::string account = own_account();
  const std::string allowed = kOurs + "[policy]\nallow_system_users = " + account + "\n";
  End end;
  const NameHandle proven =
      logged_in(":" + account + ":" + kPassword + "\n", account, &kNtlm, &end);
  const Workshop workshop(kUsers, allowed);
  REQUIRE(maps_to(proven, account));
  NameHandle copy;
  OM_uint32 minor = 0;
  REQUIRE(gss_duplicate_name(&minor, proven.get(), copy.out()) == 0);
  REQUIRE(set_attribute(copy, "mail", "x") == 0);
  CHECK(maps_to(copy, account));

  for (const std::string& text : {account, "OURS\\" + account, "BOX\\" + account}) {
    CAPTURE(text);
    const NameHandle imported = canonical(text, GSS_C_NT_USER_NAME);
    CHECK_FALSE(maps_to(imported, account));
    REQUIRE(set_attribute(imported, "urn:gss-ntlm:user-sid", "S-1-5-21-1-2-3-500") == 0);
    CHECK_FALSE(maps_to(imported, account));
  }
  NameHandle moved;
  REQUIRE(import_token(exported(proven, true), GSS_C_NT_COMPOSITE_EXPORT, moved) == 0);
  CHECK_FALSE(maps_to(moved, account));
  // Who makes a token may write in it that its attribute is authenticated: the last byte.
  const NameHandle claimed = canonical(account, GSS_C_NT_USER_NAME);
  REQUIRE(set_attribute(claimed, "urn:gss-ntlm:user-sid", "S-1-5-21-1-2-3-500") == 0);
  std::string forged = exported(claimed, true);
  REQUIRE(forged.back() == 0);
  forged.back() = 1;
  REQUIRE(import_token(forged, GSS_C_NT_COMPOSITE_EXPORT, moved) == 0);
  CHECK(attribute(moved, "urn:gss-ntlm:user-sid").authenticated == 0);
  CHECK_FALSE(maps_to(moved, account));
  REQUIRE(import_token(exported(proven), GSS_C_NT_EXPORT_NAME, moved) == 0);
  CHECK_FALSE(maps_to(moved, account));
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_export_sec_context(&minor, &end.context, &token) == 0);
  REQUIRE(gss_import_sec_context(&minor, &token, &end.context) == 0);
  gss_release_buffer(&minor, &token);
  REQUIRE(gss_inquire_context(&minor, end.context, moved.out(), nullptr, nullptr, nullptr, nullptr,
                              nullptr, nullptr) == 0);
  CHECK_FALSE(maps_to(moved, account));
  CHECK(attribute(moved, "local-login-user").major == GSS_S_UNAUTHORIZED);
}

TEST_CASE("localname: through SPNEGO too, and never because two names look alike", "[spi][names]") {
  const std::string account = own_account();
  const NameHandle name = logged_in(":" + account + ":" + kPassword + "\n", account, &kSpnego);
  OM_uint32 minor = 0;
  const NameHandle own(account, GSS_C_NT_USER_NAME);
  const auto mapped = [&] {
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    return GSS_ERROR(gss_localname(&minor, name.get(), GSS_C_NO_OID, &out)) ? "" : take(out);
  };
  {
    const Workshop workshop(kUsers, kOurs + "[policy]\nallow_system_users = " + account + "\n");
    CHECK(mapped() == account);
    CHECK(gss_authorize_localname(&minor, name.get(), own.get()) == 0);
  }
  // Without the setting it is an account of the system, or of a member host's domain.
  const Workshop workshop(kUsers, kOurs);
  if (::getuid() < 1000) {
    CHECK(mapped().empty());
    CHECK(GSS_ERROR(gss_authorize_localname(&minor, name.get(), own.get())));
    CHECK(gss_userok(name.get(), account.c_str()) == 0);
  }
}

TEST_CASE("localname: no form of a name makes an account the user root", "[spi][names]") {
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    End end;
    NameHandle proven = logged_in(":root:" + kPassword + "\n", "root", mech, &end);
    const Workshop workshop(kUsers, kOurs);
    NameHandle moved;
    OM_uint32 minor = 0;
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    REQUIRE(gss_export_sec_context(&minor, &end.context, &token) == 0);
    REQUIRE(gss_import_sec_context(&minor, &token, &end.context) == 0);
    gss_release_buffer(&minor, &token);
    REQUIRE(gss_inquire_context(&minor, end.context, moved.out(), nullptr, nullptr, nullptr,
                                nullptr, nullptr, nullptr) == 0);
    for (const auto& [type, text] : names_of_root()) {
      CAPTURE(text, mech == &kSpnego, type == GSS_C_NT_STRING_UID_NAME);
      const NameHandle user(text, type);
      for (const NameHandle* name : {&proven, &moved}) {
        CHECK(GSS_ERROR(gss_authorize_localname(&minor, name->get(), user.get())));
      }
    }
    for (const auto& [type, text] : numbers_of(0)) {
      CHECK_FALSE(equal(proven, NameHandle(text, type)));
    }
    CHECK_FALSE(equal(proven, NameHandle("root", &kPrincipalName)));
    CHECK(equal(proven, NameHandle("root", GSS_C_NT_USER_NAME)));
  }
}

TEST_CASE("localname: a user's number authorizes the user that the account maps to",
          "[spi][names]") {
  const std::string account = own_account();
  const NameHandle name = logged_in(":" + account + ":" + kPassword + "\n", account);
  const Workshop workshop(kUsers, kOurs + "[policy]\nallow_system_users = " + account + "\n");
  OM_uint32 minor = 0;
  for (const auto& [type, text] : numbers_of(::getuid())) {
    CHECK(gss_authorize_localname(&minor, name.get(), NameHandle(text, type).get()) == 0);
  }
  for (const char* bad : {"-1", "0x0", " 0", "4294967295", "4294967296", "99999999999"}) {
    CAPTURE(bad);
    CHECK(GSS_ERROR(gss_authorize_localname(&minor, name.get(),
                                            NameHandle(bad, GSS_C_NT_STRING_UID_NAME).get())));
  }
}

TEST_CASE("localname: an account of the system only where a setting names it", "[spi][names]") {
  const NameHandle name = logged_in(":root:" + kPassword + "\n", "root");
  {
    const Workshop workshop(kUsers, kOurs);
    CHECK_FALSE(maps_to(name, "root"));
  }
  {
    const Workshop workshop(kUsers, kOurs + "[policy]\nallow_system_users = daemon\n");
    CHECK_FALSE(maps_to(name, "root"));
  }
  const Workshop workshop(kUsers, kOurs + "[policy]\nallow_system_users = daemon, root\n");
  CHECK(maps_to(name, "root"));
}

TEST_CASE(
    "localname: a user of another domain, a service and an anonymous name are no account here",
    "[spi][names]") {
  const std::string account = own_account();
  const std::string allowed = kOurs + "[policy]\nallow_system_users = " + account + "\n";
  const auto proven = [&](const std::string& domain, const std::string& user) {
    return logged_in(domain + ":" + user + ":" + kPassword + "\n",
                     domain.empty() ? "\\" + user : domain + "\\" + user);
  };
  const NameHandle rows[] = {proven("EVIL", account),
                             proven("evil.example", account),
                             proven("", account + "@evil.example"),
                             proven("", "no-such-user-here"),
                             canonical(account, GSS_C_NT_HOSTBASED_SERVICE),
                             canonical("", GSS_C_NT_ANONYMOUS)};
  const Workshop workshop(kUsers, allowed);
  for (const NameHandle& name : rows) {
    CAPTURE(name.display());
    CHECK_FALSE(maps_to(name, account));
  }
}

TEST_CASE("localname: a member host's domain is not its own accounts'", "[spi][names]") {
  const std::string account = own_account();
  const NameHandle name = logged_in("OURS:" + account + ":" + kPassword + "\n", "OURS\\" + account);
  const std::string allowed = "[policy]\nallow_system_users = " + account + "\n";
  const Workshop workshop(kUsers, kOurs + "domain_member = yes\n" + allowed);
  CHECK_FALSE(maps_to(name, account));
}

}  // namespace gssntlm::test
