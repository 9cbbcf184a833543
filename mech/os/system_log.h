// The system's log, without the C library: syslog() holds a lock that a child of fork can find held
// forever, waits without a limit for the log's daemon, and reports no failure.
#pragma once

#include <string_view>

namespace gssntlm {

inline constexpr const char* kSystemLog = "/dev/log";

/// Sends `text` to the log behind the socket at `path`, in one datagram, as gss-ntlm, this process,
/// facility authpriv, severity notice; the log adds the time. Waits a quarter of a second at most
/// for a log that is behind. 0, or the errno of what failed. Throws std::bad_alloc.
[[nodiscard]] int send_to_log(std::string_view text, const char* path = kSystemLog);

/// Whether a log listens there now: 0, or the errno of what failed.
[[nodiscard]] int check_log(const char* path = kSystemLog) noexcept;

}  // namespace gssntlm
