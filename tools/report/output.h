// The forms of a report.
#pragma once

#include <cstddef>
#include <string>

#include "tools/report/tally.h"

namespace gssntlm::tools {

/// Lines for a terminal: the `top` most frequent of each kind. Throws std::bad_alloc.
[[nodiscard]] std::string render_report(const Tally& tally, std::size_t top);
/// One JSON object, with everything that was counted; gss-ntlm(1) defines its members. Throws
/// std::bad_alloc.
[[nodiscard]] std::string render_report_json(const Tally& tally);
/// One page, which loads nothing: the `top` most frequent of each kind, with bars. Throws
/// std::bad_alloc.
[[nodiscard]] std::string render_report_page(const Tally& tally, std::size_t top);

/// `1234567` as `1,234,567`. Throws std::bad_alloc.
[[nodiscard]] std::string grouped(std::uint64_t number);
/// How many logins a plan would break. Throws std::bad_alloc.
[[nodiscard]] std::uint64_t broken_logins(const Counts& broken);
/// `120 logins of 3 clients`. Throws std::bad_alloc.
[[nodiscard]] std::string broken_text(const Counts& broken);

}  // namespace gssntlm::tools
