// Credentials saved and loaded. Where accounts are looked up is saved, not the accounts.
#include <utility>

#include "mech/backends/backends.h"
#include "mech/base/text.h"
#include "mech/credential/credential.h"
#include "mech/log/process_runtime.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxWide = 0xFFFE;
constexpr std::size_t kMaxPath = 4096;

// In the place of a source's tag: no login depends on the target.
constexpr std::uint8_t kNotPending = 0;

// Who logs in.
enum class LoginBy : std::uint8_t { kNone, kNobody, kHash, kKept };

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
  return identity.agent() != nullptr ? LoginBy::kKept : LoginBy::kHash;
}

// The secret stays with its source, which is asked for the account again.
void save_kept(const Backend& source, const Identity& identity, Serializer& out) {
  out.u8(source.tag());
  out.block(identity.user());
  out.block(identity.domain());
}

Result<FoundLogin> load_kept(Deserializer& in, const Backend*& source) {
  const Error bad{Major::kDefectiveCredential, Minor::kImport};
  source = backend_tagged(in.u8());
  const Bytes user = load_name(in);
  const Bytes domain = load_name(in);
  if (!in.ok() || user.empty() || source == nullptr) {
    return bad;
  }
  const Result<Ref<const Settings>> settings = load_settings_or_trace();
  if (!settings) {
    return settings.error();
  }
  Result<FoundLogin> login = source->find_login({user, domain, {}, std::nullopt}, **settings);
  if (login && !login->identity) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  return login && login->identity->agent() == nullptr ? Result<FoundLogin>(bad) : std::move(login);
}

void save_pending(const PendingLogin& pending, Serializer& out) {
  const Result<std::string> user = utf8_from_utf16le(pending.user);
  const Result<std::string> domain = utf8_from_utf16le(pending.domain);
  pending.source->save_place(pending.place, out);
  out.text(user ? *user : std::string());
  out.text(domain ? *domain : std::string());
}

// `tag` is its source's.
std::optional<PendingLogin> load_pending(std::uint8_t tag, Deserializer& in) {
  PendingLogin pending;
  pending.source = backend_tagged(tag);
  if (pending.source == nullptr) {
    in.reject();
    return std::nullopt;
  }
  pending.place = pending.source->load_place(in);
  Result<Bytes> user = utf16le_from_utf8(in.text(Name::kMaxSize));
  Result<Bytes> domain = utf16le_from_utf8(in.text(Name::kMaxSize));
  if (!user || !domain) {
    in.reject();
    return std::nullopt;
  }
  pending.user = std::move(*user);
  pending.domain = std::move(*domain);
  return pending;
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

struct LoadedLogin {
  LoginBy by;
  Ref<const Identity> identity;
  const Backend* kept_by = nullptr;
};

Result<LoadedLogin> load_login(Deserializer& in) {
  LoadedLogin login{static_cast<LoginBy>(in.u8()), {}};
  if (login.by == LoginBy::kHash) {
    login.identity = load_identity(in);
  } else if (login.by == LoginBy::kNobody) {
    login.identity = Identity::anonymous();
  } else if (login.by == LoginBy::kKept) {
    Result<FoundLogin> kept = load_kept(in, login.kept_by);
    if (!kept) {
      return kept.error();
    }
    login.identity = std::move(kept->identity);
  }
  return login;
}

}  // namespace

void Credential::save(Serializer& out) const {
  out.u8(static_cast<std::uint8_t>(usage_));
  out.flag(options_.protection_only_if_asked);
  out.flag(options_.negotiate_flags.has_value());
  out.u32(options_.negotiate_flags.value_or(0));
  name_->unproven()->save(out);
  const AccountsFrom source = !can_accept()       ? AccountsFrom::kNowhere
                              : key_file_.empty() ? AccountsFrom::kSettings
                                                  : AccountsFrom::kKeyFile;
  out.u8(static_cast<std::uint8_t>(source));
  out.text(key_file_);
  const LoginBy login = login_of(*this);
  out.u8(static_cast<std::uint8_t>(login));
  if (login == LoginBy::kHash) {
    save_identity(*identity_, out);
  } else if (login == LoginBy::kKept) {
    save_kept(*source_, *identity_, out);
  }
  out.u8(pending_ ? pending_->source->tag() : kNotPending);
  if (pending_) {
    save_pending(*pending_, out);
  }
  out.u64(expires_);
  out.flag(ambient_);
}

Result<Ref<const Credential>> Credential::load(Deserializer& in) {
  const Error bad{Major::kDefectiveCredential, Minor::kImport};
  const std::uint8_t usage = in.u8();
  const Options options = load_options(in);
  Result<Ref<const Name>> name = Name::load_unproven(in);
  const auto source = static_cast<AccountsFrom>(in.u8());
  const std::string key_file = in.text(kMaxPath);
  Result<LoadedLogin> login = load_login(in);
  if (!login) {
    return login.error();
  }
  std::optional<PendingLogin> pending;
  if (const std::uint8_t tag = in.u8(); tag != kNotPending) {
    pending = load_pending(tag, in);
  }
  const std::uint64_t expires = in.u64();
  const bool ambient = in.flag();
  const bool sound = usage <= static_cast<std::uint8_t>(Usage::kAccept) &&
                     login->by <= LoginBy::kKept && source <= AccountsFrom::kKeyFile &&
                     (source == AccountsFrom::kKeyFile) == !key_file.empty() &&
                     (source != AccountsFrom::kNowhere || login->by != LoginBy::kNone) &&
                     (login->by == LoginBy::kHash || ambient == (login->by == LoginBy::kKept));
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
  loaded->identity_ = std::move(login->identity);
  loaded->name_ = std::move(*name);
  loaded->options_ = options;
  loaded->source_ = login->kept_by;
  loaded->pending_ = std::move(pending);
  loaded->expires_ = expires;
  loaded->ambient_ = ambient;
  return owner;
}

// A credential with these accounts and the settings of this process.
Result<Ref<const Credential>> Credential::base_of(AccountsFrom source,
                                                  const std::string& key_file) {
  if (source == AccountsFrom::kNowhere) {
    Result<Ref<const Settings>> settings = load_settings_or_trace();
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
