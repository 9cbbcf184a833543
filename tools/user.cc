// user: accounts of a users file.
#include <cstdio>
#include <cstdlib>

#include "mech/backends/users/users_edit.h"
#include "mech/names/name.h"
#include "tools/commands.h"
#include "tools/console.h"

namespace gssntlm::tools {
namespace {

struct UserOptions {
  std::string file;
  std::string account;
  std::string nt_hash;
  std::string from;
  bool from_stdin = false;
};

// --file, or NTLM_USER_FILE.
std::optional<std::string> file_of(const UserOptions& o) {
  if (!o.file.empty()) {
    return o.file;
  }
  const char* file = std::getenv("NTLM_USER_FILE");
  if (file == nullptr || *file == '\0') {
    complain("which users file? give --file FILE, or set NTLM_USER_FILE");
    return std::nullopt;
  }
  return file;
}

std::string shown(const Account& a) {
  return printable_account(a.user, a.domain);
}

std::optional<NtHash> hash_for(const UserOptions& o, const Account& account) {
  if (!o.nt_hash.empty()) {
    std::optional<NtHash> hash = parse_nt_hash(o.nt_hash);
    if (!hash) {
      complain("--nt-hash takes 32 hexadecimal digits");
    }
    return hash;
  }
  const std::optional<SecretBytes> password =
      read_new_password("New password for " + shown(account), o.from_stdin);
  if (!password) {
    return std::nullopt;
  }
  if (password->empty()) {
    complain("an empty password would let anybody in; nothing was changed");
    return std::nullopt;
  }
  return hash_password(*password);
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
  std::string objection;
  const Status s =
      edit_users_file(*file, presence == Presence::kMustNot, [&](UsersText& users) -> Status {
        const bool there = users.has(account->user, account->domain);
        if (there != (presence == Presence::kMust)) {
          objection = *file + (there ? " has " : " lacks ") + shown(*account) +
                      (there ? "; use gss-ntlm user passwd" : "; use gss-ntlm user add");
          return Error{Major::kFailure, Minor::kBadCredential};
        }
        return users.set_hash(account->user, account->domain, *hash);
      });
  if (!objection.empty()) {
    return complain(objection);
  }
  return s ? int{kDone} : complain(s.error());
}

template <typename Change>
int change_existing(const UserOptions& o, Change change) {
  const std::optional<std::string> file = file_of(o);
  const std::optional<Account> account = file ? parse_account(o.account) : std::nullopt;
  if (!account) {
    return kBadUsage;
  }
  bool found = true;
  const Status s = edit_users_file(*file, false, [&](UsersText& users) -> Status {
    found = change(users, *account);
    return found ? Status() : Status(Error{Major::kFailure, Minor::kBadCredential});
  });
  if (!found) {
    return complain(*file + " lacks " + shown(*account));
  }
  return s ? int{kDone} : complain(s.error());
}

int run_list(const UserOptions& o) {
  const std::optional<std::string> file = file_of(o);
  if (!file) {
    return kBadUsage;
  }
  const Result<UsersText> users = read_users_text(*file);
  if (!users) {
    return complain(users.error());
  }
  for (const UsersText::Entry& e : users->entries()) {
    const char* state = !e.enabled    ? "disabled"
                        : e.clear     ? "clear-text password; gss-ntlm user import hashes it"
                        : !e.has_hash ? "no NT hash: cannot log in"
                                      : "enabled";
    std::printf("%s\t%s\n", shown({e.user, e.domain}).c_str(), state);
  }
  return kDone;
}

int run_import(const UserOptions& o) {
  const std::optional<std::string> file = file_of(o);
  if (!file) {
    return kBadUsage;
  }
  Result<UsersText> from = o.from.empty() ? UsersText() : read_users_text(o.from);
  if (!from) {
    return complain(from.error());
  }
  std::size_t count = 0;
  const Status s = edit_users_file(*file, !o.from.empty(), [&](UsersText& users) -> Status {
    count = o.from.empty() ? users.hash_clear_entries() : users.take_over(*from);
    return {};
  });
  if (!s) {
    return complain(s.error());
  }
  std::printf("%zu %s\n", count, count == 1 ? "account" : "accounts");
  return kDone;
}

Command add(Command user, const std::shared_ptr<UserOptions>& o, const char* name,
            const char* about, bool takes_account) {
  Command command = user.add_command(name, about);
  command.add_option("--file", o->file, "The users file (default: NTLM_USER_FILE)");
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

}  // namespace

void add_user_commands(Command program, int& status) {
  Command user = program.add_command("user", "Change the accounts of a users file");
  user.require_command();
  user.footer(
      "The file is replaced at once: readers see the old one or the new one.\n"
      "Example: gss-ntlm user add --file /etc/gss/ntlm-users 'CORP\\alice'");
  auto o = std::make_shared<UserOptions>();

  Command add_command = add(user, o, "add", "Add an account; makes the file if need be", true);
  add_password_options(add_command, o);
  add_command.footer("Example: gss-ntlm user add --file users 'CORP\\alice'");
  add_command.callback([o, &status] { status = set_password(*o, Presence::kMustNot); });

  Command passwd = add(user, o, "passwd", "Change an account's password", true);
  add_password_options(passwd, o);
  passwd.footer("Example: gss-ntlm user passwd --file users 'CORP\\alice'");
  passwd.callback([o, &status] { status = set_password(*o, Presence::kMust); });

  Command del = add(user, o, "del", "Remove an account", true);
  del.footer("Example: gss-ntlm user del --file users 'CORP\\alice'");
  del.callback([o, &status] {
    status = change_existing(
        *o, [](UsersText& users, const Account& a) { return users.remove(a.user, a.domain); });
  });

  for (const bool enabled : {true, false}) {
    Command command = add(user, o, enabled ? "enable" : "disable",
                          enabled ? "Let an account log in again" : "Keep an account out", true);
    command.footer(enabled ? "Example: gss-ntlm user enable --file users 'CORP\\alice'"
                           : "Example: gss-ntlm user disable --file users 'CORP\\alice'");
    command.callback([o, &status, enabled] {
      status = change_existing(*o, [enabled](UsersText& users, const Account& a) {
        return users.enable(a.user, a.domain, enabled);
      });
    });
  }

  Command list = add(user, o, "list", "Show the accounts of the file", false);
  list.footer("Example: gss-ntlm user list --file users");
  list.callback([o, &status] { status = run_list(*o); });

  Command take_over = add(user, o, "import", "Turn clear-text passwords into hashes", false);
  take_over.add_option("--from", o->from,
                       "Take the accounts of this file over (default: change --file itself)");
  take_over.footer("Example: gss-ntlm user import --from old-users --file users");
  take_over.callback([o, &status] { status = run_import(*o); });
}

}  // namespace gssntlm::tools
