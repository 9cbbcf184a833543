// Where users files are read and edited: places that no other user controls, and user namespaces in
// which owners cannot be told apart. What needs another user runs as root alone.
#include <chrono>
#include <cstdio>
#include <ctime>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mech/backends/users/users_edit.h"
#include "mech/backends/users/users_load.h"
#include "mech/backends/users/users_read.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"
#include "mech/os/owner.h"
#include "support/catch.h"
#include "support/scratch.h"
#include "support/user_namespace.h"

using namespace gssntlm;

namespace {

constexpr uid_t kStranger = 12345;
constexpr const char* kLine = "DOM:bob:pw\n";

Result<Edited> touch(const std::string& path, std::chrono::milliseconds patience = {}) {
  EditOptions options;
  options.patience = patience;
  return edit_users_file(path, options, [](UsersText&) -> Status { return {}; });
}

template <typename T>
std::string detail(const Result<T>& result) {
  return result ? std::string()
                : std::string(last_detail(static_cast<std::uint32_t>(result.error().minor)));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

bool is_root() {
  if (::geteuid() != 0) {
    std::printf("not root: nothing was tried\n");
  }
  return ::geteuid() == 0;
}

void give(const std::string& path, uid_t owner) {
  REQUIRE(::lchown(path.c_str(), owner, owner) == 0);
}

void make_directory(const std::string& path, mode_t mode) {
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

nlink_t links_of(const std::string& path) {
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  return st.st_nlink;
}

// Reading as `user list` and `user import --from` do, and as `decode --users` does.
std::string read_error(const std::string& path) {
  const std::string text = detail(read_users_text(path));
  CHECK(load_users_table(path).ok() == text.empty());
  return text;
}

}  // namespace

TEST_CASE("an edit needs a directory that only its owner can write to") {
  const ScratchDirectory scratch;
  make_directory(scratch.path("open"), 0700);
  const std::string users = scratch.write("open/users", kLine);
  for (const mode_t mode : {0777u, 0775u, 0770u, 0702u}) {
    REQUIRE(::chmod(scratch.path("open").c_str(), mode) == 0);
    CHECK(has(detail(touch(users)), "so others can replace the file; chmod go-w it"));
    CHECK(has(read_error(users), "so others can replace the file; chmod go-w it"));
  }
  for (const mode_t mode : {01777u, 01770u}) {
    REQUIRE(::chmod(scratch.path("open").c_str(), mode) == 0);
    const std::string text = detail(touch(users));
    CHECK(has(text, "the directory open has mode 177"));
    CHECK(has(text, "so others can create the lock file that an edit needs"));
    CHECK(read_error(users).empty());
  }
  // On the way it is safe: no other user can rename what is not theirs.
  make_directory(scratch.path("open/own"), 0755);
  scratch.write("open/own/users", kLine);
  CHECK(touch(scratch.path("open/own/users")).ok());
}

TEST_CASE("root reads no users file that another user can exchange") {
  if (!is_root()) {
    return;
  }
  const ScratchDirectory scratch;
  const std::string secret = scratch.write("secret", "root:HASH:19000:0:99999:7:::\n");
  make_directory(scratch.path("home"), 0755);
  make_directory(scratch.path("tmp"), 01777);
  scratch.write("home/users", kLine);
  scratch.write("tmp/users", kLine);
  REQUIRE(::symlink(secret.c_str(), scratch.path("tmp/link").c_str()) == 0);
  CHECK(read_error(scratch.path("home/users")).empty());
  CHECK(read_error(scratch.path("tmp/link")).empty());
  give(scratch.path("home"), kStranger);
  give(scratch.path("tmp/link"), kStranger);
  CHECK(has(read_error(scratch.path("home/users")),
            "the directory home belongs to user 12345, who could put another file there"));
  CHECK(has(read_error(scratch.path("tmp/link")), "the symbolic link link belongs to user 12345"));
  give(scratch.path("tmp/users"), kStranger);
  CHECK(has(read_error(scratch.path("tmp/users")), "it belongs to user 12345"));
}

TEST_CASE("a hard link that another user may have made is not read") {
  const ScratchDirectory scratch;
  std::string secret = scratch.write("secret", kLine);
  make_directory(scratch.path("tmp"), 01777);
  REQUIRE(::link(secret.c_str(), scratch.path("tmp/old").c_str()) == 0);
  CHECK(has(read_error(scratch.path("tmp/old")), "it is a hard link"));
  CHECK(read_error(secret).empty());
  // Gone when its links are counted, though it is open.
  const Result<TrustedPlace> place =
      resolve_trusted_place(scratch.path("tmp/old"), PlaceUse::kRead);
  REQUIRE(place);
  const Descriptor file = open_to_read_in(place->directory.get(), "old");
  REQUIRE(::unlink(scratch.path("tmp/old").c_str()) == 0);
  REQUIRE(links_of(secret) == 1);
  CHECK_FALSE(check_only_name(*place, file, secret).ok());
  // Gone and made again, as seen before and after.
  const std::string old = scratch.write("tmp/old", kLine);
  struct stat before {};
  REQUIRE(::stat(old.c_str(), &before) == 0);
  CHECK(is_only_name(place->directory.get(), "old", before));
  ::usleep(20'000);
  REQUIRE(::link(old.c_str(), secret.append("2").c_str()) == 0);
  REQUIRE(::unlink(secret.c_str()) == 0);
  CHECK_FALSE(is_only_name(place->directory.get(), "old", before));
}

TEST_CASE("a hard link to a symbolic link is not followed where another user may have made it") {
  const ScratchDirectory scratch;
  const std::string secret = scratch.write("secret", kLine);
  make_directory(scratch.path("tmp"), 01777);
  REQUIRE(::symlink(secret.c_str(), scratch.path("way").c_str()) == 0);
  REQUIRE(::link(scratch.path("way").c_str(), scratch.path("tmp/way").c_str()) == 0);
  CHECK(has(read_error(scratch.path("tmp/way")), "the symbolic link way is a hard link"));
  CHECK(has(detail(touch(scratch.path("tmp/way"))), "the symbolic link way is a hard link"));
  CHECK(touch(scratch.path("way")).ok());
}

TEST_CASE("a users file that others can write to is not read") {
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  for (const mode_t mode : {0660u, 0606u}) {
    REQUIRE(::chmod(users.c_str(), mode) == 0);
    CHECK(has(read_error(users), "lets others"));
  }
  REQUIRE(::chmod(users.c_str(), 0644) == 0);
  CHECK(read_users_text(users).ok());
}

TEST_CASE("what is no regular file is an error at once, to readers as well") {
  const ScratchDirectory scratch;
  REQUIRE(::mkfifo(scratch.path("fifo").c_str(), 0600) == 0);
  make_directory(scratch.path("directory"), 0700);
  CHECK(has(read_error(scratch.path("fifo")), "not a regular file"));
  CHECK(has(read_error("/dev/null"), "not a regular file"));
  CHECK_FALSE(read_error(scratch.path("directory")).empty());
  CHECK_FALSE(read_error(scratch.path("missing")).empty());
}

TEST_CASE("a users file is read up to a bound, whatever size it states") {
  const ScratchDirectory scratch;
  const std::string sparse = scratch.write("sparse", kLine);
  REQUIRE(::truncate(sparse.c_str(), off_t{1} << 40) == 0);
  CHECK(has(detail(read_users_text(sparse)), "larger than 256 MiB"));
  CHECK(has(detail(touch(sparse)), "larger than 256 MiB"));
  // It states a size of zero.
  CHECK(has(detail(read_users_text("/proc/version")), "line 1"));
  std::string text;
  while (text.size() < 1'300'000) {
    text.append("DOM:user").append(std::to_string(text.size())).append(":pw\n");
  }
  const std::string path = scratch.write("large", text);
  OpenedFile grown;
  grown.file = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  grown.st.st_size = 1;
  CHECK(has(detail(read_users_text(grown, path, std::size_t{1} << 20)), "larger than 1 MiB"));
  const Result<UsersText> large = read_users_text(path);
  REQUIRE(large.ok());
  CHECK(large->entries().size() ==
        static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
}

TEST_CASE("a lock file that is not the editor's own is an error that says whose it is") {
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  const std::string lock = scratch.write(".users.gss-ntlm-lock", "");
  CHECK(touch(users).ok());
  REQUIRE(scratch.write(".users.gss-ntlm-lock", "") == lock);
  REQUIRE(::chmod(lock.c_str(), 0644) == 0);
  CHECK(has(detail(touch(users)), "can be opened by other users; remove it"));
  std::filesystem::remove(lock);
  REQUIRE(::symlink("users", lock.c_str()) == 0);
  CHECK(has(detail(touch(users)), "is not a regular file; remove it"));
  if (is_root()) {
    std::filesystem::remove(lock);
    scratch.write(".users.gss-ntlm-lock", "");
    give(lock, kStranger);
    CHECK(has(detail(touch(users)), ".users.gss-ntlm-lock belongs to user 12345; remove it"));
  }
}

TEST_CASE("waiting for another editor takes no processor time") {
  const ScratchDirectory scratch;
  const std::string users = scratch.write("users", kLine);
  const Descriptor lock(
      ::open(scratch.write(".users.gss-ntlm-lock", "").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
  const std::clock_t before = std::clock();
  const auto start = std::chrono::steady_clock::now();
  CHECK(has(detail(touch(users, std::chrono::milliseconds(500))), "is changing it"));
  const auto waited = std::chrono::steady_clock::now() - start;
  CHECK(waited >= std::chrono::milliseconds(500));
  CHECK(waited < std::chrono::seconds(10));
  CHECK(std::clock() - before < CLOCKS_PER_SEC / 5);
}

TEST_CASE("a uid_map says whether every user has a number") {
  CHECK(maps_every_uid("         0          0 4294967295\n"));
  CHECK(maps_every_uid("0 0 1000\n1000 1001 4294966295\n"));
  for (const char* map :
       {"", "\n", "0 0 4294967294\n", "0 1000 1\n", "0 0 65536\n", "0 0 4294967295\n5",
        "0 0 4294967295 1 1 1", "x", "0 0", "0 0 -1", "0 0 99999999999999999999"}) {
    INFO(map);
    CHECK_FALSE(maps_every_uid(map));
  }
}

TEST_CASE("the number of all unmapped users is no owner's") {
  CHECK(is_own(::geteuid()));
  CHECK(is_trusted(0));
  CHECK_FALSE(is_own(kStranger));
  CHECK_FALSE(is_trusted(kStranger));
  const ScratchDirectory scratch;
  REQUIRE(::chmod(scratch.path("").c_str(), 0755) == 0);
  for (const char* name : {"own", "theirs"}) {
    make_directory(scratch.path(name), 0755);
    scratch.write(std::string(name) + "/users", kLine);
    REQUIRE(::chmod((scratch.path(name) + "/users").c_str(), name[0] == 'o' ? 0600 : 0644) == 0);
  }
  if (is_root()) {
    for (const char* name : {"own", "own/users"}) {
      give(scratch.path(name), kMappedUser);
    }
    for (const char* name : {"theirs", "theirs/users"}) {
      give(scratch.path(name), kStranger);
    }
  }
  const auto check = [&] {
    constexpr const char* kWhy = "the number of all users that this user namespace does not map";
    bool good = is_trusted(0) && !is_own(kOverflowUser) && !is_trusted(kOverflowUser);
    for (const std::string& path : {scratch.path("theirs/users"), scratch.path("own/users")}) {
      good = good && has(detail(read_users_text(path)), kWhy) && has(detail(touch(path)), kWhy);
    }
    const UsersLoad load = load_users(scratch.path("own/users"), std::nullopt);
    return good && load.fault && has(load.fault->text, kWhy);
  };
  CHECK(as_overflow_user(check).value_or(true));
}

TEST_CASE("where every user has a number, each is an owner") {
  std::ifstream map("/proc/self/uid_map");
  const std::string text{std::istreambuf_iterator<char>(map), {}};
  if (!is_root() || !maps_every_uid(text)) {
    return;
  }
  const ScratchDirectory scratch;
  REQUIRE(::chmod(scratch.path("").c_str(), 0755) == 0);
  make_directory(scratch.path("own"), 0755);
  const std::string users = scratch.write("own/users", kLine);
  give(scratch.path("own"), kOverflowUser);
  give(users, kOverflowUser);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool good = ::setgid(kOverflowUser) == 0 && ::setuid(kOverflowUser) == 0 &&
                      is_own(kOverflowUser) && touch(users).ok() &&
                      !load_users(users, std::nullopt).fault;
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("a file of an unmapped owner is not edited on that owner's behalf") {
  const ScratchDirectory scratch;
  REQUIRE(::chmod(scratch.path("").c_str(), 0755) == 0);
  const std::string users = scratch.write("users", kLine);
  REQUIRE(::chmod(users.c_str(), 0644) == 0);
  if (is_root()) {
    give(users, kStranger);
  }
  const auto check = [&] {
    EditOptions options;
    options.owner = FileOwner{kOverflowUser, kOverflowUser};
    const Result<Edited> edited =
        edit_users_file(users, options, [](UsersText&) -> Status { return {}; });
    return has(detail(edited), "it belongs to user 65534 (the number of all");
  };
  CHECK(as_overflow_user(check, 0).value_or(true));
}
