// Hashes in place of a password, alone and as the pair `lm:nt`.
#include <string>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

// Of "Password" [MS-NLMP] 4.2.2.1.
const std::string kNt = "a4f49c406510bdcab6824ee7c30fd852";
const std::string kLm = "e52cac67419a9a224a3b108f3fa6cb6d";
const std::string kNoLm = "aad3b435b51404eeaad3b435b51404ee";
constexpr const char* kUsers = "CORP:alice:Password\n";

Outcome acquire_hash(const std::string& text, CredHandle& cred) {
  return acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\alice", {{GSS_NTLM_CS_NTHASH, text}}, cred);
}

TEST_CASE("hash pair: lm:nt is taken where a hash is taken", "[hash_pair]") {
  const Workshop workshop(kUsers);
  for (const std::string& text :
       {kNt, kLm + ":" + kNt, kNoLm + ":" + kNt, ":" + kNt,
        std::string("E52CAC67419A9A224A3B108F3FA6CB6D:A4F49C406510BDCAB6824EE7C30FD852")}) {
    CAPTURE(text);
    CredHandle cred;
    REQUIRE(acquire_hash(text, cred).ok());
    Exchange x;
    x.initiator_cred = cred.get();
    End initiator;
    End acceptor;
    CHECK(run(x, initiator, acceptor));
  }
}

TEST_CASE("hash pair: what is none is an error that shows both forms", "[hash_pair]") {
  const Workshop workshop(kUsers);
  for (const std::string& text :
       {std::string(), std::string(":"), kNt.substr(1), kNt + "0", kNt + ":", kLm + ":" + kNt + ":",
        "x:" + kNt, kLm.substr(2) + ":" + kNt, kLm + "::" + kNt, kLm + ": " + kNt, kLm + kNt,
        kLm + ":" + kNt.substr(2)}) {
    CAPTURE(text);
    CredHandle cred;
    const Outcome outcome = acquire_hash(text, cred);
    CHECK(outcome.major == GSS_S_DEFECTIVE_CREDENTIAL);
    CHECK(outcome.text().find("ntlmssp_nthash") != std::string::npos);
    CHECK(outcome.text().find("lm:nt") != std::string::npos);
    CHECK(outcome.minor == GSS_NTLM_S_BAD_STORE_VALUE);
    CHECK(outcome.text().find(std::to_string(text.size()) + " characters") != std::string::npos);
  }
}

}  // namespace
}  // namespace gssntlm::test
