// user list and user check: what a users file says, as acceptors understand it.
#include <cstdio>

#include "mech/backends/users/users_choice.h"
#include "mech/backends/users/users_load.h"
#include "mech/backends/users/users_read.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/crypto/primitives.h"
#include "mech/names/name.h"
#include "tools/json_output.h"
#include "tools/user.h"

namespace gssntlm::tools {
namespace {

// What an acceptor would say of a password that no entry proves.
std::string why_rejected(const std::optional<UserEntry>& entry) {
  if (!entry) {
    return " has no account";
  }
  if (const char* why = why_unusable(*entry)) {
    return why;
  }
  return " has another password";
}

// The number of the entry with that password; 0: there is none, or it does not log in.
unsigned entry_with(const UsersTable& users, const std::optional<UserEntry>& first,
                    const NtHash& hash) {
  if (!first || why_unusable(*first) != nullptr) {
    return 0;
  }
  unsigned number = 1;
  if (verify_equal(first->nt_hash->view(), hash.view())) {
    return number;
  }
  for (std::uint32_t next = first->next; next != 0;) {
    const UserEntry older = users.entry(next);
    ++number;
    if (why_unusable(older) == nullptr && verify_equal(older.nt_hash->view(), hash.view())) {
      return number;
    }
    next = older.next;
  }
  return 0;
}

}  // namespace

std::optional<std::string> file_of(const UserOptions& o) {
  if (!o.file.empty()) {
    return o.file;
  }
  const Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    complain(settings.error());
    return std::nullopt;
  }
  const std::string& file = (*settings)->acceptor_users_path();
  if (file.empty()) {
    complain(
        "no users file is named; give --file FILE, or set NTLM_USER_FILE or [accounts] users_file");
    return std::nullopt;
  }
  return file;
}

std::string shown(const Account& a) {
  return printable_account(a.user, a.domain);
}

int run_user_list(const UserOptions& o) {
  const std::optional<std::string> file = file_of(o);
  if (!file) {
    return kBadUsage;
  }
  const Result<UsersText> users = read_users_text(*file);
  if (!users) {
    return complain(users.error());
  }
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const UsersText::Entry& e : users->entries()) {
    const char* state = !e.enabled ? "disabled"
                        : e.clear && !e.empty_password
                            ? "clear-text password; gss-ntlm user import hashes it"
                        : !e.has_hash      ? "no NT hash: cannot log in"
                        : e.empty_password ? "empty password: rejected; run gss-ntlm user passwd"
                        : e.older          ? "enabled, an older password"
                                           : "enabled";
    list.push_back({{"user", e.user}, {"domain", e.domain}, {"state", state}});
    if (!o.json) {
      std::printf("%s\t%s\n", shown({e.user, e.domain}).c_str(), state);
    }
  }
  if (o.json) {
    print_json(list);
  }
  return kDone;
}

int run_user_check(const UserOptions& o) {
  const std::optional<std::string> file = file_of(o);
  const std::optional<Account> account = file ? parse_account(o.account) : std::nullopt;
  if (!account) {
    return kBadUsage;
  }
  const Result<Ref<const Settings>> settings = load_settings();
  const bool on_tmpfs = settings && (*settings)->allow_readable_on_tmpfs;
  const Result<std::shared_ptr<const UsersTable>> users =
      load_users_table(*file, on_tmpfs ? Readers::kAllOnTmpfs : Readers::kFew);
  if (!users) {
    return complain(users.error());
  }
  const std::optional<SecretBytes> password =
      read_password("Password of " + shown(*account), o.from_stdin);
  if (!password) {
    return kFailed;
  }
  const Result<Bytes> user = utf16le_from_utf8(account->user);
  const Result<Bytes> domain = utf16le_from_utf8(account->domain);
  const std::optional<UserEntry> first =
      user && domain ? (*users)->find(*user, *domain) : std::nullopt;
  const unsigned number = entry_with(**users, first, hash_password(*password));
  if (number == 0) {
    complain(printable_utf8(*file) + ": " + shown(*account) + why_rejected(first));
    return kFailed;
  }
  const std::string older =
      number == 1 ? "" : ", an older one (entry " + std::to_string(number) + ")";
  std::printf("%s\tthe password is right%s\n", shown(*account).c_str(), older.c_str());
  return kDone;
}

}  // namespace gssntlm::tools
