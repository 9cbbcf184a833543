// A Runtime whose clock and randomness a test decides, and whose trace it reads.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "mech/base/runtime.h"

namespace gssntlm::test {

/// 2024-02-29 12:00:00 UTC as FILETIME.
inline constexpr std::uint64_t kNoon = kFiletimeUnixEpoch + 1'709'208'000 * kFiletimePerSecond;

/// For one thread.
class FixedEnvironment : public Runtime {
 public:
  std::uint64_t time = kNoon;
  Bytes next_random;       ///< handed out first; then bytes that count up
  bool has_random = true;  ///< false: the source of randomness fails

  std::array<std::uint8_t, 32> machine{};  ///< zeros: not known

  [[nodiscard]] std::array<std::uint8_t, 32> machine_id() const noexcept override {
    return machine;
  }
  [[nodiscard]] std::uint64_t now() const noexcept override { return time; }
  [[nodiscard]] bool random(MutableBytes out) const noexcept override {
    for (std::uint8_t& byte : out) {
      byte = given_ < next_random.size() ? next_random[given_] : static_cast<std::uint8_t>(given_);
      ++given_;
    }
    return has_random;
  }
  [[nodiscard]] bool tracing() const noexcept override { return true; }
  void trace(std::string_view event) const noexcept override { events_.emplace_back(event); }

  /// Whether some event traced so far holds `words`.
  [[nodiscard]] bool traced(std::string_view words) const {
    return std::any_of(events_.begin(), events_.end(), [&](const std::string& event) {
      return event.find(words) != std::string::npos;
    });
  }
  [[nodiscard]] const std::vector<std::string>& events() const { return events_; }

 private:
  mutable std::size_t given_ = 0;
  mutable std::vector<std::string> events_;
};

}  // namespace gssntlm::test
