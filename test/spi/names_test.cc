// Names: forms, comparison and export.
#include <cstring>

#include "test/spi/names.h"

namespace gssntlm::test {
namespace {

gss_OID display_type(const NameHandle& name) {
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  gss_OID type = GSS_C_NO_OID;
  OM_uint32 minor = 0;
  REQUIRE(gss_display_name(&minor, name.get(), &text, &type) == 0);
  gss_release_buffer(&minor, &text);
  return type;
}

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

TEST_CASE("names: a target without a type is a service where it has the form of one",
          "[spi][names]") {
  const Workshop workshop(kUsers);
  const gss_OID none = GSS_C_NO_OID;
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    Exchange x;
    x.mech = mech;
    // The acceptor has no name for a target that no MIC covers.
    const bool named = mech == &kNtlm || carries_mic(x);
    const auto same = [&](const char* text, gss_OID type, const char* shown, const char* sent) {
      CAPTURE(text, mech == &kSpnego);
      const Reached reached = reach(text, type, mech);
      CHECK(reached.initiator == shown);
      CHECK(reached.acceptor == (named ? sent : ""));
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

}  // namespace gssntlm::test
