// A new version of a file, written beside it and renamed over it.
#pragma once

#include <optional>

#include "mech/backends/users/trusted_path.h"

namespace gssntlm {

/// The mode that a file of hashes gets: `mode` if it allows no more than 0640 and the file is
/// root's, or no more than 0600; else the owner's part of it.
[[nodiscard]] mode_t narrowed_mode(mode_t mode, uid_t owner) noexcept;

/// A file in the making: `.NAME.gss-ntlm.` and twelve digits, 0600, removed unless it was
/// committed.
class FileReplacement {
 public:
  /// Error: kUsersFileOpen; details name `path`, which outlives the object as `place` does. Throws
  /// std::bad_alloc.
  [[nodiscard]] static Result<FileReplacement> begin(const TrustedPlace& place,
                                                     const std::string& path);
  FileReplacement(FileReplacement&& other) noexcept;
  FileReplacement& operator=(FileReplacement&&) = delete;
  FileReplacement(const FileReplacement&) = delete;
  FileReplacement& operator=(const FileReplacement&) = delete;
  ~FileReplacement();

  /// Gives it the owner, group, extended attributes (security.selinux, user.*, the access control
  /// list) and narrowed mode of the open file `old`. Error: kUsersFileOpen, when one cannot be
  /// kept.
  Status take_attributes(int old);
  /// A new file of this user and the user's group, 0600. Error: kUsersFileOpen.
  Status give_to(uid_t owner, gid_t group);
  /// Writes, syncs, and takes the place of the file, which is still the one of `old` (nullopt:
  /// there is still none). Error: kUsersFileOpen, also when the file was changed meanwhile.
  Status commit(ByteView contents, const std::optional<FileIdentity>& old);

 private:
  FileReplacement(const TrustedPlace& place, const std::string& path, std::string name,
                  Descriptor file) noexcept
      : place_(&place), path_(&path), name_(std::move(name)), file_(std::move(file)) {}
  Status copy_attribute(int old, const char* name);

  const TrustedPlace* place_;
  const std::string* path_;
  std::string name_;  // empty: committed
  Descriptor file_;
};

/// Removes what killed editors of the file left behind. The lock is held.
void remove_leftovers(const TrustedPlace& place);

}  // namespace gssntlm
