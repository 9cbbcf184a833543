// Anonymous contexts, the older levels and raw passwords, through the real mechglue.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";

TEST_CASE("anonymous: no user logs in, raw and inside SPNEGO, by flag and by name", "[anonymous]") {
  const Workshop workshop(kUsers, "[policy]\nallow_anonymous = yes\n");
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const bool by_name : {false, true}) {
      Exchange x;
      x.mech = mech;
      CredHandle cred;
      if (by_name) {
        NameHandle nobody("", GSS_C_NT_ANONYMOUS);
        gss_OID_set_desc mechs = {1, mech};
        OM_uint32 minor = 0;
        REQUIRE(gss_acquire_cred(&minor, nobody.get(), 0, &mechs, GSS_C_INITIATE, cred.out(),
                                 nullptr, nullptr) == GSS_S_COMPLETE);
        x.initiator_cred = cred.get();
        x.flags = 0;
      } else {
        x.flags = GSS_C_ANON_FLAG;
      }
      End initiator;
      End acceptor;
      CAPTURE(mech == &kSpnego, by_name);
      REQUIRE(run(x, initiator, acceptor));
      const OM_uint32 looked_at = GSS_C_ANON_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG |
                                  GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
      CHECK((initiator.flags & looked_at) == GSS_C_ANON_FLAG);
      CHECK((acceptor.flags & looked_at) == GSS_C_ANON_FLAG);
      CHECK(acceptor.source.display() == "ANONYMOUS LOGON");
      std::string token;
      CHECK(wrap(initiator, "m", token).major == GSS_S_UNAVAILABLE);
      CHECK(get_mic(acceptor, "m", token).major == GSS_S_UNAVAILABLE);
      CHECK(verify_mic(acceptor, "m", std::string("\1", 1) + std::string(15, '\0')).major ==
            GSS_S_UNAVAILABLE);
    }
  }
}

TEST_CASE("anonymous: the flag hides the credential's user", "[anonymous]") {
  const Workshop workshop(kUsers, "[policy]\nallow_anonymous = yes\n");
  CredHandle cred;
  REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, cred).ok());
  Exchange x;
  x.flags = GSS_C_ANON_FLAG;
  x.initiator_cred = cred.get();
  End initiator;
  End acceptor;
  const std::string negotiate = init_step(x, initiator, "");
  const std::string challenge = accept_step(x, acceptor, negotiate);
  const std::string authenticate = init_step(x, initiator, challenge);
  CHECK(authenticate.find(std::string("a\0l\0i\0c\0e\0", 10)) == std::string::npos);
  accept_step(x, acceptor, authenticate);
  CHECK(acceptor.last.major == GSS_S_COMPLETE);
  CHECK(acceptor.source.display() == "ANONYMOUS LOGON");
}

TEST_CASE("anonymous: needs no account, and is refused by default", "[anonymous]") {
  const Workshop workshop(kUsers);
  Exchange x;
  x.flags = GSS_C_ANON_FLAG;
  End initiator;
  End acceptor;
  CHECK_FALSE(run(x, initiator, acceptor));
  CHECK(initiator.last.major == GSS_S_COMPLETE);
  CHECK(acceptor.last.minor == GSS_NTLM_S_ANONYMOUS);
  ::unsetenv("NTLM_USER_FILE");
  End alone;
  init_step(x, alone, "");
  CHECK(alone.last.major == GSS_S_CONTINUE_NEEDED);
}

TEST_CASE("levels: LM_COMPAT_LEVEL counts for both roles, and weak choices are traced",
          "[levels]") {
  const Workshop workshop(kUsers);
  for (const char* level : {"0", "1", "2", "3", "4", "5"}) {
    const std::string trace = workshop.path(std::string("trace") + level);
    ::setenv("LM_COMPAT_LEVEL", level, 1);
    ::setenv("GSS_NTLM_TRACE", trace.c_str(), 1);
    End initiator;
    End acceptor;
    CAPTURE(level);
    CHECK(run(Exchange(), initiator, acceptor));
    std::string token;
    std::string message;
    CHECK(wrap(initiator, "hello", token).ok());
    CHECK(unwrap(acceptor, token, message).ok());
    std::ostringstream text;
    text << std::ifstream(trace).rdbuf();
    CHECK((text.str().find("acceptor: weak: NTLMv1") != std::string::npos) == (level[0] < '3'));
    CHECK((text.str().find("initiator: weak: LM") != std::string::npos) == (level[0] == '0'));
    CHECK((text.str().find("weak: no extended session security") != std::string::npos) ==
          (level[0] == '0'));
  }
  ::unsetenv("LM_COMPAT_LEVEL");
  ::unsetenv("GSS_NTLM_TRACE");
}

TEST_CASE("levels: all of them work inside SPNEGO, with its MIC of the list", "[levels]") {
  const Workshop workshop(kUsers);
  for (const char* level : {"0", "1", "2", "3", "4", "5"}) {
    ::setenv("LM_COMPAT_LEVEL", level, 1);
    for (const OM_uint32 flags : {OM_uint32{GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG},
                                  OM_uint32{GSS_C_INTEG_FLAG}, OM_uint32{0}}) {
      Exchange x;
      x.mech = &kSpnego;
      x.flags = flags;
      End initiator;
      End acceptor;
      CAPTURE(level, flags);
      REQUIRE(run(x, initiator, acceptor));
      for (int i = 0; i < 3; ++i) {
        for (auto [from, to] :
             {std::pair(&initiator, &acceptor), std::pair(&acceptor, &initiator)}) {
          std::string token;
          std::string message;
          REQUIRE(wrap(*from, "hello", token).ok());
          REQUIRE(unwrap(*to, token, message).ok());
          CHECK(message == "hello");
          REQUIRE(get_mic(*from, "hello", token).ok());
          CHECK(verify_mic(*to, "hello", token).major == GSS_S_COMPLETE);
        }
      }
    }
  }
  ::unsetenv("LM_COMPAT_LEVEL");
}

TEST_CASE("levels: NTLMv1 is refused by an acceptor at its default", "[levels]") {
  const Workshop workshop(kUsers, "[policy]\nsend_level = 2\n");
  End initiator;
  End acceptor;
  CHECK_FALSE(run(Exchange(), initiator, acceptor));
  CHECK(acceptor.last.minor == GSS_NTLM_S_POLICY_VERSION);
}

TEST_CASE("levels: LM keys work with passwords in clear text on both sides", "[levels]") {
  const Workshop workshop(kUsers,
                          "[policy]\nsend_level = 0\naccept_level = 0\nmin_key_bits = 40\n");
  gss_OID_desc set_flags = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_NEG_FLAGS_OID_BYTES)};
  // SIGN, SEAL, KEY_EXCH and 56 with LM_KEY, or with REQUEST_NON_NT_SESSION_KEY.
  for (std::uint32_t flags : {0xC00082B5u, 0xC0408235u}) {
    CredHandle cred;
    REQUIRE(acquire(GSS_C_INITIATE, &kNtlm, cred).ok());
    gss_buffer_desc value = {sizeof flags, &flags};
    OM_uint32 minor = 0;
    REQUIRE(gss_set_cred_option(&minor, cred.handle(), &set_flags, &value) == GSS_S_COMPLETE);
    Exchange x;
    x.initiator_cred = cred.get();
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    std::string token;
    std::string message;
    REQUIRE(wrap(initiator, "hello", token).ok());
    REQUIRE(unwrap(acceptor, token, message).ok());
    CHECK(message == "hello");
  }
}

// An initiator that offers no Unicode, as that user; its status and the acceptor's, and who it is.
struct OemLogin {
  explicit OemLogin(const std::string& user) {
    std::uint32_t offer = 0xE2088236;
    gss_OID_desc option = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_NEG_FLAGS_OID_BYTES)};
    gss_buffer_desc value = {sizeof offer, &offer};
    OM_uint32 minor = 0;
    CredHandle cred;
    REQUIRE(acquire_password("CORP\\" + user, "pw", &kNtlm, cred).ok());
    REQUIRE(gss_set_cred_option(&minor, cred.handle(), &option, &value) == GSS_S_COMPLETE);
    Exchange x;
    x.initiator_cred = cred.get();
    opened = run(x, initiator, acceptor);
  }
  End initiator;
  End acceptor;
  bool opened = false;
};

TEST_CASE("OEM: names travel in the code page of the settings, or not at all", "[oem]") {
  const struct {
    const char* page;
    const char* user;
    const char* other;  // has no form in that page
  } cases[] = {{"437", "M\u00fcller", "\u00d8re"},
               {"850", "\u00d8re", "M\u00fcller\u20ac"},
               {"1252", "M\u00fcller\u20ac", "\u0416"}};
  for (const auto& c : cases) {
    const Workshop workshop(std::string("CORP:") + c.user + ":pw\nCORP:" + c.other + ":pw\n",
                            std::string("[policy]\ncode_page = ") + c.page + "\n");
    CAPTURE(c.page);
    const OemLogin login(c.user);
    CHECK(login.opened);
    CHECK(login.acceptor.source.display() == std::string("CORP\\") + c.user);
    const OemLogin other(c.other);
    CHECK_FALSE(other.opened);
    CHECK(other.initiator.last.minor == GSS_NTLM_S_UNENCODABLE);
  }
}

TEST_CASE("credentials: raw UTF-16LE passwords log in, lone surrogates and all", "[spi]") {
  // MD4 of 00d8 ffdf 4100: two lone surrogates and an A, as a managed service account may have.
  const Workshop workshop(
      "CORP\\svc:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:70881c441f925cd601ed8a55f5e7dce4:[U]:LCT-0:"
      "\n");
  const auto login = [&](const char* password) {
    CredHandle cred;
    const Outcome o = acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\svc",
                                   {{GSS_NTLM_CS_PASSWORD_UTF16LE, password}}, cred);
    if (!o.ok()) {
      return o.major;
    }
    Exchange x;
    x.initiator_cred = cred.get();
    End initiator;
    End acceptor;
    run(x, initiator, acceptor);
    return acceptor.last.major;
  };
  CHECK(login("00d8ffdf4100") == GSS_S_COMPLETE);
  CHECK(login("00D8FFDF4100") == GSS_S_COMPLETE);
  CHECK(login("00d8ffdf4200") == GSS_S_FAILURE);
  CHECK(login("00d8ffdf41") == GSS_S_DEFECTIVE_CREDENTIAL);
  CHECK(login("00d8ffdf410") == GSS_S_DEFECTIVE_CREDENTIAL);
  CHECK(login("00d8ffdf41zz") == GSS_S_DEFECTIVE_CREDENTIAL);
  CredHandle cred;
  CHECK(acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\svc",
                     {{GSS_NTLM_CS_PASSWORD_UTF16LE, "4100"}, {GSS_NTLM_CS_PASSWORD, "A"}}, cred)
            .major == GSS_S_DEFECTIVE_CREDENTIAL);
}

}  // namespace
}  // namespace gssntlm::test
