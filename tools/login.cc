// login and logout: kinit and kdestroy for NTLM.
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
#include "tools/keyrings.h"

namespace gssntlm::tools {
namespace {

struct LoginOptions {
  std::string account;
  std::string pattern = "*";
  std::string lifetime = "8h";
  std::string keyring = "session";
  std::string nt_hash;
  bool from_stdin = false;
  bool renew = false;
};

struct LogoutOptions {
  std::string pattern;
  bool all = false;
};

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

// As initiators send it.
std::optional<Account> account_to_store(const std::string& text) {
  std::optional<Account> account = parse_account(text);
  if (account && account->upn) {
    account->user.append("@").append(account->domain);
    account->domain.clear();
  }
  return account;
}

// A shell takes the backslash from DOMAIN\user.
void warn_without_domain(const Login& login) {
  if (login.domain.empty() && login.user.find('@') == std::string::npos) {
    const std::string user = printable_utf8(login.user);
    complain("note: " + user + " has no domain; an account of a domain is 'DOMAIN\\" + user +
             "', in quotes, or " + user + "@DOMAIN");
  }
}

std::string local_time(std::uint64_t unix_time) {
  const auto t = static_cast<time_t>(unix_time);
  tm local{};
  char text[32] = "";
  if (::localtime_r(&t, &local) != nullptr) {
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  }
  return text;
}

const char* who_sees(KeyringKind keyring) noexcept {
  switch (keyring) {
    case KeyringKind::kSession:
      return "programs of this session use it; those of other sessions, and services that systemd "
             "starts, do not (--keyring user)";
    case KeyringKind::kUser:
      return "all programs of this user use it, until the last one ends";
    case KeyringKind::kPersistent:
      break;
  }
  return "all programs of this user use it, until three days after its last use";
}

void say_stored(const Login& login, std::uint64_t lifetime) {
  const std::string until =
      lifetime == 0 ? "its keyring is gone"
                    : local_time(static_cast<std::uint64_t>(::time(nullptr)) + lifetime) + " (" +
                          time_left(lifetime) + ")";
  std::printf("%s is stored in the %s keyring for %s until %s.\n%s.\n",
              printable_account(login.user, login.domain).c_str(),
              std::string(keyring_name(login.keyring)).c_str(),
              login.pattern == "*" ? "any target" : printable_utf8(login.pattern).c_str(),
              until.c_str(), who_sees(login.keyring));
}

bool is_for_same(const Login& a, const Login& b) noexcept {
  return a.keyring == b.keyring && a.pattern == b.pattern;
}

bool is_same_account(const Login& a, const Login& b) noexcept {
  return a.user == b.user && a.domain == b.domain;
}

// Of two logins for the same targets, which one counts would be left to chance.
int remove_replaced(const std::vector<Login>& before, const Login& login) {
  for (const Login& old : before) {
    if (!is_for_same(old, login) || is_same_account(old, login)) {
      continue;
    }
    if (const Status s = remove_login(old); !s) {
      return complain(s.error());
    }
    std::printf("It replaces the login of %s for the same targets.\n",
                printable_account(old.user, old.domain).c_str());
  }
  return kDone;
}

int store_new(const LoginOptions& o, Login login, std::uint64_t lifetime) {
  const std::optional<Account> account =
      account_to_store(o.account.empty() ? own_account() : o.account);
  if (!account) {
    return kBadUsage;
  }
  login.user = account->user;
  login.domain = account->domain;
  // Before the password prompt, so that an unusable keyring is reported at once.
  const Result<std::vector<Login>> before = list_logins({login.keyring});
  if (!before) {
    return complain(before.error());
  }
  const std::optional<NtHash> hash = ask_for_hash(o, login);
  if (!hash) {
    return kFailed;
  }
  if (const Status stored = store_login(login, *hash, lifetime); !stored) {
    return complain(stored.error());
  }
  say_stored(login, lifetime);
  warn_without_domain(login);
  return remove_replaced(*before, login);
}

// The stored login is stored again, for another lifetime.
int renew(const LoginOptions& o, const Login& wanted, std::uint64_t lifetime) {
  std::optional<Account> account;
  if (!o.account.empty() && !(account = account_to_store(o.account))) {
    return kBadUsage;
  }
  const Result<std::vector<Login>> logins = list_logins({wanted.keyring});
  if (!logins) {
    return complain(logins.error());
  }
  for (const Login& login : *logins) {
    if (!is_for_same(login, wanted) ||
        (account && (account->user != login.user || account->domain != login.domain))) {
      continue;
    }
    const Result<LoginSecret> secret = read_login(login);
    if (!secret) {
      return complain(secret.error());
    }
    const Status stored = store_login(login, secret->hash, lifetime);
    if (!stored) {
      return complain(stored.error());
    }
    say_stored(login, lifetime);
    return kDone;
  }
  return complain("no login is stored in the " + std::string(keyring_name(wanted.keyring)) +
                  " keyring for " + printable_utf8(wanted.pattern) +
                  ", or it has expired; store it without --renew");
}

int run_login(const LoginOptions& o) {
  Login login;
  login.keyring = keyring_kind(o.keyring).value_or(KeyringKind::kSession);
  login.pattern = target_of_url(o.pattern);
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
  if (o.renew && (o.from_stdin || !o.nt_hash.empty())) {
    complain("--renew stores the same hash again; give it without --stdin and --nt-hash");
    return kBadUsage;
  }
  return o.renew ? renew(o, login, *lifetime) : store_new(o, login, *lifetime);
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
  const std::string pattern = o.pattern.empty() ? "*" : target_of_url(o.pattern);
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
  login.add_option(
      "--for", login_options->pattern,
      "Targets to use it for, e.g. HTTP@*.corp.example, LDAP@dc1 or a URL (default: any)");
  login.add_option("--lifetime", login_options->lifetime, "How long it is stored (default: 8h)");
  login
      .add_option("--keyring", login_options->keyring,
                  "session, user or persistent (default: session)")
      .one_of({"session", "user", "persistent"});
  login.add_flag("--renew", login_options->renew,
                 "Keep a stored login for another --lifetime; asks for no password");
  login.add_flag("--stdin", login_options->from_stdin,
                 "Read the password from the first line of standard input");
  login.add_option("--nt-hash", login_options->nt_hash,
                   "The NT hash instead of a password; other users of this machine may see it in "
                   "the list of processes");
  login.footer("Example: gss-ntlm login 'CORP\\alice' --for 'HTTP@*.corp.example'");
  login.callback([login_options, &status] { status = run_login(*login_options); });

  add_list_command(program, status);

  auto logout_options = std::make_shared<LogoutOptions>();
  Command logout = program.add_command("logout", "Remove logins");
  logout.add_option("pattern", logout_options->pattern,
                    "Those stored with --for PATTERN (default: those for any target)");
  logout.add_flag("--all", logout_options->all, "All of them");
  logout.footer("Example: gss-ntlm logout --all");
  logout.callback([logout_options, &status] { status = run_logout(*logout_options); });
}

}  // namespace gssntlm::tools
