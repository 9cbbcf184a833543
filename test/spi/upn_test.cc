// Names in the messages of a login: a UPN travels whole.
#include <cstdlib>

#include "mech/base/text.h"
#include "mech/wire/authenticate.h"
#include "test/spi/handshake.h"

namespace gssntlm::test {
namespace {

// The names in the AUTHENTICATE of a login that the acceptor accepts, as `domain\user`.
std::string names_sent(gss_OID mech, gss_cred_id_t cred) {
  Exchange x;
  x.mech = mech;
  x.initiator_cred = cred;
  End initiator;
  End acceptor;
  std::string sent;
  std::string token;
  do {
    token = init_step(x, initiator, token);
    REQUIRE(initiator.last.ok());
    const std::size_t at = token.find(std::string("NTLMSSP\0\3", 9));
    if (at != std::string::npos) {
      const std::string inner = token.substr(at);
      const Result<AuthenticateMessage> message =
          decode_authenticate({reinterpret_cast<const std::uint8_t*>(inner.data()), inner.size()});
      REQUIRE(message);
      sent = *utf8_from_utf16le(message->domain) + "\\" + *utf8_from_utf16le(message->user);
    }
    token = accept_step(x, acceptor, token);
    REQUIRE(acceptor.last.ok());
  } while (acceptor.last.major != GSS_S_COMPLETE);
  return sent;
}

}  // namespace

TEST_CASE("names: a UPN travels whole, with an empty domain", "[spi]") {
  const Workshop workshop("corp.example:alice:secret\n:carol@corp.example:secret\nerin:1001:" +
                          std::string(32, 'X') + ":8846F7EAEE8FB117AD06BDD830B7586C:[U]:LCT-0:\n");
  const struct {
    const char* user;
    const char* password;
    const char* sent;
  } rows[] = {{"alice@corp.example", "secret", "\\alice@corp.example"},
              {"carol@corp.example", "secret", "\\carol@corp.example"},
              {"\\carol@corp.example", "secret", "\\carol@corp.example"},
              {"erin@corp.example", "password", "\\erin@corp.example"},
              {"corp.example\\alice", "secret", "corp.example\\alice"},
              {".\\alice", "secret", "\\alice"},
              {"alice", "secret", "\\alice"}};
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const auto& row : rows) {
      CAPTURE(mech == &kSpnego, row.user);
      CredHandle cred;
      REQUIRE(acquire_password(row.user, row.password, mech, cred).ok());
      CHECK(names_sent(mech, cred.get()) == row.sent);
      // The domain of a store is for names without one.
      REQUIRE(
          acquire_from(GSS_C_INITIATE, mech, row.user,
                       {{GSS_NTLM_CS_PASSWORD, row.password}, {GSS_NTLM_CS_DOMAIN, "corp.example"}},
                       cred)
              .ok());
      const bool completed = std::string(row.sent) == "\\alice";
      CHECK(names_sent(mech, cred.get()) == (completed ? "corp.example\\alice" : row.sent));
    }
  }
}

TEST_CASE("names: an account of a users file travels whole where it is named by its UPN", "[spi]") {
  const Workshop workshop("corp.example:alice:secret\n:carol@corp.example:secret\n");
  const std::pair<const char*, const char*> rows[] = {
      {"alice@corp.example", "\\alice@corp.example"},
      {"corp.example\\alice", "corp.example\\alice"},
      {"carol@corp.example", "\\carol@corp.example"},
      {"corp.example\\carol", "\\carol@corp.example"}};
  for (const auto& [user, sent] : rows) {
    CAPTURE(user);
    CredHandle cred;
    REQUIRE(acquire_from(GSS_C_INITIATE, &kNtlm, user, {}, cred).ok());
    CHECK(names_sent(&kNtlm, cred.get()) == sent);
    OM_uint32 minor = 0;
    NameHandle told;
    REQUIRE(gss_inquire_cred(&minor, cred.get(), told.out(), nullptr, nullptr, nullptr) == 0);
    int equal = 0;
    REQUIRE(gss_compare_name(&minor, told.get(), NameHandle(user, GSS_C_NT_USER_NAME).get(),
                             &equal) == 0);
    CHECK(equal == 1);
    ::setenv("NTLMUSER", user, 1);
    REQUIRE(acquire(GSS_C_INITIATE, &kNtlm, cred).ok());
    CHECK(names_sent(&kNtlm, cred.get()) == sent);
  }
}

TEST_CASE("names: an exported credential of a UPN travels whole", "[spi]") {
  const Workshop workshop("corp.example:alice:secret\n");
  CredHandle cred;
  REQUIRE(acquire_password("alice@corp.example", "secret", &kNtlm, cred).ok());
  OM_uint32 minor = 0;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_export_cred(&minor, cred.get(), &token) == 0);
  CredHandle back;
  REQUIRE(gss_import_cred(&minor, &token, back.out()) == 0);
  gss_release_buffer(&minor, &token);
  CHECK(names_sent(&kNtlm, back.get()) == "\\alice@corp.example");
}

}  // namespace gssntlm::test
