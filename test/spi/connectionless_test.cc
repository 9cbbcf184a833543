// Connectionless and anonymous contexts, the older levels and raw passwords, through the real
// mechglue.
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";

gss_OID_desc kSetSequence = {GSS_NTLM_OID_LENGTH,
                             const_cast<char*>(GSS_NTLM_SET_SEQ_NUM_OID_BYTES)};

Outcome set_sequence(End& end, std::uint32_t number) {
  gss_buffer_desc value = {sizeof number, &number};
  Outcome o;
  o.major = gss_set_sec_context_option(&o.minor, &end.context, &kSetSequence, &value);
  return o;
}

// The empty token of a connectionless client, in the form that the mechglue hands to NTLM.
std::string framed_nothing() {
  gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc framed = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_encapsulate_token(&nothing, &kNtlm, &framed) == GSS_S_COMPLETE);
  std::string token(static_cast<const char*>(framed.value), framed.length);
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &framed);
  return token;
}

struct Datagrams {
  explicit Datagrams(OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG) {
    x.flags = flags | GSS_NTLM_DATAGRAM_FLAG;
  }
  void open() {
    CHECK(init_step(x, initiator, "").empty());
    REQUIRE(initiator.last.major == GSS_S_CONTINUE_NEEDED);
    const std::string challenge = accept_step(x, acceptor, framed_nothing());
    REQUIRE(acceptor.last.major == GSS_S_CONTINUE_NEEDED);
    const std::string authenticate = init_step(x, initiator, challenge);
    REQUIRE(initiator.last.major == GSS_S_COMPLETE);
    CHECK(accept_step(x, acceptor, authenticate).empty());
    REQUIRE(acceptor.last.major == GSS_S_COMPLETE);
  }
  Exchange x;
  End initiator;
  End acceptor;
};

TEST_CASE("connectionless: [MS-NLMP] 1.3.1.2 the context opens without NEGOTIATE",
          "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d;
  d.open();
  const OM_uint32 expected =
      GSS_NTLM_DATAGRAM_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG;
  const OM_uint32 looked_at = expected | GSS_C_SEQUENCE_FLAG | GSS_C_ANON_FLAG;
  CHECK((d.initiator.flags & looked_at) == expected);
  CHECK((d.acceptor.flags & looked_at) == expected);
  CHECK(d.acceptor.source.display() == "CORP\\alice");
}

TEST_CASE("connectionless: an initiator may begin with the CHALLENGE", "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d;
  const std::string challenge = accept_step(d.x, d.acceptor, framed_nothing());
  const std::string authenticate = init_step(d.x, d.initiator, challenge);
  REQUIRE(d.initiator.last.major == GSS_S_COMPLETE);
  accept_step(d.x, d.acceptor, authenticate);
  CHECK(d.acceptor.last.major == GSS_S_COMPLETE);

  // Not so on a connection, nor with anything else.
  End connection;
  Exchange plain;
  init_step(plain, connection, challenge);
  CHECK(connection.last.major == GSS_S_DEFECTIVE_TOKEN);
  End other;
  init_step(d.x, other, "NTLMSSP");
  CHECK(other.last.major == GSS_S_DEFECTIVE_TOKEN);
  CHECK(other.context == GSS_C_NO_CONTEXT);
}

TEST_CASE("connectionless: messages may be lost and reordered; a second copy is called so",
          "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d;
  d.open();
  std::vector<std::string> tokens(5);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    REQUIRE(wrap(d.initiator, "message " + std::to_string(i), tokens[i]).ok());
  }
  for (const std::size_t i : {4u, 0u, 2u}) {
    std::string message;
    CHECK(unwrap(d.acceptor, tokens[i], message).major == GSS_S_COMPLETE);
    CHECK(message == "message " + std::to_string(i));
  }
  std::string again;
  const Outcome duplicate = unwrap(d.acceptor, tokens[2], again);
  CHECK(duplicate.major == GSS_S_DUPLICATE_TOKEN);
  CHECK(duplicate.minor == GSS_NTLM_S_REPEATED);
  CHECK(unwrap(d.acceptor, tokens[1], again).major == GSS_S_COMPLETE);

  std::string mic;
  REQUIRE(get_mic(d.acceptor, "signed", mic).ok());
  CHECK(verify_mic(d.initiator, "signed", mic).major == GSS_S_COMPLETE);
  CHECK(verify_mic(d.initiator, "signed", mic).major == GSS_S_DUPLICATE_TOKEN);
  CHECK(GSS_ROUTINE_ERROR(verify_mic(d.initiator, "other", mic).major) == GSS_S_BAD_SIG);

  REQUIRE(set_sequence(d.initiator, 5000).ok());
  std::string far;
  REQUIRE(wrap(d.initiator, "far", far).ok());
  CHECK(unwrap(d.acceptor, far, again).major == GSS_S_COMPLETE);
  const Outcome old = unwrap(d.acceptor, tokens[3], again);
  CHECK(old.major == GSS_S_OLD_TOKEN);
  CHECK(old.minor == GSS_NTLM_S_OLD);
}

TEST_CASE("connectionless: without REPLAY an initiator takes a number any number of times",
          "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d(GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG);
  d.open();
  CHECK((d.initiator.flags & GSS_C_REPLAY_FLAG) == 0);
  CHECK((d.acceptor.flags & GSS_C_REPLAY_FLAG) != 0);
  std::string token;
  std::string message;
  REQUIRE(wrap(d.acceptor, "m", token).ok());
  CHECK(unwrap(d.initiator, token, message).major == GSS_S_COMPLETE);
  CHECK(unwrap(d.initiator, token, message).major == GSS_S_COMPLETE);
}

TEST_CASE("connectionless: numbers that the program names, at both ends of their range",
          "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d;
  d.open();
  std::string token;
  std::string message;
  for (const std::uint32_t number : {0u, 7u, 0xFFFFFFFFu}) {
    REQUIRE(set_sequence(d.initiator, number).ok());
    REQUIRE(wrap(d.initiator, "numbered", token).ok());
    REQUIRE(set_sequence(d.acceptor, number ^ 1).ok());
    const Outcome other = unwrap(d.acceptor, token, message);
    CHECK(other.major == GSS_S_BAD_SIG);
    CHECK(other.minor == GSS_NTLM_S_SEQUENCE);
    REQUIRE(set_sequence(d.acceptor, number).ok());
    CHECK(unwrap(d.acceptor, token, message).major == GSS_S_COMPLETE);
  }
  // Counting has come to its end and does not begin anew by itself.
  const Outcome end = wrap(d.initiator, "one more", token);
  CHECK(end.major == GSS_S_CONTEXT_EXPIRED);
  CHECK(end.minor == GSS_NTLM_S_SEQUENCE_END);
}

TEST_CASE("connectionless: the number option has its size, and its contexts", "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d;
  init_step(d.x, d.initiator, "");
  CHECK_FALSE(set_sequence(d.initiator, 1).ok());
  End a;
  End b;
  REQUIRE(run(Exchange(), a, b));
  const Outcome connection = set_sequence(a, 1);
  CHECK(connection.major == GSS_S_FAILURE);
  CHECK(connection.minor == GSS_NTLM_S_BAD_OPTION);
  Datagrams open;
  open.open();
  for (const std::size_t size : {0u, 3u, 5u}) {
    std::string bytes(size, '\1');
    gss_buffer_desc value = {bytes.size(), bytes.data()};
    OM_uint32 minor = 0;
    CHECK(GSS_ERROR(
        gss_set_sec_context_option(&minor, &open.initiator.context, &kSetSequence, &value)));
  }
}

TEST_CASE("connectionless: IOV messages in place, and their repetition", "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d;
  d.open();
  std::string body = "the body";
  std::string aside = "the head";
  std::string header(16, '\0');
  gss_iov_buffer_desc iov[] = {{GSS_IOV_BUFFER_TYPE_HEADER, {header.size(), header.data()}},
                               {GSS_IOV_BUFFER_TYPE_SIGN_ONLY, {aside.size(), aside.data()}},
                               {GSS_IOV_BUFFER_TYPE_DATA, {body.size(), body.data()}}};
  OM_uint32 minor = 0;
  int conf = 0;
  REQUIRE(gss_wrap_iov(&minor, d.initiator.context, 1, 0, &conf, iov, 3) == GSS_S_COMPLETE);
  CHECK(conf == 1);
  CHECK(body != "the body");
  const std::string sealed = body;
  CHECK(gss_unwrap_iov(&minor, d.acceptor.context, &conf, nullptr, iov, 3) == GSS_S_COMPLETE);
  CHECK(body == "the body");
  body = sealed;
  iov[2].buffer.value = body.data();
  CHECK(gss_unwrap_iov(&minor, d.acceptor.context, &conf, nullptr, iov, 3) ==
        GSS_S_DUPLICATE_TOKEN);
  body[0] = static_cast<char>(body[0] ^ 1);
  CHECK(GSS_ROUTINE_ERROR(gss_unwrap_iov(&minor, d.acceptor.context, &conf, nullptr, iov, 3)) ==
        GSS_S_BAD_SIG);
}

TEST_CASE("connectionless: truncated, forged and foreign messages are refused",
          "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d;
  d.open();
  Datagrams other;
  other.open();
  std::string token;
  std::string message;
  REQUIRE(wrap(d.initiator, "a message", token).ok());
  for (std::size_t size = 0; size < token.size(); ++size) {
    CHECK_FALSE(unwrap(d.acceptor, token.substr(0, size), message).ok());
  }
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = static_cast<char>(forged[i] ^ 0x20);
    CHECK_FALSE(unwrap(d.acceptor, forged, message).ok());
  }
  CHECK_FALSE(unwrap(other.acceptor, token, message).ok());
  CHECK_FALSE(unwrap(d.initiator, token, message).ok());
  CHECK(unwrap(d.acceptor, token, message).major == GSS_S_COMPLETE);
}

TEST_CASE("connectionless: nearly the opening token is refused", "[connectionless]") {
  const Workshop workshop(kUsers);
  const std::string right = framed_nothing();
  for (std::size_t i = 0; i < right.size(); ++i) {
    std::string token = right;
    token[i] = static_cast<char>(token[i] ^ 1);
    End end;
    accept_step(Exchange(), end, token);
    CHECK_FALSE(end.last.ok());
  }
  for (const std::string& token : {right + "x", right.substr(0, right.size() - 1)}) {
    End end;
    accept_step(Exchange(), end, token);
    CHECK_FALSE(end.last.ok());
  }
}

TEST_CASE("connectionless: an acceptor whose last attempt failed starts anew", "[connectionless]") {
  const Workshop workshop(kUsers);
  Datagrams d;
  accept_step(d.x, d.acceptor, framed_nothing());
  accept_step(d.x, d.acceptor, "nonsense");
  REQUIRE_FALSE(d.acceptor.last.ok());
  d.open();
  CHECK(d.acceptor.source.display() == "CORP\\alice");
}

TEST_CASE("connectionless: off where settings say so", "[connectionless]") {
  const Workshop workshop(kUsers, "[policy]\nallow_connectionless = no\n");
  End end;
  accept_step(Exchange(), end, framed_nothing());
  CHECK(end.last.minor == GSS_NTLM_S_POLICY_BLOCKED);
}

TEST_CASE("anonymous: nobody logs in, raw and under SPNEGO, by flag and by name", "[anonymous]") {
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

TEST_CASE("anonymous: the flag hides whoever the credential is for", "[anonymous]") {
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
