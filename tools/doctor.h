// What doctor looks at; each part answers with lines for a person.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gssntlm::tools {

struct Check {
  /// kNote: it works, but something about it is worth knowing. kWrong: it has to be mended.
  enum class State { kOk, kNote, kWrong };

  State state = State::kOk;
  std::string name;
  std::string text;  ///< what there is; of what is wrong also what to do. Names in it are escaped.
};

using Checks = std::vector<Check>;

struct Registration {
  std::string file;  ///< which registers
  std::size_t line = 0;
  std::string module;  ///< path as the mechglue opens it
};

/// The lines that register a module for NTLM, in the order in which the mechglue reads them: the
/// last one counts. `problem` becomes what keeps a file from being read.
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
/// Logins of a throw-away account, raw and under SPNEGO, with the policy in force.
void check_logins(Checks& checks);

}  // namespace gssntlm::tools
