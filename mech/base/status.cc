#include "mech/base/status.h"

#include <array>

namespace gssntlm {
namespace {

struct Entry {
  Minor code;
  std::string_view text;
};

constexpr std::array kTexts = {
    Entry{Minor::kNone, "no NTLM error was recorded; see the major status"},
#define X(name, id, number, text) Entry{Minor::id, text},
#include "mech/base/minor_codes.inc"
#undef X
};

// Numbers run from 1 without a gap, so that a code's text is found by its number.
consteval bool numbers_are_places() {
  for (std::uint32_t i = 1; i < kTexts.size(); ++i) {
    if (static_cast<std::uint32_t>(kTexts[i].code) != kMinorBase + i) {
      return false;
    }
  }
  return true;
}
static_assert(numbers_are_places());

}  // namespace

std::string_view minor_text(std::uint32_t minor) noexcept {
  const std::uint32_t place = minor == 0 ? 0 : minor - kMinorBase;
  if (place >= kTexts.size() || (place == 0 && minor != 0)) {
    return "unknown NTLM status code";
  }
  return kTexts[place].text;
}

}  // namespace gssntlm
