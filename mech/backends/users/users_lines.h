// The lines of a users file on disk: read once, in pieces, for all readers.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "mech/base/status.h"

namespace gssntlm {

/// Why a users file does not count.
struct UsersFault {
  Minor minor = Minor::kUsersFileOpen;
  std::string text;      ///< path, line, mode and remedy
  bool lasting = false;  ///< the same for this user until the file changes
};

/// kUsersFileOpen: the file cannot be opened or read. Throws std::bad_alloc.
[[nodiscard]] UsersFault users_open_fault(const std::string& path, std::string_view what);

/// A file that was opened.
struct UsersSource {
  int fd;
  off_t size;  ///< when it was opened: fewer bytes are of a file that is being written
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();  ///< bytes that may be read
};

/// Passes each line, without its newline, to `take`, which understands it or fails. No copy of a
/// line stays in memory. Faults, which name `path`: kUsersFileOpen; kUsersFileLine for a line that
/// `take` rejects or that is longer than 256 KiB. Throws std::bad_alloc.
[[nodiscard]] std::optional<UsersFault> read_users_lines(
    const UsersSource& source, const std::string& path,
    const std::function<Status(std::string_view)>& take);

}  // namespace gssntlm
