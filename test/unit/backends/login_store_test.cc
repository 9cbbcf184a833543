#include "mech/backends/keyring/login_store.h"

#include <cerrno>
#include <thread>

#include <grp.h>
#include <keyutils.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mech/credential/credential.h"
#include "mech/credential/store.h"
#include "mech/os/error_detail.h"
#include "support/catch.h"
#include "support/forks.h"
#include "support/hex.h"
#include "support/scratch.h"
#include "support/user_namespace.h"

using namespace gssntlm;

namespace {

NtHash hash_of(std::uint8_t seed) {
  NtHash hash;
  for (std::uint8_t& b : hash.bytes()) {
    b = seed++;
  }
  return hash;
}

Login login_for(std::string pattern, std::string user, std::string domain = "DOM") {
  Login login;
  login.pattern = std::move(pattern);
  login.user = std::move(user);
  login.domain = std::move(domain);
  return login;
}

// A session keyring of this process alone; false where the kernel has none to give, in which case
// the one clear error is checked.
bool fresh_session() {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) > 0) {
    return true;
  }
  const Status s = store_login(login_for("*", "bob"), hash_of(1), 0);
  REQUIRE_FALSE(s.ok());
  CHECK(s.error().minor == Minor::kKeyring);
  WARN("this kernel or container has no keyrings; only the error was checked");
  return false;
}

constexpr uid_t kAlice = 54321;

// The same, to be shared with another user, whom only root can become.
bool shared_session() {
  if (::geteuid() != 0) {
    WARN("only root can be two users");
    return false;
  }
  return fresh_session();
}

// Whether `body` is true in a child of that uid, in this session keyring.
template <typename Body>
bool holds_as_user(uid_t uid, Body body) {
  return test::holds_in_child([&] {
    return ::setgroups(0, nullptr) == 0 && ::setresgid(uid, uid, uid) == 0 &&
           ::setresuid(uid, uid, uid) == 0 && body();
  });
}

// The ring of that user in this session; -1 where it cannot be found.
long search_ring(uid_t uid) {
  return ::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "keyring",
                   ("gss-ntlm." + std::to_string(uid)).c_str(), 0);
}

std::vector<Login> session_logins() {
  Result<std::vector<Login>> logins = list_logins({KeyringKind::kSession});
  REQUIRE(logins.ok());
  return std::move(*logins);
}

std::optional<Login> found_login(const LoginQuery& query) {
  Result<std::optional<Login>> login = find_login(query);
  return login ? *std::move(login) : std::nullopt;
}

Result<Ref<const Name>> service(const char* text) {
  return Name::service(text);
}

}  // namespace

TEST_CASE("a login is kept, found and read back, and gone when removed") {
  if (!fresh_session()) {
    return;
  }
  CHECK(session_logins().empty());
  REQUIRE(store_login(login_for("HTTP@*.corp.example", "bob"), hash_of(1), 3600).ok());
  const std::vector<Login> logins = session_logins();
  REQUIRE(logins.size() == 1);
  CHECK(logins[0].pattern == "HTTP@*.corp.example");
  CHECK(logins[0].account() == "DOM\\bob");
  const Result<LoginSecret> secret = read_login(logins[0]);
  REQUIRE(secret.ok());
  CHECK(same_bytes(secret->hash.view(), hash_of(1).view()));
  CHECK(secret->expires > static_cast<std::uint64_t>(::time(nullptr)) + 3590);
  REQUIRE(remove_login(logins[0]).ok());
  CHECK(session_logins().empty());
  CHECK_FALSE(read_login(logins[0]).ok());
}

TEST_CASE("a login of the same pattern and account replaces the old one") {
  if (!fresh_session()) {
    return;
  }
  REQUIRE(store_login(login_for("*", "bob"), hash_of(1), 0).ok());
  REQUIRE(store_login(login_for("*", "bob"), hash_of(9), 0).ok());
  REQUIRE(store_login(login_for("*", "alice"), hash_of(2), 0).ok());
  const std::vector<Login> logins = session_logins();
  CHECK(logins.size() == 2);
  LoginQuery query;
  query.user = "BOB";
  const std::optional<Login> bob = found_login(query);
  REQUIRE(bob);
  const Result<LoginSecret> secret = read_login(*bob);
  REQUIRE(secret.ok());
  CHECK(same_bytes(secret->hash.view(), hash_of(9).view()));
  CHECK(secret->expires == 0);
}

TEST_CASE("a key of a login is its owner's alone") {
  if (!fresh_session()) {
    return;
  }
  REQUIRE(store_login(login_for("*", "bob"), hash_of(1), 60).ok());
  char text[256] = {};
  REQUIRE(session_logins().size() == 1);
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_DESCRIBE, session_logins()[0].key, text, sizeof text) > 0);
  CHECK(std::string(text).find(";003f0000;") != std::string::npos);
  const long ring = search_ring(::geteuid());
  REQUIRE(ring > 0);
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_DESCRIBE, ring, text, sizeof text) > 0);
  CHECK(std::string(text).find(";003f0000;") != std::string::npos);
}

TEST_CASE("a login cannot be read by another user in the same session keyring") {
  if (!shared_session()) {
    return;
  }
  REQUIRE(store_login(login_for("*", "root"), hash_of(1), 60).ok());
  const std::vector<Login> own = session_logins();
  REQUIRE(own.size() == 1);
  const long ring = search_ring(0);
  REQUIRE(ring > 0);
  // As after `su alice` without pam_keyinit.
  CHECK(holds_as_user(kAlice, [&] {
    std::array<char, 64> bytes{};
    const auto denied = [](long result) { return result == -1 && errno == EACCES; };
    return session_logins().empty() && !found_login({}) && search_ring(0) == -1 &&
           denied(::syscall(SYS_keyctl, KEYCTL_READ, own[0].key, bytes.data(), 64)) &&
           denied(::syscall(SYS_keyctl, KEYCTL_READ, ring, bytes.data(), 64)) &&
           denied(::syscall(SYS_keyctl, KEYCTL_DESCRIBE, own[0].key, bytes.data(), 64)) &&
           denied(::syscall(SYS_keyctl, KEYCTL_SETPERM, own[0].key, KEY_POS_ALL)) &&
           denied(::syscall(SYS_keyctl, KEYCTL_LINK, own[0].key, KEY_SPEC_THREAD_KEYRING)) &&
           !read_login(own[0]).ok();
  }));
  // Each has his own, and neither is in the other's way.
  CHECK(holds_as_user(kAlice, [] {
    return store_login(login_for("*", "alice"), hash_of(2), 60).ok() &&
           session_logins().size() == 1 && session_logins()[0].user == "alice" &&
           read_login(session_logins()[0]).ok();
  }));
  REQUIRE(session_logins().size() == 1);
  CHECK(session_logins()[0].user == "root");
  CHECK(read_login(own[0]).ok());
}

TEST_CASE("a login that another user planted is ignored") {
  if (!shared_session()) {
    return;
  }
  constexpr key_perm_t kOpen = KEY_POS_ALL | KEY_USR_ALL | KEY_OTH_ALL;
  // A key of his in a ring of ours.
  REQUIRE(store_login(login_for("*", "root"), hash_of(1), 60).ok());
  const long ring = search_ring(0);
  const long planted = ::syscall(SYS_add_key, "user", "ntlm;HTTP@www;DOM\\mallory", "x", 1,
                                 KEY_SPEC_SESSION_KEYRING);
  REQUIRE(planted > 0);
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_SETPERM, planted, kOpen) == 0);
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_CHOWN, planted, kAlice, -1) == 0);
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_LINK, planted, ring) == 0);
  REQUIRE(session_logins().size() == 1);
  CHECK(session_logins()[0].user == "root");

  // A ring of his under the name of ours.
  const long other =
      ::syscall(SYS_add_key, "keyring", ("gss-ntlm." + std::to_string(kAlice)).c_str(), nullptr, 0,
                KEY_SPEC_SESSION_KEYRING);
  REQUIRE(other > 0);
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_SETPERM, other, kOpen) == 0);
  CHECK(holds_as_user(kAlice, [&] {
    const bool planted_there =
        ::syscall(SYS_add_key, "user", "ntlm;*;DOM\\mallory", "x", 1, other) > 0;
    const Status s = store_login(login_for("*", "alice"), hash_of(2), 60);
    return planted_there && session_logins().empty() && !found_login({}) && !s.ok() &&
           last_detail(static_cast<std::uint32_t>(Minor::kKeyring))
                   .find("another user's keyring has the name gss-ntlm.") != std::string_view::npos;
  }));
}

TEST_CASE("a login of a user without a number in this user namespace is ignored") {
  if (!shared_session()) {
    return;
  }
  constexpr key_perm_t kOpen = KEY_POS_ALL | KEY_USR_ALL | KEY_OTH_ALL;
  const std::string name = "gss-ntlm." + std::to_string(kOverflowUser);
  const long ring =
      ::syscall(SYS_add_key, "keyring", name.c_str(), nullptr, 0, KEY_SPEC_SESSION_KEYRING);
  REQUIRE(ring > 0);
  const long planted = ::syscall(SYS_add_key, "user", "ntlm;*;DOM\\mallory", "x", 1, ring);
  REQUIRE(planted > 0);
  for (const long key : {planted, ring}) {
    REQUIRE(::syscall(SYS_keyctl, KEYCTL_SETPERM, key, kOpen) == 0);
    REQUIRE(::syscall(SYS_keyctl, KEYCTL_CHOWN, key, kAlice, -1) == 0);
  }
  const std::optional<bool> ignored = as_overflow_user([] {
    const Status s = store_login(login_for("*", "alice"), hash_of(2), 60);
    return session_logins().empty() && !found_login({}) && !s.ok() &&
           last_detail(static_cast<std::uint32_t>(Minor::kKeyring))
                   .find("no login is known to be its own") != std::string_view::npos;
  });
  CHECK(ignored.value_or(true));
}

TEST_CASE("a login expires") {
  if (!fresh_session()) {
    return;
  }
  REQUIRE(store_login(login_for("*", "bob"), hash_of(1), 3).ok());
  const std::vector<Login> bob = session_logins();
  REQUIRE(bob.size() == 1);
  REQUIRE(store_login(login_for("*", "alice"), hash_of(2), 3).ok());
  LoginQuery query;
  query.user = "alice";
  const std::optional<Login> alice = found_login(query);
  REQUIRE(alice);
  // The owner of the key can remove the kernel's timeout, but not the login's.
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, alice->key, 0) == 0);
  ::usleep(4'100'000);
  CHECK(session_logins().size() == 1);
  CHECK_FALSE(read_login(bob[0]).ok());
  const Result<LoginSecret> secret = read_login(*alice);
  REQUIRE_FALSE(secret.ok());
  CHECK(secret.error().minor == Minor::kExpired);
}

TEST_CASE("a keyring that was revoked or has expired is named, with what to do") {
  constexpr auto kLost = static_cast<std::uint32_t>(Minor::kKeyring);
  const auto why = [&](const LoginQuery& query) {
    const Result<std::optional<Login>> login = find_login(query);
    CHECK_FALSE(login);
    CHECK((login || login.error().major == Major::kNoCred));
    CHECK((login || login.error().minor == Minor::kKeyring));
    return std::string(last_detail(kLost));
  };
  LoginQuery of_session;
  of_session.keyring = KeyringKind::kSession;
  const std::pair<int, const char*> ends[] = {{KEYCTL_REVOKE, "it was revoked"},
                                              {KEYCTL_SET_TIMEOUT, "it has expired"}};
  for (const auto& [how, text] : ends) {
    // The session's keyring itself, and the ring of ours in it.
    for (const bool whole : {true, false}) {
      CAPTURE(text, whole);
      if (!fresh_session()) {
        return;
      }
      REQUIRE(store_login(login_for("*", "bob"), hash_of(1), 60).ok());
      const long dying = whole ? long{KEY_SPEC_SESSION_KEYRING} : search_ring(::geteuid());
      REQUIRE(::syscall(SYS_keyctl, how, dying, 1) == 0);
      if (how == KEYCTL_SET_TIMEOUT) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1100));
      }
      // Twice: that it is dead is no reason to remember that there is no login.
      for (int i = 0; i < 2; ++i) {
        CHECK(why({}).find("the session keyring: " + std::string(text)) == 0);
        CHECK(why(of_session).find("the session keyring: " + std::string(text)) == 0);
      }
    }
  }
}

TEST_CASE("the login that describes the target most closely is chosen") {
  if (!fresh_session()) {
    return;
  }
  REQUIRE(store_login(login_for("HTTP@*.corp.example", "web"), hash_of(1), 0).ok());
  REQUIRE(store_login(login_for("HTTP@www.corp.example", "www"), hash_of(2), 0).ok());
  REQUIRE(store_login(login_for("LDAP@dc1", "ldap"), hash_of(3), 0).ok());
  const auto chosen = [](const char* target) {
    LoginQuery query;
    query.target = target;
    const std::optional<Login> login = found_login(query);
    return login ? login->user : std::string();
  };
  CHECK(chosen("HTTP/www.corp.example") == "www");
  CHECK(chosen("HTTP/other.corp.example") == "web");
  CHECK(chosen("LDAP/dc1") == "ldap");
  CHECK(chosen("LDAP/dc2").empty());
  REQUIRE(store_login(login_for("*", "any"), hash_of(4), 0).ok());
  CHECK(chosen("LDAP/dc2") == "any");
  CHECK(chosen("") == "any");
}

TEST_CASE("a login is found by a UPN in both forms, and travels whole where one says so") {
  const ScratchDirectory scratch;
  const ScopedVariable settings("GSS_NTLM_SETTINGS", scratch.write("s.conf", "").c_str());
  const ScopedVariable users("NTLM_USER_FILE", nullptr);
  const auto sent = [](const char* asked) {
    CredentialRequest request;
    request.usage = Usage::kInitiate;
    request.name = *Name::user(asked);
    request.keyring = "session";
    const Result<Ref<const Credential>> credential = Credential::acquire(request);
    if (!credential) {
      return std::string("none");
    }
    CHECK((*credential)->name()->equals(*request.name));
    const Identity& identity = *(*credential)->identity();
    return *utf8_from_utf16le(identity.domain()) + "\\" + *utf8_from_utf16le(identity.user());
  };
  if (!fresh_session()) {
    return;
  }
  REQUIRE(store_login(login_for("*", "split", "realm"), hash_of(1), 0).ok());
  REQUIRE(store_login(login_for("*", "whole@realm", ""), hash_of(2), 0).ok());
  CHECK(sent("split@realm") == "\\split@realm");
  CHECK(sent("realm\\split") == "realm\\split");
  CHECK(sent("whole@realm") == "\\whole@realm");
  CHECK(sent("\\whole@realm") == "\\whole@realm");
  CHECK(sent("realm\\whole") == "\\whole@realm");
  CHECK(sent("whole@other") == "none");
  CHECK(sent("whole") == "none");
  // The one that is named, if both are there.
  REQUIRE(store_login(login_for("*", "split@realm", ""), hash_of(3), 0).ok());
  CHECK(sent("split@realm") == "\\split@realm");
  CHECK(sent("realm\\split") == "realm\\split");
}

TEST_CASE("patterns and accounts that cannot be kept are refused") {
  // What is kept all the same goes with this process, not to who runs the tests.
  (void)fresh_session();
  for (const char* bad : {"", "a;b", "a\nb", "\xff"}) {
    INFO(bad);
    CHECK_FALSE(store_login(login_for(bad, "bob"), hash_of(1), 0).ok());
  }
  CHECK_FALSE(store_login(login_for(std::string(256, 'a'), "bob"), hash_of(1), 0).ok());
  CHECK_FALSE(store_login(login_for("*", ""), hash_of(1), 0).ok());
  CHECK_FALSE(store_login(login_for("*", "bob\n"), hash_of(1), 0).ok());
  CHECK_FALSE(store_login(login_for("*", "bob", "A\\B"), hash_of(1), 0).ok());
}

TEST_CASE("logins made at the same time lose none") {
  if (!fresh_session()) {
    return;
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i] {
      (void)store_login(login_for("*", std::string("user").append(std::to_string(i))), hash_of(1),
                        0)
          .ok();
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  CHECK(session_logins().size() == 8);
}

TEST_CASE("a default initiator takes the login of its target, once and for all") {
  if (!fresh_session()) {
    return;
  }
  const ScratchDirectory scratch;
  const ScopedVariable settings("GSS_NTLM_SETTINGS", scratch.write("s.conf", "").c_str());
  const ScopedVariable users("NTLM_USER_FILE", nullptr);
  CredentialRequest request;
  request.usage = Usage::kInitiate;
  // The user who runs the tests may keep logins outside of the session.
  const auto kept = list_logins({KeyringKind::kUser, KeyringKind::kPersistent});
  CHECK(Credential::acquire(request).ok() == (kept.ok() && !kept->empty()));
  REQUIRE(store_login(login_for("HTTP@www", "web"), hash_of(1), 600).ok());
  REQUIRE(store_login(login_for("*", "any"), hash_of(2), 0).ok());

  const Result<Ref<const Credential>> credential = Credential::acquire(request);
  REQUIRE(credential.ok());
  CHECK((*credential)->name()->display() == "DOM\\any");
  const auto web = (*credential)->for_target(**service("HTTP@www"));
  REQUIRE(web.ok());
  CHECK((*web)->name()->display() == "DOM\\web");
  CHECK((*web)->lifetime() <= 600);
  CHECK((*web)->lifetime() > 590);
  // Chosen: another target changes nothing any more.
  const auto same = (*web)->for_target(**service("LDAP@dc1"));
  REQUIRE(same.ok());
  CHECK((*same)->name()->display() == "DOM\\web");
  const auto any = (*credential)->for_target(**service("LDAP@dc1"));
  REQUIRE(any.ok());
  CHECK((*any)->name()->display() == "DOM\\any");
  CHECK((*any)->lifetime() == UINT32_MAX);
}

TEST_CASE("a default initiator whose target has no login says so") {
  if (!fresh_session()) {
    return;
  }
  const ScratchDirectory scratch;
  const ScopedVariable settings("GSS_NTLM_SETTINGS", scratch.write("s.conf", "").c_str());
  const ScopedVariable users("NTLM_USER_FILE", nullptr);
  REQUIRE(store_login(login_for("HTTP@www", "web"), hash_of(1), 0).ok());
  CredentialRequest request;
  request.usage = Usage::kInitiate;
  const Result<Ref<const Credential>> credential = Credential::acquire(request);
  REQUIRE(credential.ok());
  const auto none = (*credential)->for_target(**service("LDAP@dc1"));
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().major == Major::kNoCred);
  CHECK(std::string(last_detail(static_cast<std::uint32_t>(none.error().minor))).find("LDAP/dc1") !=
        std::string::npos);
}

TEST_CASE("a denied target is refused before any token is made") {
  const ScratchDirectory scratch;
  const std::string file = scratch.write("s.conf", "[policy]\ndeny_targets = HTTP@www\n");
  const ScopedVariable settings("GSS_NTLM_SETTINGS", file.c_str());
  const Result<Ref<const Name>> bob = Name::user("DOM\\bob");
  CredentialRequest request;
  request.usage = Usage::kInitiate;
  request.name = *bob;
  request.password = "secret";
  const Result<Ref<const Credential>> credential = Credential::acquire(request);
  REQUIRE(credential.ok());
  const auto refused = (*credential)->for_target(**service("HTTP@www"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().minor == Minor::kPolicyBlocked);
  CHECK((*credential)->for_target(**service("HTTP@www2")).ok());
}

TEST_CASE("a credential is stored in a keyring and acquired from it") {
  if (!fresh_session()) {
    return;
  }
  const Result<Ref<const Name>> bob = Name::user("DOM\\bob");
  CredentialRequest request;
  request.usage = Usage::kInitiate;
  request.name = *bob;
  request.password = "secret";
  const Result<Ref<const Credential>> credential = Credential::acquire(request);
  REQUIRE(credential.ok());
  const Result<KeyringChoice> choice = parse_keyring_choice("session:HTTP@*");
  REQUIRE(choice.ok());
  REQUIRE(store_in_keyring(**credential, *choice, false).ok());
  CHECK(store_in_keyring(**credential, *choice, false).error().major == Major::kDuplicateElement);
  CHECK(store_in_keyring(**credential, *choice, true).ok());

  CredentialRequest from_keyring;
  from_keyring.usage = Usage::kInitiate;
  from_keyring.keyring = "session";
  const Result<Ref<const Credential>> back = Credential::acquire(from_keyring);
  REQUIRE(back.ok());
  CHECK((*back)->name()->display() == "DOM\\bob");
  CHECK(same_bytes((*back)->identity()->nt_hash().view(),
                   (*credential)->identity()->nt_hash().view()));
  CHECK((*back)->lifetime() > 8 * 3600 - 10);
  CHECK((*back)->lifetime() <= 8 * 3600);
  for (const char* bad : {"", "sessions", "session:", "any:a;b"}) {
    INFO(bad);
    CHECK_FALSE(parse_keyring_choice(bad).ok());
  }
}

TEST_CASE("a raw password with lone surrogates is stored in a keyring and acquired from it") {
  if (!fresh_session()) {
    return;
  }
  const Result<Ref<const Name>> service_account = Name::user("DOM\\gmsa$");
  CredentialRequest request;
  request.usage = Usage::kInitiate;
  request.name = *service_account;
  request.password_utf16le = "00d8ffdf4100";
  const Result<Ref<const Credential>> credential = Credential::acquire(request);
  REQUIRE(credential.ok());
  REQUIRE(store_in_keyring(**credential, *parse_keyring_choice("session"), false).ok());

  CredentialRequest from_keyring;
  from_keyring.usage = Usage::kInitiate;
  from_keyring.keyring = "session";
  const Result<Ref<const Credential>> back = Credential::acquire(from_keyring);
  REQUIRE(back.ok());
  CHECK((*back)->name()->display() == "DOM\\gmsa$");
  // The MD4 of these six bytes.
  CHECK(test::hex((*back)->identity()->nt_hash().view()) == "70881c441f925cd601ed8a55f5e7dce4");
}

TEST_CASE("a login is found at once though there was none a moment ago") {
  if (!fresh_session()) {
    return;
  }
  LoginQuery query;
  query.target = "HTTP/gss-ntlm-late";
  CHECK_FALSE(found_login(query));
  CHECK_FALSE(found_login(query));
  REQUIRE(store_login(login_for("HTTP@gss-ntlm-late", "bob"), hash_of(1), 30).ok());
  CHECK(found_login(query));
}

TEST_CASE("a thread that goes back to another session finds its logins at once") {
  if (!fresh_session()) {
    return;
  }
  const std::string name = "gss-ntlm-test-" + std::to_string(::getpid());
  const auto join = [&] {
    return ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str());
  };
  const long session = join();
  REQUIRE(session > 0);
  // Found by its name again, and kept while no session.
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_SETPERM, session, KEY_POS_ALL | KEY_USR_ALL) == 0);
  REQUIRE(::syscall(SYS_keyctl, KEYCTL_LINK, session, KEY_SPEC_THREAD_KEYRING) == 0);
  REQUIRE(store_login(login_for("HTTP@gss-ntlm-back", "bob"), hash_of(1), 30).ok());
  LoginQuery query;
  query.target = "HTTP/gss-ntlm-back";
  REQUIRE(fresh_session());
  CHECK_FALSE(found_login(query));
  REQUIRE(join() == session);
  CHECK(found_login(query));
  ::syscall(SYS_keyctl, KEYCTL_UNLINK, session, KEY_SPEC_THREAD_KEYRING);
}

TEST_CASE("a login that another process stores is found within a second") {
  if (!fresh_session()) {
    return;
  }
  LoginQuery query;
  query.target = "HTTP/gss-ntlm-elsewhere";
  const pid_t child = ::fork();
  if (child == 0) {
    ::usleep(300'000);
    ::_exit(store_login(login_for("HTTP@gss-ntlm-elsewhere", "bob"), hash_of(1), 30).ok() ? 0 : 1);
  }
  REQUIRE(child > 0);
  bool found = false;
  for (int tenths = 0; tenths < 30 && !found; ++tenths) {
    found = found_login(query).has_value();
    ::usleep(100'000);
  }
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(found);
}

TEST_CASE("the user's keyring takes logins though the session does not link to it") {
  if (!fresh_session()) {
    return;
  }
  Login login = login_for("HTTP@gss-ntlm-test", "bob");
  login.keyring = KeyringKind::kUser;
  REQUIRE(store_login(login, hash_of(1), 30).ok());
  LoginQuery query;
  query.target = "HTTP/gss-ntlm-test";
  const std::optional<Login> found = found_login(query);
  REQUIRE(found);
  CHECK(found->keyring == KeyringKind::kUser);
  CHECK(read_login(*found).ok());
  CHECK(remove_login(*found).ok());
  CHECK_FALSE(found_login(query));
}
