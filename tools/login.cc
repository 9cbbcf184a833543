// login, list and logout: kinit, klist and kdestroy for NTLM.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <pwd.h>
#include <unistd.h>

#include "mech/backends/keyring/login_store.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/names/name.h"
#include "tools/commands.h"
#include "tools/console.h"

namespace gssntlm::tools {
namespace {

struct LoginOptions {
  std::string account;
  std::string pattern = "*";
  std::string lifetime = "8h";
  std::string keyring = "session";
  std::string nt_hash;
  bool from_stdin = false;
};

struct LogoutOptions {
  std::string pattern;
  bool all = false;
};

const std::vector<KeyringKind>& all_keyrings() {
  static const std::vector<KeyringKind> kinds = {KeyringKind::kSession, KeyringKind::kUser,
                                                 KeyringKind::kPersistent};
  return kinds;
}

// NTLMUSER, or the name of the user who runs this.
std::string own_account() {
  if (const char* user = std::getenv("NTLMUSER"); user != nullptr && *user != '\0') {
    return user;
  }
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : std::string();
}

std::optional<NtHash> ask_for_hash(const LoginOptions& o, const Login& login) {
  if (!o.nt_hash.empty()) {
    return nt_hash_option(o.nt_hash);
  }
  const std::optional<SecretBytes> password = read_password(
      "Password for " + printable_account(login.user, login.domain) + ": ", o.from_stdin);
  if (!password) {
    return std::nullopt;
  }
  if (password->empty()) {
    complain("the password is empty; nothing was stored");
    return std::nullopt;
  }
  return hash_password(*password);
}

int run_login(const LoginOptions& o) {
  const std::string text = o.account.empty() ? own_account() : o.account;
  std::optional<Account> account = parse_account(text);
  if (!account) {
    return kBadUsage;
  }
  // As initiators send it.
  if (account->upn) {
    account->user.append("@").append(account->domain);
    account->domain.clear();
  }
  Login login;
  login.keyring = keyring_kind(o.keyring).value_or(KeyringKind::kSession);
  login.pattern = o.pattern;
  login.user = std::move(account->user);
  login.domain = std::move(account->domain);
  if (!is_usable_pattern(login.pattern)) {
    complain("--for " + printable_utf8(o.pattern, 64) +
             ": write a pattern such as HTTP@*.corp.example, without a semicolon");
    return kBadUsage;
  }
  const std::optional<std::uint64_t> lifetime = parse_time(o.lifetime);
  if (!lifetime) {
    complain("--lifetime " + printable_utf8(o.lifetime, 64) +
             ": write a time such as 90s, 15m, 8h or 2d");
    return kBadUsage;
  }
  // Before the password prompt, so that an unusable keyring is reported at once.
  if (const Result<std::vector<Login>> logins = list_logins({login.keyring}); !logins) {
    return complain(logins.error());
  }
  const std::optional<NtHash> hash = ask_for_hash(o, login);
  if (!hash) {
    return kFailed;
  }
  const Status stored = store_login(login, *hash, *lifetime);
  return stored ? int{kDone} : complain(stored.error());
}

int run_list() {
  const Result<std::vector<Login>> logins = list_logins(all_keyrings());
  if (!logins) {
    return complain(logins.error());
  }
  if (logins->empty()) {
    std::fputs("There are no logins. Store one: gss-ntlm login 'DOMAIN\\user'\n", stderr);
    return kFailed;
  }
  struct Row {
    std::string account, pattern, keyring, left;
  };
  std::vector<Row> rows = {{"Account", "For", "Keyring", "Time left"}};
  const auto now = static_cast<std::uint64_t>(::time(nullptr));
  for (const Login& login : *logins) {
    const Result<LoginSecret> secret = read_login(login);
    const std::string left = !secret ? "cannot be read"
                             : secret->expires == 0
                                 ? "as its keyring"
                                 : time_left(secret->expires > now ? secret->expires - now : 0);
    rows.push_back({printable_account(login.user, login.domain), printable_utf8(login.pattern),
                    std::string(keyring_name(login.keyring)), left});
  }
  std::size_t widths[3] = {};
  for (const Row& r : rows) {
    widths[0] = std::max(widths[0], r.account.size());
    widths[1] = std::max(widths[1], r.pattern.size());
    widths[2] = std::max(widths[2], r.keyring.size());
  }
  for (const Row& r : rows) {
    std::printf("%-*s  %-*s  %-*s  %s\n", static_cast<int>(widths[0]), r.account.c_str(),
                static_cast<int>(widths[1]), r.pattern.c_str(), static_cast<int>(widths[2]),
                r.keyring.c_str(), r.left.c_str());
  }
  return kDone;
}

int run_logout(const LogoutOptions& o) {
  if (o.all && !o.pattern.empty()) {
    complain("give logout a pattern or --all, not both");
    return kBadUsage;
  }
  const Result<std::vector<Login>> logins = list_logins(all_keyrings());
  if (!logins) {
    return complain(logins.error());
  }
  const std::string pattern = o.pattern.empty() ? "*" : o.pattern;
  int removed = 0;
  for (const Login& login : *logins) {
    if (!o.all && login.pattern != pattern) {
      continue;
    }
    if (const Status s = remove_login(login); !s) {
      return complain(s.error());
    }
    ++removed;
  }
  if (removed == 0 && !o.all) {
    return complain("no login is stored for " + printable_utf8(pattern) +
                    "; gss-ntlm list prints the stored ones");
  }
  return kDone;
}

}  // namespace

void add_login_commands(Command program, int& status) {
  auto login_options = std::make_shared<LoginOptions>();
  Command login = program.add_command(
      "login", "Store an account's NT hash in the kernel keyring, for programs to log in with");
  login.add_option("account", login_options->account,
                   "DOMAIN\\user, user@domain or user (default: NTLMUSER, or your own name)");
  login.add_option("--for", login_options->pattern,
                   "Targets to use it for, e.g. HTTP@*.corp.example or LDAP@dc1 (default: any)");
  login.add_option("--lifetime", login_options->lifetime, "How long it is stored (default: 8h)");
  login
      .add_option("--keyring", login_options->keyring,
                  "session, user or persistent (default: session)")
      .one_of({"session", "user", "persistent"});
  login.add_flag("--stdin", login_options->from_stdin,
                 "Read the password from the first line of standard input");
  login.add_option("--nt-hash", login_options->nt_hash,
                   "The NT hash instead of a password; other users of this machine may see it in "
                   "the list of processes");
  login.footer("Example: gss-ntlm login 'CORP\\alice' --for 'HTTP@*.corp.example'");
  login.callback([login_options, &status] { status = run_login(*login_options); });

  Command list = program.add_command("list", "List stored logins; exit status 1 if there are none");
  list.footer("Example: gss-ntlm list");
  list.callback([&status] { status = run_list(); });

  auto logout_options = std::make_shared<LogoutOptions>();
  Command logout = program.add_command("logout", "Remove logins");
  logout.add_option("pattern", logout_options->pattern,
                    "Those stored with --for PATTERN (default: those for any target)");
  logout.add_flag("--all", logout_options->all, "All of them");
  logout.footer("Example: gss-ntlm logout --all");
  logout.callback([logout_options, &status] { status = run_logout(*logout_options); });
}

}  // namespace gssntlm::tools
