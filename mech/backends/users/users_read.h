// Reading users files for the command-line tool: each is opened once, through a path on which no
// other user can replace it.
#pragma once

#include <optional>
#include <string>

#include "mech/backends/users/trusted_path.h"
#include "mech/backends/users/users_text.h"

namespace gssntlm {

/// Maximum size of a users file, in bytes: enough for more than two million accounts.
inline constexpr std::size_t kMaxUsersFile = std::size_t{256} << 20;

/// A file and its status when it was opened.
struct OpenedFile {
  Descriptor file{-1};
  struct stat st {};
  [[nodiscard]] bool exists() const noexcept { return file.get() >= 0; }
  [[nodiscard]] std::optional<FileIdentity> identity() const noexcept {
    return exists() ? std::optional(FileIdentity::of(st)) : std::nullopt;
  }
};

/// Opens the file at `place`, without following a link or waiting for a FIFO. If `may_miss`, a
/// missing file is no error: exists() of the result is false. Errors: kUsersFileOpen;
/// kUsersFileMode if it is not a regular file. Details name `path`. Throws std::bad_alloc.
[[nodiscard]] Result<OpenedFile> open_users_file(const TrustedPlace& place, const std::string& path,
                                                 bool may_miss);

/// Reads an opened file. Errors: kUsersFileOpen if more than `most` bytes were read (the file may
/// grow, so that its size at opening is not sufficient), or fewer than its size at opening;
/// kUsersFileLine for a line that logons would reject too. Throws std::bad_alloc.
[[nodiscard]] Result<UsersText> read_users_text(const OpenedFile& opened, const std::string& path,
                                                std::size_t most = kMaxUsersFile);

/// Opens the file at `path`, if no other user can replace it: the path is resolved by
/// resolve_trusted_place(), the file belongs to root or to the user of this process, others cannot
/// write to it, and if others can create files in its directory, it has no second hard link.
/// Errors: kUsersFileOpen, kUsersFileMode; details name the component of the path and the remedy.
/// Throws std::bad_alloc.
[[nodiscard]] Result<OpenedFile> open_trusted_users_file(const std::string& path);

/// Reads the file of open_trusted_users_file(). Errors: as above.
[[nodiscard]] Result<UsersText> read_users_text(const std::string& path);

}  // namespace gssntlm
