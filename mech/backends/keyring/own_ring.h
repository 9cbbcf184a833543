// The keyring that holds this user's logins, below each keyring of the process.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include <keyutils.h>

#include "mech/backends/keyring/login_store.h"

namespace gssntlm {

/// What rings and the keys of logins permit. A key is possessed by every process that finds it from
/// its session keyring, whatever its uid: after `su` without pam_keyinit that is another user. So
/// the owner's uid counts alone. Others cannot search a ring either, and possess nothing in it.
inline constexpr key_perm_t kOwnerAlone = KEY_USR_ALL;

/// Longest description of a login's key, in bytes.
inline constexpr std::size_t kMaxDescription = 4000;

/// `gss-ntlm.UID`: users who share a session keyring each have a ring there.
class RingName {
 public:
  RingName() noexcept;
  [[nodiscard]] const char* text() const noexcept { return text_.data(); }

 private:
  std::array<char, 24> text_{};
};

/// What the kernel says about a key; nothing where this user may not see it.
class KeyFacts {
 public:
  explicit KeyFacts(key_serial_t key) noexcept;
  KeyFacts(const KeyFacts&) = delete;
  KeyFacts& operator=(const KeyFacts&) = delete;

  /// Of this type, and owned by the effective uid (is_own(), owner.h).
  [[nodiscard]] bool is_own(std::string_view type) const noexcept;
  [[nodiscard]] std::string_view description() const noexcept { return description_; }

 private:
  std::array<char, kMaxDescription + 96> text_;
  std::array<std::string_view, 4> fields_;
  std::string_view description_;
};

/// This thread possesses a keyring while this lives. A user's keyring need not be linked into the
/// session's; new keys below it could then not be given their permissions.
class Possession {
 public:
  explicit Possession(key_serial_t keyring) noexcept;
  Possession(const Possession&) = delete;
  Possession& operator=(const Possession&) = delete;
  ~Possession();

 private:
  key_serial_t keyring_;
  bool linked_;
};

/// The keyring of the process; -1 with errno.
[[nodiscard]] key_serial_t find_root(KeyringKind kind) noexcept;

/// This user's ring below `root`, which is find_root(kind); -1 with errno ENOKEY when there is
/// none, EKEYREJECTED when another user has put one of its name there.
[[nodiscard]] key_serial_t find_own_ring(KeyringKind kind, key_serial_t root) noexcept;

/// The same, made if need be.
[[nodiscard]] key_serial_t make_own_ring(KeyringKind kind, key_serial_t root) noexcept;

/// The keys in a ring. Throws std::bad_alloc.
[[nodiscard]] std::vector<key_serial_t> read_ring(key_serial_t ring);

}  // namespace gssntlm
