// The text of settings files: every setting, its values, and what is wrong with a text.
#include "mech/config/settings.h"

#include <set>

#include "config/config.h"

using namespace gssntlm;
using namespace gssntlm::test;

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
