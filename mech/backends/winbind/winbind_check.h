// Whether logins of domain accounts would work here, for the administrator.
#pragma once

#include <optional>
#include <string>

#include "mech/backends/winbind/winbind_names.h"
#include "mech/config/settings.h"

namespace gssntlm {

/// In the order in which one thing needs the other. Texts are UTF-8, and not escaped.
struct WinbindCheck {
  bool installed = false;         ///< libwbclient.so.0 is here
  bool answers = false;           ///< winbindd, on its public pipe
  WinbindFacts facts;             ///< of what answers
  bool privileged = false;        ///< this process may have logons checked
  bool reaches_domain = false;    ///< winbind has a domain controller that answers
  std::string domain_controller;  ///< its name, where winbind says it
  std::string problem;            ///< the first thing that is wrong and what to do; empty: nothing

  [[nodiscard]] bool good() const { return problem.empty(); }
};

/// Asks winbind, on behalf of the calling process's user, which may take twice the settings' time
/// for winbind. A domain controller is asked for a sign of life; no account of it is touched.
/// Throws std::bad_alloc.
[[nodiscard]] WinbindCheck check_winbind(const Settings& settings);

/// The check in lines `name: value`, the problem last.
[[nodiscard]] std::string describe(const WinbindCheck& check);

}  // namespace gssntlm
