// The lock that prevents two processes from editing a users file at once.
#pragma once

#include <chrono>

#include "mech/backends/users/trusted_path.h"

namespace gssntlm {

/// Holds the lock on a users file during its lifetime. What is locked is a separate file in the
/// same directory, `.NAME.gss-ntlm-lock` with mode 0600, so that only the owner can open and lock
/// it. No other user can write to that directory (PlaceUse::kEdit) and create the lock file first.
/// The lock file is removed with the lock; the next editor uses and removes one that a killed
/// editor left.
class EditLock {
 public:
  /// Waits for the lock at most `patience`, and sleeps between attempts. Errors: kUsersFileOpen,
  /// also if another editor holds the lock for that long; the detail then contains its process id,
  /// if /proc/locks lists it. kUsersFileMode if the lock file belongs to another user, which the
  /// detail names, or if others can open it. Details name `path`. Throws std::bad_alloc.
  [[nodiscard]] static Result<EditLock> take(const TrustedPlace& place, const std::string& path,
                                             std::chrono::milliseconds patience);
  EditLock(EditLock&&) noexcept = default;
  EditLock& operator=(EditLock&&) = delete;
  EditLock(const EditLock&) = delete;
  EditLock& operator=(const EditLock&) = delete;
  ~EditLock();

 private:
  EditLock(Descriptor file, int directory, std::string name) noexcept
      : file_(std::move(file)), directory_(directory), name_(std::move(name)) {}

  Descriptor file_;
  int directory_;  // descriptor of the TrustedPlace, which outlives the lock
  std::string name_;
};

}  // namespace gssntlm
