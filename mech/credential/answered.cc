#include "mech/credential/answered.h"

#include <array>
#include <atomic>
#include <span>

#include <time.h>

namespace gssntlm {
namespace {

// A word: 48 bits of an identifier, then the minute it was claimed in, from 1. 0: free.
constexpr std::size_t kWays = 16;
constexpr std::size_t kSets = 16384;
constexpr std::uint64_t kMinutes = 65535;
std::array<std::atomic<std::uint64_t>, kSets * kWays> g_claimed;

std::uint64_t minute_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return static_cast<std::uint64_t>(t.tv_sec) / 60 % kMinutes;
}

// The identifiers that share their low bits.
class Set {
 public:
  Set(std::uint64_t id, std::uint64_t now, std::uint64_t minutes) noexcept
      : slots_(&g_claimed[id % kSets * kWays], kWays),
        tag_(id >> 16),
        now_(now),
        minutes_(minutes) {}

  [[nodiscard]] std::size_t count() const noexcept {
    std::size_t found = 0;
    for (const auto& slot : slots_) {
      const std::uint64_t word = slot.load();
      found += word >> 16 == tag_ && is_used(word) ? 1 : 0;
    }
    return found;
  }
  // False when there is no free slot.
  [[nodiscard]] bool add() noexcept {
    for (auto& slot : slots_) {
      std::uint64_t word = slot.load();
      if (!is_used(word) && slot.compare_exchange_strong(word, tag_ << 16 | (now_ + 1))) {
        return true;
      }
    }
    return false;
  }

 private:
  [[nodiscard]] bool is_used(std::uint64_t word) const noexcept {
    const std::uint64_t minute = (word & 0xFFFF) - 1;
    return word != 0 && (now_ + kMinutes - minute) % kMinutes <= minutes_;
  }

  std::span<std::atomic<std::uint64_t>, kWays> slots_;
  std::uint64_t tag_;
  std::uint64_t now_;
  std::uint64_t minutes_;
};

}  // namespace

Claim claim_handshake(std::uint64_t id, std::uint64_t minutes) noexcept {
  Set set(id, minute_now(), minutes);
  if (set.count() != 0) {
    return Claim::kDuplicateToken;
  }
  if (!set.add()) {
    return Claim::kFull;
  }
  // Of two threads that came this far at once neither is the first.
  return set.count() == 1 ? Claim::kFirst : Claim::kDuplicateToken;
}

}  // namespace gssntlm
