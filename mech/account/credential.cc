#include "mech/account/credential.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "mech/account/detail.h"
#include "mech/account/rules.h"
#include "mech/account/system.h"
#include "mech/account/winbind_agent.h"
#include "mech/account/winbind_names.h"
#include "mech/base/text.h"

namespace gssntlm {
namespace {

struct WideName {
  Bytes user;
  Bytes domain;
};

Result<WideName> wide_name(const CredentialRequest& request, const Settings& settings) {
  std::string user;
  std::string domain;
  if (request.name && request.name->kind() == NameKind::kUser) {
    user = request.name->user_part();
    domain = request.name->domain_part();
  } else if (!settings.default_user.empty()) {
    const Result<Ref<const Name>> name = Name::user(settings.default_user);
    if (!name) {
      return explain(
          Major::kNoCred, Minor::kBadSetting,
          "NTLMUSER=" + printable_utf8(settings.default_user, 64) + ": write DOMAIN\\user or user");
    }
    user = (*name)->user_part();
    domain = (*name)->domain_part();
  }
  if (domain.empty() && request.domain) {
    domain = *request.domain;
  }
  Result<Bytes> wide_user = utf16le_from_utf8(user);
  Result<Bytes> wide_domain = utf16le_from_utf8(domain);
  if (!wide_user || !wide_domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  return WideName{std::move(*wide_user), std::move(*wide_domain)};
}

Error bad_credential(std::string_view why) {
  return explain(Major::kDefectiveCredential, Minor::kBadCredential, why);
}

bool names_secret(const CredentialRequest& request) noexcept {
  return request.password || request.password_utf16le || request.nt_hash;
}

std::optional<CodePage> page_if(bool needed, const Policy& policy) noexcept {
  return needed ? std::optional<CodePage>(policy.code_page) : std::nullopt;
}

struct Hashes {
  NtHash nt;
  std::optional<LmHash> lm;
};

Result<Hashes> hashes_of_password(Result<Bytes> wide, const Policy& policy) {
  if (!wide) {
    return explain(Major::kDefectiveCredential, Minor::kBadText, "the password is not UTF-8");
  }
  const SecretBytes password(std::move(*wide));
  Hashes hashes{derive_nt_hash(password.view()), std::nullopt};
  if (initiator_needs_lm_hash(policy)) {
    hashes.lm = lm_hash_of_password(password.view(), policy.code_page);
  }
  return hashes;
}

Result<Hashes> hashes_of(const CredentialRequest& request, const Policy& policy) {
  const int secrets =
      (request.password ? 1 : 0) + (request.password_utf16le ? 1 : 0) + (request.nt_hash ? 1 : 0);
  if (secrets > 1) {
    return bad_credential(
        "the credential store names more than one secret; give a password or an "
        "NT hash");
  }
  if (request.password) {
    return hashes_of_password(utf16le_from_utf8(*request.password), policy);
  }
  const bool raw = request.password_utf16le.has_value();
  Result<Bytes> bytes = bytes_from_hex(raw ? *request.password_utf16le : *request.nt_hash);
  if (raw && (!bytes || bytes->size() % 2 != 0)) {
    return bad_credential("ntlmssp_password_utf16le is not four hexadecimal digits a unit");
  }
  if (raw) {
    return hashes_of_password(std::move(bytes), policy);
  }
  if (!bytes || bytes->size() != NtHash::kSize) {
    return bad_credential("ntlmssp_nthash is not 32 hexadecimal digits");
  }
  const SecretBytes secret(std::move(*bytes));
  return Hashes{NtHash(secret.view().first<NtHash::kSize>()), std::nullopt};
}

// An account to log in with, and what became known of it on the way.
struct Found {
  Ref<const Identity> identity;
  std::optional<LoginQuery> query;  // it came from the keyring, and another target may want another
  std::uint64_t expires = 0;
};

Result<Ref<const Identity>> explicit_identity(const CredentialRequest& request, WideName name,
                                              const Policy& policy) {
  if (name.user.empty()) {
    return explain(Major::kNoCred, Minor::kNoInitiatorCred,
                   "a password needs a user name beside it");
  }
  Result<Hashes> hashes = hashes_of(request, policy);
  if (!hashes) {
    return hashes.error();
  }
  return Ref<const Identity>::adopt(new Identity(std::move(name.user), std::move(name.domain),
                                                 std::move(hashes->nt), std::move(hashes->lm)));
}

Result<Ref<const Identity>> identity_of_file(const std::string& path, const WideName& name,
                                             const Policy& policy) {
  if (path.empty()) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  const Result<UsersFile*> file =
      UsersFile::open(path, page_if(initiator_needs_lm_hash(policy), policy));
  if (!file) {
    return file.error();
  }
  return (*file)->identity(name.user, name.domain);
}

std::string login_text(const Login& login) {
  return printable_account(login.user, login.domain) + " from the " +
         std::string(keyring_name(login.keyring)) + " keyring, kept for " +
         printable_utf8(login.pattern);
}

Result<Found> identity_of_login(const Login& login) {
  Result<LoginSecret> secret = read_login(login);
  if (!secret) {
    return secret.error();
  }
  Result<Bytes> user = utf16le_from_utf8(login.user);
  Result<Bytes> domain = utf16le_from_utf8(login.domain);
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  Found found;
  found.identity = Ref<const Identity>::adopt(
      new Identity(std::move(*user), std::move(*domain), std::move(secret->hash), std::nullopt));
  found.expires = secret->expires;
  return found;
}

std::string utf8_or_nothing(ByteView wide) {
  Result<std::string> text = utf8_from_utf16le(wide);
  return text ? std::move(*text) : std::string();
}

LoginQuery query_for(const WideName& name, std::optional<KeyringKind> keyring) {
  LoginQuery query;
  query.keyring = keyring;
  query.user = utf8_or_nothing(name.user);
  query.domain = utf8_or_nothing(name.domain);
  return query;
}

Result<Found> search_keyring(LoginQuery query, const Settings& settings) {
  std::optional<Login> login = find_login(query);
  if (!login && !query.target.empty()) {
    return explain(Major::kNoCred, Minor::kNoInitiatorCred,
                   "no login is kept for " + printable_utf8(query.target) +
                       "; gss-ntlm list shows those there are");
  }
  if (!login) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  Result<Found> found = identity_of_login(*login);
  if (found && is_tracing(settings)) {
    trace_event(settings, "credentials: " + login_text(*login));
  }
  return found;
}

// `target` is the login's, in the keyring; empty: not known yet.
Result<Found> search_backends(const WideName& name, const std::string& target,
                              const Settings& settings) {
  Error why{Major::kNoCred, Minor::kNoInitiatorCred};
  for (const Backend backend : settings.initiator_accounts) {
    if (backend == Backend::kKeyring) {
      LoginQuery query = query_for(name, std::nullopt);
      query.target = target;
      Result<Found> found = search_keyring(query, settings);
      if (found) {
        if (target.empty()) {
          found->query = std::move(query);
        }
        return found;
      }
      why = found.error();
    } else if (backend == Backend::kWinbind) {
      Result<Ref<const Identity>> identity = winbind_identity(name.user, name.domain, settings);
      if (identity) {
        trace_event(settings, "credentials: the password that winbind keeps");
        return Found{std::move(*identity), std::nullopt, 0};
      }
      why = has_winbind() ? identity.error() : why;
    } else if (!settings.users_file.empty()) {
      Result<Ref<const Identity>> identity =
          identity_of_file(settings.users_file, name, settings.policy);
      if (identity) {
        trace_event(settings, "credentials: from the users file");
        return Found{std::move(*identity), std::nullopt, 0};
      }
      why = identity.error();
    }
  }
  return why;
}

Result<Found> find_identity(const CredentialRequest& request, const Settings& settings) {
  if (request.name && request.name->kind() == NameKind::kAnonymous) {
    return Found{Identity::anonymous(), std::nullopt, 0};
  }
  Result<WideName> name = wide_name(request, settings);
  if (!name) {
    return name.error();
  }
  const auto plain = [](Result<Ref<const Identity>> identity) -> Result<Found> {
    if (!identity) {
      return identity.error();
    }
    return Found{std::move(*identity), std::nullopt, 0};
  };
  if (names_secret(request)) {
    return plain(explicit_identity(request, std::move(*name), settings.policy));
  }
  if (request.keyring) {
    const Result<KeyringChoice> choice = parse_keyring_choice(*request.keyring);
    if (!choice) {
      return choice.error();
    }
    LoginQuery query = query_for(*name, choice->keyring);
    Result<Found> found = search_keyring(query, settings);
    if (found) {
      found->query = std::move(query);
    }
    return found;
  }
  if (request.key_file) {
    return plain(identity_of_file(std::string(*request.key_file), *name, settings.policy));
  }
  return search_backends(*name, {}, settings);
}

// A file that the caller names is all there is; else settings say who is asked.
Result<Accounts> find_accounts(const CredentialRequest& request, const Settings& settings) {
  std::string path;
  if (request.key_file) {
    path = *request.key_file;
  } else if (acceptor_asks(Backend::kUsersFile, settings)) {
    path = settings.users_file;
  }
  const UsersFile* file = nullptr;
  if (!path.empty()) {
    const Result<UsersFile*> opened =
        UsersFile::open(path, page_if(acceptor_needs_lm_hash(settings.policy), settings.policy));
    if (!opened) {
      return opened.error();
    }
    file = *opened;
  }
  if (request.key_file && file != nullptr) {
    return Accounts{unowned(file), false};
  }
  Accounts accounts = join_accounts(file, settings);
  if (accounts.source == nullptr) {
    return Error{Major::kNoCred, Minor::kNoAcceptorCred};
  }
  return accounts;
}

Result<Ref<const Name>> name_of(const Identity& identity) {
  if (identity.is_anonymous()) {
    return Name::anonymous();
  }
  Result<std::string> user = utf8_from_utf16le(identity.user());
  Result<std::string> domain = utf8_from_utf16le(identity.domain());
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  return Name::user(std::move(*user), std::move(*domain));
}

Result<WideName> wide_name_of(const LoginQuery& query) {
  Result<Bytes> user = utf16le_from_utf8(query.user);
  Result<Bytes> domain = utf16le_from_utf8(query.domain);
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  return WideName{std::move(*user), std::move(*domain)};
}

// Whether settings let initiators log in to `spn`.
Status check_outgoing(const std::string& spn, const Settings& settings) {
  const std::optional<std::string> why = outgoing_refusal(spn, settings);
  if (!why) {
    return {};
  }
  trace_event(settings, "initiator: " + *why);
  return settings.audit_only ? Status()
                             : Status(explain(Major::kUnauthorized, Minor::kPolicyBlocked, *why));
}

// An acceptor without a name is called by its host.
Result<Ref<const Name>> host_service(const Settings& settings) {
  Result<std::string> host = utf8_from_utf16le(settings.names.dns_computer);
  return Name::service("host@" + (host && !host->empty() ? *host : std::string("localhost")));
}

}  // namespace

Result<Ref<const Credential>> Credential::acquire(const CredentialRequest& request) {
  Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    return settings.error();
  }
  auto* made = new Credential;
  auto owner = Ref<const Credential>::adopt(made);
  made->usage_ = request.usage;
  made->settings_ = *settings;
  if (request.usage != Usage::kAccept) {
    Result<Found> found = find_identity(request, **settings);
    if (found) {
      made->identity_ = std::move(found->identity);
      made->query_ = std::move(found->query);
      made->expires_ = found->expires;
    } else if (request.usage == Usage::kInitiate || found.error().major != Major::kNoCred) {
      return found.error();
    }
  }
  if (request.usage != Usage::kInitiate) {
    made->key_file_ = request.key_file.value_or(std::string_view());
    Result<Accounts> accounts = find_accounts(request, **settings);
    if (accounts) {
      made->accounts_ = std::move(accounts->source);
      made->of_domain_ = accounts->of_domain;
    } else if (request.usage == Usage::kAccept || !made->identity_) {
      return accounts.error();
    }
  }
  Result<Ref<const Name>> name = made->identity_ ? name_of(*made->identity_)
                                 : request.name  ? Result<Ref<const Name>>(request.name)
                                                 : host_service(**settings);
  if (!name) {
    return name.error();
  }
  made->name_ = *name;
  return owner;
}

Result<Ref<const Credential>> Credential::for_target(const Name& target) const {
  const bool any_target = settings_->deny_targets.empty() && settings_->allow_targets.empty();
  if (any_target && !query_) {
    return Ref<const Credential>::share(this);
  }
  const std::string spn = target.target_spn();
  if (Status s = check_outgoing(spn, *settings_); !s) {
    return s.error();
  }
  if (!query_) {
    return Ref<const Credential>::share(this);
  }
  LoginQuery query = *query_;
  query.target = spn;
  const Result<WideName> name = wide_name_of(query);
  if (!name) {
    return name.error();
  }
  Result<Found> found = query.keyring || spn.empty() ? search_keyring(query, *settings_)
                                                     : search_backends(*name, spn, *settings_);
  if (!found) {
    return found.error();
  }
  Result<Ref<const Name>> display = name_of(*found->identity);
  if (!display) {
    return display.error();
  }
  auto* chosen = new Credential(*this);
  auto owner = Ref<const Credential>::adopt(chosen);
  chosen->identity_ = std::move(found->identity);
  chosen->expires_ = found->expires;
  chosen->query_.reset();
  chosen->name_ = std::move(*display);
  return owner;
}

std::optional<HostNames> Credential::domain_names() const {
  return of_domain_ ? std::optional<HostNames>(domain_host_names(*settings_)) : std::nullopt;
}

std::uint32_t Credential::lifetime() const noexcept {
  if (expires_ == 0) {
    return UINT32_MAX;
  }
  const auto now = static_cast<std::uint64_t>(::time(nullptr));
  const std::uint64_t left = expires_ > now ? expires_ - now : 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(left, UINT32_MAX - 1));
}

Ref<const Credential> Credential::of(Ref<const Identity> identity, Ref<const Name> name,
                                     Ref<const Settings> settings) {
  auto* made = new Credential;
  made->usage_ = Usage::kInitiate;
  made->identity_ = std::move(identity);
  made->name_ = std::move(name);
  made->settings_ = std::move(settings);
  return Ref<const Credential>::adopt(made);
}

Ref<const Credential> Credential::with(const Options& options) const {
  auto* copy = new Credential(*this);
  copy->options_ = options;
  return Ref<const Credential>::adopt(copy);
}

Ref<const Credential> Credential::anonymous() const {
  auto* copy = new Credential(*this);
  auto owner = Ref<const Credential>::adopt(copy);
  copy->identity_ = Identity::anonymous();
  copy->name_ = Name::anonymous();
  copy->query_.reset();
  copy->expires_ = 0;
  return owner;
}

Result<KeyringChoice> parse_keyring_choice(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  KeyringChoice choice;
  choice.keyring = keyring_kind(word);
  if (colon != std::string_view::npos) {
    choice.pattern = text.substr(colon + 1);
  }
  if ((!choice.keyring && word != "any") || !is_usable_pattern(choice.pattern)) {
    return explain(Major::kDefectiveCredential, Minor::kBadCredential,
                   "ntlmssp_keyring=" + printable_utf8(text, 64) +
                       ": write session, user, persistent or any, and a pattern behind a colon if "
                       "need be");
  }
  return choice;
}

Status store_in_keyring(const Credential& credential, const KeyringChoice& choice, bool overwrite) {
  constexpr std::uint32_t kDefaultLifetime = 8 * 60 * 60;
  if (!credential.can_initiate() || credential.identity()->is_anonymous()) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  const Identity& identity = *credential.identity();
  if (identity.agent() != nullptr) {
    return explain(Major::kDefectiveCredential, Minor::kBadCredential,
                   "winbind keeps this password, and gives it to nobody");
  }
  Login login;
  login.keyring = choice.keyring.value_or(KeyringKind::kSession);
  login.pattern = choice.pattern;
  login.user = utf8_or_nothing(identity.user());
  login.domain = utf8_or_nothing(identity.domain());
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
