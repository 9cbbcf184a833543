// The detail of an error (file, mode, setting) and the calls that the mechglue makes between the
// failure and gss_display_status.
#include <string>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:secret\n";

bool names(const Outcome& outcome, const std::string& detail) {
  const std::string text = outcome.text();
  UNSCOPED_INFO(text);
  return text.find(detail) != std::string::npos;
}

// A failure whose detail is the path of a users file that others may read.
Outcome fail_with_path(const std::string& path) {
  CredHandle cred;
  const Outcome outcome =
      acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\alice", {{GSS_NTLM_CS_KEYFILE, path}}, cred);
  REQUIRE_FALSE(outcome.ok());
  return outcome;
}

TEST_CASE("detail: an acquisition with a name tells the file and its mode", "[detail]") {
  const Workshop workshop(kUsers);
  const std::string path = workshop.write("open", kUsers, 0644);
  const Outcome outcome = fail_with_path(path);
  CHECK(names(outcome, path));
  CHECK(names(outcome, "644"));
}

TEST_CASE("detail: a failing gss_init_sec_context tells the file", "[detail]") {
  const Workshop workshop(kUsers);
  const std::string path = workshop.write("open", kUsers, 0644);
  ::setenv("NTLM_USER_FILE", path.c_str(), 1);
  Exchange x;
  End end;
  init_step(x, end, "");
  CHECK_FALSE(end.last.ok());
  CHECK(names(end.last, path));
}

TEST_CASE("detail: a failing gss_init_sec_context tells the setting", "[detail]") {
  const Workshop workshop(kUsers, "[policy]\nmin_key_bits = 57\n");
  Exchange x;
  End end;
  init_step(x, end, "");
  CHECK_FALSE(end.last.ok());
  CHECK(names(end.last, "min_key_bits"));
}

TEST_CASE("detail: calls that succeed leave it alone", "[detail]") {
  const Workshop workshop(kUsers);
  const std::string path = workshop.write("open", kUsers, 0644);
  End initiator;
  End acceptor;
  const Exchange x;
  REQUIRE(run(x, initiator, acceptor));
  const Outcome failed = fail_with_path(path);
  OM_uint32 minor = 0;
  {
    const NameHandle name("CORP\\alice", GSS_C_NT_USER_NAME);
    NameHandle canonical;
    REQUIRE(gss_canonicalize_name(&minor, name.get(), &kNtlm, canonical.out()) == GSS_S_COMPLETE);
    int equal = 0;
    REQUIRE(gss_compare_name(&minor, canonical.get(), canonical.get(), &equal) == GSS_S_COMPLETE);
    REQUIRE(canonical.display() == "CORP\\alice");
  }
  CHECK(names(failed, path));
  gss_OID_set set = GSS_C_NO_OID_SET;
  REQUIRE(gss_inquire_names_for_mech(&minor, &kNtlm, &set) == GSS_S_COMPLETE);
  gss_release_oid_set(&minor, &set);
  std::string mic;
  REQUIRE(get_mic(initiator, "m", mic).ok());
  REQUIRE(verify_mic(acceptor, "m", mic).ok());
  CHECK(names(failed, path));
  // A whole handshake, and a credential.
  End other;
  End peer;
  REQUIRE(run(x, other, peer));
  CredHandle cred;
  REQUIRE(acquire(GSS_C_BOTH, &kNtlm, cred).ok());
  CHECK(names(failed, path));
}

TEST_CASE("detail: a call that fails replaces it, also one that has none", "[detail]") {
  const Workshop workshop(kUsers);
  const std::string first = workshop.write("first", kUsers, 0644);
  const std::string second = workshop.write("second", kUsers, 0644);
  const Outcome one = fail_with_path(first);
  const Outcome two = fail_with_path(second);
  CHECK(one.minor == two.minor);
  CHECK(names(two, second));
  CHECK_FALSE(names(two, first));
  End end;
  std::string mic;
  End initiator;
  End acceptor;
  REQUIRE(run(Exchange(), initiator, acceptor));
  REQUIRE(verify_mic(acceptor, "m", std::string(16, '\1')).major == GSS_S_BAD_SIG);
  CHECK_FALSE(names(two, second));
}

TEST_CASE("detail: a source that failed on the way to success leaves none", "[detail]") {
  const Workshop workshop(kUsers);
  const std::string path = workshop.write("open", kUsers, 0644);
  const Outcome failed = fail_with_path(path);
  // The default account of the sources that settings name.
  CredHandle cred;
  REQUIRE(acquire(GSS_C_INITIATE, &kNtlm, cred).ok());
  CHECK(names(failed, path));
  CHECK_FALSE(names(Outcome{GSS_S_FAILURE, 0}, path));
}

// Through both usages: an acceptor's lack of accounts is another problem.
TEST_CASE("detail: a value of the credential store that cannot be used is named", "[detail]") {
  const Workshop workshop("");
  using Values = std::initializer_list<std::pair<const char*, std::string>>;
  const std::string hash = "8846F7EAEE8FB117AD06BDD830B7586C";
  const auto is_named = [&](Values values, const char* text) {
    for (const gss_cred_usage_t usage : {GSS_C_INITIATE, GSS_C_BOTH}) {
      CAPTURE(text, usage);
      CredHandle cred;
      const Outcome outcome = acquire_from(usage, &kNtlm, "CORP\\alice", values, cred);
      CHECK(outcome.major == GSS_S_DEFECTIVE_CREDENTIAL);
      CHECK(outcome.minor == GSS_NTLM_S_BAD_STORE_VALUE);
      CHECK(names(outcome, text));
      CHECK(names(outcome, "credential store"));
      CHECK_FALSE(names(outcome, hash.substr(1)));
    }
  };
  is_named({{GSS_NTLM_CS_NTHASH, hash.substr(1)}}, "ntlmssp_nthash has 31 characters");
  is_named({{GSS_NTLM_CS_NTHASH, ""}}, "ntlmssp_nthash has 0 characters");
  is_named({{GSS_NTLM_CS_PASSWORD_UTF16LE, "6"}}, "ntlmssp_password_utf16le");
  is_named({{GSS_NTLM_CS_NTHASH, hash}, {GSS_NTLM_CS_PASSWORD, "x"}},
           "more than one password or hash");
  is_named({{GSS_NTLM_CS_KEYRING, "nowhere"}}, "ntlmssp_keyring=nowhere");
}

TEST_CASE("detail: a secret without its user is told so", "[detail]") {
  const Workshop workshop("CORP:alice:secret\nCORP:bob:secret\n");
  ::unsetenv("NTLMUSER");
  const std::string hash = "8846F7EAEE8FB117AD06BDD830B7586C";
  for (const char* key : {GSS_NTLM_CS_PASSWORD, GSS_NTLM_CS_NTHASH, GSS_NTLM_CS_PASSWORD_UTF16LE}) {
    for (const gss_cred_usage_t usage : {GSS_C_INITIATE, GSS_C_BOTH}) {
      CAPTURE(key, usage);
      CredHandle cred;
      const Outcome outcome = acquire_from(usage, &kNtlm, "", {{key, hash}}, cred);
      CHECK(outcome.major == GSS_S_BAD_NAME);
      CHECK(outcome.minor == GSS_NTLM_S_NO_USER_NAME);
      CHECK(names(outcome, "without the user"));
    }
  }
  const NameHandle service("HTTP@server.example", GSS_C_NT_HOSTBASED_SERVICE);
  std::string secret = "secret";
  gss_buffer_desc password = buffer_of(secret);
  gss_OID_set_desc mechs{1, &kNtlm};
  CredHandle cred;
  Outcome outcome;
  outcome.major =
      gss_acquire_cred_with_password(&outcome.minor, service.get(), &password, 0, &mechs,
                                     GSS_C_INITIATE, cred.out(), nullptr, nullptr);
  CHECK(outcome.major == GSS_S_BAD_NAME);
  CHECK(names(outcome, "HTTP@server.example is no user"));
}

// As mod_auth_gssapi asks for it (GssapiLocalName On): with the mechanism, then without. When
// gss_localname fails, the mechglue asks for the attribute, whose error is the one that is shown.
TEST_CASE("detail: an account without a local user is told so, whatever is asked", "[detail]") {
  const Workshop workshop("EVIL:no-such-user-here:secret\n");
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    Exchange x;
    x.mech = mech;
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    for (gss_OID asked : {&kNtlm, mech, static_cast<gss_OID>(GSS_C_NO_OID)}) {
      CAPTURE(mech == &kSpnego, asked == &kSpnego, asked == GSS_C_NO_OID);
      gss_buffer_desc user = GSS_C_EMPTY_BUFFER;
      Outcome outcome;
      outcome.major = gss_localname(&outcome.minor, acceptor.source.get(), asked, &user);
      CHECK_FALSE(outcome.ok());
      CHECK(names(outcome, "this system has no local user"));
      if (mech == asked || asked == GSS_C_NO_OID) {
        CHECK(names(outcome, "this system has no user for EVIL\\no-such-user-here"));
      }
    }
  }
}

}  // namespace
}  // namespace gssntlm::test
