// Accounts of a domain and the users of this host, with a double of libwbclient and a user database
// of the test's own.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include <dlfcn.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mech/backends/winbind/winbind_logon.h"
#include "mech/base/text.h"
#include "mech/log/process_runtime.h"
#include "test/hostile/failing.h"
#include "test/hostile/wbclient_double.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

using namespace gssntlm;
using namespace gssntlm::test;

namespace {

std::map<std::string, uid_t> g_users;
std::string g_unknowable;  // the user database fails when it is asked for this one
std::atomic<bool> g_other_user = false;
constexpr uid_t kOtherUser = 4242;

}  // namespace

extern "C" {

int getpwnam_r(const char* name, passwd* entry, char* text, std::size_t size, passwd** found) {
  *found = nullptr;
  if (!g_unknowable.empty() && g_unknowable == name) {
    return EIO;
  }
  const auto user = g_users.find(name);
  if (user == g_users.end() || user->first.size() >= size) {
    return 0;
  }
  std::memcpy(text, user->first.c_str(), user->first.size() + 1);
  *entry = {};
  entry->pw_name = text;
  entry->pw_uid = user->second;
  *found = entry;
  return 0;
}

uid_t geteuid() noexcept {
  return g_other_user ? kOtherUser : static_cast<uid_t>(::syscall(SYS_geteuid));
}
}

namespace {

constexpr const char* kDoraSid = "S-1-5-21-0-0-0-1000";
constexpr uid_t kDoraUid = 70001;

DoubleState& winbind() {
  static DoubleState* const state = [] {
    static const std::string pipes = [] {
      std::string path = std::string(P_tmpdir) + "/gss-ntlm-pipes-XXXXXX";
      return std::string(::mkdtemp(path.data()) != nullptr ? path : "");
    }();
    const char* path = std::getenv("WBCLIENT_DOUBLE");
    REQUIRE(path != nullptr);
    failing::redirect("/run/samba/winbindd", pipes.c_str());
    failing::redirect("libwbclient.so.0", path);
    void* library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    REQUIRE(library != nullptr);
    auto* give = reinterpret_cast<DoubleState* (*)()>(::dlsym(library, "double_state"));
    REQUIRE(give != nullptr);
    return give();
  }();
  return *state;
}

// winbind as it is when all is well, and no user here.
DoubleState& fresh_winbind() {
  DoubleState& state = winbind();
  state.mood = Mood::kWell;
  state.user_flags = 0;
  state.gives_key = state.gives_sid = true;
  state.known_sid = kDoraSid;
  state.known_name.clear();
  state.host_user = "REALM\\dora";
  state.host_uid = kDoraUid;
  g_users.clear();
  return state;
}

constexpr const char* kDomainOnly = "[accounts]\nacceptor = winbind\n";

// Logs in with `Passw0rd`; the name is empty when that failed.
NameHandle log_in(const std::string& user, gss_OID mech = &kNtlm) {
  CredHandle cred;
  const test::Outcome acquired = acquire_password(user, "Passw0rd", mech, cred);
  CAPTURE(acquired.text());
  REQUIRE(acquired.ok());
  Exchange x;
  x.mech = mech;
  x.initiator_cred = cred.get();
  End i;
  End a;
  return run(x, i, a) ? std::move(a.source) : NameHandle();
}

// `why` is told when there is none.
std::string localname(const NameHandle& name, std::string* why = nullptr) {
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_localname(&minor, name.get(), &kNtlm, &out);
  if (GSS_ERROR(major)) {
    if (why != nullptr) {
      *why = test::Outcome{major, minor}.text();
    }
    return {};
  }
  std::string user(static_cast<const char*>(out.value), out.length);
  gss_release_buffer(&minor, &out);
  return user;
}

struct Silent : Runtime {
  std::uint64_t now() const noexcept override { return 0; }
  bool random(MutableBytes) const noexcept override { return false; }
};

}  // namespace

TEST_CASE("winbind: a guest did not log in") {
  DoubleState& state = fresh_winbind();
  const Workshop workshop("", kDomainOnly);
  REQUIRE(log_in("REALM\\dora").display() == "REALM\\dora");
  constexpr std::uint32_t kGuest = 1;
  constexpr std::uint32_t kNoEncryption = 2;
  for (const std::uint32_t flags : {kGuest, kNoEncryption, kGuest | kNoEncryption}) {
    CAPTURE(flags);
    state.user_flags = flags;
    CHECK(log_in("REALM\\dora").get() == nullptr);
  }
  state.user_flags = 0;
  state.gives_key = false;
  CHECK(log_in("REALM\\dora").get() == nullptr);
}

TEST_CASE("winbind: is not asked about an account without a name") {
  DoubleState& state = fresh_winbind();
  const WinbindSource source(std::chrono::seconds(5));
  const Bytes response(64, 1);
  const Bytes user = *utf16le_from_utf8("dora");
  const Silent env;
  LogonRequest request;
  request.nt_response = response;
  request.user = user;
  const int before = state.logons;
  (void)source.logon(request, Policy(), env);
  CHECK(state.logons == before + 1);
  request.user = {};
  Verdict verdict = Verdict::kUnreachable;
  const Result<Logon> logon = source.logon(request, Policy(), env, verdict);
  REQUIRE_FALSE(logon);
  CHECK(logon.error().minor == Minor::kLogonFailure);
  CHECK(verdict == Verdict::kUnknown);
  CHECK(state.logons == before + 1);
}

TEST_CASE("winbind: a UPN is asked about whole, and the domain names the account") {
  DoubleState& state = fresh_winbind();
  const Workshop workshop("", kDomainOnly);
  for (const char* user : {"dora@realm.example", "\\dora@realm.example"}) {
    for (gss_OID mech : {&kNtlm, &kSpnego}) {
      CAPTURE(user, mech == &kSpnego);
      const NameHandle name = log_in(user, mech);
      REQUIRE(name.get() != nullptr);
      CHECK(name.display() == "REALM\\dora");
      CHECK(state.logon_name == "\\dora@realm.example");
    }
  }
  CHECK(log_in("REALM\\dora").display() == "REALM\\dora");
  CHECK(state.logon_name == "REALM\\dora");
}

TEST_CASE("winbind: the password of a UPN is that of the domain's user") {
  DoubleState& state = fresh_winbind();
  const Workshop workshop("");
  const std::string settings = workshop.write("winbind", "[accounts]\ninitiator = winbind\n");
  ::setenv("GSS_NTLM_SETTINGS", settings.c_str(), 1);
  for (const char* user : {"dora@realm.example", "\\dora@REALM.EXAMPLE", "realm.example\\dora",
                           "REALM\\dora", "dora", ".\\dora"}) {
    CAPTURE(user);
    state.cache_name.clear();
    CredHandle cred;
    CHECK_FALSE(acquire_from(GSS_C_INITIATE, &kNtlm, user, {}, cred).ok());
    CHECK(state.cache_name == "REALM\\dora");
  }
}

TEST_CASE("mapping: an account of the domain is the host's user that winbind names") {
  fresh_winbind();
  const Workshop workshop("", kDomainOnly);
  const NameHandle dora = log_in("REALM\\dora");
  REQUIRE(dora.get() != nullptr);
  CHECK(localname(dora).empty());
  g_users = {{"REALM\\dora", kDoraUid}};
  CHECK(localname(dora) == "REALM\\dora");
}

TEST_CASE("mapping: another user of the name is not the account's") {
  DoubleState& state = fresh_winbind();
  const Workshop workshop("", kDomainOnly);
  const NameHandle dora = log_in("REALM\\dora");
  // winbind's default domain: a local user of the same name comes first in the system's database.
  state.host_user = "dora";
  g_users = {{"dora", 5000}, {"REALM\\dora", kDoraUid}};
  CHECK(localname(dora).empty());
  g_users["dora"] = kDoraUid;
  CHECK(localname(dora) == "dora");
}

TEST_CASE("mapping: an account of the domain is looked up by its SID alone") {
  DoubleState& state = fresh_winbind();
  const Workshop workshop("", kDomainOnly);
  g_users = {{"REALM\\dora", kDoraUid}, {"dora", 5000}};
  state.gives_sid = false;
  state.known_name = "REALM\\dora";
  const NameHandle dora = log_in("REALM\\dora");
  REQUIRE(dora.get() != nullptr);
  // What the application sets is its own.
  gss_buffer_desc which = {23, const_cast<char*>("urn:gss-ntlm:user-sid\0\0")};
  which.length = std::strlen("urn:gss-ntlm:user-sid");
  gss_buffer_desc sid = {std::strlen(kDoraSid), const_cast<char*>(kDoraSid)};
  OM_uint32 minor = 0;
  CHECK(localname(dora).empty());
  REQUIRE(gss_set_name_attribute(&minor, dora.get(), 1, &which, &sid) == 0);
  CHECK(localname(dora).empty());
}

TEST_CASE("mapping: no account of the domain is an account of the system") {
  DoubleState& state = fresh_winbind();
  const Workshop workshop("", kDomainOnly);
  const NameHandle dora = log_in("REALM\\dora");
  for (const uid_t uid : {0u, 1u, 33u, 999u, 65534u, 65535u}) {
    CAPTURE(uid);
    state.host_uid = uid;
    g_users = {{"REALM\\dora", uid}};
    CHECK(localname(dora).empty());
  }
  state.host_uid = 1000;
  g_users = {{"REALM\\dora", 1000}};
  CHECK(localname(dora) == "REALM\\dora");
}

TEST_CASE("mapping: no shortage of memory makes an account of that name the user root") {
  (void)fresh_winbind();
  const Workshop workshop(":root:Passw0rd\n");
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    const NameHandle root = log_in("root", mech);
    REQUIRE(root.get() != nullptr);
    g_users = {{"root", 0}};
    const NameHandle user("root", GSS_C_NT_USER_NAME);
    for (const bool on : {false, true}) {
      int seen = 0;
      for (int at = 1; at <= seen + 1; ++at) {
        OM_uint32 minor = 0;
        failing::arm({failing::Call::kAllocation, at, ENOMEM, on});
        const OM_uint32 major = gss_authorize_localname(&minor, root.get(), user.get());
        seen = failing::disarm();
        CAPTURE(mech == &kSpnego, on, at, seen);
        CHECK(GSS_ERROR(major));
      }
      CHECK(seen != 0);
    }
  }
}

TEST_CASE("mapping: on a member host no domain's users are the host's own") {
  DoubleState& state = fresh_winbind();
  const Workshop workshop("REALM:alice:Passw0rd\n",
                          "[names]\nnetbios_domain = REALM\nnetbios_computer = MEMBER\n");
  const NameHandle alice = log_in("REALM\\alice");
  REQUIRE(alice.get() != nullptr);
  g_users = {{"alice", 5000}};
  CHECK(localname(alice).empty());
  state.known_name = "REALM\\alice";
  state.host_user = "REALM\\alice";
  g_users["REALM\\alice"] = kDoraUid;
  CHECK(localname(alice) == "REALM\\alice");
}

TEST_CASE("mapping: a user who could not be looked up is not another one") {
  (void)fresh_winbind();
  const Workshop workshop("HOST:alice:Passw0rd\n", "[names]\nnetbios_computer = HOST\n");
  const NameHandle alice = log_in("HOST\\alice");
  REQUIRE(alice.get() != nullptr);
  g_users = {{"alice", 5000}};
  CHECK(localname(alice) == "alice");
  for (const char* unknowable : {"HOST\\alice", "alice"}) {
    CAPTURE(unknowable);
    g_unknowable = unknowable;
    std::string why;
    CHECK(localname(alice, &why).empty());
    CHECK(why.find("the user database cannot be read") != std::string::npos);
  }
  g_unknowable.clear();
}

TEST_CASE("mapping: where the first user's number cannot be read, every account is the system's") {
  (void)fresh_winbind();
  const Workshop workshop("HOST:alice:Passw0rd\n", "[names]\nnetbios_computer = HOST\n");
  const NameHandle alice = log_in("HOST\\alice");
  REQUIRE(alice.get() != nullptr);
  g_users = {{"alice", 5000}};
  REQUIRE(localname(alice) == "alice");
  std::string why;
  const auto localname_when = [&](failing::Call call, int error) {
    failing::arm({call, 1, error, true});
    const std::string user = localname(alice, &why);
    failing::disarm();
    return user;
  };
  CHECK(localname_when(failing::Call::kOpen, EMFILE).empty());
  CHECK(why.find("/etc/login.defs cannot be read") != std::string::npos);
  CHECK(localname_when(failing::Call::kOpen, EACCES).empty());
  CHECK(localname_when(failing::Call::kRead, EIO).empty());
  CHECK(localname_when(failing::Call::kOpen, ENOENT) == "alice");
}

TEST_CASE("runtime: which machine this is can be read again after a failure") {
  const Workshop workshop("");
  const Result<Ref<const Settings>> settings = load_settings();
  REQUIRE(settings);
  const ProcessRuntime runtime(*settings, "acceptor");
  failing::arm({failing::Call::kOpen, 1, EMFILE, true});
  const auto unknown = runtime.machine_id();
  CHECK(failing::disarm() == 1);
  CHECK(is_zero(unknown));
  const auto known = runtime.machine_id();
  CHECK_FALSE(is_zero(known));
  CHECK(runtime.machine_id() == known);
}

TEST_CASE("winbind: a connection is its maker's, not that of whom the process becomes") {
  DoubleState& state = fresh_winbind();
  const Workshop workshop("", kDomainOnly);
  const NameHandle dora = log_in("REALM\\dora");
  g_users = {{"REALM\\dora", kDoraUid}};
  REQUIRE(localname(dora) == "REALM\\dora");
  const uid_t self = ::geteuid();
  CHECK(state.connected_as == self);
  const int before = state.connections;
  REQUIRE(localname(dora) == "REALM\\dora");
  CHECK(state.connections == before);
  g_other_user = true;
  CHECK(localname(dora) == "REALM\\dora");
  CHECK(state.connected_as == kOtherUser);
  CHECK(state.connections > before);
  g_other_user = false;
  CHECK(localname(dora) == "REALM\\dora");
  CHECK(state.connected_as == self);
}
