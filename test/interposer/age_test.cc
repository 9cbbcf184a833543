// How old this process's program is: from /proc, through forks, and where it cannot be told.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "spnego/interposer/process_age.h"
#include "test/support/catch.h"
#include "test/support/forks.h"
#include "test/support/scratch.h"

namespace gssntlm::interposer {
namespace {

TEST_CASE("age: a line of /proc/PID/stat is read, whatever the name is", "[age]") {
  for (const char* name : {"cat", "a) R 1 2 (b", ")", ""}) {
    const std::string line =
        "77 (" + std::string(name) +
        ") S 12 77 34 0 -1 4194368 1 2 3 4 5 6 7 8 20 0 1 0 4711 1000 20 18446744073709551615\n";
    const std::optional<ProcessStat> stat = parse_stat(line.c_str());
    REQUIRE(stat);
    CHECK(stat->parent == 12);
    CHECK(stat->session == 34);
    CHECK(stat->forked_only);
    CHECK(stat->start == 4711);
  }
  const std::optional<ProcessStat> executed =
      parse_stat("77 (cat) S 12 77 34 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 1000");
  REQUIRE(executed);
  CHECK_FALSE(executed->forked_only);
  for (const char* line : {"", "77 (cat", "77 (cat) S", "77 (cat) S 12 77 34 0 -1 x",
                           "77 (cat) S 12 77 34 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0"}) {
    CHECK_FALSE(parse_stat(line));
  }
}

// A file that is older than any test.
constexpr const char* kOld = "/usr/bin/env";

TEST_CASE("age: a child, and a child's orphan in the same session, are as old as their program",
          "[age]") {
  const std::optional<Nanoseconds> own = program_start();
  REQUIRE(own);
  const auto about_own = [&own] {
    const std::optional<Nanoseconds> start = program_start();
    // The clocks are read one after the other.
    return start && *start <= *own + 1'000'000;
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(test::holds_in_child(about_own));
  CHECK(test::holds_in_child([&] { return test::holds_in_child(about_own); }));
  const ScratchDirectory scratch;
  const std::string result = scratch.path("orphan");
  CHECK(test::holds_in_child([&] {
    const pid_t between = ::getpid();
    if (::fork() != 0) {
      return true;
    }
    while (::getppid() == between) {
      ::usleep(1000);
    }
    std::ofstream(result + ".new") << about_own();
    ::rename((result + ".new").c_str(), result.c_str());
    return true;
  }));
  std::string text;
  for (int i = 0; i < 500 && !(std::ifstream(result) >> text); ++i) {
    ::usleep(10000);
  }
  CHECK(text == "1");
}

TEST_CASE("age: what was installed after the program was executed is younger", "[age]") {
  const ScratchDirectory scratch;
  const std::string module = scratch.path("module.so");
  const std::string config = scratch.path("mech.conf");
  ::setenv("GSS_MECH_CONFIG", kOld, 1);
  CHECK_FALSE(last_installation(module.c_str()));  // it is not there
  CHECK(is_younger_than(kOld));
  std::ofstream(module) << "x";
  CHECK_FALSE(is_younger_than(module.c_str()));
  ::setenv("GSS_MECH_CONFIG", config.c_str(), 1);
  CHECK_FALSE(is_younger_than(kOld));  // no configuration
  std::ofstream(config) << "x";
  CHECK_FALSE(is_younger_than(kOld));  // a young one
  const std::string link = scratch.path("link.conf");
  REQUIRE(::symlink(kOld, link.c_str()) == 0);
  ::setenv("GSS_MECH_CONFIG", link.c_str(), 1);
  CHECK_FALSE(is_younger_than(kOld));  // a young link to an old one
  ::unsetenv("GSS_MECH_CONFIG");
}

}  // namespace
}  // namespace gssntlm::interposer
