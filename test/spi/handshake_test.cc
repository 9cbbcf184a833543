// Handshakes and messages through the real mechglue [MS-NLMP] 1.3.1, 1.3.1.1, by object identifier
// [MS-NLMP] 1.9, with whatever applications ask for [MS-NLMP] 3.1.4, 3.2.4.
#include <cstdlib>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/base/text.h"
#include "mech/wire/authenticate.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers =
    "# the accounts of these tests\n"
    "CORP:alice:Passw0rd-alice\n"
    "CORP:bob:b:o:b\n"
    ":carol@corp.example:secret\n"
    "CORP\\dora:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[UD]:LCT-0:"
    "\n"
    "erin:1001:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[U]:LCT-0:\n";

void check_messages(End& a, End& b) {
  for (const std::size_t size : {0u, 1u, 16u, 60u, 1000u, 70000u}) {
    const std::string message(size, 'm');
    for (const auto& [from, to] : {std::pair<End*, End*>{&a, &b}, {&b, &a}}) {
      std::string token;
      std::string back = "?";
      REQUIRE(wrap(*from, message, token).ok());
      CHECK(token.size() == size + 16);
      REQUIRE(unwrap(*to, token, back).ok());
      CHECK(back == message);
      REQUIRE(get_mic(*from, message, token).ok());
      CHECK(verify_mic(*to, message, token).ok());
    }
  }
}

TEST_CASE("handshake: every combination of flags gives what it says", "[spi]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (OM_uint32 bits = 0; bits < 64; ++bits) {
      Exchange x;
      x.mech = mech;
      x.flags = ((bits & 1) ? GSS_C_INTEG_FLAG : 0) | ((bits & 2) ? GSS_C_CONF_FLAG : 0) |
                ((bits & 4) ? GSS_C_MUTUAL_FLAG : 0) |
                ((bits & 8) ? GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG : 0) |
                ((bits & 16) ? GSS_C_DELEG_FLAG : 0) | ((bits & 32) ? GSS_C_IDENTIFY_FLAG : 0);
      CAPTURE(x.flags, mech == &kSpnego);
      End initiator;
      End acceptor;
      REQUIRE(run(x, initiator, acceptor));
      // A caller that asks for no protection may protect messages all the same; one that asks for
      // integrity gets no more. SPNEGO asks for it by itself.
      const bool asks_for_none = (bits & (1 | 2 | 8)) == 0 && mech == &kNtlm;
      const OM_uint32 sealing = (bits & 2) != 0 || asks_for_none ? GSS_C_CONF_FLAG : 0;
      const OM_uint32 expected = GSS_C_INTEG_FLAG | sealing | GSS_C_REPLAY_FLAG |
                                 GSS_C_SEQUENCE_FLAG | (x.flags & GSS_C_IDENTIFY_FLAG);
      const OM_uint32 looked_at = expected | GSS_C_CONF_FLAG | GSS_C_MUTUAL_FLAG |
                                  GSS_C_DELEG_FLAG | GSS_C_IDENTIFY_FLAG | GSS_C_ANON_FLAG;
      CHECK((initiator.flags & looked_at) == expected);
      CHECK((acceptor.flags & looked_at) == expected);
      CHECK(acceptor.source.display() == "CORP\\alice");
    }
  }
}

TEST_CASE("messages: both directions, raw and inside SPNEGO", "[spi]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    Exchange x;
    x.mech = mech;
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    check_messages(initiator, acceptor);
  }
}

TEST_CASE("messages: whatever protection was asked for, they are sealed", "[spi]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const OM_uint32 flags : {OM_uint32{0}, OM_uint32{GSS_C_INTEG_FLAG},
                                  OM_uint32{GSS_C_REPLAY_FLAG}, OM_uint32{GSS_C_SEQUENCE_FLAG}}) {
      CAPTURE(mech == &kSpnego, flags);
      Exchange x;
      x.mech = mech;
      x.flags = flags;
      End initiator;
      End acceptor;
      REQUIRE(run(x, initiator, acceptor));
      check_messages(initiator, acceptor);
      std::string token;
      REQUIRE(wrap(initiator, "a message", token).ok());
      CHECK(token.find("a message") == std::string::npos);
    }
  }
}

TEST_CASE("credential option NO_CI_FLAGS keeps SIGN and SEAL off unless asked for", "[spi]") {
  const Workshop workshop(kUsers);
  gss_OID_desc no_ci = {6, const_cast<char*>("\x2a\x85\x70\x2b\x0d\x1d")};
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    CredHandle cred;
    REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", mech, cred).ok());
    gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    REQUIRE(gss_set_cred_option(&minor, cred.handle(), &no_ci, &empty) == GSS_S_COMPLETE);
    Exchange x;
    x.mech = mech;
    x.flags = GSS_C_SEQUENCE_FLAG;
    x.initiator_cred = cred.get();
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    CHECK((acceptor.flags & (GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)) == 0);
    std::string token;
    CHECK(wrap(initiator, "m", token).major == GSS_S_UNAVAILABLE);
    CHECK(get_mic(initiator, "m", token).major == GSS_S_UNAVAILABLE);
    End signing;
    End peer;
    x.flags = GSS_C_INTEG_FLAG;
    REQUIRE(run(x, signing, peer));
    CHECK((peer.flags & (GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)) == GSS_C_INTEG_FLAG);
    check_messages(signing, peer);
  }
}

TEST_CASE("accounts: each form of the users file logs in", "[spi]") {
  const Workshop workshop(kUsers);
  const struct {
    const char* user;
    const char* password;
    const char* reported;  // nullptr: refused
  } cases[] = {
      {"CORP\\alice", "Passw0rd-alice", "CORP\\alice"},
      {"corp\\ALICE", "Passw0rd-alice", "CORP\\alice"},
      {"alice@CORP", "Passw0rd-alice", "CORP\\alice"},
      {"alice", "Passw0rd-alice", "CORP\\alice"},
      {"CORP\\bob", "b:o:b", "CORP\\bob"},
      {"\\carol@corp.example", "secret", "\\carol@corp.example"},
      {"carol\\@corp.example", "secret", "\\carol@corp.example"},
      {"carol@corp.example", "secret", "\\carol@corp.example"},
      {"corp.example\\carol", "secret", "\\carol@corp.example"},
      {"carol@corp", "secret", nullptr},
      {".\\alice", "Passw0rd-alice", "CORP\\alice"},
      {".\\erin", "password", "erin"},
      {"erin@any", "password", "erin"},
      {"dora@CORP", "password", nullptr},
      {"alice@OTHER", "Passw0rd-alice", nullptr},
      {"erin", "password", "erin"},
      {"ANY\\erin", "password", "erin"},
      {"CORP\\dora", "password", nullptr},
      {"OTHER\\alice", "Passw0rd-alice", nullptr},
      {"CORP\\alice", "wrong", nullptr},
      {"CORP\\stranger", "password", nullptr},
  };
  for (const auto& c : cases) {
    CAPTURE(c.user, c.password);
    CredHandle cred;
    REQUIRE(acquire_password(c.user, c.password, &kNtlm, cred).ok());
    Exchange x;
    x.initiator_cred = cred.get();
    End initiator;
    End acceptor;
    CHECK(run(x, initiator, acceptor) == (c.reported != nullptr));
    CHECK(acceptor.source.display() == (c.reported != nullptr ? c.reported : ""));
  }
}

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

TEST_CASE("users: an acceptor refuses whom its lists name, and only says it under audit_only",
          "[spi]") {
  const struct {
    const char* policy;
    bool alice;
    bool bob;
  } cases[] = {
      {"", true, true},
      {"deny_users = CORP\\alice", false, true},
      {"allow_users = CORP\\bob", false, true},
      {"allow_users = bob", false, false},
      {"deny_users = bob@corp", true, false},
      {"deny_users = *\naudit_only = yes", true, true},
  };
  for (const auto& c : cases) {
    CAPTURE(c.policy);
    const Workshop workshop(kUsers, std::string("[policy]\n") + c.policy + "\n");
    const auto logs_in = [](const char* user, const char* password) {
      CredHandle cred;
      REQUIRE(acquire_password(user, password, &kNtlm, cred).ok());
      Exchange x;
      x.initiator_cred = cred.get();
      End i;
      End a;
      const bool in = run(x, i, a);
      CHECK((in || (a.last.major == GSS_S_FAILURE && a.last.minor == GSS_NTLM_S_LOGON_FAILURE)));
      CHECK((in || a.source.display().empty()));
      return in;
    };
    CHECK(logs_in("CORP\\alice", "Passw0rd-alice") == c.alice);
    CHECK(logs_in("CORP\\bob", "b:o:b") == c.bob);
  }
}

TEST_CASE("audit: a login that cannot be recorded fails only where a record is required", "[spi]") {
  const struct {
    const char* file;
    const char* required;
    bool in;
  } cases[] = {{"/dev/null", "yes", true}, {"/dev/full", "no", true}, {"/dev/full", "yes", false}};
  for (const auto& c : cases) {
    CAPTURE(c.file, c.required);
    const std::string audit =
        std::string("[audit]\nlog = file\nfile = ") + c.file + "\nrequired = ";
    const Workshop workshop(kUsers, audit + c.required + "\n");
    CredHandle alice;
    REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, alice).ok());
    Exchange x;
    x.initiator_cred = alice.get();
    End initiator;
    End acceptor;
    CHECK(run(x, initiator, acceptor) == c.in);
    if (!c.in) {
      CHECK(initiator.last.major == GSS_S_FAILURE);
      CHECK(initiator.last.text().find("the audit file /dev/full cannot be written") !=
            std::string::npos);
    }
  }
}

TEST_CASE("audit: an acceptor without its required record reports no user", "[spi]") {
  CredHandle alice;
  Exchange x;
  End initiator;
  std::string authenticate;
  End acceptor;
  const Workshop workshop(kUsers, "[audit]\nlog = file\nfile = /dev/full\nrequired = yes\n");
  CredHandle accept;
  REQUIRE(acquire(GSS_C_ACCEPT, &kNtlm, accept).ok());
  x.acceptor_cred = accept.get();
  {
    // The initiator's settings demand nothing.
    const Workshop quiet(kUsers);
    REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, alice).ok());
    x.initiator_cred = alice.get();
    authenticate = init_step(x, initiator, accept_step(x, acceptor, init_step(x, initiator, {})));
    REQUIRE(initiator.last.major == GSS_S_COMPLETE);
    accept_step(x, acceptor, authenticate);
  }
  CHECK(acceptor.last.major == GSS_S_FAILURE);
  CHECK(acceptor.last.text().find("the audit file /dev/full cannot be written") !=
        std::string::npos);
  CHECK(acceptor.source.display().empty());
}

TEST_CASE("acceptor: unknown user, wrong password and disabled account look alike", "[spi]") {
  const Workshop workshop(kUsers);
  const auto refuse = [](const char* user, const char* password) {
    CredHandle cred;
    REQUIRE(acquire_password(user, password, &kNtlm, cred).ok());
    Exchange x;
    x.initiator_cred = cred.get();
    End initiator;
    End acceptor;
    REQUIRE_FALSE(run(x, initiator, acceptor));
    return std::pair(acceptor.last.major, acceptor.last.text());
  };
  const auto unknown = refuse("CORP\\stranger", "password");
  CHECK(unknown.first == GSS_S_FAILURE);
  CHECK(unknown.second.find("logon failure") != std::string::npos);
  CHECK(unknown == refuse("CORP\\alice", "wrong"));
  CHECK(unknown == refuse("CORP\\dora", "password"));
}

TEST_CASE("acceptor: a failed context starts again with a fresh NEGOTIATE", "[spi]") {
  const Workshop workshop(kUsers);
  CredHandle wrong;
  REQUIRE(acquire_password("CORP\\alice", "wrong", &kNtlm, wrong).ok());
  Exchange x;
  x.initiator_cred = wrong.get();
  End first;
  End acceptor;
  const std::string negotiate = init_step(x, first, "");
  const std::string challenge = accept_step(x, acceptor, negotiate);
  const std::string authenticate = init_step(x, first, challenge);
  accept_step(x, acceptor, authenticate);
  REQUIRE_FALSE(acceptor.last.ok());
  REQUIRE(acceptor.context != GSS_C_NO_CONTEXT);
  accept_step(x, acceptor, authenticate);
  CHECK_FALSE(acceptor.last.ok());

  CredHandle right;
  REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, right).ok());
  x.initiator_cred = right.get();
  End second;
  const std::string again = accept_step(x, acceptor, init_step(x, second, ""));
  REQUIRE(acceptor.last.major == GSS_S_CONTINUE_NEEDED);
  CHECK(again.substr(24, 8) != challenge.substr(24, 8));
  accept_step(x, acceptor, init_step(x, second, again));
  CHECK(acceptor.last.major == GSS_S_COMPLETE);
  CHECK(acceptor.source.display() == "CORP\\alice");
}

TEST_CASE("steps out of turn fail and leave a context that can be deleted", "[spi]") {
  const Workshop workshop(kUsers);
  const Exchange x;
  End initiator;
  End acceptor;
  const std::string negotiate = init_step(x, initiator, "");
  const std::string challenge = accept_step(x, acceptor, negotiate);
  const std::string authenticate = init_step(x, initiator, challenge);
  REQUIRE(initiator.last.major == GSS_S_COMPLETE);

  SECTION("an acceptor given CHALLENGE, NEGOTIATE twice, or nothing") {
    for (const std::string& bad : {challenge, negotiate, std::string()}) {
      End other;
      accept_step(x, other, negotiate);
      accept_step(x, other, bad);
      CHECK_FALSE(other.last.ok());
      CHECK(other.context != GSS_C_NO_CONTEXT);
      accept_step(x, other, authenticate);
      CHECK_FALSE(other.last.ok());
    }
  }
  SECTION("an initiator given anything but CHALLENGE") {
    for (const std::string& bad : {negotiate, authenticate, std::string(), std::string("x")}) {
      End other;
      init_step(x, other, "");
      init_step(x, other, bad);
      CHECK_FALSE(other.last.ok());
      init_step(x, other, challenge);
      CHECK_FALSE(other.last.ok());
      CHECK(other.context != GSS_C_NO_CONTEXT);
    }
  }
  SECTION("either after completion, which stays open") {
    accept_step(x, acceptor, authenticate);
    REQUIRE(acceptor.last.major == GSS_S_COMPLETE);
    accept_step(x, acceptor, authenticate);
    CHECK_FALSE(acceptor.last.ok());
    accept_step(x, acceptor, negotiate);
    CHECK_FALSE(acceptor.last.ok());
    init_step(x, initiator, challenge);
    CHECK_FALSE(initiator.last.ok());
    check_messages(initiator, acceptor);
  }
  SECTION("AUTHENTICATE on a context of another challenge") {
    End other;
    accept_step(x, other, negotiate);
    accept_step(x, other, authenticate);
    CHECK(other.last.major == GSS_S_FAILURE);
  }
  SECTION("messages before completion") {
    std::string token;
    CHECK(wrap(acceptor, "m", token).major == GSS_S_NO_CONTEXT);
    CHECK(verify_mic(acceptor, "m", std::string(16, 'x')).major == GSS_S_NO_CONTEXT);
  }
}

TEST_CASE("messages: a bad token is refused and the context goes on", "[spi]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    Exchange x;
    x.mech = mech;
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    std::string token;
    std::string mic;
    std::string message;
    REQUIRE(wrap(initiator, "hello", token).ok());
    for (std::size_t size = 1; size <= 16; ++size) {
      CHECK_FALSE(unwrap(acceptor, token.substr(0, size), message).ok());
      CHECK_FALSE(verify_mic(acceptor, "hello", token.substr(0, size)).ok());
    }
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string forged = token;
      forged[i] = static_cast<char>(forged[i] ^ 1);
      CHECK(GSS_ROUTINE_ERROR(unwrap(acceptor, forged, message).major) == GSS_S_BAD_SIG);
      CHECK(message.empty());
    }
    REQUIRE(unwrap(acceptor, token, message).ok());
    CHECK(message == "hello");
    CHECK(unwrap(acceptor, token, message).major != GSS_S_COMPLETE);  // replayed
    REQUIRE(get_mic(initiator, "hello", mic).ok());
    CHECK(verify_mic(acceptor, "hullo", mic).major == GSS_S_BAD_SIG);
    CHECK(verify_mic(acceptor, "hello", mic).ok());
    check_messages(initiator, acceptor);
  }
}

TEST_CASE("channel bindings: the table of [MS-NLMP] 3.2.5.1.2 with policy accept", "[spi]") {
  const Workshop workshop(kUsers);
  const std::optional<std::string> none;
  const struct {
    std::optional<std::string> client;
    std::optional<std::string> server;
    OM_uint32 major;
    bool bound;
  } cases[] = {
      {"tls-server-end-point:a", "tls-server-end-point:a", GSS_S_COMPLETE, true},
      {"tls-server-end-point:a", "tls-server-end-point:b", GSS_S_BAD_BINDINGS, false},
      {none, "tls-server-end-point:a", GSS_S_COMPLETE, false},
      {"tls-server-end-point:a", none, GSS_S_COMPLETE, false},
      {none, none, GSS_S_COMPLETE, false},
  };
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const auto& c : cases) {
      CAPTURE(c.client.value_or("-"), c.server.value_or("-"));
      Exchange x;
      x.mech = mech;
      x.initiator_bindings = c.client;
      x.acceptor_bindings = c.server;
      End initiator;
      End acceptor;
      CHECK(run(x, initiator, acceptor) == (c.major == GSS_S_COMPLETE));
      CHECK(acceptor.last.major == c.major);
      if (c.major == GSS_S_COMPLETE) {
        CHECK(((acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG) != 0) == c.bound);
      }
    }
  }
}

TEST_CASE("credentials: what is missing is said, with file, mode and line", "[spi]") {
  const Workshop workshop(kUsers);
  CredHandle cred;
  SECTION("nothing configured") {
    ::unsetenv("NTLM_USER_FILE");
    for (const gss_cred_usage_t usage : {GSS_C_INITIATE, GSS_C_ACCEPT, GSS_C_BOTH}) {
      const Outcome o = acquire(usage, &kNtlm, cred);
      CHECK(o.major == GSS_S_NO_CRED);
      CHECK(o.text().find("NTLM_USER_FILE") != std::string::npos);
    }
  }
  SECTION("a file that others may read") {
    const std::string path = workshop.write("open", kUsers, 0644);
    const Outcome o = acquire_from(GSS_C_ACCEPT, &kNtlm, "", {{"ntlmssp_keyfile", path}}, cred);
    CHECK(o.major == GSS_S_NO_CRED);
    CHECK(o.text().find(path) != std::string::npos);
    CHECK(o.text().find("0644") != std::string::npos);
    CHECK(o.text().find("chmod 6") != std::string::npos);
  }
  SECTION("a bad line") {
    const std::string path = workshop.write("bad", "CORP:alice:x\nnonsense\n");
    const Outcome o = acquire_from(GSS_C_INITIATE, &kNtlm, "", {{"ntlmssp_keyfile", path}}, cred);
    CHECK(o.text().find(path + " line 2") != std::string::npos);
  }
  SECTION("no such file") {
    const Outcome o =
        acquire_from(GSS_C_INITIATE, &kNtlm, "", {{"ntlmssp_keyfile", "/nonexistent/f"}}, cred);
    CHECK(o.major == GSS_S_NO_CRED);
    CHECK(o.text().find("/nonexistent/f") != std::string::npos);
  }
  SECTION("a level that is no level") {
    for (const char* bad : {"6", "-1", "3x", "", "three"}) {
      ::setenv("LM_COMPAT_LEVEL", bad, 1);
      const Outcome o = acquire(GSS_C_INITIATE, &kNtlm, cred);
      CHECK_FALSE(o.ok());
      CHECK(o.text().find("LM_COMPAT_LEVEL") != std::string::npos);
    }
    ::unsetenv("LM_COMPAT_LEVEL");
  }
  SECTION("hash and password from a store") {
    CHECK(acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\erin",
                       {{"ntlmssp_nthash", "8846F7EAEE8FB117AD06BDD830B7586C"}}, cred)
              .ok());
    CHECK(acquire_from(GSS_C_INITIATE, &kNtlm, "erin",
                       {{"password", "x"}, {"ntlmssp_domain", "D"}, {"ccache", "ignored"}}, cred)
              .ok());
    for (const char* bad :
         {"", "88", "8846F7EAEE8FB117AD06BDD830B7586", "not hexadecimal digits!!"}) {
      CHECK_FALSE(
          acquire_from(GSS_C_INITIATE, &kNtlm, "erin", {{"ntlmssp_nthash", bad}}, cred).ok());
    }
    CHECK_FALSE(
        acquire_from(GSS_C_INITIATE, &kNtlm, "erin",
                     {{"ntlmssp_nthash", "8846F7EAEE8FB117AD06BDD830B7586C"}, {"password", "x"}},
                     cred)
            .ok());
  }
}

TEST_CASE("inquiries answer in every state", "[spi]") {
  const Workshop workshop(kUsers);
  const Exchange x;
  End initiator;
  End acceptor;
  gss_OID_desc ssf_oid = {11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f")};
  OM_uint32 minor = 0;
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  const std::string negotiate = init_step(x, initiator, "");
  CHECK(gss_inquire_sec_context_by_oid(&minor, initiator.context, &kSessionKeyOid, &set) ==
        GSS_S_UNAVAILABLE);
  CHECK(minor == GSS_NTLM_S_NOT_AVAILABLE);
  int open = 1;
  CHECK(gss_inquire_context(&minor, initiator.context, nullptr, nullptr, nullptr, nullptr, nullptr,
                            nullptr, &open) == GSS_S_COMPLETE);
  CHECK(open == 0);
  accept_step(x, acceptor, init_step(x, initiator, accept_step(x, acceptor, negotiate)));
  REQUIRE(acceptor.last.major == GSS_S_COMPLETE);

  std::string keys[2];
  for (End* end : {&initiator, &acceptor}) {
    REQUIRE(gss_inquire_sec_context_by_oid(&minor, end->context, &kSessionKeyOid, &set) ==
            GSS_S_COMPLETE);
    REQUIRE(set->count == 2);
    keys[end == &acceptor].assign(static_cast<char*>(set->elements[0].value),
                                  set->elements[0].length);
    gss_release_buffer_set(&minor, &set);
    REQUIRE(gss_inquire_sec_context_by_oid(&minor, end->context, &ssf_oid, &set) == GSS_S_COMPLETE);
    CHECK(std::string(static_cast<char*>(set->elements[0].value), set->elements[0].length) ==
          std::string("\0\0\0\x40", 4));
    gss_release_buffer_set(&minor, &set);
    NameHandle source;
    NameHandle target;
    int local = -1;
    REQUIRE(gss_inquire_context(&minor, end->context, source.out(), target.out(), nullptr, nullptr,
                                nullptr, &local, &open) == GSS_S_COMPLETE);
    CHECK(source.display() == "CORP\\alice");
    CHECK_FALSE(target.display().empty());
    CHECK(local == (end == &initiator));
    CHECK(open == 1);
  }
  CHECK(keys[0].size() == 16);
  CHECK(keys[0] == keys[1]);
}

TEST_CASE("names: a counted terminator is forgiven, a NUL inside is not", "[spi]") {
  const NameHandle counted(std::string("host@server\0", 12), GSS_C_NT_HOSTBASED_SERVICE);
  const NameHandle inside(std::string("CORP\\al\0ice", 11), GSS_C_NT_USER_NAME);
  OM_uint32 minor = 0;
  NameHandle canonical;
  CHECK(gss_canonicalize_name(&minor, inside.get(), &kNtlm, canonical.out()) == GSS_S_BAD_NAME);
  REQUIRE(gss_canonicalize_name(&minor, counted.get(), &kNtlm, canonical.out()) == GSS_S_COMPLETE);
  CHECK(canonical.display() == "host@server");
}

TEST_CASE("size limit: 16 bytes less than the token, never below zero", "[spi]") {
  const Workshop workshop(kUsers);
  const Exchange x;
  End initiator;
  End acceptor;
  REQUIRE(run(x, initiator, acceptor));
  OM_uint32 minor = 0;
  for (const auto& [token, message] :
       {std::pair<OM_uint32, OM_uint32>{0, 0}, {16, 0}, {17, 1}, {0xFFFFFFFF, 0xFFFFFFEF}}) {
    OM_uint32 limit = 99;
    CHECK(gss_wrap_size_limit(&minor, initiator.context, 1, 0, token, &limit) == GSS_S_COMPLETE);
    CHECK(limit == message);
  }
}

}  // namespace
}  // namespace gssntlm::test
