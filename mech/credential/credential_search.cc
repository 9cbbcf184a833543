#include "mech/credential/credential_search.h"

#include <utility>

#include "mech/backends/backends.h"
#include "mech/base/text.h"
#include "mech/credential/account_chain.h"
#include "mech/credential/search_failures.h"
#include "mech/credential/store.h"
#include "mech/crypto/hash_text.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

// As they are sent: a UPN whole, without a domain.
struct WideName {
  Bytes user;
  Bytes domain;
};

Result<WideName> wide_name(const CredentialRequest& request, const Settings& settings) {
  Ref<const Name> name;
  if (request.name && request.name->names_user()) {
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
  std::string_view user = name ? name->user_part() : std::string_view();
  std::string_view domain = name ? name->domain_part() : std::string_view();
  std::string upn;
  if (name && name->is_upn()) {
    upn = name->user_part() + "@" + name->domain_part();
    user = upn;
    domain = {};
  }
  Result<Bytes> wide_user = utf16le_from_utf8(user);
  if (domain.empty() && request.domain && !(wide_user && split_upn(*wide_user))) {
    domain = *request.domain;
  }
  Result<Bytes> wide_domain = utf16le_from_utf8(domain);
  if (!wide_user || !wide_domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  return WideName{std::move(*wide_user), std::move(*wide_domain)};
}

Error bad_store_value(std::string_view why) {
  return error_with_detail(Major::kDefectiveCredential, Minor::kBadStoreValue, why);
}

bool names_secret(const CredentialRequest& request) noexcept {
  return request.password || request.password_utf16le || request.nt_hash;
}

Result<PasswordHashes> hashes_of_password(Result<Bytes> wide, const Policy& policy) {
  if (!wide) {
    return error_with_detail(Major::kDefectiveCredential, Minor::kBadText,
                             "the password is not UTF-8");
  }
  const SecretBytes password(std::move(*wide));
  PasswordHashes hashes{derive_nt_hash(password.view()), std::nullopt};
  if (initiator_needs_lm_hash(policy)) {
    hashes.lm = lm_hash_of_password(password.view(), policy.code_page);
  }
  return hashes;
}

// The blob of a managed service account ends its password with a NUL.
void drop_counted_terminator(Bytes& utf16le) noexcept {
  const std::size_t size = utf16le.size();
  if (size >= 2 && utf16le[size - 2] == 0 && utf16le[size - 1] == 0) {
    utf16le.resize(size - 2);
  }
}

Result<PasswordHashes> hashes_of_raw_password(std::string_view digits, const Policy& policy) {
  Result<Bytes> bytes = bytes_from_hex(digits);
  if (!bytes || bytes->size() % 2 != 0) {
    return bad_store_value("ntlmssp_password_utf16le is not four hexadecimal digits a unit");
  }
  drop_counted_terminator(*bytes);
  return hashes_of_password(std::move(bytes), policy);
}

Result<PasswordHashes> hashes_of(const CredentialRequest& request, const Policy& policy) {
  const int secrets =
      (request.password ? 1 : 0) + (request.password_utf16le ? 1 : 0) + (request.nt_hash ? 1 : 0);
  if (secrets > 1) {
    return bad_store_value("it has more than one password or hash");
  }
  if (request.password) {
    return hashes_of_password(utf16le_from_utf8(*request.password), policy);
  }
  if (request.password_utf16le) {
    return hashes_of_raw_password(*request.password_utf16le, policy);
  }
  Result<PasswordHashes> hashes = hashes_from_text(*request.nt_hash);
  return hashes ? std::move(hashes)
                : bad_store_value("ntlmssp_nthash has " + std::to_string(request.nt_hash->size()) +
                                  " characters and is neither 32 hexadecimal digits nor a pair "
                                  "lm:nt");
}

Result<Ref<const Identity>> explicit_identity(const CredentialRequest& request, WideName name,
                                              const Policy& policy) {
  if (name.user.empty()) {
    return request.name
               ? error_with_detail(Major::kBadName, Minor::kNoUserName,
                                   printable_utf8(request.name->display(), 64) + " is no user")
               : Error{Major::kBadName, Minor::kNoUserName};
  }
  Result<PasswordHashes> hashes = hashes_of(request, policy);
  if (!hashes) {
    return hashes.error();
  }
  return Ref<const Identity>::adopt(new Identity(std::move(name.user), std::move(name.domain),
                                                 std::move(hashes->nt), std::move(hashes->lm)));
}

Result<Found> found_in(const Backend& source, const LoginSearch& search, const Settings& settings) {
  Result<FoundLogin> login = source.find_login(search, settings);
  if (!login) {
    return login.error();
  }
  Found found;
  found.identity = std::move(login->identity);
  found.source = &source;
  found.expires = login->expires;
  if (login->by_target) {
    found.pending = PendingLogin{&source, std::string(search.place.value_or(std::string_view())),
                                 Bytes(search.user.begin(), search.user.end()),
                                 Bytes(search.domain.begin(), search.domain.end())};
  }
  return found;
}

// In the one source that the caller chose.
Result<Found> search_source(const Backend& source, const LoginSearch& search,
                            const Settings& settings) {
  Result<Found> found = found_in(source, search, settings);
  if (found && !found->identity) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  return found;
}

// A file for acceptors only holds the accounts of others: none of them is the default.
std::optional<std::string_view> initiator_file(const WideName& name,
                                               const CredentialRequest& request) noexcept {
  const auto& path = request.initiator_key_file ? request.initiator_key_file : request.key_file;
  return !path && !name.user.empty() ? request.acceptor_key_file : path;
}

// In those that settings name.
Result<Found> search_sources(const LoginSearch& search, const Settings& settings) {
  SearchFailures failures(settings);
  for (const Backend* source : settings.initiator_accounts) {
    Result<Found> found = found_in(*source, search, settings);
    if (found && found->identity) {
      failures.overcome();
      return found;
    }
    if (!found) {
      failures.add(*source, found.error());
    }
  }
  return failures.report();
}

Result<Found> search_keyring(std::string_view choice, const LoginSearch& search,
                             const Settings& settings) {
  const Result<KeyringChoice> parsed = parse_keyring_choice(choice);
  if (!parsed) {
    return parsed.error();
  }
  LoginSearch chosen = search;
  chosen.place = choice.substr(0, choice.find(':'));
  Result<Found> found = search_source(keyring_backend(), chosen, settings);
  // "any" chooses none: the target decides between all sources.
  if (found && found->pending && !parsed->keyring) {
    found->pending->place.clear();
  }
  return found;
}

}  // namespace

Result<Found> find_identity(const CredentialRequest& request, const Settings& settings) {
  Found found;
  if (request.name && request.name->kind() == NameKind::kAnonymous) {
    found.identity = Identity::anonymous();
    return found;
  }
  Result<WideName> name = wide_name(request, settings);
  if (!name) {
    return name.error();
  }
  if (names_secret(request)) {
    Result<Ref<const Identity>> identity =
        explicit_identity(request, std::move(*name), settings.policy);
    if (!identity) {
      return identity.error();
    }
    found.identity = std::move(*identity);
    found.supplied = true;
    return found;
  }
  LoginSearch search{name->user, name->domain, {}, std::nullopt, request.acceptor_key_file};
  if (request.keyring) {
    return search_keyring(*request.keyring, search, settings);
  }
  search.place = initiator_file(*name, request);
  if (search.place) {
    return search_source(users_file_backend(), search, settings);
  }
  return search_sources(search, settings);
}

Result<Found> find_identity(const PendingLogin& pending, const std::string& target,
                            std::optional<std::string_view> accepting, const Settings& settings) {
  LoginSearch search{pending.user, pending.domain, target, std::nullopt, accepting};
  if (!pending.place.empty()) {
    search.place = pending.place;
  }
  return search.place || target.empty() ? search_source(*pending.source, search, settings)
                                        : search_sources(search, settings);
}

// A file that the caller names is all there is; else settings say who is asked.
Result<std::shared_ptr<const Accounts>> find_accounts(const CredentialRequest& request,
                                                      const Settings& settings) {
  const std::optional<std::string_view> named = acceptor_file_of(request);
  Result<std::shared_ptr<const Accounts>> accounts =
      named ? users_file_backend().accounts(named, settings) : acceptor_accounts(settings);
  if (accounts && *accounts == nullptr) {
    return Error{Major::kNoCred, Minor::kNoAcceptorCred};
  }
  return accounts;
}

}  // namespace gssntlm
