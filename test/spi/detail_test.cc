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

}  // namespace
}  // namespace gssntlm::test
