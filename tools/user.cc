// user: accounts of a users file.
#include <cstdio>

#include <pwd.h>

#include "mech/backends/users/users_edit.h"
#include "mech/backends/users/users_read.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/crypto/primitives.h"
#include "mech/names/name.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/user.h"

namespace gssntlm::tools {
namespace {

std::optional<NtHash> hash_for(const UserOptions& o, const Account& account) {
  if (!o.nt_hash.empty()) {
    return nt_hash_option(o.nt_hash);
  }
  const std::optional<SecretBytes> password =
      read_new_password("New password for " + shown(account), o.from_stdin);
  if (!password) {
    return std::nullopt;
  }
  if (password->empty()) {
    complain("an empty password is not allowed; nothing was changed");
    return std::nullopt;
  }
  return hash_password(*password);
}

// The user that --owner names, by name or number.
std::optional<FileOwner> owner_of(const std::string& name) {
  const bool number = name.find_first_not_of("0123456789") == std::string::npos && name.size() < 10;
  const passwd* entry =
      number ? ::getpwuid(static_cast<uid_t>(std::stoul(name))) : ::getpwnam(name.c_str());
  if (entry == nullptr) {
    complain("--owner " + printable_utf8(name, 64) + ": there is no such user");
    return std::nullopt;
  }
  return FileOwner{entry->pw_uid, entry->pw_gid};
}

// Edits the file, and says when that took access from others. `change` complains for itself when it
// answers false.
int edit(const UserOptions& o, const std::string& file, bool create,
         const std::function<Result<bool>(UsersText&)>& change) {
  EditOptions options;
  options.create = create;
  if (!o.owner.empty()) {
    options.owner = owner_of(o.owner);
    if (!options.owner) {
      return kBadUsage;
    }
  }
  bool agreed = true;
  const Result<Edited> edited = edit_users_file(file, options, [&](UsersText& users) -> Status {
    const Result<bool> done = change(users);
    agreed = !done || *done;
    return done && *done ? Status()
           : done        ? Status(Error{Major::kFailure, Minor::kBadCredential})
                         : Status(done.error());
  });
  if (!edited) {
    return agreed ? complain(edited.error()) : int{kFailed};
  }
  if (edited->narrowed_from != 0) {
    const bool changeable = (edited->narrowed_from & 022) != 0;
    char text[120];
    std::snprintf(text, sizeof text, ": mode %04o let others %s; it was narrowed%s",
                  static_cast<unsigned>(edited->narrowed_from),
                  changeable ? "change accounts" : "read hashes",
                  changeable ? "; check them with gss-ntlm user list" : "");
    complain(printable_utf8(file) + text);
  }
  if (edited->had_other_names) {
    complain("warning: " + printable_utf8(file) +
             ": the file had another name (hard link), which still has the accounts as they were; "
             "change or remove it there too");
  }
  return kDone;
}

// A logon finds the first entry of its user whose domain is the same, or that has none.
void warn_of_similar(const UsersText& users, const Account& a, const char* consequence) {
  for (const UsersText::Entry& e : users.similar(a.user, a.domain)) {
    complain("warning: " + shown(a) + ": the file also has the entry " + shown({e.user, e.domain}) +
             ", which accepts logons as " + shown(a) +
             (a.domain.empty() ? " without a domain" : "") + consequence);
  }
}

Result<bool> replace_passwords(UsersText& users, const Account& a, const NtHash& hash) {
  const Status s = users.set_hash(a.user, a.domain, hash);
  return s ? Result<bool>(true) : Result<bool>(s.error());
}

Result<bool> add_password(UsersText& users, const Account& a, const NtHash& hash) {
  const Result<UsersText::Adding> added = users.add_hash(a.user, a.domain, hash);
  if (!added) {
    return added.error();
  }
  if (*added != UsersText::Adding::kDone) {
    complain(shown(a) + (*added == UsersText::Adding::kFull
                             ? " has four passwords, the most that a file may have; remove the "
                               "old ones with gss-ntlm user retire-old"
                             : " has this password already; nothing was changed"));
  }
  return *added == UsersText::Adding::kDone;
}

enum class Presence { kMustNot, kMust };

int set_password(const UserOptions& o, Presence presence) {
  const std::optional<std::string> file = file_of(o);
  const std::optional<Account> account = file ? parse_account(o.account) : std::nullopt;
  if (!account) {
    return kBadUsage;
  }
  const std::optional<NtHash> hash = hash_for(o, *account);
  if (!hash) {
    return kFailed;
  }
  return edit(o, *file, presence == Presence::kMustNot, [&](UsersText& users) -> Result<bool> {
    const std::size_t count = users.count(account->user, account->domain);
    if ((count != 0) != (presence == Presence::kMust)) {
      complain(printable_utf8(*file) + (count != 0 ? " has " : " lacks ") + shown(*account) +
               (count != 0 ? "; use gss-ntlm user passwd" : "; use gss-ntlm user add"));
      return false;
    }
    const Result<bool> done = o.keep_old ? add_password(users, *account, *hash)
                                         : replace_passwords(users, *account, *hash);
    if (!done || !*done) {
      return done;
    }
    if (count > 1 && !o.keep_old) {
      complain(shown(*account) + " had " + std::to_string(count) +
               " entries; the others, with their passwords, were removed");
    }
    warn_of_similar(users, *account, " too; of both, the first in the file counts");
    return true;
  });
}

template <typename Change>
int change_existing(const UserOptions& o, Change change) {
  const std::optional<std::string> file = file_of(o);
  const std::optional<Account> account = file ? parse_account(o.account) : std::nullopt;
  if (!account) {
    return kBadUsage;
  }
  return edit(o, *file, false, [&](UsersText& users) -> Result<bool> {
    const std::string objection = change(users, *account);
    if (!objection.empty()) {
      complain(printable_utf8(*file) + ": " + shown(*account) + objection);
    }
    return objection.empty();
  });
}

constexpr const char* kStillAccepts = " still; remove or disable it too if they are to end";

std::string remove_account(UsersText& users, const Account& a) {
  const std::size_t count = users.remove(a.user, a.domain);
  if (count > 1) {
    std::printf("%s: %zu entries removed\n", shown(a).c_str(), count);
  }
  warn_of_similar(users, a, kStillAccepts);
  return count == 0 ? " is not in it" : "";
}

std::string retire_old(UsersText& users, const Account& a) {
  if (!users.has(a.user, a.domain)) {
    return " is not in it";
  }
  const std::size_t count = users.retire_old(a.user, a.domain);
  std::printf("%s: %zu older %s removed\n", shown(a).c_str(), count,
              count == 1 ? "password" : "passwords");
  return {};
}

std::string enable_account(UsersText& users, const Account& a, bool enabled) {
  switch (users.enable(a.user, a.domain, enabled)) {
    case UsersText::Enabling::kDone:
      if (!enabled) {
        warn_of_similar(users, a, kStillAccepts);
      }
      return {};
    case UsersText::Enabling::kMissing:
      return " is not in it";
    case UsersText::Enabling::kNoForm:
      return " has a clear-text entry that cannot be written as a hash; remove it by hand";
    case UsersText::Enabling::kNeedsPassword:
      break;
  }
  return " has an entry without a password (flag N, or no NT hash); set one with gss-ntlm user "
         "passwd";
}

const char* outcome_text(UsersText::Imported::Outcome outcome, bool in_place) {
  switch (outcome) {
    case UsersText::Imported::Outcome::kAdded:
      return in_place ? "hashed" : "added";
    case UsersText::Imported::Outcome::kAddedDisabled:
      return "added, disabled as it was";
    case UsersText::Imported::Outcome::kAddedNoHash:
      return "added, cannot log in: no NT hash";
    case UsersText::Imported::Outcome::kPresent:
      return "left as it is: the file has this account; gss-ntlm user passwd changes it";
    case UsersText::Imported::Outcome::kRepeated:
      return "left out: of several entries of an account the first is imported";
    case UsersText::Imported::Outcome::kUnusable:
      break;
  }
  return "not imported: its name cannot be written as a hash entry";
}

int run_import(const UserOptions& o) {
  const std::optional<std::string> file = file_of(o);
  if (!file) {
    return kBadUsage;
  }
  const bool in_place = o.from.empty();
  Result<UsersText> from = in_place ? UsersText() : read_users_text(o.from);
  if (!from) {
    return complain(from.error());
  }
  std::vector<UsersText::Imported> done;
  const int status = edit(o, *file, !in_place, [&](UsersText& users) -> Result<bool> {
    done = in_place ? users.hash_clear_entries() : users.take_over(*from);
    return true;
  });
  if (status != kDone) {
    return status;
  }
  std::size_t changed = 0;
  bool whole = true;
  for (const UsersText::Imported& entry : done) {
    using Outcome = UsersText::Imported::Outcome;
    const bool rejected = entry.empty_password && entry.outcome <= Outcome::kAddedNoHash;
    std::printf("%s\t%s%s\n", shown({entry.user, entry.domain}).c_str(),
                outcome_text(entry.outcome, in_place),
                rejected ? "; empty password: rejected; run gss-ntlm user passwd" : "");
    changed += entry.outcome <= Outcome::kAddedNoHash ? 1 : 0;
    whole = whole && entry.outcome != Outcome::kUnusable;
  }
  std::printf("%zu %s\n", changed, changed == 1 ? "account" : "accounts");
  return whole ? kDone : kFailed;
}

Command add(Command user, const std::shared_ptr<UserOptions>& o, const char* name,
            const char* about, bool takes_account) {
  Command command = user.add_command(name, about);
  command.add_option("--file", o->file,
                     "The users file (default: NTLM_USER_FILE, or that of the settings)");
  if (std::string_view(name) != "list" && std::string_view(name) != "check") {
    command.add_option("--owner", o->owner, "For root: the file belongs to this user, not to root");
  }
  if (takes_account) {
    command.add_option("account", o->account, "DOMAIN\\user, user@domain or user").required();
  }
  return command;
}

void add_password_options(Command command, const std::shared_ptr<UserOptions>& o) {
  command.add_flag("--stdin", o->from_stdin,
                   "Read the password from the first line of standard input");
  command.add_option("--nt-hash", o->nt_hash,
                     "The NT hash instead of a password; other users of this machine may see it "
                     "in the list of processes");
}

void add_password_commands(Command user, const std::shared_ptr<UserOptions>& o, int& status) {
  Command add_command =
      add(user, o, "add", "Add an account; creates the file if it does not exist", true);
  add_password_options(add_command, o);
  add_command.footer("Example: gss-ntlm user add --file users 'CORP\\alice'");
  add_command.callback([o, &status] { status = set_password(*o, Presence::kMustNot); });

  Command passwd = add(user, o, "passwd", "Change an account's password", true);
  add_password_options(passwd, o);
  passwd.add_flag("--keep-old", o->keep_old,
                  "The old passwords log in too, until retire-old removes them");
  passwd.footer("Example: gss-ntlm user passwd --file users 'CORP\\alice'");
  passwd.callback([o, &status] { status = set_password(*o, Presence::kMust); });

  Command retire = add(user, o, "retire-old", "Remove an account's older passwords", true);
  retire.footer("Example: gss-ntlm user retire-old --file users 'CORP\\alice'");
  retire.callback([o, &status] { status = change_existing(*o, retire_old); });
}

void add_state_commands(Command user, const std::shared_ptr<UserOptions>& o, int& status) {
  Command del = add(user, o, "del", "Remove an account", true);
  del.footer("Example: gss-ntlm user del --file users 'CORP\\alice'");
  del.callback([o, &status] { status = change_existing(*o, remove_account); });

  for (const bool enabled : {true, false}) {
    Command command = add(user, o, enabled ? "enable" : "disable",
                          enabled ? "Enable a disabled account" : "Disable an account", true);
    command.footer(enabled ? "Example: gss-ntlm user enable --file users 'CORP\\alice'"
                           : "Example: gss-ntlm user disable --file users 'CORP\\alice'");
    command.callback([o, &status, enabled] {
      status = change_existing(*o, [enabled](UsersText& users, const Account& a) {
        return enable_account(users, a, enabled);
      });
    });
  }
}

}  // namespace

void add_user_commands(Command program, int& status) {
  Command user = program.add_command("user", "Change the accounts of a users file");
  user.require_command();
  user.footer(
      "The file is replaced at once: readers see the old one or the new one.\n"
      "Example: gss-ntlm user add --file /etc/gss/ntlm-users 'CORP\\alice'");
  auto o = std::make_shared<UserOptions>();

  add_password_commands(user, o, status);
  add_state_commands(user, o, status);

  Command list = add(user, o, "list", "List the accounts of the file", false);
  list.add_flag("--json", o->json, "A JSON list instead");
  list.footer("Example: gss-ntlm user list --file users");
  list.callback([o, &status] { status = run_user_list(*o); });

  Command check = add(user, o, "check", "Check a password as an acceptor would", true);
  check.add_flag("--stdin", o->from_stdin,
                 "Read the password from the first line of standard input");
  check.footer("Example: gss-ntlm user check --file users 'CORP\\alice'");
  check.callback([o, &status] { status = run_user_check(*o); });

  Command take_over = add(user, o, "import", "Turn clear-text passwords into hashes", false);
  take_over.add_option("--from", o->from,
                       "Copy the accounts of this file (default: change --file itself)");
  take_over.footer("Example: gss-ntlm user import --from old-users --file users");
  take_over.callback([o, &status] { status = run_import(*o); });
}

}  // namespace gssntlm::tools
