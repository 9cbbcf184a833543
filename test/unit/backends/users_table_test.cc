// The forms of a users file's lines, and who is found in it.
#include "mech/backends/users/users_table.h"

#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "test/support/catch.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using test::hex;
using test::narrow;
using test::wide;

struct Table {
  explicit Table(std::initializer_list<std::string> lines) {
    for (const std::string& line : lines) {
      INFO(line);
      REQUIRE(table.add_line(line));
    }
  }
  [[nodiscard]] std::optional<UserEntry> find(const char* user, const char* domain = "") const {
    return table.find(wide(user), wide(domain));
  }
  [[nodiscard]] bool has_password(const char* user, const char* domain,
                                  const char* password) const {
    const std::optional<UserEntry> entry = find(user, domain);
    return entry && entry->nt_hash &&
           hex(entry->nt_hash->view()) == hex(derive_nt_hash(wide(password)).view());
  }
  UsersTable table;
};

const std::string kLm = "E52CAC67419A9A224A3B108F3FA6CB6D";
const std::string kNt = "A4F49C406510BDCAB6824EE7C30FD852";  // of "Password"
const std::string kNone = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";

std::string smb(const std::string& name, const std::string& lm, const std::string& nt,
                const std::string& flags) {
  return name + ":1000:" + lm + ":" + nt + ":" + flags + ":LCT-5F000000:";
}

TEST_CASE("users: a line in clear text is domain, user and all the rest", "[users]") {
  const Table t{"DOMAIN:user:Password",
                "DOMAIN:colons:a:b::c:", "DOMAIN:empty:", "DOMAIN:blank: a b "};
  CHECK(t.has_password("user", "DOMAIN", "Password"));
  CHECK(t.has_password("colons", "DOMAIN", "a:b::c:"));
  CHECK(t.has_password("empty", "DOMAIN", ""));
  CHECK(t.has_password("blank", "DOMAIN", " a b "));
}

TEST_CASE("users: comments, empty lines and carriage returns add no account", "[users]") {
  const Table t{"# DOMAIN:user:Password", "", "\r", "#", "DOMAIN:real:Password\r"};
  CHECK(t.table.size() == 1);
  CHECK(t.has_password("real", "DOMAIN", "Password"));
  CHECK_FALSE(t.find("user"));
}

TEST_CASE("users: a UPN is found whole and without domain", "[users]") {
  const Table t{":user@realm.example:Password"};
  CHECK(t.has_password("user@realm.example", "", "Password"));
  CHECK(t.has_password("USER@REALM.EXAMPLE", "", "Password"));
}

TEST_CASE("users: an account is found by its UPN and by user and domain, whichever its entry has",
          "[users]") {
  const Table t{":upn@realm.example:whole", "realm.example:parts:split",
                "any:1:" + kNone + ":" + kNt + ":[U]:", "OTHER:odd@realm.example:odd"};
  CHECK(t.has_password("upn", "realm.example", "whole"));
  CHECK(t.has_password("UPN", "REALM.example", "whole"));
  CHECK(t.has_password("parts@realm.example", "", "split"));
  CHECK(t.has_password("PARTS@Realm.Example", "", "split"));
  CHECK(t.has_password("parts@realm.example", ".", "split"));
  CHECK(t.has_password("any@realm.example", "", "Password"));
  CHECK_FALSE(t.find("upn"));
  CHECK_FALSE(t.find("upn", "realm"));
  CHECK_FALSE(t.find("upn", "realm.example.org"));
  CHECK_FALSE(t.find("parts@realm", ""));
  CHECK_FALSE(t.find("parts@realm.example", "OTHER"));
  // Of another domain than its UPN's.
  CHECK_FALSE(t.find("odd", "realm.example"));
  CHECK(t.has_password("odd@realm.example", "", "odd"));
}

TEST_CASE("users: of two entries that only differ in form, the one that is named is found",
          "[users]") {
  const Table t{":user@corp:whole", "corp:user:split"};
  CHECK(t.has_password("user@corp", "", "whole"));
  CHECK(t.has_password("user", "corp", "split"));
  // A disabled account is not replaced by another one.
  const Table off{smb("user@corp", kNone, kNt, "[DU]"), "corp:user:split"};
  CHECK(off.find("user@corp")->disabled);
}

TEST_CASE("users: a domain that means this host is none", "[users]") {
  const Table t{"CORP:user:Password", ".:local:Password"};
  CHECK(t.has_password("user", ".", "Password"));
  CHECK(t.has_password("local", ".", "Password"));
  CHECK(t.has_password("local", "", "Password"));
}

TEST_CASE("users: the hash of the empty password is marked, and is no LM hash of another",
          "[users]") {
  const std::string empty_lm = "AAD3B435B51404EEAAD3B435B51404EE";
  const std::string empty_nt = "31d6cfe0d16ae931b73c59d7e0c089c0";
  const Table t{"DOM:clear:", smb("both", empty_lm, empty_nt, "[U]"),
                smb("pwdump", empty_lm, kNt, "[U]"), smb("real", kLm, kNt, "[U]")};
  CHECK(t.find("clear")->empty_password);
  CHECK(t.find("both")->empty_password);
  CHECK(t.find("both")->lm_hash);
  CHECK_FALSE(t.find("pwdump")->empty_password);
  CHECK_FALSE(t.find("pwdump")->lm_hash);
  CHECK_FALSE(t.find("real")->empty_password);
  CHECK(t.find("real")->lm_hash);
}

TEST_CASE("users: an smbpasswd line has a name, hashes and flags", "[users]") {
  const Table t{smb("user", kLm, kNt, "[U          ]"), smb("DOM\\member", kNone, kNt, "[UX]")};
  const std::optional<UserEntry> user = t.find("USER", "ANY");
  REQUIRE(user);
  CHECK(user->domain.empty());
  CHECK_FALSE(user->disabled);
  REQUIRE(user->nt_hash);
  REQUIRE(user->lm_hash);
  CHECK(hex(user->nt_hash->view()) == "a4f49c406510bdcab6824ee7c30fd852");
  CHECK(hex(user->lm_hash->view()) == "e52cac67419a9a224a3b108f3fa6cb6d");
  const std::optional<UserEntry> member = t.find("member", "dom");
  REQUIRE(member);
  CHECK(narrow(member->domain) == "DOM");
  CHECK_FALSE(member->lm_hash);
  CHECK_FALSE(t.find("member", "other"));
}

TEST_CASE("users: XXXX means no such hash, for that entry and that hash only", "[users]") {
  const Table t{smb("none", kNone, kNone, "[U]"), smb("lm", kLm, kNone, "[U]"),
                smb("nt", "NO PASSWORDXXXXXXXXXXXXXXXXXXXXX", kNt, "[U]")};
  CHECK_FALSE(t.find("none")->nt_hash);
  CHECK_FALSE(t.find("none")->lm_hash);
  CHECK_FALSE(t.find("lm")->nt_hash);
  CHECK(t.find("lm")->lm_hash);
  CHECK(t.find("nt")->nt_hash);
  CHECK_FALSE(t.find("nt")->lm_hash);
}

TEST_CASE("users: flags D, N and L forbid logging in, others do not", "[users]") {
  for (const char* flags : {"[D]", "[UD         ]", "[N]", "[NU]", "[L]", "[UXDN]"}) {
    CAPTURE(flags);
    CHECK((Table{smb("user", kLm, kNt, flags)}.find("user")->disabled));
  }
  for (const char* flags : {"[]", "[U]", "[UX]", "[W          ]", "[ ]"}) {
    CAPTURE(flags);
    CHECK_FALSE((Table{smb("user", kLm, kNt, flags)}.find("user")->disabled));
  }
}

TEST_CASE("users: what only looks like smbpasswd is a password with colons", "[users]") {
  const std::string short_hash = kNt.substr(1);
  for (const std::string& rest :
       {"x:" + kLm + ":" + kNt + ":[U]:", "1000:" + kLm + ":" + short_hash + ":[U]:",
        "1000:" + kLm + ":" + kNt + ":U:", "1000:" + kLm + ":" + kNt,
        ":" + kLm + ":" + kNt + ":[U]"}) {
    UsersTable table;
    CAPTURE(rest);
    const Status added = table.add_line("DOM:" + rest);
    const std::size_t colon = rest.find(':');
    if (colon == 0) {
      CHECK_FALSE(added);  // no user
      continue;
    }
    REQUIRE(added);
    const std::string user = rest.substr(0, colon);
    const std::optional<UserEntry> entry = table.find(wide(user), wide("DOM"));
    REQUIRE(entry);
    CHECK(hex(entry->nt_hash->view()) == hex(derive_nt_hash(wide(rest.substr(colon + 1))).view()));
  }
}

TEST_CASE("users: bad lines are refused", "[users]") {
  for (const std::string_view line :
       {std::string_view("nonsense"), std::string_view("DOMAIN:user"), std::string_view("::x"),
        std::string_view("DOMAIN::x"), std::string_view("DOM\xff:user:x"),
        std::string_view("DOM:us\xffr:x"), std::string_view("DOM:user:\xff"),
        std::string_view("DOM:us\x01r:x"), std::string_view("DOM:us\0r:x", 10),
        std::string_view("D\x1bM:user:x"), std::string_view(" "), std::string_view(":"),
        std::string_view("\\DOM\\:")}) {
    UsersTable table;
    const Status s = table.add_line(line);
    CAPTURE(std::string(line));
    REQUIRE_FALSE(s);
    CHECK(s.error().minor == Minor::kUsersFileLine);
    CHECK(table.size() == 0);
  }
  UsersTable table;
  CHECK_FALSE(table.add_line(smb("", kLm, kNt, "[U]")));
  CHECK_FALSE(table.add_line(smb("DOM\\", kLm, kNt, "[U]")));
}

TEST_CASE("users: names of many sizes", "[users]") {
  for (const std::size_t size : {1u, 255u, 256u, 511u, 512u, 1023u, 1024u, 32767u, 65536u}) {
    const std::string name(size, 'x');
    UsersTable table;
    CAPTURE(size);
    const bool fits = size <= 32767;
    CHECK(table.add_line("DOM:" + name + ":p").ok() == fits);
    CHECK(table.add_line(name + ":user:p").ok() == fits);
    CHECK(table.add_line("DOM:long:" + name).ok());
    CHECK(table.find(wide(std::string(size, 'X')), {}).has_value() == fits);
    CHECK(table.find(wide("user"), wide(name)).has_value() == fits);
    CHECK(table.find(wide("long"), wide("dom")));
  }
}

TEST_CASE("users: found without regard to case, by NTLM's rules", "[users]") {
  const Table t{"DOM:J\xc3\xb6rg:1",
                "DOM:stra\xc3\x9f"
                "e:2",
                "DOM:\xc4\xb1:3", "DOM:i:4"};
  CHECK(t.has_password("J\xc3\x96RG", "dom", "1"));
  CHECK(
      t.has_password("STRA\xc3\x9f"
                     "E",
                     "dom", "2"));
  CHECK_FALSE(t.find("STRASSE"));
  CHECK(t.has_password("I", "dom", "4"));
}

TEST_CASE("users: domains are compared where both sides have one", "[users]") {
  const Table t{"ONE:user:1", "TWO:user:2", ":user:any", "ONE:user:never"};
  CHECK(t.has_password("user", "one", "1"));
  CHECK(t.has_password("user", "TWO", "2"));
  CHECK(t.has_password("user", "THREE", "any"));
  CHECK(t.has_password("user", "", "1"));
  const Table strict{"ONE:user:1"};
  CHECK_FALSE(strict.find("user", "TWO"));
  CHECK(strict.find("user", ""));
}

TEST_CASE("users: entries of one account are its passwords, four at most", "[users]") {
  Table t{"DOM:user:new", "OTHER:user:x", ":user:y", "dom:USER:old", "DOM:user2:z"};
  CHECK(t.table.size() == 5);
  CHECK(t.table.accounts() == 4);
  CHECK(t.table.most_entries() == 2);
  CHECK(t.has_password("user", "DOM", "new"));
  const std::uint32_t second = t.find("user", "DOM")->next;
  REQUIRE(second == 4);
  CHECK(narrow(t.table.entry(second).user) == "USER");
  CHECK(hex(t.table.entry(second).nt_hash->view()) == hex(derive_nt_hash(wide("old")).view()));
  CHECK(t.table.entry(second).next == 0);
  CHECK(t.find("user", "OTHER")->next == 0);
  CHECK(t.find("user", "ANY")->next == 0);
  CHECK(t.find("user2", "DOM")->next == 0);
  CHECK(t.table.add_line(smb("DOM\\user", kNone, kNt, "[D]")));
  CHECK(t.table.add_line("Dom:User:oldest"));
  CHECK(t.table.most_entries() == 4);
  const Status fifth = t.table.add_line("DOM:user:fifth");
  REQUIRE_FALSE(fifth);
  CHECK(fifth.error().minor == Minor::kUsersFileLine);
  CHECK(t.table.add_line("OTHER:user:x2"));
  CHECK(t.find("user", "OTHER")->next == 8);
  CHECK(t.table.entry(6).disabled);
  CHECK((Table{"DOM:one:1"}.table.most_entries() == 1));
}

TEST_CASE("users: each of 20,000 accounts with four entries has its own, in the order of the file",
          "[users]") {
  constexpr std::uint32_t kAccounts = 20'000;
  UsersTable table;
  for (std::uint32_t i = 0; i < 4 * kAccounts; ++i) {
    REQUIRE(table.add_line("DOM:user" + std::to_string(i % kAccounts) + ":" +
                           std::to_string(i / kAccounts)));
  }
  CHECK(table.accounts() == kAccounts);
  int wrong = 0;
  for (std::uint32_t i = 0; i < kAccounts; ++i) {
    std::optional<UserEntry> entry = table.find(wide("user" + std::to_string(i)), wide("DOM"));
    for (std::uint32_t n = 1; n < 4; ++n) {
      const bool right = entry && entry->next == i + n * kAccounts + 1;
      wrong += right ? 0 : 1;
      entry = right ? std::optional(table.entry(entry->next)) : std::nullopt;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("users: the first entry is the file's first account", "[users]") {
  const Table t{"# comment", "DOM:one:1", "DOM:two:2"};
  REQUIRE(t.table.first());
  CHECK(narrow(t.table.first()->user) == "one");
  UsersTable empty;
  CHECK_FALSE(empty.first());
  CHECK_FALSE(empty.find(wide("one"), {}));
  CHECK_FALSE(empty.first());
  CHECK_FALSE(empty.find(wide("one"), {}));
}

TEST_CASE("users: each of 100,000 is found, and no other", "[users]") {
  constexpr int kCount = 100'000;
  UsersTable table;
  for (int i = 0; i < kCount; ++i) {
    const std::string number = std::to_string(i);
    REQUIRE(table.add_line(i % 2 == 0 ? "DOM:user" + number + ":" + number
                                      : smb("DOM\\user" + number, kNone, kNt, "[U]")));
  }
  CHECK(table.size() == kCount);
  int wrong = 0;
  for (int i = 0; i < kCount; ++i) {
    const std::optional<UserEntry> entry =
        table.find(wide("USER" + std::to_string(i)), wide("dom"));
    const bool right = entry && entry->nt_hash && narrow(entry->user) == "user" + std::to_string(i);
    wrong += right ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK_FALSE(table.find(wide("user100000"), wide("DOM")));
  CHECK_FALSE(table.find(wide("user5"), wide("OTHER")));
  CHECK(hex(table.find(wide("user99998"), {})->nt_hash->view()) ==
        hex(derive_nt_hash(wide("99998")).view()));
}

}  // namespace
}  // namespace gssntlm
