#include "mech/config/settings.h"

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mech/base/text.h"
#include "mech/config/access_lists.h"
#include "mech/config/glob.h"
#include "mech/credential/local_user.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"
#include "support/catch.h"
#include "support/forks.h"
#include "support/scratch.h"
#include "support/user_namespace.h"

using namespace gssntlm;

namespace {

// What is wrong with `text`, as gss_display_status would tell; empty: nothing.
std::string complaint(std::string_view text) {
  forget_detail();
  Settings settings;
  const Status s = parse_settings(text, "test.conf", settings);
  if (s.ok()) {
    return {};
  }
  CHECK(s.error().minor == Minor::kBadSetting);
  return std::string(last_detail(static_cast<std::uint32_t>(Minor::kBadSetting)));
}

bool has_text(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// No setting of the machine or the caller counts.
struct CleanEnvironment {
  ScopedVariable file{"GSS_NTLM_SETTINGS", nullptr};
  ScopedVariable level{"LM_COMPAT_LEVEL", nullptr};
  ScopedVariable computer{"NETBIOS_COMPUTER_NAME", nullptr};
  ScopedVariable domain{"NETBIOS_DOMAIN_NAME", nullptr};
  ScopedVariable users{"NTLM_USER_FILE", nullptr};
  ScopedVariable user{"NTLMUSER", nullptr};
  ScopedVariable credentials{"CREDENTIALS_DIRECTORY", nullptr};
  ScopedVariable trace{"GSS_NTLM_TRACE", nullptr};
  ScopedVariable debug{"GSSNTLMSSP_DEBUG", nullptr};
  ScopedVariable trace_level{"GSS_NTLM_TRACE_LEVEL", nullptr};
};

}  // namespace

TEST_CASE("every setting takes back what it prints, and its default changes nothing") {
  std::string file;
  std::string section;
  const Settings defaults;
  for (const SettingKey& key : setting_keys()) {
    if (section != key.section) {
      section = key.section;
      file.append("[").append(section).append("]\n");
    }
    file.append(key.name).append(" = ").append(key.get(defaults)).append("\n");
  }
  Settings read;
  REQUIRE(parse_settings(file, "test.conf", read).ok());
  for (const SettingKey& key : setting_keys()) {
    INFO(key.section << "." << key.name);
    CHECK(key.get(read) == key.get(defaults));
  }
}

TEST_CASE("no two settings share section and name") {
  std::set<std::string> names;
  for (const SettingKey& key : setting_keys()) {
    INFO(key.section << "." << key.name);
    CHECK(names.insert(std::string(key.section).append(".").append(key.name)).second);
    CHECK_FALSE(key.about.empty());
  }
}

TEST_CASE("a bad value of any setting is refused with file, line and what to write") {
  for (const SettingKey& key : setting_keys()) {
    for (const std::string_view value :
         {"\xff\xfe", "yes please", "-1", "6", "0x80", "127", "accept, require", "1e3h"}) {
      Settings untouched;
      const bool fits = key.set(untouched, value);
      if (fits) {
        continue;  // a name or pattern may be called anything printable
      }
      INFO(key.section << "." << key.name << " = " << value);
      const std::string text = "# first line\n[" + std::string(key.section) + "]\n" +
                               std::string(key.name) + " = " + std::string(value) + "\n";
      const std::string why = complaint(text);
      CHECK(has_text(why, "test.conf line 3"));
      CHECK(has_text(why, key.name));
      CHECK(has_text(why, key.form()));
    }
  }
  // Everything but texts refuses an unknown word and an empty value.
  std::size_t strict = 0;
  for (const SettingKey& key : setting_keys()) {
    Settings s;
    strict += !key.set(s, "gibberish") && !key.set(s, "yes please") ? 1 : 0;
  }
  CHECK(strict >= 18);
}

TEST_CASE("what is no setting is refused with its line") {
  CHECK(has_text(complaint("[policy]\nmin_key_bit = 128\n"),
                 "line 2: [policy] min_key_bit: no such"));
  CHECK(has_text(complaint("[polic]\nmin_key_bits = 128\n"), "line 2"));
  CHECK(has_text(complaint("min_key_bits = 128\n"), "line 1: [] min_key_bits: no such"));
  CHECK(has_text(complaint("[policy\n"), "line 1: neither"));
  CHECK(has_text(complaint("[policy]\n\n\njust words\n"), "line 4: neither"));
  CHECK(has_text(complaint("[policy]\njust words\nnonsense = 1\n"), "line 2: neither"));
  CHECK(has_text(complaint("[policy]\nrequire_mic = yes\nrequire_mic = no\n"),
                 "line 3: [policy] require_mic: set for a second time"));
  CHECK(has_text(complaint("[policy]\nrequire_mic = yes\n  no\n"), "line 3"));
  CHECK(has_text(complaint("[policy]\ndeny_users = " + std::string(300, 'a') + "\n"),
                 "line 2: longer than"));
  CHECK(has_text(complaint(std::string("[policy]\nrequire_mic\0 = yes\n", 28)), "line 2"));
}

TEST_CASE("a setting without its newline, with blanks and CRLF is taken") {
  Settings s;
  REQUIRE(parse_settings("[policy]\r\n\r\n min_key_bits   =   56", "t", s).ok());
  CHECK(s.policy.min_key_bits == 56);
}

TEST_CASE("a list goes on in indented lines") {
  Settings s;
  REQUIRE(
      parse_settings("[policy]\ndeny_users = alice, CORP\\bob,\n   carol\n\t dave , eve\n", "t", s)
          .ok());
  CHECK(s.deny_users == std::vector<std::string>{"alice", "CORP\\bob", "carol", "dave", "eve"});
}

TEST_CASE("what would read as a remark when it is written again is refused") {
  for (const char* text : {"[policy]\ndeny_users =;DOM\\eve\n", "[policy]\ndeny_targets = a,;b\n",
                           "[policy]\ndeny_users = a,\n  b ;c\n",
                           "[policy]\ndeny_users = a\n b\t;\n", "[names]\ndns_computer =;host\n"}) {
    Settings settings;
    CAPTURE(text);
    CHECK_FALSE(parse_settings(text, "test.conf", settings).ok());
  }
}

TEST_CASE("a remark may follow a value, indented or not") {
  Settings s;
  REQUIRE(parse_settings("[trace]\nlevel = 1\n[policy]\n  min_key_bits = 56 ; old\n", "t", s).ok());
  CHECK(s.policy.min_key_bits == 56);
}

TEST_CASE("times are read in days, hours, minutes and seconds") {
  Settings s;
  REQUIRE(parse_settings("[policy]\nmax_clock_skew = 90s\n", "t", s).ok());
  CHECK(s.policy.max_skew_seconds == 90);
  for (const char* bad : {"", "h", "10", "-1s", "1.5h", "18446744073709551616s", "99999999999d"}) {
    INFO(bad);
    CHECK(has_text(complaint("[policy]\nmax_clock_skew = " + std::string(bad) + "\n"), "line 2"));
  }
}

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

TEST_CASE("patterns match names without regard to case") {
  CHECK(matches_pattern("*", ""));
  CHECK(matches_pattern("a?c*", "ABCDEF"));
  CHECK(matches_pattern("*.corp.example", "www.CORP.example"));
  CHECK(matches_pattern("\xc3\xa4*", "\xc3\x84pfel"));
  CHECK_FALSE(matches_pattern("*.corp.example", "corp.example"));
  CHECK_FALSE(matches_pattern("", "a"));
  CHECK_FALSE(matches_pattern("a", ""));
  CHECK_FALSE(matches_pattern("\xff", "\xff"));
  CHECK(matches_pattern(std::string(200, '*') + "b", std::string(2000, 'a') + "b"));
}

TEST_CASE("target patterns know services, hosts and ports") {
  CHECK(matches_target("HTTP@*.corp.example", "http/www.corp.example"));
  CHECK(matches_target("HTTP/www", "HTTP/www:8080"));
  CHECK(matches_target("HTTP@www:8080", "HTTP/www:8080"));
  CHECK(matches_target("*", "LDAP/dc1"));
  CHECK(matches_target("dc1", "LDAP/dc1"));
  CHECK_FALSE(matches_target("HTTP@www:80", "HTTP/www:8080"));
  CHECK_FALSE(matches_target("LDAP@*", "HTTP/www"));
  CHECK_FALSE(matches_target("HTTP@www", "HTTP/www2"));
  CHECK(matches_target("MSSQLSvc/db", "MSSQLSvc/db:INSTANCE"));
  CHECK(matches_target("MSSQLSvc/db:inst*", "MSSQLSvc/db:INSTANCE"));
  CHECK(matches_target("ldap/dc1", "ldap/dc1/corp.example"));
  CHECK(matches_target("ldap/*/corp.example", "ldap/dc1:389/corp.example"));
  CHECK(matches_target("HTTP/www@REALM", "HTTP/www:80@realm"));
  CHECK_FALSE(matches_target("ldap/dc1/other.example", "ldap/dc1/corp.example"));
  CHECK_FALSE(matches_target("ldap/dc1/corp.example", "ldap/dc1"));
}

TEST_CASE("target patterns: the host is the target's host, and nothing behind it") {
  for (const char* target :
       {"HTTP/evil.example/x.corp.example", "HTTP@evil.example/x.corp.example",
        "HTTP/evil.example@x.corp.example", "HTTP/evil.example:80/x.corp.example",
        "MSSQLSvc/evil.example:x.corp.example", "MSSQLSvc/evil.example:1:x.corp.example",
        "HTTP/[::1]:80/x.corp.example", "evil.example:x.corp.example", "HTTP//x.corp.example"}) {
    CAPTURE(target);
    CHECK_FALSE(matches_target("*.corp.example", target));
    CHECK_FALSE(matches_target("HTTP/*.corp.example", target));
    CHECK_FALSE(matches_target("MSSQLSvc/*.corp.example", target));
  }
  // What is behind the host does not hide it from a list of those denied.
  for (const char* target :
       {"HTTP/evil.example", "HTTP/evil.example/x", "HTTP/evil.example:80/x", "HTTP/evil.example@X",
        "HTTP/evil.example:x", "evil.example:8080", "X/evil.example:1:x"}) {
    CAPTURE(target);
    CHECK(matches_target("evil.example", target));
  }
  for (const char* address : {"::1", "[::1]", "fe80::1", "[fe80::1]"}) {
    CAPTURE(address);
    CHECK(matches_target(address, std::string("HTTP/") + address));
    CHECK(matches_target(std::string("HTTP/") + address, std::string("HTTP@") + address));
  }
  // Letters of hexadecimal numbers.
  CHECK(matches_target("dc1", "LDAP/dc1:389"));
  CHECK(matches_target("[::1]", "HTTP/[::1]:80"));
  CHECK(matches_target("[::1]:80", "HTTP/[::1]:80"));
  CHECK(matches_target("fe80::*", "HTTP/fe80::1"));
  CHECK_FALSE(matches_target("[::1]:80", "HTTP/[::1]:81"));
  CHECK_FALSE(matches_target("fe80", "HTTP/fe80::1"));
  CHECK_FALSE(matches_target("[::1]", "HTTP/[::1].evil.example"));
}

TEST_CASE("deny_users: an account is denied under every name that it may log in with") {
  struct Row {
    const char* pattern;
    AccountSpelling account;
    bool denied;
  };
  const Row rows[] = {
      {"*\\administrator", {"administrator", "CORP"}, true},
      {"*\\administrator", {"Administrator", ""}, true},
      {"*\\administrator", {"administrator@corp.example", ""}, true},
      {"*\\administrator", {"admin", "CORP", "administrator@corp.example"}, true},
      {"*\\administrator", {"administrators", ""}, false},
      {"CORP\\mallory", {"mallory", ""}, true},
      {"CORP\\mallory", {"mallory", "corp"}, true},
      {"CORP\\mallory", {"mallory", "OTHER"}, false},
      {"CORP\\mallory", {"mallory@corp.example", ""}, true},
      {"CORP\\mallory", {"mallory@CORP", ""}, true},
      {"CORP\\mallory", {"mallory@other.example", ""}, false},
      {"CORP\\mallory", {"mallory", "corp.example"}, true},
      {"corp.example\\mallory", {"mallory", "CORP"}, true},
      {"corp.example\\mallory", {"mallory", "CORP.EXAMPLE."}, true},
      {"corp.example\\mallory", {"mallory", "corp.test"}, false},
      {"ad.example\\mallory", {"mallory", "CORP", "", "ad.example"}, true},
      {"house.example\\mallory", {"mallory", "OURS"}, true},
      {"OURS\\mallory", {"mallory@house.example", ""}, true},
      {"mallory@corp.example", {"mallory", "CORP"}, true},
      {"mallory@corp.example", {"mallory", ""}, true},
      {"mallory@corp.example", {"mallory@corp.example", ""}, true},
      {"mallory@corp.example", {"mallory", "OTHER"}, false},
      {"\\mallory@corp.example", {"mallory@corp.example", ""}, true},
      {"m.allory@corp.example", {"mallory", "CORP", "m.allory@corp.example"}, true},
      {"mallory", {"mallory", "ANY"}, true},
      {"mallory", {"mallory@any.example", ""}, true},
      {"*", {"", ""}, true},
  };
  Settings s;
  s.names.nb_domain = *utf16le_from_utf8("OURS");
  s.names.dns_domain = *utf16le_from_utf8("house.example");
  for (const Row& row : rows) {
    CAPTURE(row.pattern, row.account.user, row.account.domain, row.account.principal);
    s.deny_users = {row.pattern};
    CHECK(user_refusal(row.account, s).has_value() == row.denied);
  }
}

TEST_CASE("allow_users: the exact account is allowed, and no other of that name") {
  struct Row {
    const char* pattern;
    AccountSpelling account;
    bool allowed;
  };
  const Row rows[] = {
      {"alice", {"Alice", ""}, true},
      {"alice", {"alice", "EVIL"}, false},
      {"alice", {"alice@evil.example", ""}, false},
      {"CORP\\alice", {"alice", "corp"}, true},
      {"CORP\\alice", {"alice", ""}, false},
      {"CORP\\alice", {"alice@corp", ""}, false},
      {"CORP\\alice", {"alice", "corp.example"}, false},
      {"CORP\\alice", {"al", "EVIL", "alice@corp", "corp"}, false},
      {"alice@corp.example", {"alice@corp.example", ""}, true},
      {"alice@corp.example", {"alice", "corp.example"}, false},
      {"CORP\\*", {"bob", "CORP"}, true},
      {"*\\alice", {"alice", "ANY"}, true},
      {"*\\alice", {"alice", ""}, false},
      {"*\\alice", {"x\\alice", "CORP"}, false},
      {"*", {"alice", "CORP"}, true},
      {"*", {"alice", ""}, true},
  };
  Settings s;
  for (const Row& row : rows) {
    CAPTURE(row.pattern, row.account.user, row.account.domain);
    s.allow_users = {row.pattern};
    CHECK(user_refusal(row.account, s).has_value() != row.allowed);
  }
}

TEST_CASE("an allow list that names no one is a mistake, not everyone") {
  for (const char* key : {"allow_users", "allow_targets"}) {
    for (const char* value : {"", " ", ",", " , ,", ",\n  ,\n"}) {
      CAPTURE(key, value);
      const std::string why =
          complaint("[policy]\n" + std::string(key) + " =" + value + "\nrequire_mic = yes\n");
      CHECK(has_text(why, "line 2: [policy] " + std::string(key) + " is empty"));
    }
    for (const char* value : {"a", ",a", "\n  a\n", "a,\n  b,", "*"}) {
      CAPTURE(key, value);
      CHECK(complaint("[policy]\n" + std::string(key) + " =" + value + "\n").empty());
    }
    CHECK(complaint("[policy]\ndeny_users =\n").empty());
  }
}

TEST_CASE("accounts of the system are named one by one") {
  CHECK(complaint("[policy]\nallow_system_users = root, www-data\n").empty());
  CHECK_FALSE(complaint("[policy]\nallow_system_users = *\n").empty());
  CHECK_FALSE(complaint("[policy]\nallow_system_users = roo?\n").empty());
}

TEST_CASE("the first user of login.defs") {
  CHECK(first_user_uid("") == 1000);
  CHECK(first_user_uid("UID_MIN 500\n") == 500);
  CHECK(first_user_uid("# UID_MIN 5\n\tUID_MIN\t\t\"2000\"\r\nUID_MAX 60000\n") == 2000);
  CHECK(first_user_uid("UID_MIN 1000\nSYS_UID_MAX 4999") == 5000);
  CHECK(first_user_uid("UID_MIN 500\nSYS_UID_MAX 499\n") == 500);
  CHECK(first_user_uid("UID_MIN 0x1388\nXUID_MIN 1\n") == 5000);
  CHECK(first_user_uid("UID_MIN 017\n") == 15);
}

TEST_CASE("a first user of login.defs that is no number is none, not the usual one") {
  for (const char* bad : {"UID_MIN", "UID_MIN \n", "UID_MIN 0\n", "UID_MIN -1\n", "UID_MIN x\n",
                          "UID_MIN 1x\n", "UID_MIN 0x\n", "UID_MIN 08\n", "UID_MIN 99999999999\n",
                          "UID_MIN 4294967295\n", "UID_MIN 1000\nSYS_UID_MAX x\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(first_user_uid(bad));
  }
}

TEST_CASE("the lists refuse whom they name, and say it only under audit_only") {
  Settings s;
  CHECK_FALSE(outgoing_refusal("HTTP/www", s));
  s.deny_targets = {"HTTP@www"};
  CHECK(outgoing_refusal("HTTP/www", s)->starts_with("refused"));
  CHECK_FALSE(outgoing_refusal("HTTP/www2", s));
  s.allow_targets = {"*.corp.example"};
  CHECK(outgoing_refusal("HTTP/www2", s));
  CHECK_FALSE(outgoing_refusal("HTTP/a.corp.example", s));
  s.audit_only = true;
  CHECK(outgoing_refusal("HTTP/www", s)->starts_with("would be refused"));

  s.deny_users = {"CORP\\guest", "root"};
  CHECK(user_refusal({"GUEST", "corp"}, s));
  CHECK_FALSE(user_refusal({"guest", "other"}, s));
  CHECK(user_refusal({"Root", "other"}, s));
  s.allow_users = {"CORP\\*"};
  CHECK_FALSE(user_refusal({"bob", "CORP"}, s));
  CHECK(user_refusal({"bob", ""}, s));

  s.target_names = {"HTTP@www.corp.example"};
  CHECK(target_refusal("", s));
  CHECK(target_refusal("HTTP/other", s));
  CHECK_FALSE(target_refusal("HTTP/www.corp.example", s));
}

TEST_CASE("a required audit record needs a file to be written to") {
  CHECK(complaint("[audit]\nlog = file\nrequired = yes\n").empty());
  CHECK(complaint("[audit]\nlog = syslog\nrequired = yes\n").empty());
  CHECK(complaint("[audit]\nrequired = no\n").empty());
  for (const char* log : {"", "log = off\n"}) {
    CAPTURE(log);
    CHECK(has_text(complaint(std::string("[audit]\n") + log + "required = yes\n"),
                   "needs log = file or syslog"));
  }
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
