// Who may read and change a users file that logons are checked against.
#pragma once

#include <optional>
#include <string>

#include <sys/stat.h>

namespace gssntlm {

/// Who may read a users file.
enum class Readers {
  kFew,         ///< root, the user of this process, the group of a file of root
  kAllOnTmpfs,  ///< everyone, where the file is on a tmpfs: secrets of container engines
};

/// What must change before the secrets of the opened file, of which `st` tells, are only read by
/// those who may: the fault and the remedy, without the file's name. nullopt: nothing must.
///
/// A file of root may be read by its group, and, by its access control list (acl(5)), by the user
/// of this process: so secrets are handed to services. A file of the user of this process may be
/// read by that user alone. Only the owner may change either, whatever `readers` says. Throws
/// std::bad_alloc.
[[nodiscard]] std::optional<std::string> exposure_of(int file, const struct stat& st,
                                                     Readers readers);

/// The user of the service that the file seems to be for, where that is not this user: a check by
/// this one says nothing about the service. The owner, if that is not root; of a file of root,
/// which root examines, the only user that its access control list lets read it, if it gives
/// nothing else. nullopt: there is none, or the file cannot be examined.
[[nodiscard]] std::optional<uid_t> meant_for_other(const std::string& path) noexcept;

/// Whether others may put another file in its place: the directory that holds it, behind all
/// symbolic links, is writable by others and not sticky. The fault and the remedy, or nullopt, also
/// where the directory cannot be examined. Throws std::bad_alloc.
[[nodiscard]] std::optional<std::string> exposure_of_directory(const std::string& path);

}  // namespace gssntlm
