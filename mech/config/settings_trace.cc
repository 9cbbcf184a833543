#include "mech/config/settings_trace.h"

#include <algorithm>

#include "mech/config/settings.h"

namespace gssntlm {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view take_line(std::string_view& text) noexcept {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return trimmed(line);
}

}  // namespace

std::string trace_file_in(std::string_view text) {
  bool inside = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t equals = line.find('=');
    if (line.starts_with('[')) {
      inside = line == "[trace]";
    } else if (inside && equals != std::string_view::npos &&
               trimmed(line.substr(0, equals)) == "file") {
      const std::string_view path = trimmed(line.substr(equals + 1));
      const bool usable = path.starts_with('/') && !has_remark(path);
      return std::string(usable ? path : std::string_view());
    }
  }
  return {};
}

}  // namespace gssntlm
