// Each way in which a search for a credential fails is one line of the trace, also where SPNEGO
// replaces the error by its own.
#include <array>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mech/backends/keyring/login_store.h"
#include "test/support/catch.h"
#include "test/support/forks.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:Passw0rd\n";

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  return text;
}

// Where a search happens: files, settings and variables, which it leaves as they were.
class Place {
 public:
  Place() : shop(kUsers) { set("GSS_NTLM_TRACE", trace_path()); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    for (const std::string& name : names_) {
      ::unsetenv(name.c_str());
    }
  }
  void set(const std::string& name, const std::string& value) {
    names_.push_back(name);
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  void use_users(const std::string& text, unsigned mode = 0600) {
    set("NTLM_USER_FILE", shop.write("other", text, mode));
  }
  void use_settings(const std::string& text) {
    set("GSS_NTLM_SETTINGS", shop.write("other-settings", text));
  }
  [[nodiscard]] std::string trace_path() const { return shop.path("trace"); }

  Workshop shop;

 private:
  std::vector<std::string> names_;
};

struct Row {
  const char* name;
  std::function<void(Place&)> prepare;
  std::vector<const char*> says;
  gss_cred_usage_t usage = GSS_C_INITIATE;
};

const char* const kForInitiator = "credentials: none for an initiator to log in as ";
const char* const kForAcceptor = "credentials: none for an acceptor: ";

std::vector<Row> rows() {
  return {
      {"no account",
       [](Place& p) {
         p.use_settings("[accounts]\ninitiator = users_file\n");
         ::unsetenv("NTLM_USER_FILE");
       },
       {kForInitiator, "the default account: ", "there is no NTLM account"}},
      {"wrong mode",
       [](Place& p) { p.use_users(kUsers, 0644); },
       {kForInitiator, "/other", "0644"}},
      {"missing file",
       [](Place& p) { p.set("NTLM_USER_FILE", p.shop.path("missing")); },
       {kForInitiator, "/missing", "No such file"}},
      {"bad line",
       [](Place& p) { p.use_users("CORP:alice:Passw0rd\nnonsense\n"); },
       {kForInitiator, "/other", "line 2"}},
      {"a setting that is not understood, traced as the environment says",
       [](Place& p) { p.use_settings("[policy]\nrequire_mic = maybe\n"); },
       {"settings: settings file ", "line 2", "require_mic"}},
      {"a setting that is not understood, traced as the file itself says",
       [](Place& p) {
         ::unsetenv("GSS_NTLM_TRACE");
         p.use_settings("[policy]\nrequire_mic = maybe\n[trace]\nfile = " + p.trace_path() + "\n");
       },
       {"settings: settings file ", "line 2", "require_mic"}},
      {"a settings file that others may change",
       [](Place& p) { p.set("GSS_NTLM_SETTINGS", p.shop.write("loose", "", 0666)); },
       {"settings: settings file ", "/loose", "others may change it"}},
      {"a settings file that is missing",
       [](Place& p) { p.set("GSS_NTLM_SETTINGS", p.shop.path("missing")); },
       {"settings: settings file ", "/missing", "No such file"}},
      {"a variable that is not understood",
       [](Place& p) { p.set("LM_COMPAT_LEVEL", "9"); },
       {"settings: LM_COMPAT_LEVEL=9"}},
      {"NTLMUSER that the file does not have",
       [](Place& p) { p.set("NTLMUSER", "CORP\\mallory"); },
       {kForInitiator, "CORP\\mallory: users file "}},
      {"NTLMUSER that is no name",
       [](Place& p) { p.set("NTLMUSER", "CORP\\"); },
       {kForInitiator, "NTLMUSER=CORP"}},
      {"a file that is broken, beside a source that lacks the account",
       [](Place& p) {
         p.use_settings("[accounts]\ninitiator = users_file, keyring, winbind\n");
         p.use_users(kUsers, 0644);
       },
       {kForInitiator, "/other", "0644"}},
      {"acceptor: no file",
       [](Place& p) {
         p.use_settings("[accounts]\nacceptor = users_file\n");
         ::unsetenv("NTLM_USER_FILE");
       },
       {kForAcceptor, "there are no NTLM accounts"},
       GSS_C_ACCEPT},
      {"acceptor: wrong mode",
       [](Place& p) { p.use_users(kUsers, 0644); },
       {kForAcceptor, "/other", "0644"},
       GSS_C_ACCEPT},
  };
}

bool says_all(const std::string& line, const std::vector<const char*>& says) {
  for (const char* words : says) {
    if (line.find(words) == std::string::npos) {
      return false;
    }
  }
  return true;
}

void check_traced(const Row& row, gss_OID mech) {
  Place place;
  row.prepare(place);
  CredHandle cred;
  const Outcome outcome = acquire(row.usage, mech, cred);
  CHECK_FALSE(outcome.ok());
  const std::vector<std::string> lines = lines_of(place.trace_path());
  INFO(joined(lines));
  REQUIRE_FALSE(lines.empty());
  for (const std::string& line : lines) {
    CHECK(says_all(line, row.says));
  }
  if (mech == &kNtlm) {
    CHECK(lines.size() == 1);
  }
}

// From now on in this process.
bool forbid_keyrings() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{4, program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// The trace of searches, `count` of them, in a process that may not use keyrings: all fail, or none
// does. Nothing where a process cannot be kept from that.
std::optional<std::vector<std::string>> trace_without_keyrings(const Place& place, int count,
                                                               bool found) {
  const int status = in_child([&] {
    if (!forbid_keyrings()) {
      return 2;
    }
    for (int i = 0; i < count; ++i) {
      CredHandle cred;
      if (acquire(GSS_C_INITIATE, &kNtlm, cred).ok() != found) {
        return 1;
      }
    }
    return 0;
  });
  if (status == 2) {
    WARN("this machine lets no process filter system calls");
    return std::nullopt;
  }
  REQUIRE(status == 0);
  return lines_of(place.trace_path());
}

TEST_CASE("failed searches: each is one line of the trace", "[failed]") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    check_traced(row, &kNtlm);
  }
}

TEST_CASE("failed searches: each is traced where SPNEGO replaces the error", "[failed]") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    check_traced(row, &kSpnego);
  }
}

TEST_CASE("failed searches: keyrings that are forbidden are traced, each time", "[failed]") {
  Place place;
  place.use_settings("[accounts]\ninitiator = keyring\n");
  const auto lines = trace_without_keyrings(place, 2, false);
  if (!lines) {
    return;
  }
  INFO(joined(*lines));
  REQUIRE(lines->size() == 2);
  for (const std::string& line : *lines) {
    CHECK(line.find("does not let processes use keyrings") != std::string::npos);
  }
}

TEST_CASE("failed searches: forbidden keyrings are traced where another source has the login",
          "[failed]") {
  Place place;
  place.use_settings("[accounts]\ninitiator = keyring, users_file\n");
  const auto lines = trace_without_keyrings(place, 1, true);
  if (!lines) {
    return;
  }
  INFO(joined(*lines));
  REQUIRE(lines->size() == 2);
  CHECK((*lines)[1].find("credentials: none from the kernel keyring: ") != std::string::npos);
  CHECK((*lines)[0].find("credentials: from the users file ") != std::string::npos);
}

// The key itself outlives its login here; where it does not, there is no login.
TEST_CASE("failed searches: a login that has expired is traced", "[failed]") {
  Place place;
  place.use_settings("[accounts]\ninitiator = keyring, users_file\n");
  ::unsetenv("NTLM_USER_FILE");
  const int status = in_child([&] {
    Login login;
    login.pattern = "*";
    login.user = "alice";
    login.domain = "CORP";
    const std::array<std::uint8_t, 16> hash{};
    if (::syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, nullptr) <= 0 ||
        !store_login(login, NtHash(hash), 1)) {
      return 2;
    }
    const Result<std::vector<Login>> logins = list_logins({KeyringKind::kSession});
    if (!logins || logins->size() != 1 ||
        ::syscall(SYS_keyctl, 15 /* KEYCTL_SET_TIMEOUT */, logins->front().key, 0) != 0) {
      return 3;
    }
    ::usleep(2'100'000);
    CredHandle cred;
    return acquire(GSS_C_INITIATE, &kNtlm, cred).ok() ? 1 : 0;
  });
  if (status == 2) {
    WARN("no keyrings here");
    return;
  }
  REQUIRE(status == 0);
  const std::vector<std::string> lines = lines_of(place.trace_path());
  INFO(joined(lines));
  REQUIRE(lines.size() == 1);
  CHECK(says_all(lines[0], {kForInitiator, "the login of CORP\\alice has expired"}));
}

TEST_CASE("failed searches: rejections name user and peer on both sides", "[failed]") {
  Place place;
  place.use_settings("[policy]\nrefuse_reflection = no\n[names]\nnetbios_computer = WS7\n");
  CredHandle wrong;
  REQUIRE(acquire_password("CORP\\alice", "wrong", &kNtlm, wrong).ok());
  Exchange x;
  x.initiator_cred = wrong.get();
  End initiator;
  End acceptor;
  CHECK_FALSE(run(x, initiator, acceptor));
  End refused;
  const std::string first = init_step(x, refused, "");
  CHECK(first.size() > 16);
  init_step(x, refused, "nonsense");
  CHECK_FALSE(refused.last.ok());
  const std::string trace = joined(lines_of(place.trace_path()));
  INFO(trace);
  CHECK(trace.find("accounts: wrong password (\"CORP\\alice\" from \"WS7\")\n") !=
        std::string::npos);
  CHECK(trace.find("initiator: rejected, the token is not an NTLM message") != std::string::npos);
  CHECK(trace.find(" (\"CORP\\alice\" to \"HTTP@server.example\")\n") != std::string::npos);
  // What was decided needs no names.
  CHECK(trace.find("context open (") == std::string::npos);
}

}  // namespace
}  // namespace gssntlm::test
