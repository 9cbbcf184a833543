#include "mech/backends/users/users_proof.h"

#include <string>
#include <utility>

#include "mech/backends/attributes.h"

namespace gssntlm {

std::string_view why_unusable(const UserEntry& entry, const Policy& policy) noexcept {
  return entry.disabled   ? "accounts: the account is disabled"
         : !entry.nt_hash ? "accounts: the account has no hash"
         : entry.empty_password && !policy.allow_empty_passwords
             ? "accounts: the account has an empty password; set one, or set allow_empty_passwords"
             : "";
}

std::optional<ProvenEntry> prove_entry(const Candidates& candidates, const LogonRequest& request,
                                       const Policy& policy) {
  const unsigned tries = candidates.users != nullptr ? candidates.users->most_entries() : 1;
  UserEntry* entry = candidates.first;
  std::optional<UserEntry> older;
  for (unsigned number = 1;; ++number) {
    const bool counts = entry != nullptr && why_unusable(*entry, policy).empty();
    // With the stand-in all spellings of the domain are tried, as with a wrong password.
    std::optional<Proof> proof =
        verify_response(request, counts ? *entry->nt_hash : candidates.stand_in,
                        counts && entry->lm_hash ? &*entry->lm_hash : nullptr, policy);
    if (counts && proof) {
      return ProvenEntry{std::move(*proof), std::move(entry->lm_hash), number};
    }
    if (number >= tries) {
      return std::nullopt;
    }
    const std::uint32_t next = entry != nullptr ? entry->next : 0;
    older = next != 0 ? std::optional(candidates.users->entry(next)) : std::nullopt;
    entry = older ? &*older : nullptr;
  }
}

void report_entry(unsigned number, Logon& logon, const Runtime& env) {
  std::string text = std::to_string(number);
  if (env.tracing()) {
    env.trace("accounts: the password of entry " + text + " of the account" +
              (number == 1 ? ", its newest" : ", an older one"));
  }
  logon.attributes.push_back({attribute::kUsersFileEntry, std::move(text)});
}

}  // namespace gssntlm
