// Accounts: who logs in, who does not, and what is recorded of it.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "test/spi/handshake.h"

namespace gssntlm::test {

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

TEST_CASE("audit: a record tells which of several passwords of an account logged in", "[spi]") {
  const Workshop workshop("CORP:alice:Passw0rd-new\nCORP:alice:Passw0rd-alice\nCORP:bob:b\n");
  const std::string file = workshop.path("audit");
  workshop.write("settings", "[audit]\nlog = file\nfile = " + file + "\n");
  const struct {
    const char* user;
    const char* password;
    const char* entry;
  } cases[] = {{"CORP\\alice", "Passw0rd-new", "\"entry\":1,\"key_bits\""},
               {"CORP\\alice", "Passw0rd-alice", "\"entry\":2,\"key_bits\""},
               {"CORP\\bob", "b", "bob\",\"key_bits\""}};
  for (const auto& c : cases) {
    CAPTURE(c.user, c.password);
    ::unlink(file.c_str());
    CredHandle cred;
    REQUIRE(acquire_password(c.user, c.password, &kNtlm, cred).ok());
    Exchange x;
    x.initiator_cred = cred.get();
    End initiator;
    End acceptor;
    CHECK(run(x, initiator, acceptor));
    std::ifstream in(file);
    const std::string audit{std::istreambuf_iterator<char>(in), {}};
    CAPTURE(audit);
    CHECK(audit.find(c.entry) != std::string::npos);
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

}  // namespace gssntlm::test
