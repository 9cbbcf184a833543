// doctor: settings, and which accounts either role would use.
#include "mech/backends/backends.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/credential/credential.h"
#include "mech/log/audit.h"
#include "mech/os/error_detail.h"
#include "tools/console.h"
#include "tools/doctor.h"

namespace gssntlm::tools {
namespace {

void check_settings(Checks& checks, const Settings& settings) {
  const Settings defaults;
  std::string changed;
  for (const SettingKey& key : setting_keys()) {
    if (key.get(settings) != key.get(defaults) && key.section != "names") {
      changed.append(changed.empty() ? "" : ", ").append(key.section).append(".").append(key.name);
    }
  }
  const std::string source = settings.source.empty() ? std::string("no settings file (optional: ") +
                                                           kDefaultSettingsFile + ")"
                                                     : printable_utf8(settings.source);
  checks.push_back(
      {Check::State::kOk, "settings",
       source +
           (changed.empty() ? "; all settings at their defaults"
                            : "; not at their defaults: " + changed) +
           (settings.users_file_handed_over ? "; the users file is in CREDENTIALS_DIRECTORY"
                                            : "")});
}

void check_audit_log(Checks& checks, const Settings& settings) {
  if (settings.audit != AuditSink::kOff) {
    const std::optional<std::string> problem = check_audit(settings);
    const bool file = settings.audit == AuditSink::kFile;
    checks.push_back({problem ? Check::State::kWrong : Check::State::kOk, "audit",
                      problem ? *problem
                              : "records go to " + (file ? printable_utf8(settings.audit_file)
                                                         : std::string("the system's log"))});
  }
}

// Where the login of `credential` was found, for a person.
std::string origin_of(const Credential& credential, const std::string& target) {
  const Identity& identity = *credential.identity();
  return credential.source() == nullptr
             ? "the caller"
             : credential.source()->login_origin(
                   {identity.user(), identity.domain(), target, std::nullopt},
                   credential.settings());
}

Result<Ref<const Credential>> initiator_for(const std::optional<std::string>& target) {
  CredentialRequest request;
  request.usage = Usage::kInitiate;
  Result<Ref<const Credential>> credential = Credential::acquire(request);
  if (!credential || !target) {
    return credential;
  }
  const Result<Ref<const Name>> name = Name::service(*target);
  return name ? (*credential)->for_target(**name) : Result<Ref<const Credential>>(name.error());
}

void check_initiator(Checks& checks, const std::optional<std::string>& target) {
  const std::string whom = target ? " for " + printable_utf8(*target) : "";
  const Result<Ref<const Credential>> credential = initiator_for(target);
  if (!credential) {
    const bool wanted = target.has_value();
    checks.push_back({wanted ? Check::State::kWrong : Check::State::kNote, "initiator",
                      "no credential" + whom + ": " + error_text(credential.error())});
    return;
  }
  const Name& account = *(*credential)->name();
  checks.push_back({Check::State::kOk, "initiator",
                    printable_account(account.user_part(), account.domain_part()) + whom +
                        ", from " + origin_of(**credential, target.value_or(""))});
}

void check_acceptor(Checks& checks, const Settings& settings) {
  CredentialRequest request;
  request.usage = Usage::kAccept;
  const Result<Ref<const Credential>> credential = Credential::acquire(request);
  if (!credential) {
    checks.push_back({Check::State::kNote, "acceptor",
                      "acceptors have no account source: " + error_text(credential.error())});
    return;
  }
  std::string sources;
  for (const Backend* source : settings.acceptor_accounts) {
    const Result<std::shared_ptr<const Accounts>> accounts =
        source->accounts(std::nullopt, settings);
    if (accounts && *accounts != nullptr) {
      sources.append(sources.empty() ? "" : ", then ").append(source->title());
    }
  }
  checks.push_back({Check::State::kOk, "acceptor", "accounts are in " + sources});
}

}  // namespace

void check_accounts(Checks& checks, const std::optional<std::string>& target) {
  const Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    checks.push_back({Check::State::kWrong, "settings", error_text(settings.error())});
    return;
  }
  check_settings(checks, **settings);
  check_audit_log(checks, **settings);
  for (const Backend* source : backends()) {
    for (Health& health : source->health(**settings)) {
      checks.push_back({std::move(health)});
    }
  }
  check_initiator(checks, target);
  check_acceptor(checks, **settings);
}

}  // namespace gssntlm::tools
