#include "mech/backends/users/users_choice.h"

#include <utility>

#include "mech/base/text.h"

namespace gssntlm {
namespace {

// Empty: the entry can be used.
std::string why_unusable(const std::optional<UserEntry>& entry, ByteView user) {
  if (!entry) {
    return user.empty() ? "no account" : "no account " + printable_utf16le(user);
  }
  const char* why = entry->disabled   ? " is disabled; enable it with gss-ntlm user enable"
                    : !entry->nt_hash ? " has no NT hash; set a password with gss-ntlm user passwd"
                    : entry->empty_password
                        ? " has an empty password; set one with gss-ntlm user passwd"
                        : nullptr;
  return why == nullptr ? std::string() : "the account " + printable_utf16le(entry->user) + why;
}

}  // namespace

UsersChoice choose_account(const UsersTable& users, ByteView user, ByteView domain) {
  UsersChoice choice{Bytes(user.begin(), user.end()), Bytes(domain.begin(), domain.end()), {}, {}};
  if (user.empty() && users.size() > 1) {
    choice.why = std::to_string(users.size()) +
                 " accounts and none is selected; set NTLMUSER or give a name, or name a file with "
                 "one account in initiator_users_file";
    return choice;
  }
  std::optional<UserEntry> entry = user.empty() ? users.first() : users.find(user, domain);
  choice.why = why_unusable(entry, user);
  if (!choice.why.empty()) {
    return choice;
  }
  const ByteView own_domain = entry->domain.empty() ? domain : entry->domain;
  choice.identity = Ref<const Identity>::adopt(new Identity(
      Bytes(entry->user.begin(), entry->user.end()), Bytes(own_domain.begin(), own_domain.end()),
      std::move(*entry->nt_hash), std::move(entry->lm_hash)));
  return choice;
}

}  // namespace gssntlm
