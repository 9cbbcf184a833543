// Edits of users files: complete or not done at all; none overwrites the edit of another process.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

#include "mech/backends/users/users_text.h"

namespace gssntlm {

struct FileOwner {
  uid_t user;
  gid_t group;  ///< used for a new file only
};

struct EditOptions {
  bool create = false;  ///< the file need not exist
  /// The user that the file must belong to; nullopt: the user of this process. Only root can edit
  /// files of other users.
  std::optional<FileOwner> owner;
  std::chrono::milliseconds patience{10000};  ///< how long to wait for other editors
};

struct Edited {
  /// The previous mode of a file that others could read and now cannot; else 0.
  mode_t narrowed_from = 0;
  /// The file had other names, hard links: they still name what was there before.
  bool had_other_names = false;
};

/// Reads the file at `path`, applies `change`, and replaces the file atomically: the result is
/// written to a new file in the same directory, synced, and renamed over the old one. A lock is
/// held meanwhile, so that editors wait for each other. The path is resolved once (trusted_path.h),
/// the file is opened once, and all checks use those descriptors. It is an error if others can
/// write to the directory, or if the file does not belong to the user of `options`. Owner, group,
/// SELinux label, user attributes and access control list are kept, and so is the mode, except for
/// bits that would let others read hashes (file_replacement.h). A new file has mode 0600. If
/// `change` fails, nothing is written. Errors: kUsersFileOpen, kUsersFileMode, kUsersFileLine
/// (details name the file), and those of `change`. Throws std::bad_alloc.
[[nodiscard]] Result<Edited> edit_users_file(const std::string& path, const EditOptions& options,
                                             const std::function<Status(UsersText&)>& change);

}  // namespace gssntlm
