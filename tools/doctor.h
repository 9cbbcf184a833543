// The checks of doctor; each adds lines for the user.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mech/backends/backend.h"

namespace gssntlm::tools {

/// A line, such as account sources give of themselves.
struct Check : Health {
  using State = HealthState;
};

using Checks = std::vector<Check>;

struct Registration {
  std::string file;  ///< that registers it
  std::size_t line = 0;
  std::string module;  ///< path as the mechglue opens it
};

/// The lines that register a module for NTLM, in the order in which the mechglue reads them: the
/// last one counts. `problem` is set to the reason if a file cannot be read.
[[nodiscard]] std::vector<Registration> find_registrations(std::string& problem);

/// Registered, loads, and is this mechanism.
void check_mechanism(Checks& checks);
/// The settings, and accounts of both roles. `target`: the one that an initiator means.
void check_accounts(Checks& checks, const std::optional<std::string>& target);
/// The clock.
void check_clock(Checks& checks);
class SelfLogin;

/// SPNEGO with a token of krb5 ticket 9213, in a child process.
void check_spnego(Checks& checks, SelfLogin& login);
/// Logins of a throw-away account, raw and inside SPNEGO, with the policy in force.
void check_logins(Checks& checks);

}  // namespace gssntlm::tools
