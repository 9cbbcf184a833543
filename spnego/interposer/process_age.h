// Whether this process is younger than the installation of the interposer.
#pragma once

#include <cstdint>
#include <optional>

namespace gssntlm::interposer {

/// Nanoseconds since 1970, in the clock as it is now.
using Nanoseconds = std::int64_t;

/// What /proc/PID/stat says; proc_pid_stat(5).
struct ProcessStat {
  int parent = 0;
  int session = 0;
  bool forked_only = false;  ///< has not executed a program since it was forked (PF_FORKNOEXEC)
  std::uint64_t start = 0;   ///< clock ticks since the machine started
};

/// Reads a line of /proc/PID/stat. The name, in parentheses, may hold anything.
[[nodiscard]] std::optional<ProcessStat> parse_stat(const char* line) noexcept;

/// No later than the moment at which this process's program was executed: whatever is in its memory
/// is younger. A process that was forked has its parent's memory, so that the parents' start
/// counts, up to the one that executed a program. Nothing when /proc cannot be read.
[[nodiscard]] std::optional<Nanoseconds> program_start() noexcept;

/// The last change (ctime) of `module` and of the mechglue's configuration: the file that
/// GSS_MECH_CONFIG names, or /etc/gss/mech, /etc/gss/mech.d and the *.conf in it. Nothing when one
/// exists and cannot be looked at.
[[nodiscard]] std::optional<Nanoseconds> last_installation(const char* module) noexcept;

/// The program was executed after the interposer was installed and registered, so that no
/// credential or context of its can be older. False when that cannot be told.
[[nodiscard]] bool is_younger_than(const char* module) noexcept;

}  // namespace gssntlm::interposer
