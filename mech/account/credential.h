// Credentials: who logs in, and who may log in here.
#pragma once

#include <optional>
#include <string_view>

#include "mech/account/name.h"
#include "mech/account/settings.h"
#include "mech/account/users_file.h"

namespace gssntlm {

enum class Usage { kBoth, kInitiate, kAccept };

/// What gss_acquire_cred_from and its kin hand in. Texts are UTF-8; nullopt means not given.
struct CredentialRequest {
  Ref<const Name> name;  ///< may be empty
  Usage usage = Usage::kBoth;
  std::optional<std::string_view> domain;    ///< ntlmssp_domain
  std::optional<std::string_view> nt_hash;   ///< ntlmssp_nthash, 32 hexadecimal digits
  std::optional<std::string_view> password;  ///< ntlmssp_password, password
  std::optional<std::string_view> key_file;  ///< ntlmssp_keyfile
};

/// Immutable; shared by threads and contexts.
class Credential : public RefCounted {
 public:
  /// Errors: NO_CRED kNoInitiatorCred, kNoAcceptorCred, kUsersFile*; DEFECTIVE_CREDENTIAL
  /// kBadCredential for contradictory keys or a malformed hash; kBadSetting. No network. Throws
  /// std::bad_alloc.
  [[nodiscard]] static Result<Ref<const Credential>> acquire(const CredentialRequest& request);

  /// A copy with changed options.
  struct Options {
    bool protection_only_if_asked = false;  ///< KRB5_NO_CI_FLAGS_X
    std::optional<Flags> negotiate_flags;
  };
  [[nodiscard]] Ref<const Credential> with(const Options& options) const;

  [[nodiscard]] Usage usage() const noexcept { return usage_; }
  [[nodiscard]] bool can_initiate() const noexcept { return static_cast<bool>(identity_); }
  [[nodiscard]] bool can_accept() const noexcept { return accounts_ != nullptr; }
  [[nodiscard]] const Ref<const Identity>& identity() const noexcept { return identity_; }
  [[nodiscard]] const AccountSource& accounts() const noexcept { return *accounts_; }
  /// The account's name, or the service's, or this host's; never empty.
  [[nodiscard]] const Ref<const Name>& name() const noexcept { return name_; }
  [[nodiscard]] const Settings& settings() const noexcept { return *settings_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }

 private:
  Credential() = default;
  Credential(const Credential&) = default;

  Usage usage_ = Usage::kBoth;
  Ref<const Settings> settings_;
  Ref<const Identity> identity_;
  const AccountSource* accounts_ = nullptr;  // lives as long as the process
  Ref<const Name> name_;
  Options options_;
};

}  // namespace gssntlm
