// The users file as an account source.
#include <cstdio>
#include <set>

#include <sys/stat.h>
#include <unistd.h>

#include "mech/backends/backends.h"
#include "mech/backends/users/users_access.h"
#include "mech/backends/users/users_file.h"
#include "mech/backends/users/users_read.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/log/process_runtime.h"
#include "mech/names/name.h"
#include "mech/os/error_detail.h"
#include "mech/os/host_user.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

std::optional<CodePage> page_if(bool needed, const Policy& policy) noexcept {
  return needed ? std::optional<CodePage>(policy.code_page) : std::nullopt;
}

Readers readers_of(const Settings& settings) noexcept {
  return settings.allow_readable_on_tmpfs ? Readers::kAllOnTmpfs : Readers::kFew;
}

// A file for acceptors only holds the accounts of others: none of them is the default.
std::string_view initiator_file(const LoginSearch& search, const Settings& settings) noexcept {
  const std::string& path = settings.initiator_users_path();
  return search.place                           ? *search.place
         : path.empty() && !search.user.empty() ? settings.acceptor_users_file
                                                : path;
}

bool is_same_file(const std::string& one, const std::string& other) noexcept {
  struct stat a;
  struct stat b;
  return one == other || (::stat(one.c_str(), &a) == 0 && ::stat(other.c_str(), &b) == 0 &&
                          a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

// Also under another name, and where it is named for initiators too.
bool is_for_acceptors(const std::string& path, const LoginSearch& search,
                      const Settings& settings) {
  const std::string& named = settings.acceptor_users_file;
  return (!named.empty() && is_same_file(path, named)) ||
         (search.accepting && is_same_file(path, std::string(*search.accepting)));
}

std::string mode_of(const std::string& path) {
  struct stat st {};
  char mode[24] = "";
  if (::stat(path.c_str(), &st) == 0) {
    std::snprintf(mode, sizeof mode, ", mode %04o", static_cast<unsigned>(st.st_mode & 07777));
  }
  return mode;
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

// How to run this as another user.
std::string command_as(uid_t user) {
  const Result<std::optional<HostUser>> known = host_user_with(user);
  return (known && *known ? "runuser -u " + printable_utf8((*known)->name) + " --"
                          : "setpriv --reuid=" + std::to_string(user) + " --clear-groups") +
         " gss-ntlm doctor";
}

// The fault of a file that is, or may be, for a service of another user: what makes it good for
// this user would take it from the service.
std::string fault_of_foreign(const std::string& path, uid_t user, const UsersFault& fault) {
  if (::geteuid() != 0) {
    return fault.text + "; if " + owner_text(user) +
           " runs the service, check as its owner: " + command_as(user);
  }
  return "users file " + printable_utf8(path) + " is for " + owner_text(user) +
         ", so that a check by root says nothing about it; check as its owner: " + command_as(user);
}

std::string text_of(const UsersFault& fault, const std::string& path) {
  const std::optional<uid_t> user = meant_for_other(path);
  return user ? fault_of_foreign(path, *user, fault) : error_text(error_of(fault));
}

// Accounts whose password is empty; acceptors reject them unless a setting says otherwise.
std::string empty_passwords(const UsersTable& users) {
  std::string list;
  for (const UserEntry& e : users.entries()) {
    if (e.empty_password) {
      list.append(list.empty() ? "" : ", ")
          .append(printable_account(*utf8_from_utf16le(e.user), *utf8_from_utf16le(e.domain)));
    }
  }
  return list;
}

// Accounts that more than one password logs in to.
std::string several_passwords(const UsersTable& users) {
  std::string list;
  std::set<std::string> seen;
  for (const UserEntry& e : users.entries()) {
    const std::string name =
        printable_account(*utf8_from_utf16le(e.user), *utf8_from_utf16le(e.domain));
    if (e.next != 0 && seen.insert(name).second) {
      list.append(list.empty() ? "" : ", ").append(name);
    }
  }
  return list;
}

void check_file(const std::string& path, const Settings& settings, std::vector<Health>& out) {
  // As acceptors and initiators read it.
  const UsersLoad load = load_users(path, std::nullopt, readers_of(settings));
  if (load.fault) {
    out.push_back({HealthState::kWrong, "users file",
                   text_of(*load.fault, path) + consequence(path, settings)});
    return;
  }
  out.push_back({HealthState::kOk, "users file",
                 printable_utf8(path) + mode_of(path) +
                     ", accounts: " + std::to_string(load.table->accounts())});
  const std::string several = load.table->most_entries() > 1 ? several_passwords(*load.table) : "";
  if (!several.empty()) {
    out.push_back({HealthState::kNote, "older passwords",
                   several + "; each entry logs in; run gss-ntlm user retire-old when clients have "
                             "the first one's password"});
  }
  // They follow the path that settings name, even if another user controls it.
  if (const Result<OpenedFile> opened = open_trusted_users_file(path); !opened) {
    out.push_back({HealthState::kNote, "users file path", error_text(opened.error())});
  }
  const std::string empty = empty_passwords(*load.table);
  if (!empty.empty()) {
    const bool allowed = settings.policy.allow_empty_passwords;
    out.push_back({allowed ? HealthState::kNote : HealthState::kWrong, "empty passwords",
                   empty + (allowed ? "; allow_empty_passwords accepts them"
                                    : "; acceptors reject them; run gss-ntlm user passwd")});
  }
}

class UsersBackend final : public Backend {
 public:
  constexpr UsersBackend() noexcept : Backend("users_file", "the users file", 2, Roles::kBoth) {}

  [[nodiscard]] Result<FoundLogin> find_login(const LoginSearch& search,
                                              const Settings& settings) const override {
    const std::string_view path = initiator_file(search, settings);
    if (path.empty()) {
      return FoundLogin{};
    }
    if (search.user.empty() && is_for_acceptors(std::string(path), search, settings)) {
      return error_with_detail(
          Major::kNoCred, Minor::kNoInitiatorCred,
          "users file " + printable_utf8(path) +
              ": it is named for acceptors, so none of its accounts is the default; set NTLMUSER "
              "or give a name, or name another file in initiator_users_file");
    }
    const Policy& policy = settings.policy;
    Result<Ref<const Identity>> identity =
        UsersFile::at(path, page_if(initiator_needs_lm_hash(policy), policy), readers_of(settings))
            ->identity(search.user, search.domain);
    if (!identity) {
      return identity.error();
    }
    if (!search.place && is_tracing(settings)) {
      trace_event(settings, "credentials: from " + login_origin(search, settings));
    }
    return FoundLogin{std::move(*identity)};
  }

  [[nodiscard]] std::string login_origin(const LoginSearch& search,
                                         const Settings& settings) const override {
    return "the users file " + printable_utf8(initiator_file(search, settings));
  }

  [[nodiscard]] Result<std::shared_ptr<const Accounts>> accounts(
      std::optional<std::string_view> place, const Settings& settings) const override {
    const std::string path(place.value_or(settings.acceptor_users_path()));
    if (path.empty()) {
      return std::shared_ptr<const Accounts>();
    }
    const Policy& policy = settings.policy;
    const Result<UsersFile*> file =
        UsersFile::open(path, page_if(acceptor_needs_lm_hash(policy), policy),
                        settings.users_file_grace, readers_of(settings));
    if (!file) {
      return file.error();
    }
    return std::shared_ptr<const Accounts>(std::shared_ptr<void>(), *file);
  }

  // No login of a users file depends on the target.
  void save_place(std::string_view, Serializer&) const override {}
  [[nodiscard]] std::string load_place(Deserializer& in) const override {
    in.reject();
    return {};
  }

  [[nodiscard]] std::optional<Result<HostUser>> local_user(const Name&, IsOwnDomain,
                                                           const Settings&) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool makes_member() const override { return false; }

  [[nodiscard]] std::vector<Health> health(const Settings& settings) const override {
    const std::string& acceptor = settings.acceptor_users_path();
    const std::string& initiator = settings.initiator_users_path();
    std::vector<Health> checks;
    if (acceptor.empty() && initiator.empty()) {
      checks.push_back({HealthState::kOk, "users file", "none is named"});
    }
    if (!acceptor.empty()) {
      check_file(acceptor, settings, checks);
    }
    if (!initiator.empty() && initiator != acceptor) {
      check_file(initiator, settings, checks);
    }
    return checks;
  }
};

constexpr UsersBackend kUsersBackend;

}  // namespace

const Backend& users_file_backend() noexcept {
  return kUsersBackend;
}

}  // namespace gssntlm
