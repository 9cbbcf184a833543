// An account source of tests, in memory: the fourth of a program that links memory_table.cc.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mech/backends/backends.h"
#include "test/support/handshake.h"

namespace gssntlm {

/// As the lines of backends.inc declare theirs.
[[nodiscard]] const Backend& memory_backend() noexcept;

}  // namespace gssntlm

namespace gssntlm::test {

/// A login that initiators find.
struct MemoryLogin {
  Account account;
  std::string target = "*";   ///< the only one that it is for; `*`: any
  std::string place = {};     ///< which of two stores has it: `left` or `right`
  bool secret_stays = false;  ///< its secret does not leave the source
};

/// What the source has. Tests change it; one thread.
struct Memory {
  std::vector<MemoryLogin> logins;
  std::vector<Account> accounts;        ///< those that acceptors verify; an empty domain is any
  bool here = true;                     ///< the source exists on this machine
  bool reachable = true;                ///< it can decide about logons
  std::optional<std::string> computer;  ///< its name of this host
  std::map<std::string, std::string> host_users;  ///< users of this host, by account
  std::optional<Error> host_user_error;           ///< instead of any host user
  HealthState health = HealthState::kOk;
};

/// Of memory_backend().
[[nodiscard]] Memory& memory();

}  // namespace gssntlm::test
