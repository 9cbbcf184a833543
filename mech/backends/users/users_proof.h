// A response, checked against the entries of an account.
#pragma once

#include <optional>
#include <string_view>

#include "mech/backends/users/users_table.h"
#include "mech/protocol/logon.h"
#include "mech/protocol/policy.h"

namespace gssntlm {

/// Why the entry does not log in, for the trace; empty: it does.
[[nodiscard]] std::string_view why_unusable(const UserEntry& entry, const Policy& policy) noexcept;

/// What a response is checked against.
struct Candidates {
  const UsersTable* users;  ///< nullptr: there are none
  UserEntry* first;         ///< of the account, in `users`; nullptr if none of its entries counts
  const NtHash& stand_in;   ///< random: no response matches it
};

/// The entry whose password a response proves.
struct ProvenEntry {
  Proof proof;
  std::optional<LmHash> lm_hash;
  unsigned number;  ///< among those of its account, from 1
};

/// Checks the response against each entry of the account that is usable; nullopt: none is proven.
/// Takes as long for all accounts of a file that it does not prove, unknown ones too: it checks
/// stand-ins until it has checked as many as the account with the most entries has. Throws
/// std::bad_alloc.
[[nodiscard]] std::optional<ProvenEntry> prove_entry(const Candidates& candidates,
                                                     const LogonRequest& request,
                                                     const Policy& policy);

/// Tells trace and attribute::kUsersFileEntry which of several entries logged in: when the last
/// client has the new password, the old one can go. Throws std::bad_alloc.
void report_entry(unsigned number, Logon& logon, const Runtime& env);

}  // namespace gssntlm
