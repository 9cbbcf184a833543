// Paths of files that are edited: resolved once, into a directory that no other user controls.
#pragma once

#include <string>

#include "mech/base/status.h"
#include "mech/os/file.h"

namespace gssntlm {

/// A name in an open directory. Everything is done through the descriptor, and so in the directory
/// that was checked, even when the path leads elsewhere later.
struct TrustedPlace {
  Descriptor directory;  ///< open for reading
  std::string name;      ///< has no slash; was no symbolic link when it was resolved
};

/// Resolves `path` component by component. Each one is opened without following links, and checked
/// by its descriptor: directories and symbolic links belong to root or to the user of this process;
/// only sticky directories may be writable by others (for root: by a group as well). Links are
/// followed, the last one too. The file need not exist, but a link to a missing file is an error.
/// Errors: kUsersFileOpen; kUsersFileMode when another user controls a part of the path. Details
/// name the path, its part, and the remedy. Throws std::bad_alloc.
[[nodiscard]] Result<TrustedPlace> resolve_trusted_place(const std::string& path);

/// An error about the users file at `path`. Throws std::bad_alloc.
Error users_file_error(Minor minor, const std::string& path, const std::string& what);
/// The same with the text of errno: "cannot WHAT: TEXT".
Error users_file_errno(const std::string& path, const std::string& what);

}  // namespace gssntlm
