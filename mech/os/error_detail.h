// The last error's particulars (file, line, name), kept per thread for gss_display_status.
#pragma once

#include <string>
#include <string_view>

#include "mech/base/status.h"

namespace gssntlm {

/// Stores `text` as this thread's detail of `minor`; truncated to 511 bytes, and lost when memory
/// is exhausted. Returns an Error of both, so that a failing function can `return
/// error_with_detail(...)`.
Error error_with_detail(Major major, Minor minor, std::string_view text) noexcept;

/// The text of this thread's last error_with_detail() in the call that runs, if it was for `minor`;
/// else empty.
[[nodiscard]] std::string_view last_detail(std::uint32_t minor) noexcept;

/// The text of an error behind its particulars, if there are any. Throws std::bad_alloc.
[[nodiscard]] std::string error_text(Error error);

/// Forgets it: the call succeeded, and what was reported before stays.
void forget_detail() noexcept;

/// The call fails with `minor`. Its detail, or that it has none, replaces what was reported before.
void report_failure(std::uint32_t minor) noexcept;

/// The text of this thread's last failed call, if that failed with `minor`; else empty.
[[nodiscard]] std::string_view reported_detail(std::uint32_t minor) noexcept;

}  // namespace gssntlm
