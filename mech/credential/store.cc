#include "mech/credential/store.h"

#include "mech/backends/users/users_edit.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"

namespace gssntlm {

Result<KeyringChoice> parse_keyring_choice(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  KeyringChoice choice;
  choice.keyring = keyring_kind(word);
  if (colon != std::string_view::npos) {
    choice.pattern = text.substr(colon + 1);
  }
  if ((!choice.keyring && word != "any") || !is_usable_pattern(choice.pattern)) {
    return error_with_detail(
        Major::kDefectiveCredential, Minor::kBadStoreValue,
        "ntlmssp_keyring=" + printable_utf8(text, 64) +
            ": write session, user, persistent or any, and a pattern behind a colon if "
            "need be");
  }
  return choice;
}

Status store_in_users_file(const Credential& credential, const std::string& path, bool overwrite) {
  if (!credential.can_initiate()) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  const Identity& identity = *credential.identity();
  const Result<std::string> user = utf8_from_utf16le(identity.user());
  const Result<std::string> domain = utf8_from_utf16le(identity.domain());
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  EditOptions options;
  options.create = true;
  const Result<Edited> edited = edit_users_file(path, options, [&](UsersText& users) -> Status {
    if (!overwrite && users.has(*user, *domain)) {
      return Error{Major::kDuplicateElement, Minor::kBadCredential};
    }
    return users.set_hash(*user, *domain, identity.nt_hash());
  });
  return edited ? Status() : Status(edited.error());
}

Status store_in_keyring(const Credential& credential, const KeyringChoice& choice, bool overwrite) {
  constexpr std::uint32_t kDefaultLifetime = 8 * 60 * 60;
  if (!credential.can_initiate() || credential.identity()->is_anonymous()) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  const Identity& identity = *credential.identity();
  if (identity.agent() != nullptr) {
    return error_with_detail(
        Major::kDefectiveCredential, Minor::kBadCredential,
        std::string(credential.source()->word()) + " keeps this password to itself");
  }
  Login login;
  login.keyring = choice.keyring.value_or(KeyringKind::kSession);
  login.pattern = choice.pattern;
  Result<std::string> user = utf8_from_utf16le(identity.user());
  Result<std::string> domain = utf8_from_utf16le(identity.domain());
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  login.user = std::move(*user);
  login.domain = std::move(*domain);
  if (!overwrite) {
    const Result<std::vector<Login>> logins = list_logins({login.keyring});
    if (!logins) {
      return logins.error();
    }
    for (const Login& other : *logins) {
      if (other.pattern == login.pattern && other.account() == login.account()) {
        return Error{Major::kDuplicateElement, Minor::kBadCredential};
      }
    }
  }
  return store_login(login, identity.nt_hash(), std::min(credential.lifetime(), kDefaultLifetime));
}

}  // namespace gssntlm
