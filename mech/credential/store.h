// Storing a credential's account where a later login finds it.
#pragma once

#include <string>

#include "mech/backends/keyring/login_store.h"
#include "mech/credential/credential.h"

namespace gssntlm {

/// What a store key ntlmssp_keyring says: a keyring (nullopt: any), and a pattern behind a colon.
struct KeyringChoice {
  std::optional<KeyringKind> keyring;
  std::string pattern = "*";
};
/// Error: DEFECTIVE_CREDENTIAL kBadStoreValue.
[[nodiscard]] Result<KeyringChoice> parse_keyring_choice(std::string_view text);

/// Writes the account of `credential` to the users file, made if need be. `overwrite`: an entry it
/// has is replaced. Errors: NO_CRED kNoInitiatorCred when it has no account; DUPLICATE_ELEMENT
/// kBadCredential; as edit_users_file().
Status store_in_users_file(const Credential& credential, const std::string& path, bool overwrite);

/// Keeps the account of `credential` in a keyring for the pattern, for eight hours, or as long as
/// the credential itself lasts. Without a choice of keyring the session's. `overwrite`: an account
/// kept there for the pattern is replaced. Errors: NO_CRED kNoInitiatorCred when it has no account;
/// DUPLICATE_ELEMENT kBadCredential; kKeyring.
Status store_in_keyring(const Credential& credential, const KeyringChoice& choice, bool overwrite);

}  // namespace gssntlm
