// Credentials saved and loaded. Where accounts are looked up is saved, not the accounts.
#include <utility>

#include "mech/backends/winbind/winbind_agent.h"
#include "mech/base/text.h"
#include "mech/credential/credential.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxWide = 0xFFFE;
constexpr std::size_t kMaxPath = 4096;

// Who logs in.
enum class LoginBy : std::uint8_t { kNone, kNobody, kHash, kWinbind };

void save_identity(const Identity& identity, Serializer& out) {
  out.block(identity.user());
  out.block(identity.domain());
  out.put(identity.nt_hash().view());
  out.flag(identity.lm_hash() != nullptr);
  if (identity.lm_hash() != nullptr) {
    out.put(identity.lm_hash()->view());
  }
}

Bytes load_name(Deserializer& in) {
  const ByteView name = in.block(kMaxWide);
  if (!is_clean_name(name)) {
    in.reject();
  }
  return Bytes(name.begin(), name.end());
}

Ref<const Identity> load_identity(Deserializer& in) {
  Bytes user = load_name(in);
  Bytes domain = load_name(in);
  NtHash nt_hash;
  in.copy(nt_hash.bytes());
  std::optional<LmHash> lm_hash;
  if (in.flag()) {
    lm_hash.emplace();
    in.copy(lm_hash->bytes());
  }
  if (user.empty()) {
    in.reject();
  }
  if (!in.ok()) {
    return {};
  }
  return Ref<const Identity>::adopt(
      new Identity(std::move(user), std::move(domain), std::move(nt_hash), std::move(lm_hash)));
}

LoginBy login_of(const Credential& credential) noexcept {
  if (!credential.can_initiate()) {
    return LoginBy::kNone;
  }
  const Identity& identity = *credential.identity();
  if (identity.is_anonymous()) {
    return LoginBy::kNobody;
  }
  return identity.agent() != nullptr ? LoginBy::kWinbind : LoginBy::kHash;
}

// The secret stays with winbind, which is asked for the account again.
Result<Ref<const Identity>> load_winbind_identity(Deserializer& in) {
  const Bytes user = load_name(in);
  const Bytes domain = load_name(in);
  if (user.empty()) {
    in.reject();
  }
  const Result<Ref<const Settings>> settings = load_settings();
  if (!in.ok() || !settings) {
    return in.ok() ? settings.error() : Error{Major::kDefectiveCredential, Minor::kImport};
  }
  return winbind_identity(user, domain, **settings);
}

void save_query(const LoginQuery& query, Serializer& out) {
  out.flag(query.keyring.has_value());
  out.u8(static_cast<std::uint8_t>(query.keyring.value_or(KeyringKind::kSession)));
  out.text(query.user);
  out.text(query.domain);
}

LoginQuery load_query(Deserializer& in) {
  LoginQuery query;
  const bool chosen = in.flag();
  const std::uint8_t keyring = in.u8();
  if (keyring > static_cast<std::uint8_t>(KeyringKind::kPersistent)) {
    in.reject();
  }
  if (chosen) {
    query.keyring = static_cast<KeyringKind>(keyring);
  } else if (keyring != static_cast<std::uint8_t>(KeyringKind::kSession)) {
    in.reject();
  }
  query.user = in.text(Name::kMaxSize);
  query.domain = in.text(Name::kMaxSize);
  return query;
}

Credential::Options load_options(Deserializer& in) {
  Credential::Options options;
  options.protection_only_if_asked = in.flag();
  const bool replaced = in.flag();
  const Flags flags = in.u32();
  if (replaced) {
    options.negotiate_flags = flags;
  } else if (flags != 0) {
    in.reject();
  }
  return options;
}

}  // namespace

void Credential::save(Serializer& out) const {
  out.u8(static_cast<std::uint8_t>(usage_));
  out.flag(options_.protection_only_if_asked);
  out.flag(options_.negotiate_flags.has_value());
  out.u32(options_.negotiate_flags.value_or(0));
  name_->save(out);
  const AccountsFrom source = !can_accept()       ? AccountsFrom::kNowhere
                              : key_file_.empty() ? AccountsFrom::kSettings
                                                  : AccountsFrom::kKeyFile;
  out.u8(static_cast<std::uint8_t>(source));
  out.text(key_file_);
  const LoginBy login = login_of(*this);
  out.u8(static_cast<std::uint8_t>(login));
  if (login == LoginBy::kHash) {
    save_identity(*identity_, out);
  } else if (login == LoginBy::kWinbind) {
    out.block(identity_->user());
    out.block(identity_->domain());
  }
  out.flag(query_.has_value());
  if (query_) {
    save_query(*query_, out);
  }
  out.u64(expires_);
  out.flag(ambient_);
}

Result<Ref<const Credential>> Credential::load(Deserializer& in) {
  const Error bad{Major::kDefectiveCredential, Minor::kImport};
  const std::uint8_t usage = in.u8();
  const Options options = load_options(in);
  Result<Ref<const Name>> name = Name::load(in);
  const auto source = static_cast<AccountsFrom>(in.u8());
  const std::string key_file = in.text(kMaxPath);
  const auto login = static_cast<LoginBy>(in.u8());
  Ref<const Identity> identity;
  if (login == LoginBy::kHash) {
    identity = load_identity(in);
  } else if (login == LoginBy::kNobody) {
    identity = Identity::anonymous();
  } else if (login == LoginBy::kWinbind) {
    Result<Ref<const Identity>> kept = load_winbind_identity(in);
    if (!kept) {
      return kept.error();
    }
    identity = std::move(*kept);
  }
  std::optional<LoginQuery> query;
  if (in.flag()) {
    query = load_query(in);
  }
  const std::uint64_t expires = in.u64();
  const bool ambient = in.flag();
  const bool sound = usage <= static_cast<std::uint8_t>(Usage::kAccept) &&
                     login <= LoginBy::kWinbind && source <= AccountsFrom::kKeyFile &&
                     (source == AccountsFrom::kKeyFile) == !key_file.empty() &&
                     (source != AccountsFrom::kNowhere || login != LoginBy::kNone) &&
                     (login == LoginBy::kHash || ambient == (login == LoginBy::kWinbind));
  if (!name || !sound || !in.finished()) {
    return bad;
  }
  Result<Ref<const Credential>> base = base_of(source, key_file);
  if (!base) {
    return base;
  }
  auto* loaded = new Credential(**base);
  auto owner = Ref<const Credential>::adopt(loaded);
  loaded->usage_ = static_cast<Usage>(usage);
  loaded->identity_ = std::move(identity);
  loaded->name_ = std::move(*name);
  loaded->options_ = options;
  loaded->query_ = std::move(query);
  loaded->expires_ = expires;
  loaded->ambient_ = ambient;
  return owner;
}

// A credential with these accounts and the settings of this process.
Result<Ref<const Credential>> Credential::base_of(AccountsFrom source,
                                                  const std::string& key_file) {
  if (source == AccountsFrom::kNowhere) {
    Result<Ref<const Settings>> settings = load_settings();
    if (!settings) {
      return settings.error();
    }
    auto* made = new Credential;
    auto owner = Ref<const Credential>::adopt(made);
    made->settings_ = std::move(*settings);
    return owner;
  }
  CredentialRequest request;
  request.usage = Usage::kAccept;
  if (source == AccountsFrom::kKeyFile) {
    request.key_file = key_file;
  }
  return acquire(request);
}

}  // namespace gssntlm
