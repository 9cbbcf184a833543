// Editing users files: whole or not at all, and no change of another editor lost.
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
  gid_t group;  ///< of a new file
};

struct EditOptions {
  bool create = false;  ///< the file need not exist
  /// Whose file it is; nullopt: this process' user. Only root edits files of others.
  std::optional<FileOwner> owner;
  std::chrono::milliseconds patience{10000};  ///< how long to wait for other editors
};

struct Edited {
  /// The mode before, when others could read the file and now cannot; else 0.
  mode_t narrowed_from = 0;
  /// The file had other names, hard links: they still name what was there before.
  bool had_other_names = false;
};

/// Reads the file at `path`, lets `change` work on it, and replaces it at once: a new file in the
/// same directory, synced, renamed over it. Holds a lock meanwhile, so that editors wait for each
/// other. The path is resolved once (trusted_path.h), the file opened once, and everything decided
/// by those descriptors: a directory that others can write to, or a file of another user than the
/// owner's, is an error. Owner, group, SELinux
/// label, user attributes, access control list and mode are kept, the mode without what would let
/// others read hashes (file_replacement.h); a new file is 0600. When `change` fails, nothing is
/// written. Errors: kUsersFileOpen, kUsersFileMode, kUsersFileLine (details name the file), those
/// of `change`. Throws std::bad_alloc.
[[nodiscard]] Result<Edited> edit_users_file(const std::string& path, const EditOptions& options,
                                             const std::function<Status(UsersText&)>& change);

}  // namespace gssntlm
