// The calls of pidgin-sipe [MS-SIPAE]: texts with their terminator counted, a connectionless
// context, and the sequence number 100 under every signature.
#include <algorithm>
#include <string>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/connectionless.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";
constexpr const char* kAllowed = "[policy]\nallow_connectionless = yes\n";
constexpr std::uint32_t kSipeNumber = 100;

std::string counted(const std::string& text) {
  return {text.c_str(), text.size() + 1};
}

bool logs_in(gss_cred_id_t cred) {
  Exchange x;
  x.initiator_cred = cred;
  End initiator;
  End acceptor;
  return run(x, initiator, acceptor) && acceptor.source.display() == "CORP\\alice";
}

struct Sipe {
  Sipe() {
    REQUIRE(acquire_password(counted("CORP\\alice"), counted("Passw0rd-alice"), &kNtlm, cred).ok());
    x.initiator_cred = cred.get();
    x.target = counted("sip@server.example");
    x.flags = GSS_C_INTEG_FLAG | GSS_NTLM_DATAGRAM_FLAG;
    CHECK(init_step(x, client, "").empty());
    const std::string challenge = accept_step(x, server, framed_nothing());
    accept_step(x, server, init_step(x, client, challenge));
    INFO(server.last.text());
    REQUIRE(server.last.major == GSS_S_COMPLETE);
  }
  CredHandle cred;
  Exchange x;
  End client;
  End server;
};

TEST_CASE("sipe: a NUL counted at the end of a password is no part of it", "[sipe]") {
  const Workshop workshop(kUsers);
  CredHandle cred;
  REQUIRE(acquire_password(counted("CORP\\alice"), counted("Passw0rd-alice"), &kNtlm, cred).ok());
  CHECK(logs_in(cred.get()));
  // One of them: a second is a character of another password.
  REQUIRE(acquire_password("CORP\\alice", counted(counted("Passw0rd-alice")), &kNtlm, cred).ok());
  CHECK_FALSE(logs_in(cred.get()));
}

TEST_CASE("sipe: a NUL counted at the end of a raw password is no part of it", "[sipe]") {
  const Workshop workshop("CORP:alice:ab\n");
  for (const auto& [digits, right] :
       {std::pair{"61006200", true}, {"610062000000", true}, {"6100620000000000", false}}) {
    CAPTURE(digits);
    CredHandle cred;
    REQUIRE(acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\alice",
                         {{GSS_NTLM_CS_PASSWORD_UTF16LE, digits}}, cred)
                .ok());
    CHECK(logs_in(cred.get()) == right);
  }
}

TEST_CASE("sipe: a NUL counted at the end of other texts is no part of them", "[sipe]") {
  OM_uint32 minor = 0;
  std::string sasl = counted("GS2-NTLM");
  gss_buffer_desc text = {sasl.size(), sasl.data()};
  gss_OID mech = GSS_C_NO_OID;
  CHECK(gss_inquire_mech_for_saslname(&minor, &text, &mech) == GSS_S_COMPLETE);
  for (gss_OID type : {GSS_C_NT_USER_NAME, GSS_C_NT_HOSTBASED_SERVICE, gss_OID{GSS_C_NO_OID}}) {
    const NameHandle plain("name@place", type);
    const NameHandle with_nul(counted("name@place"), type);
    NameHandle a;
    NameHandle b;
    REQUIRE(gss_canonicalize_name(&minor, plain.get(), &kNtlm, a.out()) == GSS_S_COMPLETE);
    REQUIRE(gss_canonicalize_name(&minor, with_nul.get(), &kNtlm, b.out()) == GSS_S_COMPLETE);
    CHECK(a.display() == b.display());
  }
}

TEST_CASE("sipe: a number that was set once holds for every signature", "[sipe]") {
  const Workshop workshop(kUsers, kAllowed);
  Sipe sipe;
  REQUIRE(set_sequence(sipe.client, kSipeNumber).ok());
  REQUIRE(set_sequence(sipe.server, kSipeNumber).ok());
  const std::string number("\x64\0\0\0", 4);
  for (int i = 0; i < 5; ++i) {
    const std::string text = "REGISTER " + std::to_string(i);
    std::string mic;
    REQUIRE(get_mic(sipe.client, text, mic).ok());
    CHECK(mic.substr(12) == number);
    CHECK(verify_mic(sipe.server, text, mic).major == GSS_S_COMPLETE);
    REQUIRE(get_mic(sipe.server, text, mic).ok());
    CHECK(mic.substr(12) == number);
    CHECK(verify_mic(sipe.client, text, mic).major == GSS_S_COMPLETE);
    CHECK(verify_mic(sipe.client, text + ".", mic).major == GSS_S_BAD_SIG);
  }
  // Until it is set again.
  std::string mic;
  REQUIRE(set_sequence(sipe.client, 101).ok());
  REQUIRE(get_mic(sipe.client, "m", mic).ok());
  CHECK(verify_mic(sipe.server, "m", mic).minor == GSS_NTLM_S_SEQUENCE);
  REQUIRE(set_sequence(sipe.server, 101).ok());
  CHECK(verify_mic(sipe.server, "m", mic).major == GSS_S_COMPLETE);
}

TEST_CASE("sipe: a sealed message under a number that was used is an error that says why",
          "[sipe]") {
  const Workshop workshop(kUsers, kAllowed);
  Sipe sipe;
  REQUIRE(set_sequence(sipe.client, kSipeNumber).ok());
  std::string token;
  REQUIRE(get_mic(sipe.client, "signed", token).ok());
  for (const std::uint32_t number : {kSipeNumber, kSipeNumber - 1}) {
    REQUIRE(set_sequence(sipe.client, number).ok());
    const Outcome used = wrap(sipe.client, "sealed", token);
    CHECK(used.major == GSS_S_FAILURE);
    CHECK(used.minor == GSS_NTLM_S_SEQUENCE_USED);
    CHECK(used.text().find("key stream") != std::string::npos);
    CHECK(token.empty());
  }
  REQUIRE(set_sequence(sipe.client, kSipeNumber + 1).ok());
  REQUIRE(wrap(sipe.client, "sealed", token).ok());
  std::string text;
  CHECK(unwrap(sipe.server, token, text).ok());
  CHECK(text == "sealed");
  CHECK(wrap(sipe.client, "sealed", token).minor == GSS_NTLM_S_SEQUENCE_USED);
}

TEST_CASE("sipe: the number and its use move with an exported context", "[sipe]") {
  const Workshop workshop(kUsers, kAllowed);
  Sipe sipe;
  REQUIRE(set_sequence(sipe.client, kSipeNumber).ok());
  std::string mic;
  REQUIRE(get_mic(sipe.client, "m", mic).ok());
  OM_uint32 minor = 0;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_export_sec_context(&minor, &sipe.client.context, &token) == GSS_S_COMPLETE);
  REQUIRE(gss_import_sec_context(&minor, &token, &sipe.client.context) == GSS_S_COMPLETE);
  gss_release_buffer(&minor, &token);
  std::string again;
  REQUIRE(get_mic(sipe.client, "m", again).ok());
  CHECK(again == mic);
  CHECK(wrap(sipe.client, "m", again).minor == GSS_NTLM_S_SEQUENCE_USED);
}

}  // namespace
}  // namespace gssntlm::test
