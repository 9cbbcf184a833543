#include "mech/base/scrub.h"

#include "test/support/catch.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using namespace gssntlm;

namespace {

constexpr std::size_t kDeep = 4096;
constexpr std::uint8_t kSecretByte = 0xA7;

[[gnu::noinline]] void leave_bytes() {
  volatile std::uint8_t stack[kDeep];
  for (volatile std::uint8_t& byte : stack) {
    byte = kSecretByte;
  }
}

// How many such bytes the stack below the caller holds. The kernel copies it, so that looking at it
// changes little.
[[gnu::noinline]] std::size_t bytes_left() {
  std::vector<std::uint8_t> copy(2 * kDeep);
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const ssize_t got =
      ::pread(memory, copy.data(), copy.size(), static_cast<off_t>(here - copy.size()));
  ::close(memory);
  REQUIRE(got == static_cast<ssize_t>(copy.size()));
  return static_cast<std::size_t>(std::count(copy.begin(), copy.end(), kSecretByte));
}

}  // namespace

TEST_CASE("scrub: what a deep call leaves on the stack is cleared") {
  const int answer = clearing_deep_stack([] {
    leave_bytes();
    return 7;
  });
  const std::size_t left = bytes_left();
  CHECK(answer == 7);
  CHECK(left < 16);
}

TEST_CASE("scrub: what a deep call that throws leaves on the stack is cleared") {
  bool thrown = false;
  try {
    clearing_deep_stack([] {
      leave_bytes();
      throw std::runtime_error("x");
    });
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(bytes_left() < 16);
  CHECK(thrown);
}
