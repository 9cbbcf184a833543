#include "mech/backends/users/users_edit.h"

#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mech/backends/users/users_file.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/os/error_detail.h"
#include "support/catch.h"
#include "support/scratch.h"

using namespace gssntlm;

namespace {

NtHash hash_of(std::string_view password) {
  const Result<Bytes> wide = utf16le_from_utf8(password);
  return derive_nt_hash(*wide);
}

Status put(const std::string& path, std::string_view user, std::string_view domain,
           std::string_view password) {
  return edit_users_file(path, true, [&](UsersText& users) {
    return users.set_hash(user, domain, hash_of(password));
  });
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
  const ScratchFolder folder;
  const std::string path = folder.path("users");
  const mode_t before = ::umask(0);
  REQUIRE(put(path, "alice", "DOM", "Passw0rd").ok());
  ::umask(before);
  CHECK(mode_of(path) == 0600);
  CHECK(folder.read("users").find("Passw0rd") == std::string::npos);
  CHECK(folder.read("users").starts_with(
      "DOM\\alice:0:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A87F3A337D73085C45F9416BE5787D86:[U          "
      "]:LCT-"));
  CHECK(proves(path, "Alice", "Passw0rd"));
}

TEST_CASE("editing keeps comments, order, other entries, mode and the link to the file") {
  const ScratchFolder folder;
  const std::string path =
      folder.write("users", "# kept\n\nDOM:bob:secret:with:colons\n\nDOM:carol:pw");
  ::chmod(path.c_str(), 0400);
  REQUIRE(::symlink("users", folder.path("link").c_str()) == 0);
  REQUIRE(put(folder.path("link"), "alice", "", "x").ok());
  const std::string text = folder.read("users");
  CHECK(text.starts_with("# kept\n\nDOM:bob:secret:with:colons\n\nDOM:carol:pw\nalice:0:"));
  CHECK(mode_of(path) == 0400);
  struct stat st {};
  REQUIRE(::lstat(folder.path("link").c_str(), &st) == 0);
  CHECK(S_ISLNK(st.st_mode));
}

TEST_CASE("a changed password keeps uid, place and flags, and drops the LM hash") {
  const ScratchFolder folder;
  const std::string path = folder.write(
      "users",
      "bob:1001:AAD3B435B51404EEAAD3B435B51404EE:A87F3A337D73085C45F9416BE5787D86:[UXN        "
      "]:LCT-00000000:extra\nzoe:1002:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:"
      "A87F3A337D73085C45F9416BE5787D86:[U          ]:LCT-00000000:\n");
  REQUIRE(put(path, "BOB", "", "new").ok());
  const std::string text = folder.read("users");
  CHECK(text.starts_with("bob:1001:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:"));
  CHECK(text.find("[UX         ]") != std::string::npos);
  CHECK(proves(path, "bob", "new"));
  CHECK(proves(path, "zoe", "Passw0rd"));
}

TEST_CASE("an account in clear text that has no hash form is not turned into another one") {
  for (const std::string line : {"A\\B:bob:pw", "D:bob:\xFF"}) {
    const std::string text = "D:ann:pw\n" + line + "\n";
    Result<UsersText> users = UsersText::parse(text, "users");
    REQUIRE(users.ok());
    const std::string domain = line.substr(0, line.find(':'));
    CHECK_FALSE(users->enable("bob", domain, false));
    CHECK(as_text(users->text().view()) == text);
  }
}

TEST_CASE("accounts are disabled, enabled and removed") {
  const ScratchFolder folder;
  const std::string path = folder.write("users", "D:bob:pw\n:carol@realm:pw2\n");
  const auto enable = [&](bool on) {
    return edit_users_file(path, false, [&](UsersText& u) -> Status {
      CHECK(u.enable("bob", "D", on));
      CHECK_FALSE(u.enable("bob", "E", on));
      return {};
    });
  };
  REQUIRE(enable(false).ok());
  CHECK_FALSE(proves(path, "bob", "pw"));
  REQUIRE(enable(true).ok());
  CHECK(proves(path, "bob", "pw"));
  REQUIRE(edit_users_file(path, false, [](UsersText& u) -> Status {
            CHECK(u.remove("bob", "d"));
            CHECK_FALSE(u.remove("bob", "D"));
            return {};
          }).ok());
  CHECK(folder.read("users") == ":carol@realm:pw2\n");
  CHECK(proves(path, "carol@realm", "pw2"));
}

TEST_CASE("a file in clear text becomes hashes and opens the same doors") {
  const ScratchFolder folder;
  const std::string path =
      folder.write("users", "# people\r\nD:bob:p:w\r\n:carol@realm:pw2\nD:\xc3\xa4:\xc3\xb6\n");
  std::size_t count = 0;
  REQUIRE(edit_users_file(path, false, [&](UsersText& u) -> Status {
            count = u.hash_clear_entries();
            return {};
          }).ok());
  CHECK(count == 3);
  CHECK(folder.read("users").find("p:w") == std::string::npos);
  CHECK(proves(path, "bob", "p:w"));
  CHECK(proves(path, "carol@realm", "pw2"));
  CHECK(proves(path, "\xc3\xa4", "\xc3\xb6"));
}

TEST_CASE("names without a place in the form are refused and change nothing") {
  const ScratchFolder folder;
  const std::string path = folder.write("users", "D:bob:pw\n");
  for (const char* bad : {"", "a:b", "a\\b", "a\nb", "#a", "\xff"}) {
    INFO(bad);
    CHECK_FALSE(put(path, bad, "", "pw").ok());
    CHECK(folder.read("users") == "D:bob:pw\n");
  }
  CHECK(put(path, "a", "a:b", "pw").error().minor == Minor::kBadName);
}

TEST_CASE("a bad line, a missing file or a folder is an error that names it") {
  const ScratchFolder folder;
  const std::string path = folder.write("users", "# one\nrubbish\n");
  CHECK(put(path, "a", "", "pw").error().minor == Minor::kUsersFileLine);
  CHECK(std::string(last_detail(static_cast<std::uint32_t>(Minor::kUsersFileLine)))
            .ends_with("line 2"));
  CHECK(folder.read("users") == "# one\nrubbish\n");
  const auto nothing = [](UsersText&) -> Status { return {}; };
  CHECK_FALSE(edit_users_file(folder.path("absent"), false, nothing).ok());
  CHECK_FALSE(edit_users_file(folder.path("no/such/folder"), true, nothing).ok());
  CHECK_FALSE(edit_users_file(folder.path(""), true, nothing).ok());
}

TEST_CASE("editors at the same time lose nothing") {
  const ScratchFolder folder;
  const std::string path = folder.path("users");
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

TEST_CASE("a kill at any moment leaves the old file or the new one, and no leftovers for long") {
  const ScratchFolder folder;
  const std::string path = folder.path("users");
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
    const std::string text = folder.read("users");
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
