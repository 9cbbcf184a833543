#include "mech/account/credential.h"

#include <utility>

#include "mech/account/detail.h"
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

Result<NtHash> hash_of(const CredentialRequest& request) {
  if (request.nt_hash && request.password) {
    return explain(Major::kDefectiveCredential, Minor::kBadCredential,
                   "the credential store names both a password and an NT hash; give one");
  }
  if (request.password) {
    Result<Bytes> wide = utf16le_from_utf8(*request.password);
    if (!wide) {
      return explain(Major::kDefectiveCredential, Minor::kBadText, "the password is not UTF-8");
    }
    NtHash hash = derive_nt_hash(*wide);
    wipe(*wide);
    return hash;
  }
  Result<Bytes> bytes = bytes_from_hex(*request.nt_hash);
  if (!bytes || bytes->size() != NtHash::kSize) {
    return explain(Major::kDefectiveCredential, Minor::kBadCredential,
                   "ntlmssp_nthash is not 32 hexadecimal digits");
  }
  NtHash hash(std::span<const std::uint8_t, 16>(bytes->data(), NtHash::kSize));
  wipe(*bytes);
  return hash;
}

Result<Ref<const Identity>> find_identity(const CredentialRequest& request,
                                          const Settings& settings) {
  Result<WideName> name = wide_name(request, settings);
  if (!name) {
    return name.error();
  }
  if (request.password || request.nt_hash) {
    if (name->user.empty()) {
      return explain(Major::kNoCred, Minor::kNoInitiatorCred,
                     "a password needs a user name beside it");
    }
    Result<NtHash> hash = hash_of(request);
    if (!hash) {
      return hash.error();
    }
    return Ref<const Identity>::adopt(new Identity(std::move(name->user), std::move(name->domain),
                                                   std::move(*hash), std::nullopt));
  }
  const std::string path = request.key_file ? std::string(*request.key_file) : settings.users_file;
  if (path.empty()) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  const Result<UsersFile*> file = UsersFile::open(path);
  if (!file) {
    return file.error();
  }
  return (*file)->identity(name->user, name->domain);
}

Result<const AccountSource*> find_accounts(const CredentialRequest& request,
                                           const Settings& settings) {
  const std::string path = request.key_file ? std::string(*request.key_file) : settings.users_file;
  if (path.empty()) {
    return Error{Major::kNoCred, Minor::kNoAcceptorCred};
  }
  const Result<UsersFile*> file = UsersFile::open(path);
  if (!file) {
    return file.error();
  }
  return static_cast<const AccountSource*>(*file);
}

Result<Ref<const Name>> name_of(const Identity& identity) {
  Result<std::string> user = utf8_from_utf16le(identity.user());
  Result<std::string> domain = utf8_from_utf16le(identity.domain());
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  return Name::user(std::move(*user), std::move(*domain), {});
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
    Result<Ref<const Identity>> identity = find_identity(request, **settings);
    if (identity) {
      made->identity_ = std::move(*identity);
    } else if (request.usage == Usage::kInitiate || identity.error().major != Major::kNoCred) {
      return identity.error();
    }
  }
  if (request.usage != Usage::kInitiate) {
    const Result<const AccountSource*> accounts = find_accounts(request, **settings);
    if (accounts) {
      made->accounts_ = *accounts;
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

Ref<const Credential> Credential::with(const Options& options) const {
  auto* copy = new Credential(*this);
  copy->options_ = options;
  return Ref<const Credential>::adopt(copy);
}

}  // namespace gssntlm
