#include "mech/credential/credential_search.h"

#include <utility>

#include "mech/backends/winbind/winbind_agent.h"
#include "mech/backends/winbind/winbind_names.h"
#include "mech/base/text.h"
#include "mech/log/process_runtime.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

struct WideName {
  Bytes user;
  Bytes domain;
};

Result<WideName> wide_name(const CredentialRequest& request, const Settings& settings) {
  Ref<const Name> name;
  if (request.name && request.name->kind() == NameKind::kUser) {
    name = request.name;
  } else if (!settings.default_user.empty()) {
    Result<Ref<const Name>> default_name = Name::user(settings.default_user);
    if (!default_name) {
      return error_with_detail(
          Major::kNoCred, Minor::kBadSetting,
          "NTLMUSER=" + printable_utf8(settings.default_user, 64) + ": write DOMAIN\\user or user");
    }
    name = std::move(*default_name);
  }
  const std::string_view user = name ? name->user_part() : std::string_view();
  std::string_view domain = name ? name->domain_part() : std::string_view();
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
  return error_with_detail(Major::kDefectiveCredential, Minor::kBadCredential, why);
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
    return error_with_detail(Major::kDefectiveCredential, Minor::kBadText,
                             "the password is not UTF-8");
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

Result<Ref<const Identity>> explicit_identity(const CredentialRequest& request, WideName name,
                                              const Policy& policy) {
  if (name.user.empty()) {
    return error_with_detail(Major::kNoCred, Minor::kNoInitiatorCred,
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
  return UsersFile::at(path, page_if(initiator_needs_lm_hash(policy), policy))
      ->identity(name.user, name.domain);
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
    return error_with_detail(Major::kNoCred, Minor::kNoInitiatorCred,
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

// A file for acceptors only holds the accounts of others: none of them is the default.
const std::string& initiator_file(const WideName& name, const Settings& settings) noexcept {
  const std::string& path = settings.initiator_users_path();
  return path.empty() && !name.user.empty() ? settings.acceptor_users_file : path;
}

// The same for a file that the caller names.
std::optional<std::string_view> initiator_file(const WideName& name,
                                               const CredentialRequest& request) noexcept {
  const auto& path = request.initiator_key_file ? request.initiator_key_file : request.key_file;
  return !path && !name.user.empty() ? request.acceptor_key_file : path;
}

// `target` is the login's, in the keyring; empty: not known yet.
Result<Found> search_backends(const WideName& name, const std::string& target,
                              const Settings& settings) {
  Error why{Major::kNoCred, Minor::kNoInitiatorCred};
  for (const Backend backend : settings.initiator_accounts) {
    if (backend == Backend::kKeyring && target.empty() && have_no_logins()) {
      why = Error{Major::kNoCred, Minor::kNoInitiatorCred};
    } else if (backend == Backend::kKeyring) {
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
    } else if (const std::string& path = initiator_file(name, settings); !path.empty()) {
      Result<Ref<const Identity>> identity = identity_of_file(path, name, settings.policy);
      if (identity) {
        trace_event(settings, "credentials: from the users file");
        return Found{std::move(*identity), std::nullopt, 0};
      }
      why = identity.error();
    }
  }
  return why;
}

Result<WideName> wide_name_of(const LoginQuery& query) {
  Result<Bytes> user = utf16le_from_utf8(query.user);
  Result<Bytes> domain = utf16le_from_utf8(query.domain);
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  return WideName{std::move(*user), std::move(*domain)};
}

}  // namespace

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
    Result<Found> found = plain(explicit_identity(request, std::move(*name), settings.policy));
    if (found) {
      found->supplied = true;
    }
    return found;
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
  if (const std::optional<std::string_view> path = initiator_file(*name, request)) {
    return plain(identity_of_file(std::string(*path), *name, settings.policy));
  }
  return search_backends(*name, {}, settings);
}

Result<Found> find_identity(LoginQuery query, const std::string& target, const Settings& settings) {
  query.target = target;
  if (query.keyring || target.empty()) {
    return search_keyring(std::move(query), settings);
  }
  const Result<WideName> name = wide_name_of(query);
  return name ? search_backends(*name, target, settings) : Result<Found>(name.error());
}

// A file that the caller names is all there is; else settings say who is asked.
Result<Accounts> find_accounts(const CredentialRequest& request, const Settings& settings) {
  std::string path;
  const std::optional<std::string_view> named = acceptor_file_of(request);
  if (named) {
    path = *named;
  } else if (acceptor_asks(Backend::kUsersFile, settings)) {
    path = settings.acceptor_users_path();
  }
  const UsersFile* file = nullptr;
  if (!path.empty()) {
    const Result<UsersFile*> opened =
        UsersFile::open(path, page_if(acceptor_needs_lm_hash(settings.policy), settings.policy),
                        settings.users_file_grace);
    if (!opened) {
      return opened.error();
    }
    file = *opened;
  }
  if (named && file != nullptr) {
    return Accounts{unowned(file), false};
  }
  Accounts accounts = join_accounts(file, settings);
  if (accounts.source == nullptr) {
    return Error{Major::kNoCred, Minor::kNoAcceptorCred};
  }
  return accounts;
}

}  // namespace gssntlm
