// Editing users files: whole or not at all, nobody's change lost.
#pragma once

#include <functional>
#include <string>

#include "mech/backends/users/users_text.h"

namespace gssntlm {

/// Reads `path`, which need not exist if `create`, lets `change` work on it, and replaces it at
/// once: a new file in the same folder, synced, renamed over it. Holds a lock meanwhile, so that
/// editors wait for each other. Owner and mode are kept; a new file is 0600. When `change` fails,
/// nothing is written. Errors: kUsersFileOpen, kUsersFileLine (details name the file), what
/// `change` gave. Throws std::bad_alloc.
Status edit_users_file(const std::string& path, bool create,
                       const std::function<Status(UsersText&)>& change);

/// Reads a users file for looking at. Errors as edit_users_file().
[[nodiscard]] Result<UsersText> read_users_text(const std::string& path);

}  // namespace gssntlm
