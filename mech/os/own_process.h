// What an administrator calls this process.
#pragma once

#include <string>
#include <string_view>

namespace gssntlm {

/// The path of its executable; empty: not known. Throws std::bad_alloc.
[[nodiscard]] std::string own_executable();

/// The service or scope of systemd that it belongs to, such as `apache2.service`; empty: none.
/// Throws std::bad_alloc.
[[nodiscard]] std::string own_unit();

/// The same from the text of /proc/PID/cgroup: the innermost service or scope. Throws
/// std::bad_alloc.
[[nodiscard]] std::string unit_in(std::string_view cgroups);

}  // namespace gssntlm
