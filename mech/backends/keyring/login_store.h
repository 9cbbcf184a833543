// Logins kept by the kernel: NT hashes in keyrings, found by the target that they are for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mech/base/secret.h"
#include "mech/base/status.h"

namespace gssntlm {

/// Which of a process' keyrings: gone with the session, with the user's last process, or three days
/// after its last use.
enum class KeyringKind : std::uint8_t { kSession, kUser, kPersistent };

/// "session", "user", "persistent".
[[nodiscard]] std::string_view keyring_name(KeyringKind kind) noexcept;
[[nodiscard]] std::optional<KeyringKind> keyring_kind(std::string_view name) noexcept;

/// One login as its key describes it; the hash stays in the kernel. A login is told from others by
/// keyring, pattern and account.
struct Login {
  KeyringKind keyring = KeyringKind::kSession;
  std::string pattern;  ///< of targets, see matches_target(); `*`: any
  std::string user;     ///< UTF-8
  std::string domain;   ///< UTF-8, may be empty
  std::int32_t key = 0;

  /// `DOM\user`, or `\user@realm` and `\user` without a domain.
  [[nodiscard]] std::string account() const { return domain + "\\" + user; }
};

/// What the kernel holds for a login.
struct LoginSecret {
  NtHash hash;
  std::uint64_t expires = 0;  ///< Unix time; 0: with its keyring
};

/// A pattern that may be stored: not empty, at most 255 bytes of clean UTF-8 without `;`.
[[nodiscard]] bool is_usable_pattern(std::string_view pattern);

/// All logins of `kinds` that this effective uid stored, without the expired ones. A keyring that
/// cannot be had counts as empty unless `kinds` names it alone. Throws std::bad_alloc. Errors:
/// FAILURE kKeyring when the kernel or libkeyutils has no keyrings (detail: what to do, in the same
/// words for all of `kinds`).
[[nodiscard]] Result<std::vector<Login>> list_logins(const std::vector<KeyringKind>& kinds);

/// How many expired logins of `kinds` the kernel still holds: of an expired key it tells no more
/// than that. Throws std::bad_alloc.
[[nodiscard]] std::size_t expired_logins(const std::vector<KeyringKind>& kinds);

/// The secret of one of them. Errors: NO_CRED kExpired; kKeyring.
[[nodiscard]] Result<LoginSecret> read_login(const Login& login);

/// Stores a login for `lifetime` seconds (0: as long as its keyring). Only processes of this
/// effective uid can read it, find it or learn that it exists: another user in the same session
/// keyring, as after `su` without pam_keyinit, cannot. Replaces one of the same keyring, pattern
/// and account. `login.key` is not looked at. Errors: kKeyring (quota, no keyrings), BAD_NAME
/// kBadName for an unusable pattern or account.
Status store_login(const Login& login, const NtHash& hash, std::uint64_t lifetime);

/// Takes a login out of its keyring, and out of the kernel's memory. Error: kKeyring.
Status remove_login(const Login& login);

/// What an initiator looks for.
struct LoginQuery {
  std::optional<KeyringKind> keyring;  ///< nullopt: any; the session's overrides the user's
  std::string user;                    ///< empty: any; a UPN is found in both forms
  std::string domain;                  ///< empty: any
  std::string target;                  ///< UTF-8; empty: not known yet
};

/// The login that describes the target most closely; with an unknown target the one for any, or the
/// first. nullopt: none. That a user has no login at all is remembered until the second ends: what
/// another process stores meanwhile is found then. Error, where none is found: NO_CRED kKeyring
/// when the keyring that the query names cannot be used, or one of all was revoked or has expired.
/// Throws std::bad_alloc.
[[nodiscard]] Result<std::optional<Login>> find_login(const LoginQuery& query);

/// Whether that keyring (nullopt: one of all) was revoked or has expired, as find_login() reports
/// it. Throws std::bad_alloc.
[[nodiscard]] std::optional<Error> dead_keyring(std::optional<KeyringKind> keyring);

/// That a query without a keyring finds nothing, after one that did: NO_CRED kNoInitiatorCred,
/// whose detail says why where processes cannot use keyrings at all.
[[nodiscard]] Error no_logins() noexcept;

/// Whether that is remembered of this user: no query without a keyring finds anything.
[[nodiscard]] bool have_no_logins() noexcept;

}  // namespace gssntlm
