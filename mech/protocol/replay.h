// The sequence numbers of connectionless messages received so far; each is accepted once
// [RFC 2743] 1.2.3.
#pragma once

#include <array>
#include <cstdint>

#include "mech/base/archive.h"

namespace gssntlm {

/// How a genuine message arrived, compared with those before it.
enum class Arrival : std::uint8_t {
  kExpected,   ///< for the first time
  kDuplicate,  ///< its number was received before
  kOldToken,   ///< too far behind the newest to tell
};

/// A window of kWidth numbers that ends at the highest one taken. Numbers do not wrap.
class ReplayWindow {
 public:
  static constexpr std::uint32_t kWidth = 1024;

  [[nodiscard]] Arrival arrival_of(std::uint32_t number) const noexcept;
  /// Marks a number that arrival_of() found kExpected.
  void take(std::uint32_t number) noexcept;

  void save(Serializer& out) const;
  /// Latches a failure in `in`.
  void load(Deserializer& in) noexcept;

 private:
  static constexpr std::uint32_t kWordBits = 64;

  [[nodiscard]] static constexpr std::uint64_t bit(std::uint64_t number) noexcept {
    return std::uint64_t{1} << (number % kWordBits);
  }
  [[nodiscard]] static constexpr std::size_t word(std::uint64_t number) noexcept {
    return number % kWidth / kWordBits;
  }

  std::uint64_t end_ = 0;  // one past the highest number taken
  // Bit n % kWidth stands for the one number of its kind in [end_ - kWidth, end_).
  std::array<std::uint64_t, kWidth / kWordBits> taken_{};
};

}  // namespace gssntlm
