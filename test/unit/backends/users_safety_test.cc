// The editor of users files against other users of the machine. What needs another user runs as
// root alone.
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mech/backends/users/users_edit.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"
#include "support/catch.h"
#include "support/scratch.h"

using namespace gssntlm;

namespace {

constexpr uid_t kStranger = 12345;
constexpr const char* kLine = "DOM:bob:pw\n";

Result<Edited> touch(const std::string& path, const EditOptions& options = {}) {
  return edit_users_file(path, options, [](UsersText&) -> Status { return {}; });
}

bool is_root() {
  if (::geteuid() != 0) {
    std::printf("not root: nothing was tried\n");
  }
  return ::geteuid() == 0;
}

std::string detail(const Result<Edited>& edited) {
  REQUIRE_FALSE(edited.ok());
  return std::string(last_detail(static_cast<std::uint32_t>(edited.error().minor)));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void give(const std::string& path, uid_t owner) {
  REQUIRE(::lchown(path.c_str(), owner, owner) == 0);
}

struct stat stat_of(const std::string& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st;
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// Runs as the stranger, in a child, until it is killed.
pid_t as_stranger(const std::function<void()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(kStranger) == 0 && ::setuid(kStranger) == 0) {
      act();
    }
    ::_exit(1);
  }
  return child;
}

void stop(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// The text of a file that belongs to the stranger; of anything else, nothing.
std::string text_of_stranger(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat st {};
  char text[256];
  if (file.get() < 0 || ::fstat(file.get(), &st) != 0 || st.st_uid != kStranger) {
    return {};
  }
  const ssize_t size = ::read(file.get(), text, sizeof text);
  return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

std::string read_attribute(const std::string& path, const char* name) {
  char value[256];
  const ssize_t size = ::getxattr(path.c_str(), name, value, sizeof value);
  return size < 0 ? std::string() : std::string(value, static_cast<std::size_t>(size));
}

}  // namespace

TEST_CASE("the owner of a directory cannot make root copy a file into it") {
  if (!is_root()) {
    return;
  }
  // In memory, where there is a place for it: more attempts in the same time.
  const ScopedVariable memory("TMPDIR", ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  const ScratchDirectory scratch;
  const std::string secret = scratch.write("secret", "root:SECRET:hash\n");
  REQUIRE(::chmod(directory_of(secret).c_str(), 0755) == 0);
  // Deep, so that looking a path up takes longer than swapping two names.
  std::string home = scratch.path("home");
  for (int depth = 0; depth < 200; ++depth, home += "/d") {
    REQUIRE(::mkdir(home.c_str(), 0755) == 0);
    give(home, kStranger);
  }
  home = directory_of(home);
  const std::string users = home + "/users";
  const std::string link = home + "/link";
  std::ofstream(users) << kLine;
  REQUIRE(::symlink(secret.c_str(), link.c_str()) == 0);
  give(users, kStranger);
  give(link, kStranger);
  const pid_t swapper = as_stranger([&] {
    const int directory = ::open(home.c_str(), O_RDONLY | O_DIRECTORY);
    // An edit that succeeds takes the place of the link now and then: a new one is made.
    for (int i = 0;; ++i) {
      if (i % 100 == 0) {
        [[maybe_unused]] const int made = ::symlinkat(secret.c_str(), directory, "fresh");
        ::renameat(directory, "fresh", directory, "link");
      }
      ::renameat2(directory, "users", directory, "link", RENAME_EXCHANGE);
    }
  });
  bool stolen = false;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  for (int i = 0; i < 50000 && !stolen && std::chrono::steady_clock::now() < end; ++i) {
    (void)touch(users);
    for (const auto& entry : std::filesystem::directory_iterator(home)) {
      stolen = stolen || has(text_of_stranger(entry.path()), "SECRET");
    }
  }
  stop(swapper);
  CHECK_FALSE(stolen);
  CHECK(stat_of(secret).st_uid == 0);
}

TEST_CASE("root edits no file, directory or link of another user") {
  if (!is_root()) {
    return;
  }
  const ScratchDirectory scratch;
  REQUIRE(::mkdir(scratch.path("home").c_str(), 0755) == 0);
  REQUIRE(::mkdir(scratch.path("home/deep").c_str(), 0755) == 0);
  const std::string users = scratch.write("home/users", kLine);
  const std::string deep = scratch.write("home/deep/users", kLine);
  REQUIRE(::symlink("home/users", scratch.path("link").c_str()) == 0);
  REQUIRE(touch(users).ok());
  REQUIRE(touch(scratch.path("link")).ok());

  give(users, kStranger);
  CHECK(has(detail(touch(users)), "belongs to user 12345, not to user 0"));
  EditOptions owned;
  owned.owner = FileOwner{kStranger, kStranger};
  CHECK(touch(users, owned).ok());
  CHECK(stat_of(users).st_uid == kStranger);
  give(users, 0);
  CHECK(has(detail(touch(users, owned)), "belongs to user 0, not to user 12345"));

  give(scratch.path("link"), kStranger);
  CHECK(has(detail(touch(scratch.path("link"))), "symbolic link link belongs to user 12345"));
  give(scratch.path("home"), kStranger);
  CHECK(has(detail(touch(users)), "directory home belongs to user 12345"));
  CHECK(has(detail(touch(deep)), "directory home belongs to user 12345"));
  CHECK(touch(users).error().minor == Minor::kUsersFileMode);
  CHECK(scratch.read("home/users") == kLine);
}

TEST_CASE("links are followed, and one that leads nowhere is an error that replaces nothing") {
  const ScratchDirectory scratch;
  REQUIRE(::mkdir(scratch.path("real").c_str(), 0700) == 0);
  REQUIRE(::symlink("real", scratch.path("way").c_str()) == 0);
  REQUIRE(::symlink("missing", scratch.path("real/dangling").c_str()) == 0);
  REQUIRE(::symlink("loop", scratch.path("loop").c_str()) == 0);
  EditOptions create;
  create.create = true;
  CHECK(has(detail(touch(scratch.path("way/dangling"), create)), "symbolic link"));
  CHECK(S_ISLNK(stat_of(scratch.path("real/dangling")).st_mode));
  CHECK_FALSE(std::filesystem::exists(scratch.path("real/missing")));
  CHECK_FALSE(touch(scratch.path("loop"), create).ok());
  REQUIRE(touch(scratch.path("way/users"), create).ok());
  CHECK(S_ISREG(stat_of(scratch.path("real/users")).st_mode));
  CHECK_FALSE(touch(scratch.path("real/users/"), create).ok());
  CHECK_FALSE(touch(scratch.path("real/users/more"), create).ok());
  CHECK_FALSE(touch(scratch.path("real"), create).ok());
  CHECK_FALSE(touch("", create).ok());
}

TEST_CASE("owner, group and mode of an edited file are kept") {
  if (!is_root()) {
    return;
  }
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  REQUIRE(::chown(users.c_str(), 0, 4321) == 0);
  REQUIRE(::chmod(users.c_str(), 0640) == 0);
  const Result<Edited> edited = touch(users);
  REQUIRE(edited.ok());
  CHECK(edited->narrowed_from == 0);
  CHECK(stat_of(users).st_uid == 0);
  CHECK(stat_of(users).st_gid == 4321);
  CHECK((stat_of(users).st_mode & 07777) == 0640);
  EditOptions owned;
  owned.create = true;
  owned.owner = FileOwner{kStranger, 54321};
  REQUIRE(touch(scratch.path("theirs"), owned).ok());
  REQUIRE(touch(scratch.path("theirs"), owned).ok());
  CHECK(stat_of(scratch.path("theirs")).st_uid == kStranger);
  CHECK(stat_of(scratch.path("theirs")).st_gid == 54321);
  CHECK((stat_of(scratch.path("theirs")).st_mode & 07777) == 0600);
}

TEST_CASE("a mode that lets others read is narrowed, and that is said") {
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  for (const mode_t mode : {0644u, 0666u, 0640u, 0604u, 0660u}) {
    const mode_t wanted = mode == 0640 && ::geteuid() == 0 ? 0640 : 0600;
    REQUIRE(::chmod(users.c_str(), mode) == 0);
    const Result<Edited> edited = touch(users);
    REQUIRE(edited.ok());
    CHECK((stat_of(users).st_mode & 07777) == wanted);
    CHECK(edited->narrowed_from == (wanted == mode ? 0 : mode));
  }
}

TEST_CASE("attributes of an edited file are kept") {
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  const std::string label = "system_u:object_r:etc_t:s0";
  const std::string large(1000, 'x');
  if (::setxattr(users.c_str(), "user.note", large.data(), large.size(), 0) != 0) {
    std::printf("no extended attributes here: nothing was tried\n");
    return;
  }
  const bool labelled =
      ::setxattr(users.c_str(), "security.selinux", label.data(), label.size(), 0) == 0;
  char value[1200];
  REQUIRE(touch(users).ok());
  CHECK(::getxattr(users.c_str(), "user.note", value, sizeof value) == 1000);
  CHECK(read_attribute(users, "security.selinux") == (labelled ? label : ""));
}

namespace {

// The form of system.posix_acl_access: version 2; tag, permissions, id of each entry.
std::string access_list(unsigned char mask) {
  const auto entry = [](unsigned char tag, unsigned char rights, std::uint32_t id) {
    std::string e{static_cast<char>(tag), '\0', static_cast<char>(rights), '\0'};
    for (int shift = 0; shift < 32; shift += 8) {
      e.push_back(static_cast<char>(id >> shift));
    }
    return e;
  };
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  return std::string("\2\0\0\0", 4) + entry(1, 6, kNone) + entry(2, 4, kStranger) +
         entry(4, 0, kNone) + entry(0x10, mask, kNone) + entry(0x20, 0, kNone);
}

}  // namespace

TEST_CASE("an access control list is kept, and a directory's default list is not inherited") {
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  const std::string list = access_list(4);
  const char* const kAccess = "system.posix_acl_access";
  if (!is_root() || ::setxattr(users.c_str(), kAccess, list.data(), list.size(), 0) != 0) {
    std::printf("no access control lists here: nothing was tried\n");
    return;
  }
  REQUIRE(touch(users).ok());
  CHECK(read_attribute(users, kAccess) == list);
  CHECK((stat_of(users).st_mode & 07777) == 0640);
  REQUIRE(::setxattr(directory_of(users).c_str(), "system.posix_acl_default", list.data(),
                     list.size(), 0) == 0);
  const std::string plain = scratch.path("plain");
  EditOptions create;
  create.create = true;
  REQUIRE(touch(plain, create).ok());
  CHECK(read_attribute(plain, kAccess).empty());
  REQUIRE(::chmod(plain.c_str(), 0640) == 0);
  REQUIRE(touch(plain).ok());
  CHECK(read_attribute(plain, kAccess).empty());
}

TEST_CASE("another user cannot hold up an edit with a lock on what it can open") {
  if (!is_root()) {
    return;
  }
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  REQUIRE(::chown(users.c_str(), 0, kStranger) == 0);
  REQUIRE(::chmod(users.c_str(), 0640) == 0);
  const std::string directory = directory_of(users);
  REQUIRE(::chmod(directory.c_str(), 0755) == 0);
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t holder = as_stranger([&] {
    const int d = ::open(directory.c_str(), O_RDONLY);
    const int f = ::open(users.c_str(), O_RDONLY);
    const bool held = d >= 0 && f >= 0 && ::flock(d, LOCK_EX) == 0 && ::flock(f, LOCK_EX) == 0;
    [[maybe_unused]] const ssize_t said = ::write(ready[1], held ? "+" : "-", 1);
    ::pause();
  });
  char held = 0;
  REQUIRE(::read(ready[0], &held, 1) == 1);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK(held == '+');
  EditOptions options;
  options.patience = std::chrono::milliseconds(0);
  const pid_t editor = ::fork();
  if (editor == 0) {
    ::alarm(20);  // an editor that waits for ever ends here
    ::_exit(touch(users, options).ok() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(editor, &status, 0);
  CHECK(status == 0);
  stop(holder);
}

TEST_CASE("an edit waits a bounded time for another one, and names its process") {
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t editor = ::fork();
  if (editor == 0) {
    (void)edit_users_file(users, {}, [&](UsersText&) -> Status {
      [[maybe_unused]] const ssize_t said = ::write(ready[1], "+", 1);
      ::pause();
      return {};
    });
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  ::close(ready[1]);
  EditOptions options;
  options.patience = std::chrono::milliseconds(50);
  const std::string said = detail(touch(users, options));
  CHECK(has(said, ".users.gss-ntlm-lock"));
  CHECK(has(said, "process " + std::to_string(editor) + " is changing it"));
  stop(editor);
  CHECK(touch(users, options).ok());
  CHECK_FALSE(std::filesystem::exists(scratch.path(".users.gss-ntlm-lock")));
}

TEST_CASE("a file that another program replaced meanwhile is left alone") {
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  const Result<Edited> edited = edit_users_file(users, {}, [&](UsersText&) -> Status {
    scratch.write("other", "DOM:zoe:pw\n");
    std::filesystem::rename(scratch.path("other"), users);
    return {};
  });
  CHECK(has(detail(edited), "changed it meanwhile"));
  CHECK(scratch.read("users") == "DOM:zoe:pw\n");
  std::filesystem::remove(users);
  EditOptions create;
  create.create = true;
  CHECK_FALSE(edit_users_file(users, create, [&](UsersText&) -> Status {
                scratch.write("users", kLine);
                return {};
              }).ok());
  CHECK(scratch.read("users") == kLine);
}
