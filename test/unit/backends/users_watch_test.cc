// A users file while it is in use: how long its last good content counts, for whom, and which of
// its accounts an initiator gets.
#include <cstdio>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mech/backends/users/users_file.h"
#include "mech/os/error_detail.h"
#include "test/support/catch.h"
#include "test/support/handshake.h"
#include "test/support/scratch.h"
#include "test/support/text.h"
#include "test/support/ticks.h"

namespace gssntlm {
namespace {

using namespace test;

constexpr const char* kLine = "DOMAIN:User:one\n";
constexpr uid_t kStranger = 12345;

bool log_in(const UsersFile& file) {
  Scene scene;
  Answer answer = scene.answer();
  answer.account = {"User", "DOMAIN", "one"};
  const Sent sent = scene.encode(answer);
  return scene.acceptor.authenticate(sent.token, nullptr, file, scene.env).ok();
}

const UsersFile& opened(const std::string& path, std::uint64_t grace) {
  const Result<UsersFile*> file = UsersFile::open(path, std::nullopt, grace);
  REQUIRE(file);
  return **file;
}

void replace(const ScratchDirectory& scratch, const std::string& text) {
  const std::string fresh = scratch.write("fresh", text);
  REQUIRE(::rename(fresh.c_str(), scratch.path("users").c_str()) == 0);
}

// A file that may be there, and cannot be looked at.
void make_unreachable(const ScratchDirectory& scratch) {
  REQUIRE(::unlink(scratch.path("users").c_str()) == 0);
  REQUIRE(::symlink("users", scratch.path("users").c_str()) == 0);
}

TEST_CASE("users file: the grace counts from when it was last found good", "[users]") {
  const bool unreachable = GENERATE(true, false);
  CAPTURE(unreachable);
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", kLine);
  const auto break_it = [&] {
    if (unreachable) {
      make_unreachable(scratch);
    } else {
      replace(scratch, "nonsense\n");
    }
  };
  const UsersFile& file = opened(path, 60);
  break_it();
  CHECK(log_in(file));
  REQUIRE(::unlink(path.c_str()) == 0);
  // What is seen unchanged is good then.
  replace(scratch, kLine);
  (void)opened(path, 1);
  ::usleep(600'000);
  CHECK(log_in(file));
  ::usleep(600'000);
  break_it();
  CHECK(log_in(file));
  REQUIRE(::unlink(path.c_str()) == 0);
  replace(scratch, kLine);
  CHECK(log_in(file));
  break_it();
  // No login notices that it is broken before the time is over.
  ::usleep(1'100'000);
  CHECK_FALSE(log_in(file));
}

TEST_CASE("users file: a call that fails does not change the grace", "[users]") {
  const ScratchDirectory scratch;
  const std::string path = scratch.write("users", kLine);
  const UsersFile& file = opened(path, 1);
  replace(scratch, "nonsense\n");
  CHECK_FALSE(UsersFile::open(path, std::nullopt, 1000));
  ::usleep(1'100'000);
  CHECK_FALSE(log_in(file));
}

constexpr const char* kOther = "DOMAIN:Uzer:one\n";
constexpr const char* kBad = "no account here\n";

bool has_identity(const std::string& path, const char* user) {
  return UsersFile::at(path)->identity(wide(user), {}).ok();
}

TEST_CASE("users file: a change that leaves no sign is noticed soon", "[users]") {
  const ScratchDirectory scratch;
  REQUIRE(::mkdir(scratch.path("here").c_str(), 0700) == 0);
  const std::string here = scratch.path("here/users");
  const auto accepts = [](const std::string& path) {
    const Result<UsersFile*> file = UsersFile::open(path, std::nullopt, 1);
    return file && log_in(**file);
  };
  CHECK(notices(here, kLine, kOther, accepts, [](const std::string& path) {
    return !log_in(*UsersFile::at(path)) && has_identity(path, "Uzer");
  }));
  CHECK(notices(
      here, kLine, kOther, [](const std::string& path) { return has_identity(path, "User"); },
      [](const std::string& path) {
        return !has_identity(path, "User") && has_identity(path, "Uzer");
      }));
  CHECK(notices(here, kLine, kBad, accepts, [](const std::string& path) {
    (void)log_in(*UsersFile::at(path));
    ::usleep(1'100'000);
    return !log_in(*UsersFile::at(path));
  }));
  // While the file cannot be read, what was read counts; the change is noticed later.
  REQUIRE(::chmod(scratch.path("").c_str(), 0755) == 0);
  CHECK(notices(here, kLine, kOther, accepts, [](const std::string& path) {
    const bool good = ::seteuid(kStranger) == 0 && log_in(*UsersFile::at(path));
    ::usleep(1000 * (kChangesShow + 100));
    return good && ::seteuid(0) == 0 && !log_in(*UsersFile::at(path));
  }));
  CHECK(notices(
      here, kBad, kLine, [](const std::string& path) { return !UsersFile::open(path); }, accepts));
}

TEST_CASE("users file: a user of the process gets what that user may read", "[users]") {
  if (::geteuid() != 0) {
    std::printf("not root: nothing was tried\n");
    return;
  }
  const ScratchDirectory scratch;
  REQUIRE(::chmod(scratch.path("").c_str(), 0755) == 0);
  const std::string path = scratch.write("users", kLine);
  const UsersFile& file = opened(path, 60);
  REQUIRE(file.identity({}, {}));
  const std::string theirs = scratch.write("theirs", kLine);
  REQUIRE(::chown(theirs.c_str(), kStranger, kStranger) == 0);
  CHECK(test::holds_in_child([&] {
    bool good = ::seteuid(kStranger) == 0 && !UsersFile::open(path) && !file.identity({}, {}) &&
                !UsersFile::at(path)->identity(wide("User"), {});
    good = good && log_in(file);
    // The other way round: root trusts no file of theirs, though a user of the process has read it.
    good = good && UsersFile::open(theirs) && UsersFile::at(theirs)->identity({}, {});
    good = good && ::seteuid(0) == 0 && !UsersFile::open(theirs) &&
           !UsersFile::at(theirs)->identity({}, {});
    // No user's content was lost.
    good = good && UsersFile::open(path) && file.identity({}, {}) && log_in(file);
    return good;
  }));
}

TEST_CASE("users file: an account that cannot log in is no initiator's", "[users]") {
  const std::string lm = ":XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:";
  const std::string nt = lm + "A87F3A337D73085C45F9416BE5787D86:";
  const struct {
    std::string line;
    const char* why;
  } rows[] = {
      {"bob:1" + nt + "[DU]:LCT-0:\n", "bob is disabled; enable it with gss-ntlm user enable"},
      {"bob:1" + nt + "[LU]:LCT-0:\n", "bob is disabled"},
      {"bob:1" + lm + "NO PASSWORDXXXXXXXXXXXXXXXXXXXXX:[U]:LCT-0:\n", "bob has no NT hash"},
      {"bob:1" + lm + "31D6CFE0D16AE931B73C59D7E0C089C0:[U]:LCT-0:\n", "bob has an empty password"},
      {"DOM:bob:\n", "bob has an empty password; set one with gss-ntlm user passwd"},
  };
  const ScratchDirectory scratch;
  for (const auto& row : rows) {
    for (const char* user : {"", "bob"}) {
      CAPTURE(row.line, user);
      replace(scratch, row.line);
      CHECK_FALSE(UsersFile::at(scratch.path("users"))->identity(wide(user), {}));
      const std::string_view why = last_detail(static_cast<std::uint32_t>(Minor::kNoInitiatorCred));
      CHECK(why.find(row.why) != std::string_view::npos);
    }
  }
  replace(scratch, "bob:1" + nt + "[U]:LCT-0:\n");
  CHECK(UsersFile::at(scratch.path("users"))->identity({}, {}));
}

}  // namespace
}  // namespace gssntlm
