// Names: forms, comparison, export, attributes, and who they are on this system.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <pwd.h>
#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/crypto/primitives.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";
const std::string kPassword = "Passw0rd";
const std::string kOurs = "[names]\nnetbios_domain = OURS\nnetbios_computer = BOX\n";

gss_OID_desc kPrincipalName = {10, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01")};

NameHandle canonical(const std::string& text, gss_OID type) {
  const NameHandle name(text, type);
  NameHandle made;
  OM_uint32 minor = 0;
  REQUIRE(gss_canonicalize_name(&minor, name.get(), &kNtlm, made.out()) == 0);
  return made;
}

using Exporter = OM_uint32 (*)(OM_uint32*, gss_name_t, gss_buffer_t);

std::string exported(const NameHandle& name, bool composite = false) {
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  const OM_uint32 major = composite ? gss_export_name_composite(&minor, name.get(), &out)
                                    : gss_export_name(&minor, name.get(), &out);
  REQUIRE(major == 0);
  return take(out);
}

OM_uint32 import_token(const std::string& token, gss_OID type, NameHandle& name) {
  gss_buffer_desc in = buffer_of(token);
  OM_uint32 minor = 0;
  NameHandle united;
  const OM_uint32 major = gss_import_name(&minor, &in, type, united.out());
  return GSS_ERROR(major) ? major : gss_canonicalize_name(&minor, united.get(), &kNtlm, name.out());
}

bool equal(const NameHandle& a, const NameHandle& b) {
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

Attribute attribute(const NameHandle& name, const std::string& which) {
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

std::vector<std::string> attributes_of(const NameHandle& name) {
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  OM_uint32 minor = 0;
  int is_mn = 0;
  REQUIRE(gss_inquire_name(&minor, name.get(), &is_mn, nullptr, &set) == 0);
  CHECK(is_mn == 1);
  std::vector<std::string> names;
  for (std::size_t i = 0; set != GSS_C_NO_BUFFER_SET && i < set->count; ++i) {
    names.emplace_back(static_cast<const char*>(set->elements[i].value), set->elements[i].length);
  }
  gss_release_buffer_set(&minor, &set);
  return names;
}

OM_uint32 set_attribute(const NameHandle& name, const std::string& which,
                        const std::string& value) {
  gss_buffer_desc in = buffer_of(which);
  gss_buffer_desc v = buffer_of(value);
  OM_uint32 minor = 0;
  return gss_set_name_attribute(&minor, name.get(), 1, &in, &v);
}

OM_uint32 delete_attribute(const NameHandle& name, const std::string& which) {
  gss_buffer_desc in = buffer_of(which);
  OM_uint32 minor = 0;
  return gss_delete_name_attribute(&minor, name.get(), &in);
}

std::string localname(const NameHandle& name) {
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  if (GSS_ERROR(gss_localname(&minor, name.get(), &kNtlm, &out))) {
    return {};
  }
  return take(out);
}

std::string own_account() {
  const passwd* entry = ::getpwuid(::getuid());
  REQUIRE(entry != nullptr);
  return entry->pw_name;
}

gss_OID display_type(const NameHandle& name) {
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  gss_OID type = GSS_C_NO_OID;
  OM_uint32 minor = 0;
  REQUIRE(gss_display_name(&minor, name.get(), &text, &type) == 0);
  gss_release_buffer(&minor, &text);
  return type;
}

// A local user by its number, in both forms.
std::vector<std::pair<gss_OID, std::string>> numbers_of(uid_t uid) {
  return {
      {GSS_C_NT_STRING_UID_NAME, std::to_string(uid)},
      {GSS_C_NT_MACHINE_UID_NAME, std::string(reinterpret_cast<const char*>(&uid), sizeof uid)}};
}

struct Runtime {
  Runtime(const char* variable, const char* value) : variable_(variable) {
    ::setenv(variable, value, 1);
  }
  ~Runtime() { ::unsetenv(variable_); }
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  const char* variable_;
};

}  // namespace

TEST_CASE("names: each form is displayed, compared and exported", "[spi][names]") {
  struct Row {
    const char* text;
    gss_OID type;
    const char* shown;
  };
  const Row rows[] = {
      {"alice", GSS_C_NT_USER_NAME, "alice"},
      {"CORP\\alice", GSS_C_NT_USER_NAME, "CORP\\alice"},
      {"alice@corp", GSS_C_NT_USER_NAME, "corp\\alice"},
      {"\\alice@corp.example", GSS_C_NT_USER_NAME, "\\alice@corp.example"},
      {"HTTP@www.example", GSS_C_NT_HOSTBASED_SERVICE, "HTTP@www.example"},
      {"HTTP/www.example", GSS_C_NT_HOSTBASED_SERVICE, "HTTP@www.example"},
      {"HTTP/www.example@REALM", &kPrincipalName, "HTTP@www.example"},
      {"alice", &kPrincipalName, "alice"},
      {"alice@REALM", &kPrincipalName, "alice@REALM"},
      {"\\alice@corp.example", &kPrincipalName, "\\alice@corp.example"},
      {"does/not/match@REALM", &kPrincipalName, "does/not/match@REALM"},
      {"a/b@c/d", &kPrincipalName, "a@b"},
      {"alice@c/d", &kPrincipalName, "alice@c/d"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const NameHandle name = canonical(row.text, row.type);
    CHECK(name.display() == row.shown);
    for (const bool composite : {false, true}) {
      const std::string token = exported(name, composite);
      CHECK(token.substr(0, 2) == (composite ? "\x04\x02" : "\x04\x01"));
      NameHandle back;
      REQUIRE(import_token(token, composite ? GSS_C_NT_COMPOSITE_EXPORT : GSS_C_NT_EXPORT_NAME,
                           back) == 0);
      // A plain one has the spelling that all equal names export.
      CHECK((!composite || back.display() == row.shown));
      CHECK(equal(name, back));
      CHECK(exported(back, composite) == token);
    }
    CHECK(equal(name, canonical(name.display(), display_type(name))));
  }
  CHECK(equal(canonical("CORP\\Alice", GSS_C_NT_USER_NAME),
              canonical("corp\\aLICE", GSS_C_NT_USER_NAME)));
  CHECK(exported(canonical("CORP\\Alice", GSS_C_NT_USER_NAME)) ==
        exported(canonical("aLICE@corp", GSS_C_NT_USER_NAME)));
  CHECK(exported(canonical("http@WWW.example", GSS_C_NT_HOSTBASED_SERVICE)) ==
        exported(canonical("HTTP/www.EXAMPLE", GSS_C_NT_HOSTBASED_SERVICE)));
  CHECK_FALSE(equal(canonical("\\alice@corp", GSS_C_NT_USER_NAME),
                    canonical("CORP\\alice", GSS_C_NT_USER_NAME)));
  CHECK(exported(canonical("\\alice@corp", GSS_C_NT_USER_NAME)) !=
        exported(canonical("CORP\\alice", GSS_C_NT_USER_NAME)));
  CHECK_FALSE(equal(canonical("CORP\\alice", GSS_C_NT_USER_NAME),
                    canonical("OTHER\\alice", GSS_C_NT_USER_NAME)));
  CHECK_FALSE(equal(canonical("alice", GSS_C_NT_USER_NAME),
                    canonical("alice", GSS_C_NT_HOSTBASED_SERVICE)));
}

namespace {

// What each side knows of the target of a login to `text`, imported as `type`.
struct Reached {
  std::string initiator;
  std::string acceptor;
};

Reached reach(const std::string& text, gss_OID type, gss_OID mech) {
  const NameHandle target(text, type);
  End initiator;
  End acceptor;
  OM_uint32 minor = 0;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  OM_uint32 major = GSS_S_CONTINUE_NEEDED;
  while (major == GSS_S_CONTINUE_NEEDED) {
    std::string input = take(token);
    gss_buffer_desc in = buffer_of(input);
    REQUIRE_FALSE(GSS_ERROR(gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &initiator.context,
                                                 target.get(), mech, GSS_C_INTEG_FLAG, 0, nullptr,
                                                 &in, nullptr, &token, nullptr, nullptr)));
    input = take(token);
    in = buffer_of(input);
    major =
        gss_accept_sec_context(&minor, &acceptor.context, GSS_C_NO_CREDENTIAL, &in, nullptr,
                               acceptor.source.out(), nullptr, &token, nullptr, nullptr, nullptr);
    REQUIRE_FALSE(GSS_ERROR(major));
  }
  gss_release_buffer(&minor, &token);
  NameHandle told;
  REQUIRE(gss_inquire_context(&minor, initiator.context, nullptr, told.out(), nullptr, nullptr,
                              nullptr, nullptr, nullptr) == 0);
  return {told.display(), attribute(acceptor.source, GSS_NTLM_ATTR_TARGET).value};
}

}  // namespace

TEST_CASE("names: a target without a type is a service where it has the form of one",
          "[spi][names]") {
  const Workshop workshop(kUsers);
  const gss_OID none = GSS_C_NO_OID;
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    const auto same = [&](const char* text, gss_OID type, const char* shown, const char* sent) {
      CAPTURE(text, mech == &kSpnego);
      const Reached reached = reach(text, type, mech);
      CHECK(reached.initiator == shown);
      CHECK(reached.acceptor == sent);
    };
    same("DNS/ns.example.com@REALM", none, "DNS@ns.example.com", "DNS/ns.example.com");
    same("DNS/ns.example.com@REALM", GSS_C_NT_USER_NAME, "DNS@ns.example.com",
         "DNS/ns.example.com");
    same("DNS/ns.example.com@REALM", &kPrincipalName, "DNS@ns.example.com", "DNS/ns.example.com");
    same("HTTP@h", none, "HTTP@h", "HTTP/h");
    same("HTTP/h", none, "HTTP@h", "HTTP/h");
    same("CORP\\alice", none, "CORP\\alice", "CORP\\alice");
  }
}

TEST_CASE("names: an acceptor's name without a type is a service's", "[spi][names]") {
  const Workshop workshop(kUsers);
  const NameHandle name("HTTP@h.example", GSS_C_NO_OID);
  gss_OID_set_desc mechs{1, &kNtlm};
  OM_uint32 minor = 0;
  CredHandle cred;
  REQUIRE(gss_acquire_cred(&minor, name.get(), 0, &mechs, GSS_C_ACCEPT, cred.out(), nullptr,
                           nullptr) == 0);
  NameHandle told;
  REQUIRE(gss_inquire_cred(&minor, cred.get(), told.out(), nullptr, nullptr, nullptr) == 0);
  CHECK(told.display() == "HTTP@h.example");
}

TEST_CASE("names: anonymous names never compare equal", "[spi][names]") {
  const NameHandle nobody = canonical("", GSS_C_NT_ANONYMOUS);
  CHECK_FALSE(equal(nobody, canonical("", GSS_C_NT_ANONYMOUS)));
  CHECK_FALSE(equal(nobody, canonical(nobody.display(), GSS_C_NT_USER_NAME)));
}

TEST_CASE("names: the number of a local user is no name of an account", "[spi][names]") {
  for (const uid_t uid : {uid_t{0}, ::getuid()}) {
    for (const auto& [type, text] : numbers_of(uid)) {
      const NameHandle number(text, type);
      NameHandle made;
      OM_uint32 minor = 0;
      CHECK(gss_canonicalize_name(&minor, number.get(), &kNtlm, made.out()) == GSS_S_BAD_NAMETYPE);
    }
  }
}

TEST_CASE("names: a user of Kerberos is no account of that name", "[spi][names]") {
  for (const char* text : {"alice", "alice@REALM"}) {
    CAPTURE(text);
    const NameHandle principal = canonical(text, &kPrincipalName);
    const NameHandle account = canonical(text, GSS_C_NT_USER_NAME);
    CHECK(equal(principal, canonical(text, &kPrincipalName)));
    CHECK_FALSE(equal(principal, account));
    CHECK(exported(principal) != exported(account));
  }
  // It selects one, though, where a credential is acquired.
  const Workshop workshop("REALM:alice:" + kPassword + "\n");
  const NameHandle principal = canonical("alice@REALM", &kPrincipalName);
  gss_OID_set_desc mechs = {1, &kNtlm};
  CredHandle cred;
  OM_uint32 minor = 0;
  REQUIRE(gss_acquire_cred(&minor, principal.get(), GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE,
                           cred.out(), nullptr, nullptr) == 0);
  NameHandle name;
  REQUIRE(gss_inquire_cred(&minor, cred.get(), name.out(), nullptr, nullptr, nullptr) == 0);
  CHECK(name.display() == "REALM\\alice");
  REQUIRE(gss_acquire_cred(&minor, principal.get(), GSS_C_INDEFINITE, &mechs, GSS_C_ACCEPT,
                           cred.out(), nullptr, nullptr) == 0);
  REQUIRE(gss_inquire_cred(&minor, cred.get(), name.out(), nullptr, nullptr, nullptr) == 0);
  CHECK(name.display() == "alice@REALM");
}

TEST_CASE("names: a damaged exported name is refused, or is another name", "[spi][names]") {
  const NameHandle name = canonical("CORP\\alice", GSS_C_NT_USER_NAME);
  for (const bool composite : {false, true}) {
    const std::string token = exported(name, composite);
    const gss_OID type = composite ? GSS_C_NT_COMPOSITE_EXPORT : GSS_C_NT_EXPORT_NAME;
    for (std::size_t size = 0; size < token.size(); ++size) {
      NameHandle back;
      CHECK(GSS_ERROR(import_token(token.substr(0, size), type, back)));
    }
    NameHandle longer;
    CHECK(GSS_ERROR(import_token(token + "x", type, longer)));
    for (std::size_t bit = 0; bit < 8 * token.size(); ++bit) {
      std::string flipped = token;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      NameHandle back;
      if (!GSS_ERROR(import_token(flipped, type, back))) {
        CHECK(exported(back, composite) != token);
        (void)back.display();
      }
    }
  }
}

namespace {

// "1" where the initiator sent a MIC: under a SPNEGO that cannot carry what follows from it, none.
std::string mic_sent(const End& initiator, gss_const_OID mech) {
  if (mech == &kNtlm) {
    return "1";
  }
  gss_OID_desc which{GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_SPNEGO_REQUIRE_MIC_OID_BYTES)};
  OM_uint32 minor = 0;
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  REQUIRE(gss_inquire_sec_context_by_oid(&minor, initiator.context, &which, &set) == 0);
  REQUIRE(set->count == 1);
  const bool sent = *static_cast<const char*>(set->elements[0].value) == 1;
  gss_release_buffer_set(&minor, &set);
  return sent ? "1" : "0";
}

}  // namespace

TEST_CASE("attributes: what the logon proved, through context and name export", "[spi][names]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const bool moved : {false, true}) {
      Exchange x;
      x.mech = mech;
      x.initiator_bindings = x.acceptor_bindings = "tls";
      End i;
      End a;
      REQUIRE(run(x, i, a));
      const std::string mic = mic_sent(i, mech);
      NameHandle user = std::move(a.source);
      OM_uint32 minor = 0;
      if (moved) {
        gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
        REQUIRE(gss_export_sec_context(&minor, &a.context, &token) == 0);
        REQUIRE(gss_import_sec_context(&minor, &token, &a.context) == 0);
        gss_release_buffer(&minor, &token);
        NameHandle again;
        REQUIRE(gss_inquire_context(&minor, a.context, again.out(), nullptr, nullptr, nullptr,
                                    nullptr, nullptr, nullptr) == 0);
        user = std::move(again);
      }
      const std::pair<const char*, std::string> expected[] = {
          {GSS_NTLM_ATTR_USER, "alice"},
          {GSS_NTLM_ATTR_DOMAIN, "CORP"},
          {GSS_NTLM_ATTR_VERSION, "NTLMv2"},
          {GSS_NTLM_ATTR_MIC, mic},
          {GSS_NTLM_ATTR_CHANNEL_BOUND, mic},
          {GSS_NTLM_ATTR_KEY_BITS, "128"},
          {GSS_NTLM_ATTR_TARGET, mic == "1" ? "HTTP/server.example" : ""},
      };
      const std::vector<std::string> listed = attributes_of(user);
      for (const auto& [which, value] : expected) {
        CAPTURE(which);
        const Attribute found = attribute(user, which);
        CHECK(found.major == 0);
        CHECK(found.value == value);
        CHECK(found.display == value);
        CHECK(found.authenticated == 1);
        CHECK(found.complete == 1);
        CHECK(std::count(listed.begin(), listed.end(), which) == 1);
        CHECK(set_attribute(user, which, "forged") == GSS_S_UNAUTHORIZED);
        CHECK(delete_attribute(user, which) == GSS_S_UNAUTHORIZED);
      }
      // The client chooses it freely.
      CHECK_FALSE(attribute(user, GSS_NTLM_ATTR_WORKSTATION).value.empty());
      CHECK(attribute(user, GSS_NTLM_ATTR_WORKSTATION).authenticated == 0);
      CHECK(set_attribute(user, GSS_NTLM_ATTR_WORKSTATION, "forged") == GSS_S_UNAUTHORIZED);
      CHECK(delete_attribute(user, GSS_NTLM_ATTR_WORKSTATION) == GSS_S_UNAUTHORIZED);
      // A composite name carries them, but the maker of the token may have made them up.
      NameHandle copy;
      REQUIRE(import_token(exported(user, true), GSS_C_NT_COMPOSITE_EXPORT, copy) == 0);
      CHECK(attribute(copy, GSS_NTLM_ATTR_USER).value == "alice");
      CHECK(attribute(copy, GSS_NTLM_ATTR_USER).authenticated == 0);
      // A plain one carries none. SPNEGO's own form of a name is the library's business.
      if (mech == &kNtlm) {
        NameHandle plain;
        REQUIRE(import_token(exported(user), GSS_C_NT_EXPORT_NAME, plain) == 0);
        CHECK(attributes_of(plain).empty());
      }
    }
  }
}

TEST_CASE("attributes: a name's holder adds, changes and deletes its own, in one handle alone",
          "[spi][names]") {
  const NameHandle name = canonical("CORP\\alice", GSS_C_NT_USER_NAME);
  NameHandle other;
  OM_uint32 minor = 0;
  REQUIRE(gss_duplicate_name(&minor, name.get(), other.out()) == 0);
  CHECK(attributes_of(name).empty());
  CHECK(attribute(name, "mail").major == GSS_S_UNAVAILABLE);
  REQUIRE(set_attribute(name, "mail", "alice@corp.example") == 0);
  REQUIRE(set_attribute(name, "mail", std::string("\0\xff", 2)) == 0);
  CHECK(attribute(name, "mail").value == std::string("\0\xff", 2));
  CHECK(attribute(name, "mail").authenticated == 0);
  CHECK(attributes_of(name) == std::vector<std::string>{"mail"});
  CHECK(attribute(other, "mail").major == GSS_S_UNAVAILABLE);
  for (const char* computed :
       {"local-login-user", GSS_NTLM_ATTR_USER, GSS_NTLM_ATTR_DOMAIN, GSS_NTLM_ATTR_WORKSTATION,
        GSS_NTLM_ATTR_TARGET, GSS_NTLM_ATTR_VERSION, GSS_NTLM_ATTR_MIC, GSS_NTLM_ATTR_CHANNEL_BOUND,
        GSS_NTLM_ATTR_KEY_BITS}) {
    CAPTURE(computed);
    CHECK(set_attribute(name, computed, "root") == GSS_S_UNAUTHORIZED);
    CHECK(delete_attribute(name, computed) == GSS_S_UNAUTHORIZED);
  }
  CHECK(GSS_ERROR(set_attribute(name, std::string(2000, 'n'), "v")));
  CHECK(delete_attribute(name, "mail") == 0);
  CHECK(delete_attribute(name, "mail") == GSS_S_UNAVAILABLE);
  CHECK(attributes_of(name).empty());
  int i = 0;
  while (set_attribute(name, "n" + std::to_string(i), "v") == 0) {
    REQUIRE(++i < 10000);
  }
}

namespace {

// The source of a login that this process proved; `line` is the users file.
NameHandle logged_in(const std::string& line, const std::string& user, gss_OID mech = &kNtlm,
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

bool maps_to(const NameHandle& name, const std::string& account) {
  OM_uint32 minor = 0;
  const NameHandle own(account, GSS_C_NT_USER_NAME);
  const bool by_name = localname(name) == account;
  CHECK((attribute(name, "local-login-user").major == 0) == by_name);
  CHECK((gss_authorize_localname(&minor, name.get(), own.get()) == 0) == by_name);
  CHECK((gss_userok(name.get(), account.c_str()) == 1) == by_name);
  return by_name;
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
    CHECK(gss_userok(name.get(), "nobody-of-this-name") == 0);
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

namespace {

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

namespace {

std::string le32_text(std::size_t v) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) {
    text.push_back(static_cast<char>(v >> shift & 0xFF));
  }
  return text;
}

// As an exported token writes an attribute.
std::string attribute_text(const std::string& name, const std::string& value, bool authenticated) {
  return le32_text(name.size()) + name + le32_text(value.size()) + value +
         (authenticated ? '\1' : '\0');
}

// The token with `text` for its last `old`, and the checksum that belongs to that.
std::string forged(std::string token, const std::string& old, const std::string& text) {
  const std::size_t at = token.rfind(old);
  REQUIRE(at != std::string::npos);
  token.replace(at, old.size(), text);
  const std::size_t start = token.rfind("ntlm-c");
  REQUIRE(start != std::string::npos);
  const std::size_t end = token.size() - 4;
  const std::uint32_t sum = crc32(as_bytes(std::string_view(token).substr(start, end - start)));
  return token.replace(end, 4, le32_text(sum));
}

// The source of the context behind a token; empty if it is not imported.
NameHandle imported_source(const std::string& token) {
  gss_buffer_desc in = buffer_of(token);
  OM_uint32 minor = 0;
  End end;
  NameHandle source;
  if (gss_import_sec_context(&minor, &in, &end.context) == 0) {
    REQUIRE(gss_inquire_context(&minor, end.context, source.out(), nullptr, nullptr, nullptr,
                                nullptr, nullptr, nullptr) == 0);
  }
  return source;
}

// The name of the credential behind a token; empty if it is not imported.
NameHandle imported_owner(const std::string& token) {
  gss_buffer_desc in = buffer_of(token);
  OM_uint32 minor = 0;
  CredHandle cred;
  NameHandle owner;
  if (gss_import_cred(&minor, &in, cred.out()) == 0) {
    REQUIRE(gss_inquire_cred(&minor, cred.get(), owner.out(), nullptr, nullptr, nullptr) == 0);
  }
  return owner;
}

}  // namespace

TEST_CASE("localname: a context's token that names the local user is not believed",
          "[spi][names]") {
  const std::string mic = attribute_text(GSS_NTLM_ATTR_MIC, "1", true);
  const std::string login = attribute_text("local-login-user", "root", true);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    End end;
    const NameHandle user = logged_in("CORP:alice:" + kPassword + "\n", "CORP\\alice", mech, &end);
    const Workshop workshop(kUsers, kOurs);
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    REQUIRE(gss_export_sec_context(&minor, &end.context, &out) == 0);
    const std::string token = take(out);
    const bool sent = token.find(mic) != std::string::npos;
    const std::string old = sent ? mic : attribute_text(GSS_NTLM_ATTR_MIC, "0", true);
    CHECK(imported_source(forged(token, old, login)).get() == nullptr);
    // What no export writes: an attribute twice, another user than the name's, a workstation that
    // was proven.
    const std::string bound = attribute_text(GSS_NTLM_ATTR_KEY_BITS, "128", true);
    CHECK(imported_source(forged(token, bound, old)).get() == nullptr);
    for (const auto& [part, other] :
         {std::pair(GSS_NTLM_ATTR_USER, "alice"), std::pair(GSS_NTLM_ATTR_DOMAIN, "CORP")}) {
      const std::string honest = attribute_text(part, other, true);
      CHECK(imported_source(forged(token, honest, attribute_text(part, "root", true))).get() ==
            nullptr);
    }
    const std::string station = attribute_text(
        GSS_NTLM_ATTR_WORKSTATION, attribute(user, GSS_NTLM_ATTR_WORKSTATION).value, false);
    std::string proven = station;
    proven.back() = 1;
    CHECK(imported_source(forged(token, station, proven)).get() == nullptr);
    // Last: a token that was imported once is no longer imported, whatever it says.
    const NameHandle source = imported_source(token);
    REQUIRE(source.get() != nullptr);
    CHECK(attribute(source, "local-login-user").major == GSS_S_UNAUTHORIZED);
  }
}

TEST_CASE("attributes: in an initiator's token none is authenticated", "[spi][names]") {
  const Workshop workshop(kUsers);
  const std::string none(2, '\0');
  const std::pair<std::string, std::string> names[] = {
      {'\1' + le32_text(5) + "alice" + le32_text(4) + "CORP", "source"},
      {'\2' + le32_text(4) + "HTTP" + le32_text(14) + "server.example", "target"}};
  for (const auto& [name, which] : names) {
    for (const bool authenticated : {false, true}) {
      CAPTURE(which, authenticated);
      // Of its own: a context is imported once.
      Exchange x;
      End i;
      End a;
      REQUIRE(run(x, i, a));
      gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
      OM_uint32 minor = 0;
      REQUIRE(gss_export_sec_context(&minor, &i.context, &out) == 0);
      const std::string token = take(out);
      const std::string one = std::string("\1\0", 2) + attribute_text("sid", "y", authenticated);
      const std::string edited = forged(token, name + none, name + one);
      CHECK((imported_source(edited).get() != nullptr) == !authenticated);
    }
  }
}

TEST_CASE("localname: a credential's token that names the local user is not believed",
          "[spi][names]") {
  End end;
  const NameHandle proven =
      logged_in("CORP:alice:" + kPassword + "\n", "CORP\\alice", &kNtlm, &end);
  const Workshop workshop(kUsers, kOurs);
  // As long as the forged one, so that no length changes.
  REQUIRE(set_attribute(proven, "local-login-xxxx", "root") == 0);
  gss_OID_set_desc mechs = {1, &kNtlm};
  CredHandle cred;
  OM_uint32 minor = 0;
  REQUIRE(gss_acquire_cred(&minor, proven.get(), GSS_C_INDEFINITE, &mechs, GSS_C_ACCEPT, cred.out(),
                           nullptr, nullptr) == 0);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_export_cred(&minor, cred.get(), &out) == 0);
  const std::string token = take(out);
  // What a logon proved is not proven by a token.
  const NameHandle owner = imported_owner(token);
  REQUIRE(owner.get() != nullptr);
  CHECK(attribute(owner, GSS_NTLM_ATTR_USER).value == "alice");
  CHECK(attribute(owner, GSS_NTLM_ATTR_USER).authenticated == 0);
  CHECK(attribute(owner, "local-login-user").major == GSS_S_UNAUTHORIZED);
  const std::string old = attribute_text("local-login-xxxx", "root", false);
  for (const bool authenticated : {false, true}) {
    CAPTURE(authenticated);
    const std::string login = attribute_text("local-login-user", "root", authenticated);
    CHECK(imported_owner(forged(token, old, login)).get() == nullptr);
  }
  const std::string honest = attribute_text(GSS_NTLM_ATTR_USER, "alice", false);
  CHECK(imported_owner(forged(token, honest, attribute_text(GSS_NTLM_ATTR_USER, "alice", true)))
            .get() == nullptr);
}

TEST_CASE("localname: a composite name's token that names the local user is not believed",
          "[spi][names]") {
  const Workshop workshop(kUsers, kOurs);
  const NameHandle name = canonical("root", GSS_C_NT_USER_NAME);
  // As long as the forged one, so that no length changes.
  REQUIRE(set_attribute(name, "local-login-xxxx", "root") == 0);
  std::string token = exported(name, true);
  const std::string login = attribute_text("local-login-user", "root", true);
  token.replace(token.size() - login.size(), login.size(), login);
  NameHandle moved;
  CHECK(GSS_ERROR(import_token(token, GSS_C_NT_COMPOSITE_EXPORT, moved)));
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
