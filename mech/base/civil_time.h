// Seconds since 1970 as a date and a time of day.
#pragma once

#include <cstdint>

namespace gssntlm {

/// A moment in UTC, in the proleptic Gregorian calendar, without leap seconds.
struct CivilTime {
  int year = 1970;
  unsigned month = 1;  ///< 1 to 12
  unsigned day = 1;    ///< 1 to 31
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

/// The seconds that utc_of() converts: from the first of the year -9999 to the last of 9999.
inline constexpr std::int64_t kFirstCivilSecond = -377705116800;
inline constexpr std::int64_t kLastCivilSecond = 253402300799;

/// The moment `seconds` after 1970-01-01T00:00:00Z; what is outside of the range above becomes its
/// nearest end. Unlike gmtime_r, it takes no lock: the C library's may be held forever in a child
/// that was forked meanwhile.
[[nodiscard]] CivilTime utc_of(std::int64_t seconds) noexcept;

}  // namespace gssntlm
