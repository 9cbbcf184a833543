// Where settings come from: file and environment, and when they are read again.
#include <atomic>
#include <filesystem>
#include <thread>

#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "mech/base/text.h"
#include "mech/config/settings_environment.h"
#include "mech/os/file.h"
#include "support/forks.h"
#include "support/ticks.h"
#include "support/user_namespace.h"

using namespace gssntlm;
using namespace gssntlm::test;

TEST_CASE("the environment overrides the file") {
  const CleanEnvironment clean;
  const ScratchDirectory scratch;
  const std::string file = scratch.write("s.conf",
                                         "[policy]\nsend_level = 4\naccept_level = 4\n"
                                         "[names]\nnetbios_computer = FILE\n"
                                         "[accounts]\nusers_file = /file\n"
                                         "acceptor_users_file = /acceptor\n"
                                         "initiator_users_file = /initiator\n");
  const ScopedVariable settings("GSS_NTLM_SETTINGS", file.c_str());
  Result<Ref<const Settings>> s = load_settings();
  REQUIRE(s.ok());
  CHECK((*s)->policy.initiator_level == 4);
  CHECK((*s)->users_file == "/file");
  CHECK((*s)->acceptor_users_path() == "/acceptor");
  CHECK((*s)->initiator_users_path() == "/initiator");
  CHECK((*s)->source == file);
  CHECK(printable_utf16le((*s)->names.nb_computer) == "FILE");

  const ScopedVariable level("LM_COMPAT_LEVEL", "3");
  const ScopedVariable computer("NETBIOS_COMPUTER_NAME", "ENV");
  const ScopedVariable users("NTLM_USER_FILE", "/env");
  s = load_settings();
  REQUIRE(s.ok());
  CHECK((*s)->policy.initiator_level == 3);
  CHECK((*s)->policy.acceptor_level == 3);
  CHECK((*s)->users_file == "/env");
  CHECK((*s)->acceptor_users_path() == "/env");
  CHECK((*s)->initiator_users_path() == "/env");
  CHECK(printable_utf16le((*s)->names.nb_computer) == "ENV");
}

TEST_CASE("a credential of systemd is the users file where none is named") {
  const CleanEnvironment clean;
  const ScratchDirectory scratch;
  const ScopedVariable credentials("CREDENTIALS_DIRECTORY", scratch.path("").c_str());
  const auto users_file = [] {
    const Result<Ref<const Settings>> s = load_settings();
    REQUIRE(s.ok());
    CHECK((*s)->users_file_handed_over == !(*s)->users_file.empty());
    return (*s)->users_file;
  };
  CHECK(users_file().empty());
  const std::string path = scratch.write("ntlm-users", "DOM:alice:pw\n");
  {
    const ScopedVariable again("CREDENTIALS_DIRECTORY", scratch.path(".").c_str());
    CHECK(users_file() == scratch.path(".") + "/ntlm-users");
  }
  for (const char* elsewhere : {"", "relative", "/nonexistent"}) {
    const ScopedVariable other("CREDENTIALS_DIRECTORY", elsewhere);
    CHECK(users_file().empty());
  }
  for (const char* key : {"users_file", "acceptor_users_file", "initiator_users_file"}) {
    const std::string text = std::string("[accounts]\n") + key + " = /named\n";
    const ScopedVariable file("GSS_NTLM_SETTINGS", scratch.write(key, text).c_str());
    const Result<Ref<const Settings>> s = load_settings();
    REQUIRE(s.ok());
    CHECK_FALSE((*s)->users_file_handed_over);
    CHECK((*s)->users_file == (key[0] == 'u' ? "/named" : ""));
  }
  const ScopedVariable named("NTLM_USER_FILE", "/env");
  const Result<Ref<const Settings>> s = load_settings();
  REQUIRE(s.ok());
  CHECK((*s)->users_file == "/env");
  CHECK_FALSE((*s)->users_file_handed_over);
}

TEST_CASE("a wrong or empty level in the environment is an error that names it") {
  const CleanEnvironment clean;
  for (const char* bad : {"", "6", "-1", "3x", "three"}) {
    const ScopedVariable level("LM_COMPAT_LEVEL", bad);
    INFO(bad);
    const Result<Ref<const Settings>> s = load_settings();
    REQUIRE_FALSE(s.ok());
    CHECK(s.error().minor == Minor::kBadSetting);
    CHECK(has_text(std::string(last_detail(static_cast<std::uint32_t>(Minor::kBadSetting))),
                   "LM_COMPAT_LEVEL"));
  }
}

TEST_CASE("a settings file that is named must be there, readable and ours to trust") {
  const CleanEnvironment clean;
  const ScratchDirectory scratch;
  const auto why = [&](const std::string& path) {
    const ScopedVariable settings("GSS_NTLM_SETTINGS", path.c_str());
    const Result<Ref<const Settings>> s = load_settings();
    CHECK_FALSE(s.ok());
    return std::string(last_detail(static_cast<std::uint32_t>(Minor::kBadSetting)));
  };
  CHECK(has_text(why(scratch.path("absent.conf")), "No such file"));
  CHECK(has_text(why(scratch.path("")), "not a regular file"));
  const std::string file = scratch.write("loose.conf", "");
  std::filesystem::permissions(file, std::filesystem::perms::all);
  CHECK(has_text(why(file), "chmod go-w"));
  CHECK(has_text(why(scratch.write("bad.conf", "[policy]\nfoo = 1\n")), "bad.conf line 2"));
  const std::string foreign = scratch.write("foreign.conf", "");
  // Only root can give a file away.
  if (::chown(foreign.c_str(), 65534, 65534) == 0) {
    CHECK(has_text(why(foreign), "chown it"));
    // A file of a third user, who has no number there, and this one's cannot be told apart.
    REQUIRE(::chown(foreign.c_str(), 12345, 12345) == 0);
    std::filesystem::permissions(foreign, std::filesystem::perms(0644));
    std::filesystem::permissions(scratch.path(""), std::filesystem::perms(0755));
    const auto check = [&] {
      const ScopedVariable settings("GSS_NTLM_SETTINGS", foreign.c_str());
      return !load_settings().ok();
    };
    CHECK(as_overflow_user(check).value_or(true));
  }
}

TEST_CASE("a settings file that is wrong is read once, until it changes") {
  const CleanEnvironment clean;
  const ScratchDirectory scratch;
  const std::string file = scratch.write("s.conf", "[policy]\nfoo = 1\n");
  const ScopedVariable settings("GSS_NTLM_SETTINGS", file.c_str());
  const Descriptor watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  REQUIRE(::inotify_add_watch(watch.get(), file.c_str(), IN_OPEN) >= 0);
  // How often the file was opened since; equal events in a row are one, so each is read at once.
  const auto opened = [&] {
    char event[1024];
    return ::read(watch.get(), event, sizeof event) > 0 ? 1 : 0;
  };
  int opens = 0;
  for (int i = 0; i < 10; ++i) {
    forget_detail();
    const Result<Ref<const Settings>> s = load_settings();
    REQUIRE_FALSE(s.ok());
    CHECK(has_text(std::string(last_detail(static_cast<std::uint32_t>(s.error().minor))),
                   "s.conf line 2"));
    opens += opened();
  }
  CHECK(opens == 1);
  {
    const ScopedVariable user("NTLMUSER", "bob");
    CHECK_FALSE(load_settings().ok());
    CHECK(opened() == 1);
  }
  scratch.write("s.conf", "[policy]\nmin_key_bits = 56\n");
  CHECK(load_settings().ok());
}

TEST_CASE("a settings file of one user of the process does not count for the others") {
  if (::geteuid() != 0) {
    return;
  }
  const CleanEnvironment clean;
  const ScratchDirectory scratch;
  std::filesystem::permissions(scratch.path(""), std::filesystem::perms(0755));
  const std::string file = scratch.write("s.conf", "[policy]\nmin_key_bits = 56\n");
  REQUIRE(::chown(file.c_str(), 12345, 12345) == 0);
  const ScopedVariable settings("GSS_NTLM_SETTINGS", file.c_str());
  CHECK(test::holds_in_child([] {
    return ::seteuid(12345) == 0 && load_settings().ok() && ::seteuid(0) == 0 &&
           !load_settings().ok() && ::seteuid(12345) == 0 && load_settings().ok();
  }));
}

TEST_CASE("settings are kept until file or environment change") {
  const CleanEnvironment clean;
  const ScratchDirectory scratch;
  const std::string file = scratch.write("s.conf", "[policy]\nmin_key_bits = 56\n");
  const ScopedVariable settings("GSS_NTLM_SETTINGS", file.c_str());
  const Result<Ref<const Settings>> first = load_settings();
  const Result<Ref<const Settings>> again = load_settings();
  REQUIRE((first.ok() && again.ok()));
  CHECK(first->get() == again->get());
  {
    const ScopedVariable user("NTLMUSER", "bob");
    const Result<Ref<const Settings>> other = load_settings();
    REQUIRE(other.ok());
    CHECK((*other)->default_user == "bob");
  }
  scratch.write("s.conf", "[policy]\nmin_key_bits = 128\n");
  ::usleep(1'100'000);  // the file is looked at once a second
  const Result<Ref<const Settings>> changed = load_settings();
  REQUIRE(changed.ok());
  CHECK((*changed)->policy.min_key_bits == 128);
  CHECK((*first)->policy.min_key_bits == 56);
}

TEST_CASE("a change of the settings file that leaves no sign is noticed soon") {
  const CleanEnvironment clean;
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.path("here"));
  std::filesystem::permissions(scratch.path(""), std::filesystem::perms(0755));
  const std::string file = scratch.path("here/s.conf");
  const ScopedVariable settings("GSS_NTLM_SETTINGS", file.c_str());
  constexpr const char* kOff = "[policy]\nrequire_mic = no \n";
  constexpr const char* kOn = "[policy]\nrequire_mic = yes\n";
  constexpr const char* kBad = "[policy]\nrequire_mic = 1  \n";
  const auto has_mic = [](bool required) {
    const Result<Ref<const Settings>> s = load_settings();
    return s.ok() && (*s)->policy.require_mic == required;
  };
  const auto is_on = [&](const std::string&) { return ::sleep(1) == 0 && has_mic(true); };
  // The file is looked at once a second, unless the environment changes.
  const auto is_off = [&, n = 0](const std::string&) mutable {
    return ::setenv("NTLMUSER", std::to_string(++n).c_str(), 1) == 0 && has_mic(false);
  };
  const auto is_bad = [](const std::string&) { return !load_settings().ok(); };
  CHECK(notices(file, kOff, kOn, is_off, is_on));
  CHECK(notices(file, kBad, kOn, is_bad, is_on));
  CHECK(notices(file, kOff, kBad, is_off, [&](const std::string& path) {
    return ::sleep(1) == 0 && is_bad(path) && is_bad(path);
  }));
  // What was read counts while a user of the process cannot read the file, and the change later.
  CHECK(notices(file, kOff, kOn, is_off, [&](const std::string&) {
    bool good = ::seteuid(12345) == 0 && ::sleep(1) == 0 && has_mic(false) && has_mic(false);
    ::sleep(4);
    return good && ::seteuid(0) == 0 && has_mic(true);
  }));
}

// Removing variables frees nothing in the C library; adding them can, in versions before 2.41.
TEST_CASE("a variable is found while another thread removes others") {
  const CleanEnvironment clean;
  unsigned lost = 0;
  unsigned long loads = 0;
  for (unsigned round = 0; round < 40; ++round) {
    constexpr unsigned kOthers = 400;
    for (unsigned i = 0; i < kOthers; ++i) {
      ::setenv(("ZZ_OTHER_" + std::to_string(i)).c_str(), "x", 1);
    }
    const ScopedVariable last("NETBIOS_COMPUTER_NAME", "PROBE");
    std::atomic<bool> done = false;
    std::thread host([&] {
      for (unsigned i = 0; i < kOthers; ++i) {
        ::unsetenv(("ZZ_OTHER_" + std::to_string(i)).c_str());
      }
      done = true;
    });
    while (!done) {
      const Result<Ref<const Settings>> settings = load_settings();
      lost +=
          settings && (*settings)->given_names.nb_computer == *utf16le_from_utf8("PROBE") ? 0 : 1;
      ++loads;
    }
    host.join();
  }
  CAPTURE(loads);
  CHECK(lost == 0);
}

namespace {

// What walks see: 'N' the variable, '.' none of them. The last is seen from there on.
const char* g_walks;

VariableValues scripted_walk() noexcept {
  VariableValues values;
  values.fill(*g_walks == 'N' ? "PROBE" : "");
  g_walks += g_walks[1] == '\0' ? 0 : 1;
  return values;
}

std::string settled(const char* walks) {
  g_walks = walks;
  return settled_variables(scripted_walk).front();
}

}  // namespace

TEST_CASE("the environment is what three walks in a row agree upon") {
  CHECK(settled("N") == "PROBE");
  CHECK(settled(".N") == "PROBE");
  CHECK(settled("..N") == "PROBE");
  CHECK(settled("N.N") == "PROBE");
  CHECK(settled(".N..N") == "PROBE");
  CHECK(settled("...N").empty());
  CHECK(settled("N...N").empty());
}
