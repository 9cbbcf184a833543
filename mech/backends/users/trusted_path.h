// Paths of files that the command-line tool reads and edits: resolved once, through directories
// that no other user controls.
#pragma once

#include <string>

#include "mech/base/status.h"
#include "mech/os/file.h"

namespace gssntlm {

/// A name in an open directory. All operations use the descriptor, and therefore the directory that
/// was checked, even if the path leads to another directory later.
struct TrustedPlace {
  Descriptor directory;  ///< open for reading
  std::string name;      ///< has no slash; not a symbolic link when it was resolved
  bool shared = false;   ///< sticky: others can create files in the directory, but not replace ours
};

/// The purpose of resolving a path. Editors create files beside the one that they edit, and another
/// user must not be able to create these first: for kEdit, the last directory must not be writable
/// by others, not even if it is sticky.
enum class PlaceUse { kRead, kEdit };

/// What errors call the file.
inline constexpr const char* kUsersFile = "users file";

/// Resolves `path` component by component. Each component is opened without following links, and
/// checked through its descriptor: directories and symbolic links must belong to root or to the
/// user of this process (is_trusted(), owner.h), and only sticky directories may be writable by a
/// group or by others. A link that passed this check is followed, also as the last component. The
/// file need not exist, but a link to a missing file is an error. Errors: kUsersFileOpen;
/// kUsersFileMode if another user controls a component. Details name the `kind` of the file, the
/// path, the component, and the remedy. Throws std::bad_alloc.
[[nodiscard]] Result<TrustedPlace> resolve_trusted_place(const std::string& path, PlaceUse use,
                                                         const char* kind = kUsersFile);

/// Whether what was opened at `name`, of which `st` tells, has no other name. In a directory where
/// others can create names, anything else may be their link to another file or symbolic link. They
/// can remove the link once it is open, which its time of change shows: so this waits for a clock
/// tick (20 ms), and nothing may have changed.
[[nodiscard]] bool is_only_name(int directory, const std::string& name,
                                const struct stat& st) noexcept;

/// Of an opened file in a shared place; without a descriptor the caller's next step fails. Errors:
/// kUsersFileOpen; kUsersFileMode, with the remedy, when is_only_name() is false. Throws
/// std::bad_alloc.
[[nodiscard]] Status check_only_name(const TrustedPlace& place, const Descriptor& file,
                                     const std::string& path);

/// An error about the users file at `path`. Throws std::bad_alloc.
Error users_file_error(Minor minor, const std::string& path, const std::string& what);
/// The same with the text of errno: "cannot WHAT: TEXT".
Error users_file_errno(const std::string& path, const std::string& what);

}  // namespace gssntlm
