#include "mech/backends/users/users_edit.h"

#include <chrono>
#include <functional>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mech/backends/users/users_file.h"
#include "mech/backends/users/users_read.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/os/error_detail.h"
#include "support/catch.h"
#include "support/scratch.h"
#include "support/users_text.h"

using namespace gssntlm;

namespace {

NtHash hash_of(std::string_view password) {
  const Result<Bytes> wide = utf16le_from_utf8(password);
  return derive_nt_hash(*wide);
}

Result<Edited> edit(const std::string& path, bool create,
                    const std::function<Status(UsersText&)>& change) {
  EditOptions options;
  options.create = create;
  options.patience = std::chrono::minutes(2);
  return edit_users_file(path, options, change);
}

Result<Edited> put(const std::string& path, std::string_view user, std::string_view domain,
                   std::string_view password) {
  return edit(path, true,
              [&](UsersText& users) { return users.set_hash(user, domain, hash_of(password)); });
}

// Whether the acceptor would find the account with this password.
bool proves(const std::string& path, std::string_view user, std::string_view password) {
  const auto table = load_users_table(path);
  REQUIRE(table.ok());
  const Result<Bytes> wide = utf16le_from_utf8(user);
  const std::optional<UserEntry> entry = (*table)->find(*wide, {});
  return entry && !entry->disabled && entry->nt_hash &&
         same_bytes(entry->nt_hash->view(), hash_of(password).view());
}

mode_t mode_of(const std::string& path) {
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  return st.st_mode & 07777;
}

}  // namespace

TEST_CASE("a new users file is 0600 and holds hashes alone") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path("users");
  const mode_t before = ::umask(0);
  REQUIRE(put(path, "alice", "DOM", "Passw0rd").ok());
  ::umask(before);
  CHECK(mode_of(path) == 0600);
  CHECK(scratch.read("users").find("Passw0rd") == std::string::npos);
  CHECK(scratch.read("users").starts_with(
      "DOM\\alice:0:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A87F3A337D73085C45F9416BE5787D86:[U          "
      "]:LCT-"));
  CHECK(proves(path, "Alice", "Passw0rd"));
}

TEST_CASE("editing keeps comments, order, other entries, mode and the link to the file") {
  const ScratchDirectory scratch;
  const std::string path =
      scratch.write("users", "# kept\n\nDOM:bob:secret:with:colons\n\nDOM:carol:pw");
  ::chmod(path.c_str(), 0400);
  REQUIRE(::symlink("users", scratch.path("link").c_str()) == 0);
  REQUIRE(put(scratch.path("link"), "alice", "", "x").ok());
  const std::string text = scratch.read("users");
  CHECK(text.starts_with("# kept\n\nDOM:bob:secret:with:colons\n\nDOM:carol:pw\nalice:0:"));
  CHECK(mode_of(path) == 0400);
  struct stat st {};
  REQUIRE(::lstat(scratch.path("link").c_str(), &st) == 0);
  CHECK(S_ISLNK(st.st_mode));
}

TEST_CASE("a changed password keeps uid, place and flags, and drops the LM hash") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write(
      "users",
      "bob:1001:AAD3B435B51404EEAAD3B435B51404EE:A87F3A337D73085C45F9416BE5787D86:[UXN        "
      "]:LCT-00000000:extra\nzoe:1002:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:"
      "A87F3A337D73085C45F9416BE5787D86:[U          ]:LCT-00000000:\n");
  REQUIRE(put(path, "BOB", "", "new").ok());
  const std::string text = scratch.read("users");
  CHECK(text.starts_with("bob:1001:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:"));
  CHECK(text.find("[UX         ]") != std::string::npos);
  CHECK(proves(path, "bob", "new"));
  CHECK(proves(path, "zoe", "Passw0rd"));
}

TEST_CASE("an account in clear text that has no hash form is not turned into another one") {
  const std::string text = "D:ann:pw\nA\\B:bob:pw\n";
  Result<UsersText> users = test::users_text(text);
  REQUIRE(users.ok());
  CHECK(users->enable("bob", "A\\B", false) == UsersText::Enabling::kNoForm);
  CHECK(as_text(users->text().view()) == text);
}

TEST_CASE("an editor reads what logons accept, and rejects the rest with the same text") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path("users");
  const std::string good = "D:ann:pw\n";
  for (const std::string& line :
       {std::string("nonsense"), std::string("D:bob:\xFF"), std::string("D:x\xFFx:pw"),
        std::string("D:x\x01x:pw"), std::string("D::pw"), "D:" + std::string(40'000, 'b') + ":pw",
        "D:bob:" + std::string(300'000, 'p')}) {
    CAPTURE(line.substr(0, 20));
    scratch.write("users", good + line + "\n" + good);
    const UsersLoad load = load_users(path, std::nullopt);
    REQUIRE(load.fault);
    CHECK(load.fault->text == "users file " + path + " line 2");
    const Result<UsersText> users = read_users_text(path);
    REQUIRE_FALSE(users.ok());
    CHECK(users.error().minor == load.fault->minor);
    CHECK(last_detail(static_cast<std::uint32_t>(users.error().minor)) == load.fault->text);
    CHECK_FALSE(put(path, "zoe", "", "pw").ok());
  }
  UsersText users;
  CHECK(users.set_hash(std::string(32'767, 'b'), "", hash_of("pw")).ok());
  CHECK_FALSE(users.set_hash(std::string(32'768, 'b'), "", hash_of("pw")).ok());
}

TEST_CASE("a new password stands in front of the old ones until those are removed") {
  using Adding = UsersText::Adding;
  Result<UsersText> users = test::users_text(
      "# top\nD\\ann:7:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A87F3A337D73085C45F9416BE5787D86:[DNU]:x:\n"
      "D:bob:pw\n");
  REQUIRE(users.ok());
  REQUIRE(users->add_hash("ANN", "d", hash_of("new")).ok());
  const std::string text(as_text(users->text().view()));
  const std::size_t added = text.find("D\\ann:7:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:");
  CHECK(added == 6);
  CHECK(text.find("[UD         ]") == std::string::npos);
  CHECK(text.find("[DU         ]") < text.find("[DNU]"));
  CHECK(users->count("ann", "D") == 2);
  CHECK(*users->add_hash("ann", "D", hash_of("new")) == Adding::kPresent);
  CHECK(*users->add_hash("ann", "D", hash_of("Passw0rd")) == Adding::kPresent);
  CHECK(*users->add_hash("ann", "D", hash_of("3")) == Adding::kDone);
  CHECK(*users->add_hash("ann", "D", hash_of("4")) == Adding::kDone);
  CHECK(*users->add_hash("ann", "D", hash_of("5")) == Adding::kFull);
  CHECK(users->count("ann", "D") == 4);
  CHECK(users->entries()[0].older == false);
  CHECK(users->entries()[3].older);
  CHECK_FALSE(users->add_hash("a:b", "D", hash_of("5")));
  CHECK(users->retire_old("Ann", "D") == 3);
  CHECK(users->retire_old("ann", "D") == 0);
  CHECK(users->retire_old("zoe", "D") == 0);
  REQUIRE(users->count("ann", "D") == 1);
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", std::string(as_text(users->text().view())));
  const auto table = load_users_table(path);
  REQUIRE(table.ok());
  CHECK(same_bytes((*table)->first()->nt_hash->view(), hash_of("4").view()));
  CHECK((*table)->first()->disabled);
  CHECK(proves(path, "bob", "pw"));
  CHECK(*users->add_hash("zoe", "", hash_of("pw")) == Adding::kDone);
  CHECK(users->count("zoe", "") == 1);
}

TEST_CASE("accounts are disabled, enabled and removed") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", "D:bob:pw\n:carol@realm:pw2\n");
  const auto enable = [&](bool on) {
    return edit(path, false, [&](UsersText& u) -> Status {
      CHECK(u.enable("bob", "D", on) == UsersText::Enabling::kDone);
      CHECK(u.enable("bob", "E", on) == UsersText::Enabling::kMissing);
      return {};
    });
  };
  REQUIRE(enable(false).ok());
  CHECK_FALSE(proves(path, "bob", "pw"));
  REQUIRE(enable(true).ok());
  CHECK(proves(path, "bob", "pw"));
  REQUIRE(edit(path, false, [](UsersText& u) -> Status {
            CHECK(u.remove("bob", "d") == 1);
            CHECK(u.remove("bob", "D") == 0);
            return {};
          }).ok());
  CHECK(scratch.read("users") == ":carol@realm:pw2\n");
  CHECK(proves(path, "carol@realm", "pw2"));
}

TEST_CASE("all entries of an account are removed, disabled and enabled") {
  const ScratchDirectory scratch;
  const std::string hash = ":XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A87F3A337D73085C45F9416BE5787D86:";
  const std::string text = "bob:1" + hash + "[U          ]:LCT-0:\nzoe:2" + hash +
                           "[U          ]:LCT-0:\nBOB:3" + hash + "[LU]:LCT-0:\n:bob:old\n";
  Result<UsersText> users = test::users_text(text);
  REQUIRE(users.ok());
  const auto enabled = [&] {
    std::string all;
    for (const UsersText::Entry& e : users->entries()) {
      all.push_back(e.enabled ? '+' : '-');
    }
    return all;
  };
  CHECK(enabled() == "++-+");
  CHECK(users->enable("bob", "", false) == UsersText::Enabling::kDone);
  CHECK(enabled() == "-+--");
  CHECK(users->enable("bob", "", true) == UsersText::Enabling::kDone);
  CHECK(enabled() == "++++");
  CHECK(users->remove("bob", "") == 3);
  CHECK(enabled() == "+");
}

TEST_CASE("an account without a usable password is not enabled, and nothing is changed") {
  for (const std::string line :
       {"bob:1:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A87F3A337D73085C45F9416BE5787D86:[DNU]:LCT-0:\n",
        "bob:1:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:NO PASSWORDXXXXXXXXXXXXXXXXXXXXX:[DU]:LCT-0:\n"}) {
    const std::string text =
        "bob:0:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:"
        "A87F3A337D73085C45F9416BE5787D86:[DU]:LCT-0:\n" +
        line;
    Result<UsersText> users = test::users_text(text);
    REQUIRE(users.ok());
    CHECK(users->enable("bob", "", true) == UsersText::Enabling::kNeedsPassword);
    CHECK(as_text(users->text().view()) == text);
  }
}

TEST_CASE("a new password removes the account's further entries") {
  Result<UsersText> users = test::users_text(":bob:one\n:zoe:pw\n:Bob:two\nD:bob:three\n");
  REQUIRE(users.ok());
  REQUIRE(users->set_hash("bob", "", hash_of("new")).ok());
  const std::string text(as_text(users->text().view()));
  CHECK(text.starts_with("bob:0:"));
  CHECK(text.ends_with("\n:zoe:pw\nD:bob:three\n"));
  CHECK(users->count("bob", "") == 1);
}

TEST_CASE("an import carries flags over and takes the first entry of each account") {
  using Outcome = UsersText::Imported::Outcome;
  const std::string lm = ":XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:";
  const std::string first = lm + "A87F3A337D73085C45F9416BE5787D86:";
  const std::string second = lm + "00112233445566778899AABBCCDDEEFF:";
  const Result<UsersText> other = test::users_text(
      "# old\ndan:7" + first + "[DU]:LCT-0:\nlea:8" + first + "[LU]:LCT-0:\nnan:9" + first +
      "[NU]:LCT-0:\nDAN:7" + second + "[U]:LCT-0:\nann:1" + first + "[U]:LCT-0:\nann:1" + second +
      "[U]:LCT-0:\nbob:2" + lm + "NO PASSWORDXXXXXXXXXXXXXXXXXXXXX:[U]:LCT-0:\nbob:2" + first +
      "[U]:LCT-0:\nzoe:3" + first + "[U]:LCT-0:\nD:a\\b:pw\n");
  REQUIRE(other.ok());
  Result<UsersText> users = test::users_text("zoe:5" + second + "[DU]:LCT-0:\n");
  REQUIRE(users.ok());
  std::vector<Outcome> outcomes;
  for (const UsersText::Imported& entry : users->take_over(*other)) {
    outcomes.push_back(entry.outcome);
  }
  CHECK(outcomes == std::vector<Outcome>{Outcome::kAddedDisabled, Outcome::kAddedDisabled,
                                         Outcome::kAddedDisabled, Outcome::kRepeated,
                                         Outcome::kAdded, Outcome::kRepeated, Outcome::kAddedNoHash,
                                         Outcome::kRepeated, Outcome::kPresent,
                                         Outcome::kUnusable});
  const std::string text(as_text(users->text().view()));
  CHECK(text.starts_with("zoe:5" + second + "[DU]:"));
  CHECK(text.find("\ndan:7" + first + "[DU         ]:") != std::string::npos);
  CHECK(text.find("\nlea:8" + first + "[LU         ]:") != std::string::npos);
  CHECK(text.find("\nnan:9" + first + "[NU         ]:") != std::string::npos);
  CHECK(text.find("\nann:1" + first + "[U          ]:") != std::string::npos);
  CHECK(text.find("\nbob:2" + lm + "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:[U ") != std::string::npos);
  CHECK(users->entries().size() == 6);
}

TEST_CASE("a file in clear text becomes hashes and opens the same doors") {
  const ScratchDirectory scratch;
  const std::string path =
      scratch.write("users", "# people\r\nD:bob:p:w\r\n:carol@realm:pw2\nD:\xc3\xa4:\xc3\xb6\n");
  std::size_t count = 0;
  REQUIRE(edit(path, false, [&](UsersText& u) -> Status {
            count = u.hash_clear_entries().size();
            return {};
          }).ok());
  CHECK(count == 3);
  CHECK(scratch.read("users").find("p:w") == std::string::npos);
  CHECK(proves(path, "bob", "p:w"));
  CHECK(proves(path, "carol@realm", "pw2"));
  CHECK(proves(path, "\xc3\xa4", "\xc3\xb6"));
}

TEST_CASE("names without a place in the form are refused and change nothing") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", "D:bob:pw\n");
  for (const char* bad : {"", "a:b", "a\\b", "a\nb", "#a", "\xff"}) {
    INFO(bad);
    CHECK_FALSE(put(path, bad, "", "pw").ok());
    CHECK(scratch.read("users") == "D:bob:pw\n");
  }
  CHECK(put(path, "a", "a:b", "pw").error().minor == Minor::kBadName);
}

TEST_CASE("a bad line, a missing file or a directory is an error that names it") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", "# one\nrubbish\n");
  CHECK(put(path, "a", "", "pw").error().minor == Minor::kUsersFileLine);
  CHECK(std::string(last_detail(static_cast<std::uint32_t>(Minor::kUsersFileLine)))
            .ends_with("line 2"));
  CHECK(scratch.read("users") == "# one\nrubbish\n");
  const auto nothing = [](UsersText&) -> Status { return {}; };
  CHECK_FALSE(edit(scratch.path("absent"), false, nothing).ok());
  CHECK_FALSE(edit(scratch.path("no/such/directory"), true, nothing).ok());
  CHECK_FALSE(edit(scratch.path(""), true, nothing).ok());
}

TEST_CASE("a FIFO in the place of a users file is an error at once") {
  const ScratchDirectory scratch;
  REQUIRE(::mkfifo(scratch.path("users").c_str(), 0600) == 0);
  CHECK(put(scratch.path("users"), "bob", "", "pw").error().minor == Minor::kUsersFileMode);
}

TEST_CASE("editors at the same time lose nothing") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path("users");
  constexpr int kEditors = 8;
  constexpr int kEach = 10;
  for (int e = 0; e < kEditors; ++e) {
    if (::fork() == 0) {
      bool ok = true;
      for (int i = 0; i < kEach; ++i) {
        const std::string user =
            std::string("u").append(std::to_string(e)).append("x").append(std::to_string(i));
        ok = put(path, user, "", "pw").ok() && ok;
      }
      ::_exit(ok ? 0 : 1);
    }
  }
  for (int e = 0; e < kEditors; ++e) {
    int status = -1;
    REQUIRE(::wait(&status) > 0);
    CHECK(status == 0);
  }
  const Result<UsersText> users = read_users_text(path);
  REQUIRE(users.ok());
  CHECK(users->entries().size() == kEditors * kEach);
}

TEST_CASE("users edit: an entry in the other form of a UPN is similar", "[users]") {
  const Result<UsersText> users =
      test::users_text(":alice@corp:1\ncorp:bob:2\n:carol:3\nother:bob:4\n:bob@corp.example:5\n");
  REQUIRE(users);
  const auto similar = [&](const char* user, const char* domain) {
    std::string all;
    for (const UsersText::Entry& e : users->similar(user, domain)) {
      all.append(all.empty() ? "" : " ").append(e.domain).append("/").append(e.user);
    }
    return all;
  };
  CHECK(similar("alice", "CORP") == "/alice@corp");
  CHECK(similar("BOB@corp", "") == "corp/bob");
  CHECK(similar("carol@any", "") == "/carol");
  CHECK(similar("carol", "any") == "/carol");
  CHECK(similar("bob", "") == "corp/bob other/bob");
  CHECK(similar("alice@corp", "").empty());
  CHECK(similar("alice", "").empty());
  CHECK(similar("@corp", "").empty());
}

TEST_CASE("a kill at any moment leaves the old file or the new one, and no leftovers for long") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path("users");
  REQUIRE(put(path, "first", "", "pw").ok());
  for (int i = 0; i < 60; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int n = 0;; ++n) {
        (void)put(path, std::string("u").append(std::to_string(n)), "", "pw").ok();
      }
    }
    ::usleep(static_cast<useconds_t>(300 + 97 * i));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const Result<UsersText> users = read_users_text(path);
    REQUIRE(users.ok());
    CHECK(users->has("first", ""));
    const std::string text = scratch.read("users");
    CHECK(text.ends_with(":\n"));
  }
  REQUIRE(put(path, "last", "", "pw").ok());
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    ++files;
  }
  CHECK(files == 1);
}
