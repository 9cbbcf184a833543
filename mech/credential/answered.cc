#include "mech/credential/answered.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <span>

#include <time.h>

namespace gssntlm {
namespace {

// A word: 48 bits of an identifier, then the last minute of its claim, from 1. 0: never used.
constexpr std::size_t kWays = 64;
constexpr std::size_t kSets = 4096;
constexpr std::uint64_t kMinutes = 65535;
constexpr std::uint64_t kLongest = 3 * 24 * 60;
std::array<std::atomic<std::uint64_t>, kSets * kWays> g_claimed;

// The identifiers that share their low bits.
class Set {
 public:
  Set(std::uint64_t id, std::uint64_t now) noexcept
      : slots_(&g_claimed[id % kSets * kWays], kWays), tag_(id >> 16), now_(now % kMinutes) {}

  [[nodiscard]] std::size_t count() const noexcept {
    std::size_t found = 0;
    for (const auto& slot : slots_) {
      const std::uint64_t word = slot.load();
      found += word >> 16 == tag_ && is_used(word) ? 1 : 0;
    }
    return found;
  }
  // False when there is no free slot.
  [[nodiscard]] bool add(std::uint64_t minutes) noexcept {
    const std::uint64_t last = (now_ + std::min(minutes, kLongest)) % kMinutes;
    for (auto& slot : slots_) {
      std::uint64_t word = slot.load();
      if (!is_used(word) && slot.compare_exchange_strong(word, tag_ << 16 | (last + 1))) {
        return true;
      }
    }
    return false;
  }

 private:
  // Minutes come again after 45 days; a word that is so old counts as used for three days.
  [[nodiscard]] bool is_used(std::uint64_t word) const noexcept {
    const std::uint64_t last = (word & 0xFFFF) - 1;
    return word != 0 && (last + kMinutes - now_) % kMinutes <= kLongest;
  }

  std::span<std::atomic<std::uint64_t>, kWays> slots_;
  std::uint64_t tag_;
  std::uint64_t now_;
};

}  // namespace

Claim claim_handshake_at(std::uint64_t id, std::uint64_t minutes, std::uint64_t now) noexcept {
  Set set(id, now);
  if (set.count() != 0) {
    return Claim::kDuplicateToken;
  }
  if (!set.add(minutes)) {
    return Claim::kFull;
  }
  // Of two threads that came this far at once the later one sees both words.
  return set.count() == 1 ? Claim::kFirst : Claim::kDuplicateToken;
}

Claim claim_handshake(std::uint64_t id, std::uint64_t minutes) noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return claim_handshake_at(id, minutes, static_cast<std::uint64_t>(t.tv_sec) / 60);
}

}  // namespace gssntlm
