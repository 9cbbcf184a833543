// The window of connectionless messages, against a set that remembers everything.
#include "mech/protocol/replay.h"

#include <algorithm>
#include <random>
#include <set>

#include "test/support/catch.h"

namespace gssntlm {
namespace {

constexpr std::uint32_t kLast = 0xFFFFFFFF;

TEST_CASE("replay window: each number is taken once, whatever the order") {
  std::mt19937 generator(7);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(generator() % limit);
  };
  ReplayWindow window;
  std::set<std::uint32_t> taken;
  std::uint32_t centre = 0;
  for (int i = 0; i < 200000; ++i) {
    centre += below(3);
    const std::uint32_t number = centre - std::min(centre, below(1500));
    const std::uint32_t newest = taken.empty() ? 0 : *taken.rbegin();
    const Arrival arrival = window.arrival_of(number);
    if (!taken.empty() && number + ReplayWindow::kWidth <= newest) {
      REQUIRE(arrival == Arrival::kOldToken);
    } else if (taken.count(number) != 0) {
      REQUIRE(arrival == Arrival::kDuplicate);
    } else {
      REQUIRE(arrival == Arrival::kExpected);
      window.take(number);
      taken.insert(number);
    }
  }
}

TEST_CASE("replay window: it is at least 1024 numbers wide, and says old beyond that") {
  ReplayWindow window;
  window.take(5000);
  CHECK(window.arrival_of(5000) == Arrival::kDuplicate);
  CHECK(window.arrival_of(5000 - 1023) == Arrival::kExpected);
  CHECK(window.arrival_of(5000 - 1024) == Arrival::kOldToken);
  CHECK(window.arrival_of(0) == Arrival::kOldToken);
}

TEST_CASE("replay window: 0, the last number and jumps over the whole window") {
  ReplayWindow window;
  CHECK(window.arrival_of(0) == Arrival::kExpected);
  window.take(0);
  CHECK(window.arrival_of(0) == Arrival::kDuplicate);
  window.take(1024);
  CHECK(window.arrival_of(0) == Arrival::kOldToken);
  CHECK(window.arrival_of(1) == Arrival::kExpected);
  window.take(kLast);
  CHECK(window.arrival_of(kLast) == Arrival::kDuplicate);
  CHECK(window.arrival_of(kLast - 1023) == Arrival::kExpected);
  CHECK(window.arrival_of(kLast - 1024) == Arrival::kOldToken);
  CHECK(window.arrival_of(0) == Arrival::kOldToken);
}

}  // namespace
}  // namespace gssntlm
