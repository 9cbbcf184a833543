// Handshakes are claimed once, by whichever thread comes first, as long as that matters.
#include "mech/credential/answered.h"

#include <atomic>
#include <thread>
#include <vector>

#include "test/support/catch.h"

namespace gssntlm {
namespace {

constexpr std::uint64_t kSetSize = 64;

// The identifier `n` among those that share the low bits `set`. Each test has sets of its own.
constexpr std::uint64_t id_of(std::uint64_t set, std::uint64_t n) {
  return (n + 1) << 16 | set;
}

TEST_CASE("claims: an identifier is claimed once until its time is over", "[claims]") {
  // Around the minute in which the clock's low bits begin again, too.
  for (const std::uint64_t now : {std::uint64_t{0}, std::uint64_t{70000}, std::uint64_t{131065}}) {
    for (const std::uint64_t minutes : {std::uint64_t{0}, std::uint64_t{11}, std::uint64_t{2881}}) {
      CAPTURE(now, minutes);
      const std::uint64_t id = id_of(1, now << 16 | minutes);
      CHECK(claim_handshake_at(id, minutes, now) == Claim::kFirst);
      CHECK(claim_handshake_at(id, minutes, now) == Claim::kDuplicateToken);
      CHECK(claim_handshake_at(id, 0, now + minutes) == Claim::kDuplicateToken);
      CHECK(claim_handshake_at(id, minutes, now + minutes + 1) == Claim::kFirst);
    }
  }
}

TEST_CASE("claims: a full table forgets nothing that must be remembered", "[claims]") {
  for (std::uint64_t n = 0; n < kSetSize; ++n) {
    REQUIRE(claim_handshake_at(id_of(2, n), 11, 500) == Claim::kFirst);
  }
  CHECK(claim_handshake_at(id_of(2, kSetSize), 11, 511) == Claim::kFull);
  for (std::uint64_t n = 0; n < kSetSize; ++n) {
    CHECK(claim_handshake_at(id_of(2, n), 11, 511) == Claim::kDuplicateToken);
  }
  CHECK(claim_handshake_at(id_of(3, 0), 11, 511) == Claim::kFirst);
  CHECK(claim_handshake_at(id_of(2, kSetSize), 11, 512) == Claim::kFirst);
}

TEST_CASE("claims: a short claim does not shorten a long one", "[claims]") {
  REQUIRE(claim_handshake_at(id_of(4, 0), 2881, 500) == Claim::kFirst);
  for (std::uint64_t n = 1; n < 3 * kSetSize; ++n) {
    REQUIRE(claim_handshake_at(id_of(4, n), 0, 500 + n) == Claim::kFirst);
  }
  CHECK(claim_handshake_at(id_of(4, 0), 0, 500 + 2881) == Claim::kDuplicateToken);
}

TEST_CASE("claims: of several threads at most one is the first", "[claims]") {
  constexpr std::uint64_t kRounds = 2000;
  std::vector<std::atomic<int>> firsts(kRounds);
  const auto claim_all = [&] {
    for (std::uint64_t n = 0; n < kRounds; ++n) {
      if (claim_handshake_at(id_of(100 + n, 0), 11, 500) == Claim::kFirst) {
        ++firsts[n];
      }
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
  for (std::uint64_t n = 0; n < kRounds; ++n) {
    CHECK(firsts[n] <= 1);
    claimed += firsts[n];
    CHECK(claim_handshake_at(id_of(100 + n, 0), 11, 500) == Claim::kDuplicateToken);
  }
  CHECK(claimed > 0);
}

TEST_CASE("claims: threads take no slot from each other", "[claims]") {
  std::atomic<int> firsts{0};
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&firsts, i] {
      for (std::uint64_t n = 0; n < kSetSize / 4; ++n) {
        firsts += claim_handshake_at(id_of(5, 4 * n + i), 11, 500) == Claim::kFirst ? 1 : 0;
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  CHECK(firsts == static_cast<int>(kSetSize));
  for (std::uint64_t n = 0; n < kSetSize; ++n) {
    CHECK(claim_handshake_at(id_of(5, n), 11, 500) == Claim::kDuplicateToken);
  }
}

}  // namespace
}  // namespace gssntlm
