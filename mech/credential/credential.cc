#include "mech/credential/credential.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "mech/base/text.h"
#include "mech/config/access_lists.h"
#include "mech/credential/credential_search.h"
#include "mech/credential/search_failures.h"
#include "mech/log/process_runtime.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

// Whether the name is the identity's, in either of the two forms of a UPN.
bool names_identity(const Name& name, const Identity& identity) {
  const std::string& user = name.user_part();
  const std::string& domain = name.domain_part();
  if (is_same_ascii(user, identity.user()) && is_same_ascii(domain, identity.domain())) {
    return true;
  }
  return !domain.empty() && identity.domain().empty() &&
         is_same_ascii(user + "@" + domain, identity.user());
}

// `asked` is the name that the caller gave, if any: the outcome where it says the same.
Result<Ref<const Name>> name_of(const Identity& identity, const Ref<const Name>& asked) {
  if (identity.is_anonymous()) {
    return Name::anonymous();
  }
  if (asked && asked->names_user() && names_identity(*asked, identity)) {
    return asked->kind() == NameKind::kUser && asked->is_bare()
               ? asked
               : Name::user(asked->user_part(), asked->domain_part());
  }
  Result<std::string> user = utf8_from_utf16le(identity.user());
  Result<std::string> domain = utf8_from_utf16le(identity.domain());
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  return Name::user(std::move(*user), std::move(*domain));
}

// Whether settings let initiators log in to `spn`.
Status check_outgoing(const std::string& spn, const Settings& settings) {
  const std::optional<std::string> why = outgoing_refusal(spn, settings);
  if (!why) {
    return {};
  }
  trace_event(settings, "initiator: " + *why);
  return settings.audit_only
             ? Status()
             : Status(error_with_detail(Major::kUnauthorized, Minor::kPolicyBlocked, *why));
}

// An acceptor without a name is called by its host.
Result<Ref<const Name>> host_service(const Settings& settings) {
  Result<std::string> host = utf8_from_utf16le(settings.names.dns_computer);
  return Name::service("host@" + (host && !host->empty() ? *host : std::string("localhost")));
}

}  // namespace

Result<Ref<const Credential>> Credential::acquire(const CredentialRequest& request) {
  Result<Ref<const Settings>> settings = load_settings_or_trace();
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
      made->source_ = found->source;
      made->pending_ = std::move(found->pending);
      made->expires_ = found->expires;
      made->ambient_ = !found->supplied && !made->identity_->is_anonymous();
    } else {
      trace_no_login(**settings, request.name.get(), {}, found.error());
      if (request.usage == Usage::kInitiate || found.error().major != Major::kNoCred) {
        return found.error();
      }
    }
  }
  if (request.usage != Usage::kInitiate) {
    made->key_file_ = acceptor_file_of(request).value_or(std::string_view());
    Result<std::shared_ptr<const Accounts>> accounts = find_accounts(request, **settings);
    if (accounts) {
      made->accounts_ = std::move(*accounts);
    } else {
      trace_no_accounts(**settings, accounts.error());
      if (request.usage == Usage::kAccept || !made->identity_) {
        return accounts.error();
      }
    }
  }
  Result<Ref<const Name>> name = made->identity_ ? name_of(*made->identity_, request.name)
                                 : request.name ? Ref<const Name>::share(&request.name->as_target())
                                                : host_service(**settings);
  if (!name) {
    return name.error();
  }
  made->name_ = *name;
  return owner;
}

Result<Ref<const Credential>> Credential::for_target(const Name& target) const {
  const bool any_target = settings_->deny_targets.empty() && settings_->allow_targets.empty();
  if (any_target && !pending_) {
    return Ref<const Credential>::share(this);
  }
  const std::string spn = target.target_spn();
  if (Status s = check_outgoing(spn, *settings_); !s) {
    return s.error();
  }
  if (!pending_) {
    return Ref<const Credential>::share(this);
  }
  const std::optional<std::string_view> accepting =
      key_file_.empty() ? std::nullopt : std::optional<std::string_view>(key_file_);
  Result<Found> found = find_identity(*pending_, spn, accepting, *settings_);
  if (!found) {
    trace_no_login(*settings_, name_.get(), spn, found.error());
    return found.error();
  }
  Result<Ref<const Name>> display = name_of(*found->identity, name_);
  if (!display) {
    return display.error();
  }
  auto* chosen = new Credential(*this);
  auto owner = Ref<const Credential>::adopt(chosen);
  chosen->identity_ = std::move(found->identity);
  chosen->source_ = found->source;
  chosen->expires_ = found->expires;
  chosen->ambient_ = true;
  chosen->pending_.reset();
  chosen->name_ = std::move(*display);
  return owner;
}

std::optional<HostNames> Credential::domain_names() const {
  return accounts_ != nullptr ? accounts_->host_names(*settings_) : std::nullopt;
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
  copy->source_ = nullptr;
  copy->ambient_ = false;
  copy->name_ = Name::anonymous();
  copy->pending_.reset();
  copy->expires_ = 0;
  return owner;
}

}  // namespace gssntlm
