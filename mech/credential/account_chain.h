// The accounts of several sources, one after the other.
#pragma once

#include <memory>
#include <vector>

#include "mech/backends/backend.h"

namespace gssntlm {

/// Each source decides about the accounts that it knows; what it does not know, or cannot decide
/// now, goes on to the next.
class AccountChain : public Accounts {
 public:
  /// None of them is nullptr.
  explicit AccountChain(std::vector<std::shared_ptr<const Accounts>> sources)
      : sources_(std::move(sources)) {}

  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override;
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env, Verdict& verdict) const override;
  [[nodiscard]] std::optional<HostNames> host_names(const Settings& settings) const override;

 private:
  std::vector<std::shared_ptr<const Accounts>> sources_;
};

/// The accounts of the sources that settings name for acceptors, as far as they exist here;
/// nullptr: none does. No network. Errors: as Backend::accounts(). Throws std::bad_alloc.
[[nodiscard]] Result<std::shared_ptr<const Accounts>> acceptor_accounts(const Settings& settings);

}  // namespace gssntlm
