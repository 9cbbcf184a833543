// doctor: settings, and which accounts either role would use.
#include <algorithm>

#include <sys/stat.h>

#include "mech/backends/keyring/login_store.h"
#include "mech/backends/users/users_edit.h"
#include "mech/backends/users/users_file.h"
#include "mech/backends/winbind/winbind_check.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/credential/credential.h"
#include "mech/log/audit.h"
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
  checks.push_back({Check::State::kOk, "settings",
                    source + (changed.empty() ? "; all settings at their defaults"
                                              : "; not at their defaults: " + changed)});
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

// What becomes of the logins while the file is like this.
std::string consequence(const std::string& path, const Settings& settings) {
  if (path != settings.acceptor_users_path()) {
    return {};
  }
  if (look_at_users_file(path).missing) {
    return "; running acceptors accept none of its accounts";
  }
  return "; running acceptors use its last good content for at most " +
         std::to_string(settings.users_file_grace) +
         " s (users_file_grace), then accept no account";
}

// Accounts whose password is empty; acceptors reject them unless a setting says otherwise.
std::string empty_passwords(const std::string& path) {
  const Result<UsersText> users = read_users_text(path);
  std::string list;
  for (const UsersText::Entry& e : users ? users->entries() : std::vector<UsersText::Entry>()) {
    if (e.empty_password) {
      list.append(list.empty() ? "" : ", ").append(printable_account(e.user, e.domain));
    }
  }
  return list;
}

void check_users_file(Checks& checks, const Settings& settings, const std::string& path) {
  const Result<std::shared_ptr<const UsersTable>> table = load_users_table(path);
  if (!table) {
    checks.push_back({Check::State::kWrong, "users file",
                      error_text(table.error()) + consequence(path, settings)});
    return;
  }
  struct stat st {};
  char mode[24] = "";
  if (::stat(path.c_str(), &st) == 0) {
    std::snprintf(mode, sizeof mode, ", mode %04o", static_cast<unsigned>(st.st_mode & 07777));
  }
  checks.push_back(
      {Check::State::kOk, "users file",
       printable_utf8(path) + mode + ", accounts: " + std::to_string((*table)->size())});
  const std::string empty = empty_passwords(path);
  if (!empty.empty()) {
    const bool allowed = settings.policy.allow_empty_passwords;
    checks.push_back({allowed ? Check::State::kNote : Check::State::kWrong, "empty passwords",
                      empty + (allowed ? "; allow_empty_passwords accepts them"
                                       : "; acceptors reject them; run gss-ntlm user passwd")});
  }
}

void check_users_files(Checks& checks, const Settings& settings) {
  const std::string& acceptor = settings.acceptor_users_path();
  const std::string& initiator = settings.initiator_users_path();
  if (acceptor.empty() && initiator.empty()) {
    checks.push_back({Check::State::kOk, "users file", "none is named"});
  }
  if (!acceptor.empty()) {
    check_users_file(checks, settings, acceptor);
  }
  if (!initiator.empty() && initiator != acceptor) {
    check_users_file(checks, settings, initiator);
  }
}

// Where the account of an initiator is from, for a person.
std::string origin_of(const Settings& settings, const Name& account, const std::string& target) {
  LoginQuery query;
  query.user = account.user_part();
  query.domain = account.domain_part();
  query.target = target;
  const auto& order = settings.initiator_accounts;
  const bool asks_keyring = std::find(order.begin(), order.end(), Backend::kKeyring) != order.end();
  if (const std::optional<Login> login = asks_keyring ? find_login(query) : std::nullopt) {
    return "the " + std::string(keyring_name(login->keyring)) + " keyring, made for " +
           printable_utf8(login->pattern);
  }
  const std::string& path = settings.initiator_users_path().empty()
                                ? settings.acceptor_users_file
                                : settings.initiator_users_path();
  return path.empty() ? "the password that winbind keeps"
                      : "the users file " + printable_utf8(path);
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

void check_initiator(Checks& checks, const Settings& settings,
                     const std::optional<std::string>& target) {
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
                        ", from " + origin_of(settings, account, target.value_or(""))});
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
  for (const Backend backend : settings.acceptor_accounts) {
    const bool file = backend == Backend::kUsersFile;
    if (!file || !settings.acceptor_users_path().empty()) {
      sources.append(sources.empty() ? "" : ", then ").append(file ? "the users file" : "winbind");
    }
  }
  checks.push_back({Check::State::kOk, "acceptor", "accounts are in " + sources});
}

void check_domain(Checks& checks, const Settings& settings) {
  const auto& order = settings.acceptor_accounts;
  if (std::find(order.begin(), order.end(), Backend::kWinbind) == order.end()) {
    checks.push_back({Check::State::kOk, "winbind", "is off in the settings"});
    return;
  }
  const WinbindCheck winbind = check_winbind(settings);
  if (!winbind.installed || !winbind.answers) {
    checks.push_back(
        {Check::State::kOk, "winbind", "is not running: there are no domain accounts"});
    return;
  }
  const std::string who = printable_utf8(winbind.facts.netbios_name) + " of domain " +
                          printable_utf8(winbind.facts.netbios_domain);
  checks.push_back(
      {winbind.good() ? Check::State::kOk : Check::State::kNote, "winbind",
       who + (winbind.good() ? "; its domain controller answers" : "; " + winbind.problem)});
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
  check_users_files(checks, **settings);
  check_initiator(checks, **settings, target);
  check_acceptor(checks, **settings);
  check_domain(checks, **settings);
}

}  // namespace gssntlm::tools
