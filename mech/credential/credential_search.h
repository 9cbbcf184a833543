// Where a credential takes its account from, and those that it checks others against.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mech/credential/credential.h"

namespace gssntlm {

/// An account to log in with, and what became known of it on the way.
struct Found {
  Ref<const Identity> identity;
  const Backend* source = nullptr;      ///< nullptr: no account source
  std::optional<PendingLogin> pending;  ///< another target may want another
  std::uint64_t expires = 0;            ///< Unix time; 0: never
  bool supplied = false;                ///< the caller handed the secret in
};

/// The account of `request`: its own secret, else what it names, else what settings name. Errors
/// as Credential::acquire(). Throws std::bad_alloc.
[[nodiscard]] Result<Found> find_identity(const CredentialRequest& request,
                                          const Settings& settings);

/// The same for a login that depends on its target, an SPN; empty: one without. `accepting`: the
/// users file that the caller names for acceptors. Throws std::bad_alloc.
[[nodiscard]] Result<Found> find_identity(const PendingLogin& pending, const std::string& target,
                                          std::optional<std::string_view> accepting,
                                          const Settings& settings);

/// The users file that the caller names for acceptors.
[[nodiscard]] inline std::optional<std::string_view> acceptor_file_of(
    const CredentialRequest& request) noexcept {
  return request.acceptor_key_file ? request.acceptor_key_file : request.key_file;
}

/// The accounts, not nullptr, that an acceptor with `request` knows. Errors: NO_CRED
/// kNoAcceptorCred, kUsersFile*. Throws std::bad_alloc.
[[nodiscard]] Result<std::shared_ptr<const Accounts>> find_accounts(
    const CredentialRequest& request, const Settings& settings);

}  // namespace gssntlm
