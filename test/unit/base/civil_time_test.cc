#include "mech/base/civil_time.h"

#include <chrono>
#include <cstdio>
#include <limits>
#include <string>

#include "support/catch.h"

using namespace gssntlm;

namespace {

std::string text_of(std::int64_t seconds) {
  const CivilTime t = utc_of(seconds);
  char text[64];
  std::snprintf(text, sizeof text, "%d-%02u-%02u %02u:%02u:%02u", t.year, t.month, t.day, t.hour,
                t.minute, t.second);
  return text;
}

}  // namespace

TEST_CASE("seconds since 1970 become date and time in UTC") {
  CHECK(text_of(0) == "1970-01-01 00:00:00");
  CHECK(text_of(-1) == "1969-12-31 23:59:59");
  CHECK(text_of(951782399) == "2000-02-28 23:59:59");
  CHECK(text_of(951782400) == "2000-02-29 00:00:00");
  CHECK(text_of(951868800) == "2000-03-01 00:00:00");
  CHECK(text_of(1709251199) == "2024-02-29 23:59:59");
  CHECK(text_of(4107542400) == "2100-03-01 00:00:00");  // no leap year
  CHECK(text_of(4107542399) == "2100-02-28 23:59:59");
  CHECK(text_of(2147483648) == "2038-01-19 03:14:08");
  CHECK(text_of(-11644473600) == "1601-01-01 00:00:00");
}

TEST_CASE("every day of eight centuries follows the one before it") {
  constexpr std::int64_t kDay = 86400;
  CivilTime last = utc_of(-11644473600 - kDay);
  unsigned leap_days = 0;
  for (std::int64_t day = 0; day < 2 * 146097; ++day) {
    const CivilTime next = utc_of(-11644473600 + day * kDay + kDay / 2);
    const bool same_month = next.month == last.month && next.day == last.day + 1;
    const bool next_month = next.day == 1 && last.day >= 28 &&
                            (next.month == last.month + 1 || (next.month == 1 && last.month == 12));
    REQUIRE((same_month || next_month));
    REQUIRE(next.year == last.year + (next.month == 1 && next.day == 1 ? 1 : 0));
    REQUIRE(next.hour == 12);
    leap_days += next.month == 2 && next.day == 29 ? 1 : 0;
    last = next;
  }
  CHECK(leap_days == 2 * 97);
  CHECK(text_of(-11644473600 + 2 * 146097 * kDay) == "2401-01-01 00:00:00");
}

TEST_CASE("times out of range become the nearest one in it") {
  CHECK(text_of(kLastCivilSecond) == "9999-12-31 23:59:59");
  CHECK(text_of(kFirstCivilSecond) == "-9999-01-01 00:00:00");
  CHECK(text_of(std::numeric_limits<std::int64_t>::max()) == text_of(kLastCivilSecond));
  CHECK(text_of(std::numeric_limits<std::int64_t>::min()) == text_of(kFirstCivilSecond));
}
