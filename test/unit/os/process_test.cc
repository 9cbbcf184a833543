// A process is told from those it was copied from, whatever made the copy.
#include "mech/os/process.h"

#include <array>
#include <csignal>
#include <cstdlib>

#include <sched.h>
#include <sys/wait.h>

#include "test/support/catch.h"
#include "test/support/forks.h"

namespace gssntlm::test {
namespace {

using Generation = std::uint32_t (*)() noexcept;

// The exit status of a child that compares itself to its parent, and a child of its own to both.
int compare_in_child(const Fork& way, Generation generation) {
  const std::uint32_t mine = generation();
  const int wrong = test::in_child(
      [&] {
        const std::uint32_t its = generation();
        const int grandchild = test::in_child(
            [&] { return generation() == its || generation() == mine ? 2 : 0; }, way);
        return (its == mine || its == 0 || its != generation() ? 1 : 0) +
               (grandchild < 0 ? 4 : grandchild) + (generation() != its ? 8 : 0);
      },
      way);
  CHECK(generation() == mine);
  return wrong;
}

TEST_CASE("process: a copy of a process has a generation of its own, whatever made it", "[os]") {
  for (const Fork& way : kForks) {
    CAPTURE(way.name);
    CHECK(compare_in_child(way, process_generation) == 0);
    CHECK(compare_in_child(way, process_generation_by_number) == 0);
  }
}

TEST_CASE("process: a grandchild of a child that never asked differs from their parent", "[os]") {
  const std::uint32_t mine = process_generation();
  for (const Fork& way : kForks) {
    CAPTURE(way.name);
    CHECK(test::in_child(
              [&] {
                const int differs =
                    test::in_child([&] { return process_generation() == mine ? 1 : 0; }, way);
                return differs < 0 ? 2 : differs;
              },
              way) == 0);
  }
}

TEST_CASE("process: a child that shares the memory of its parent is the same", "[os]") {
  alignas(64) static std::array<char, 1 << 16> stack;
  static std::uint32_t seen = 0;
  const auto body = [](void*) {
    seen = process_generation();
    return 0;
  };
  const std::uint32_t mine = process_generation();
  const pid_t child =
      ::clone(body, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
  REQUIRE(child > 0);
  ::waitpid(child, nullptr, 0);
  // valgrind gives such a child memory of its own.
  CHECK((seen == mine || seen == 0));
  CHECK(process_generation() == mine);
}

}  // namespace
}  // namespace gssntlm::test
