// Accounts of a domain: a response is proven by a domain controller, through winbind.
#pragma once

#include <chrono>
#include <string_view>

#include "mech/backends/backend.h"

namespace gssntlm {

/// What a process is told that winbind does not check logons for.
inline constexpr std::string_view kUnprivileged =
    "winbind does not let this process check passwords: add its user to the group of winbind's "
    "privileged pipe (Debian: adduser USER winbindd_priv) and restart it";

/// Stateless; shared by threads.
class WinbindSource : public Accounts {
 public:
  explicit WinbindSource(std::chrono::seconds bound) noexcept : bound_(bound) {}

  /// FAILURE kLogonFailure when the domain refuses; FAILURE kDomain when nothing was decided within
  /// the bound: the trace says why.
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override;

  /// The same; `verdict` says what a failure means for further sources.
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env, Verdict& verdict) const override;
  [[nodiscard]] std::optional<HostNames> host_names(const Settings& settings) const override;

 private:
  std::chrono::seconds bound_;
};

}  // namespace gssntlm
