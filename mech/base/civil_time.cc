#include "mech/base/civil_time.h"

#include <algorithm>
#include <chrono>

namespace gssntlm {

CivilTime utc_of(std::int64_t seconds) noexcept {
  using namespace std::chrono;
  const sys_seconds moment{
      std::chrono::seconds(std::clamp(seconds, kFirstCivilSecond, kLastCivilSecond))};
  const sys_days day = floor<days>(moment);
  const year_month_day date(day);
  const hh_mm_ss<std::chrono::seconds> clock(moment - day);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<unsigned>(clock.hours().count()),
          static_cast<unsigned>(clock.minutes().count()),
          static_cast<unsigned>(clock.seconds().count())};
}

}  // namespace gssntlm
