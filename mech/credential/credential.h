// Credentials: who logs in, and who may log in here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mech/backends/backend.h"
#include "mech/base/tag.h"
#include "mech/config/settings.h"
#include "mech/names/name.h"

namespace gssntlm {

enum class Usage { kBoth, kInitiate, kAccept };

/// What gss_acquire_cred_from and related functions pass. Texts are UTF-8; nullopt means not given.
struct CredentialRequest {
  Ref<const Name> name;  ///< may be empty
  Usage usage = Usage::kBoth;
  std::optional<std::string_view> domain;    ///< ntlmssp_domain
  std::optional<std::string_view> nt_hash;   ///< ntlmssp_nthash, 32 hexadecimal digits, or lm:nt
  std::optional<std::string_view> password;  ///< ntlmssp_password, password
  /// ntlmssp_password_utf16le, hexadecimal: for passwords that have no UTF-8.
  std::optional<std::string_view> password_utf16le;
  std::optional<std::string_view> key_file;            ///< ntlmssp_keyfile
  std::optional<std::string_view> acceptor_key_file;   ///< ntlmssp_acceptor_keyfile
  std::optional<std::string_view> initiator_key_file;  ///< ntlmssp_initiator_keyfile
  std::optional<std::string_view> keyring;             ///< ntlmssp_keyring
};

/// How a login is looked for again once the target is known.
struct PendingLogin {
  const Backend* source = nullptr;  ///< not nullptr
  std::string place;                ///< what the caller chose among its stores; empty: no choice
  Bytes user;                       ///< UTF-16LE; empty: any
  Bytes domain;                     ///< the same
};

/// Immutable; shared by threads and contexts.
class Credential : public Tagged<0xA53D9C47>, public RefCounted {
 public:
  /// An initiator without an explicit secret gets one from where settings say, the kernel keyring
  /// first by default. Errors: NO_CRED kNoInitiatorCred, kNoAcceptorCred, kUsersFile*, kExpired;
  /// DEFECTIVE_CREDENTIAL kBadStoreValue for contradictory keys or a malformed hash; BAD_NAME
  /// kNoUserName for a secret without a user; kBadSetting, kKeyring. No network. Throws
  /// std::bad_alloc.
  [[nodiscard]] static Result<Ref<const Credential>> acquire(const CredentialRequest& request);

  /// An initiator with a login and settings of the caller's.
  [[nodiscard]] static Ref<const Credential> of(Ref<const Identity> identity, Ref<const Name> name,
                                                Ref<const Settings> settings);

  /// A copy with changed options.
  struct Options {
    bool protection_only_if_asked = false;  ///< KRB5_NO_CI_FLAGS_X
    std::optional<Flags> negotiate_flags;
  };
  [[nodiscard]] Ref<const Credential> with(const Options& options) const;
  /// A copy that logs in without a name.
  [[nodiscard]] Ref<const Credential> anonymous() const;

  /// The credential that an initiator uses for `target`: this one, or, when it came from the
  /// keyring, the login that fits the target best. Errors: UNAUTHORIZED kPolicyBlocked when
  /// settings forbid the target; NO_CRED as acquire(). Throws std::bad_alloc.
  [[nodiscard]] Result<Ref<const Credential>> for_target(const Name& target) const;

  /// Seconds until its login expires; UINT32_MAX: never. 0 when it has expired.
  [[nodiscard]] std::uint32_t lifetime() const noexcept;

  /// For export: with the hash that logs in, if there is one. Throws std::bad_alloc.
  void save(Serializer& out) const;
  /// The rest of `in`. The accounts that an acceptor verifies are looked up again. Errors:
  /// DEFECTIVE_CREDENTIAL kImport for what save() cannot have written; as acquire(). Throws
  /// std::bad_alloc.
  [[nodiscard]] static Result<Ref<const Credential>> load(Deserializer& in);

  [[nodiscard]] Usage usage() const noexcept { return usage_; }
  [[nodiscard]] bool can_initiate() const noexcept { return static_cast<bool>(identity_); }
  /// Its secret was stored here before the caller asked: in a keyring, a users file or winbind. Not
  /// so for a secret that the caller supplied, and for an anonymous one.
  [[nodiscard]] bool is_ambient() const noexcept { return ambient_; }
  [[nodiscard]] bool can_accept() const noexcept { return accounts_ != nullptr; }
  [[nodiscard]] const Ref<const Identity>& identity() const noexcept { return identity_; }
  /// Where its login was found; nullptr: the caller supplied it, or it has none.
  [[nodiscard]] const Backend* source() const noexcept { return source_; }
  [[nodiscard]] const AccountSource& accounts() const noexcept { return *accounts_; }
  /// This host's names in a CHALLENGE, if an account source has names of its own (see
  /// Accounts::host_names). nullopt: settings' own are all there are. Throws std::bad_alloc.
  [[nodiscard]] std::optional<HostNames> domain_names() const;
  /// The account's name, or the service's, or this host's; never empty.
  [[nodiscard]] const Ref<const Name>& name() const noexcept { return name_; }
  [[nodiscard]] const Settings& settings() const noexcept { return *settings_; }
  [[nodiscard]] const Ref<const Settings>& shared_settings() const noexcept { return settings_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }

 private:
  Credential() = default;
  Credential(const Credential&) = default;

  // Who is asked about those that log in.
  enum class AccountsFrom : std::uint8_t { kNowhere, kSettings, kKeyFile };
  static Result<Ref<const Credential>> base_of(AccountsFrom source, const std::string& key_file);

  Usage usage_ = Usage::kBoth;
  Ref<const Settings> settings_;
  Ref<const Identity> identity_;
  std::shared_ptr<const Accounts> accounts_;
  const Backend* source_ = nullptr;
  bool ambient_ = false;
  std::string key_file_;  // where the accounts are from, if the caller said
  Ref<const Name> name_;
  Options options_;
  std::optional<PendingLogin> pending_;  // set while the target decides about the login
  std::uint64_t expires_ = 0;            // Unix time; 0: never
};

}  // namespace gssntlm
