// The lock that editors of one file share.
#pragma once

#include <chrono>

#include "mech/backends/users/trusted_path.h"

namespace gssntlm {

/// Holds the lock on a file while it lives. It is a lock on a file of its own,
/// `.NAME.gss-ntlm-lock` beside it with mode 0600: only its owner can open that one, and so lock
/// it. Its directory is one that no other user can write to (PlaceUse::kEdit), so that none can
/// create it first. The lock file is removed with the lock; one that a killed editor left behind is
/// used and removed by the next.
class EditLock {
 public:
  /// Waits at most `patience`, and sleeps between attempts. Errors: kUsersFileOpen, also when
  /// another editor holds the lock for that long, whose process id is in the detail where
  /// /proc/locks has it; kUsersFileMode when others can open the lock file, or another user, whom
  /// the detail names, owns it. Details name `path`. Throws std::bad_alloc.
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
  int directory_;  // the place's, which outlives the lock
  std::string name_;
};

}  // namespace gssntlm
