#include "mech/login/claims.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <span>

#include <time.h>

namespace gssntlm {
namespace {

constexpr std::size_t kWays = 64;
using Ways = std::array<std::atomic<std::uint64_t>, kWays>;

// ---- handshakes

// A word: 48 bits of an identifier, then the last minute of its claim, from 1. 0: never used.
constexpr std::size_t kSets = 4096;
constexpr std::uint64_t kMinutes = 65535;
constexpr std::uint64_t kLongest = 3 * 24 * 60;

struct Handshakes {
  std::atomic<std::uint64_t> latest{0};  // the highest time that any call has seen
  std::array<Ways, kSets> sets{};
};
std::array<Handshakes, 2> g_handshakes;

std::uint64_t advance(std::atomic<std::uint64_t>& latest, std::uint64_t now) noexcept {
  std::uint64_t before = latest.load();
  while (before < now && !latest.compare_exchange_weak(before, now)) {
  }
  return std::max(before, now);
}

// The identifiers that share their low bits.
class Set {
 public:
  Set(Ways& slots, std::uint64_t id, std::uint64_t now) noexcept
      : slots_(slots), tag_(id >> 16), now_(now / 60 % kMinutes) {}

  [[nodiscard]] std::size_t count() const noexcept {
    std::size_t found = 0;
    for (const auto& slot : slots_) {
      const std::uint64_t word = slot.load();
      found += word >> 16 == tag_ && is_used(word) ? 1 : 0;
    }
    return found;
  }
  // False when there is no free slot.
  [[nodiscard]] bool add(std::uint64_t ends) noexcept {
    const std::uint64_t last = ends / 60 % kMinutes;
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

  Ways& slots_;
  std::uint64_t tag_;
  std::uint64_t now_;
};

// ---- established contexts

// Each set is a ring: the newest identifier takes the place of the oldest.
struct Ring {
  std::atomic<std::uint32_t> next{0};
  Ways slots{};
};
std::array<Ring, 512> g_sessions;

std::ptrdiff_t count(const Ways& slots, std::uint64_t id) noexcept {
  return std::count_if(slots.begin(), slots.end(),
                       [id](const auto& slot) { return slot.load() == id; });
}

}  // namespace

std::uint64_t seconds_of(HandshakeClock clock) noexcept {
  timespec t{};
  ::clock_gettime(clock == HandshakeClock::kWall ? CLOCK_REALTIME : CLOCK_BOOTTIME, &t);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(t.tv_sec, 0));
}

Claim claim_handshake_at(HandshakeClock clock, std::uint64_t id, std::uint64_t ends,
                         std::uint64_t now) noexcept {
  Handshakes& all = g_handshakes[clock == HandshakeClock::kWall ? 1 : 0];
  const std::uint64_t time = advance(all.latest, now);
  if (ends <= time) {
    return Claim::kExpired;
  }
  if (ends / 60 - time / 60 > kLongest) {
    return Claim::kFull;
  }
  Set set(all.sets[id % kSets], id, time);
  if (set.count() != 0) {
    return Claim::kDuplicateToken;
  }
  if (!set.add(ends)) {
    return Claim::kFull;
  }
  // Of two threads that came this far at once the later one sees both words.
  const bool alone = set.count() == 1;
  // A thread for which time went on meanwhile may have taken the place of an earlier claim.
  if (ends <= all.latest.load()) {
    return Claim::kExpired;
  }
  return alone ? Claim::kFirst : Claim::kDuplicateToken;
}

Claim claim_handshake(HandshakeClock clock, std::uint64_t id, std::uint64_t ends) noexcept {
  return claim_handshake_at(clock, id, ends, seconds_of(clock));
}

bool claim_session(std::uint64_t id) noexcept {
  Ring& ring = g_sessions[id % g_sessions.size()];
  if (count(ring.slots, id) != 0) {
    return false;
  }
  ring.slots[ring.next.fetch_add(1) % kWays].store(id);
  return count(ring.slots, id) == 1;
}

}  // namespace gssntlm
