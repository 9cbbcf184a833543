#include "mech/backends/users/users_choice.h"

#include <utility>

#include "mech/base/text.h"

namespace gssntlm {
namespace {

// Empty: the entry can be used.
std::string why_not(const std::optional<UserEntry>& entry, ByteView user) {
  if (!entry) {
    return user.empty() ? "no account" : "no account " + printable_utf16le(user);
  }
  const char* why = why_unusable(*entry);
  return why == nullptr ? std::string() : "the account " + printable_utf16le(entry->user) + why;
}

struct SentNames {
  ByteView user;
  ByteView domain;
};

// Of an entry that was found for `user` of `domain`.
SentNames names_to_send(const UserEntry& entry, ByteView user, ByteView domain) noexcept {
  const ByteView own = is_this_host(entry.domain) ? ByteView() : entry.domain;
  if (user.empty() || equal_ignoring_case(entry.user, user)) {
    return {entry.user, own.empty() && !is_this_host(domain) ? domain : own};
  }
  // One of the two is a UPN.
  return {domain.empty() ? user : entry.user, {}};
}

}  // namespace

const char* why_unusable(const UserEntry& entry) noexcept {
  return entry.disabled         ? " is disabled; enable it with gss-ntlm user enable"
         : !entry.nt_hash       ? " has no NT hash; set a password with gss-ntlm user passwd"
         : entry.empty_password ? " has an empty password; set one with gss-ntlm user passwd"
                                : nullptr;
}

UsersChoice choose_account(const UsersTable& users, ByteView user, ByteView domain) {
  UsersChoice choice{Bytes(user.begin(), user.end()), Bytes(domain.begin(), domain.end()), {}, {}};
  if (user.empty() && users.accounts() > 1) {
    choice.why = std::to_string(users.accounts()) +
                 " accounts and none is selected; set NTLMUSER or give a name, or name a file with "
                 "one account in initiator_users_file";
    return choice;
  }
  std::optional<UserEntry> entry = user.empty() ? users.first() : users.find(user, domain);
  choice.why = why_not(entry, user);
  if (!choice.why.empty()) {
    return choice;
  }
  const SentNames sent = names_to_send(*entry, user, domain);
  choice.identity = Ref<const Identity>::adopt(new Identity(
      Bytes(sent.user.begin(), sent.user.end()), Bytes(sent.domain.begin(), sent.domain.end()),
      std::move(*entry->nt_hash), std::move(entry->lm_hash)));
  return choice;
}

}  // namespace gssntlm
