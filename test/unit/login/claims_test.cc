// Handshakes are claimed once, by the thread that comes first, for as long as their tokens are
// good.
#include "mech/login/claims.h"

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "test/support/catch.h"

namespace gssntlm {
namespace {

constexpr std::uint64_t kSetSize = 64;
constexpr std::uint64_t kDay = 24 * 60 * 60;
constexpr HandshakeClock kClocks[] = {HandshakeClock::kMachine, HandshakeClock::kWall};

// The identifier `n` among those that share the low bits `set`. Each test has sets of its own, and
// takes up the time where the one before left it.
constexpr std::uint64_t id_of(std::uint64_t set, std::uint64_t n) {
  return (n + 1) << 16 | set;
}
std::uint64_t later(std::uint64_t seconds = 10 * kDay) {
  static std::uint64_t now = 0;
  now += seconds;
  return now;
}

Claim claim(std::uint64_t id, std::uint64_t ends, std::uint64_t now) {
  return claim_handshake_at(HandshakeClock::kMachine, id, ends, now);
}

TEST_CASE("claims: an identifier is claimed once until it expires, and then not at all",
          "[claims]") {
  std::uint64_t id = 0;
  // Around the minute in which the clock's low bits begin again, too.
  for (const std::uint64_t step : {std::uint64_t{0}, 50 * kDay, 65535 * 60 - kDay / 2, kDay}) {
    for (const std::uint64_t age : {std::uint64_t{1}, std::uint64_t{300}, 3 * kDay - 60}) {
      const std::uint64_t now = later(step);
      CAPTURE(now, age);
      id = id_of(1, id + 1);
      CHECK(claim(id, now + age, now) == Claim::kFirst);
      CHECK(claim(id, now + age, now) == Claim::kDuplicateToken);
      CHECK(claim(id, now + age, now + age - 1) == Claim::kDuplicateToken);
      CHECK(claim(id, now + age, now + age) == Claim::kExpired);
      later(age);
      id >>= 16;
    }
  }
}

TEST_CASE("claims: a clock that is set back revives nothing", "[claims]") {
  for (const HandshakeClock clock : kClocks) {
    const std::uint64_t now = later();
    REQUIRE(claim_handshake_at(clock, id_of(2, 0), now + 300, now) == Claim::kFirst);
    // Other claims take its place.
    for (std::uint64_t n = 1; n <= kSetSize; ++n) {
      REQUIRE(claim_handshake_at(clock, id_of(2, n), now + kDay, now + 400) == Claim::kFirst);
    }
    CHECK(claim_handshake_at(clock, id_of(2, 0), now + 300, now) == Claim::kExpired);
    CHECK(claim_handshake_at(clock, id_of(3, 0), now + 300, now) == Claim::kExpired);
    CHECK(claim_handshake_at(clock, id_of(3, 0), now + 401, now) == Claim::kFirst);
  }
}

TEST_CASE("claims: the two clocks are independent", "[claims]") {
  const std::uint64_t now = later();
  REQUIRE(claim_handshake_at(HandshakeClock::kWall, id_of(4, 0), now + kDay, now + kDay - 1) ==
          Claim::kFirst);
  CHECK(claim_handshake_at(HandshakeClock::kMachine, id_of(4, 0), now + 300, now) == Claim::kFirst);
  CHECK(claim_handshake_at(HandshakeClock::kWall, id_of(4, 1), now + 300, now) == Claim::kExpired);
}

TEST_CASE("claims: a full table forgets nothing that must be remembered", "[claims]") {
  const std::uint64_t now = later() / 60 * 60;
  for (std::uint64_t n = 0; n < kSetSize; ++n) {
    REQUIRE(claim(id_of(5, n), now + 659, now) == Claim::kFirst);
  }
  CHECK(claim(id_of(5, kSetSize), now + kDay, now + 658) == Claim::kFull);
  for (std::uint64_t n = 0; n < kSetSize; ++n) {
    CHECK(claim(id_of(5, n), now + 659, now + 658) == Claim::kDuplicateToken);
  }
  CHECK(claim(id_of(6, 0), now + kDay, now + 658) == Claim::kFirst);
  CHECK(claim(id_of(5, kSetSize), now + kDay, now + 660) == Claim::kFirst);
}

TEST_CASE("claims: what would have to be remembered too long is not claimed", "[claims]") {
  const std::uint64_t now = later();
  CHECK(claim(id_of(7, 0), now + 3 * kDay + 60, now) == Claim::kFull);
  CHECK(claim(id_of(7, 0), ~std::uint64_t{0}, now) == Claim::kFull);
  CHECK(claim(id_of(7, 0), now + 3 * kDay, now) == Claim::kFirst);
}

TEST_CASE("claims: a short claim does not shorten a long one", "[claims]") {
  const std::uint64_t now = later();
  REQUIRE(claim(id_of(8, 0), now + 2 * kDay, now) == Claim::kFirst);
  for (std::uint64_t n = 1; n < 3 * kSetSize; ++n) {
    REQUIRE(claim(id_of(8, n), now + 60 * n + 1, now + 60 * n) == Claim::kFirst);
  }
  CHECK(claim(id_of(8, 0), now + 2 * kDay, now + 2 * kDay - 1) == Claim::kDuplicateToken);
}

TEST_CASE("claims: of several threads at most one is the first", "[claims]") {
  constexpr std::size_t kRounds = 2000;
  const std::uint64_t now = later();
  std::vector<std::atomic<int>> firsts(kRounds);
  std::vector<std::atomic<int>> sessions(kRounds);
  const auto claim_all = [&] {
    for (std::size_t n = 0; n < kRounds; ++n) {
      firsts[n] += claim(id_of(100 + n, 0), now + 600, now) == Claim::kFirst ? 1 : 0;
      sessions[n] += claim_session(id_of(n, 1000)) ? 1 : 0;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(claim_all);
  }
  for (std::thread& t : threads) {
    t.join();
  }
  int claimed = 0;
  int opened = 0;
  for (std::size_t n = 0; n < kRounds; ++n) {
    CHECK(firsts[n] <= 1);
    CHECK(sessions[n] <= 1);
    claimed += firsts[n];
    opened += sessions[n];
    CHECK(claim(id_of(100 + n, 0), now + 600, now) == Claim::kDuplicateToken);
    CHECK_FALSE(claim_session(id_of(n, 1000)));
  }
  CHECK(claimed > 0);
  CHECK(opened > 0);
}

TEST_CASE("claims: threads take no slot from each other", "[claims]") {
  const std::uint64_t now = later();
  std::atomic<int> firsts{0};
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&firsts, i, now] {
      for (std::uint64_t n = 0; n < kSetSize / 4; ++n) {
        firsts += claim(id_of(9, 4 * n + i), now + 600, now) == Claim::kFirst ? 1 : 0;
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  CHECK(firsts == static_cast<int>(kSetSize));
  for (std::uint64_t n = 0; n < kSetSize; ++n) {
    CHECK(claim(id_of(9, n), now + 600, now) == Claim::kDuplicateToken);
  }
}

TEST_CASE("claims: an established context is claimed once, among the last of its set", "[claims]") {
  for (std::uint64_t n = 0; n < kSetSize; ++n) {
    REQUIRE(claim_session(id_of(10, n)));
  }
  for (std::uint64_t n = 0; n < kSetSize; ++n) {
    CHECK_FALSE(claim_session(id_of(10, n)));
  }
  // The oldest goes, and no other.
  CHECK(claim_session(id_of(10, kSetSize)));
  CHECK_FALSE(claim_session(id_of(10, kSetSize)));
  CHECK_FALSE(claim_session(id_of(10, 1)));
  CHECK(claim_session(id_of(10, 0)));
}

TEST_CASE("claims: the last 16000 established contexts are remembered", "[claims]") {
  constexpr std::size_t kRemembered = 16000;
  std::mt19937_64 random(20240229);
  std::vector<std::uint64_t> ids;
  for (std::size_t n = 0; n < 3 * kRemembered; ++n) {
    ids.push_back(random());
    REQUIRE(claim_session(ids.back()));
    if (n >= kRemembered) {
      REQUIRE_FALSE(claim_session(ids[n - kRemembered + 1]));
    }
  }
}

}  // namespace
}  // namespace gssntlm
