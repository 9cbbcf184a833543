// Which accounts an acceptor knows: a users file, the domain, or one after the other.
#pragma once

#include <memory>

#include "mech/backends/users/users_file.h"
#include "mech/backends/winbind/winbind_logon.h"
#include "mech/config/settings.h"

namespace gssntlm {

/// Sources in the order of settings. The users file decides about the accounts that are in it; what
/// it does not know, and what the domain does not know or cannot decide now, goes on to the next.
class AccountChain : public AccountSource {
 public:
  /// `file` may be nullptr, and lives as long as the process.
  AccountChain(std::vector<Backend> order, const UsersFile* file, std::chrono::seconds bound)
      : order_(std::move(order)), file_(file), winbind_(bound) {}

  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override;

 private:
  std::vector<Backend> order_;
  const UsersFile* file_;
  WinbindSource winbind_;
};

struct Accounts {
  std::shared_ptr<const AccountSource> source;  ///< nullptr: none
  bool of_domain = false;                       ///< winbind is among them
};

/// Whether settings name `backend` for acceptors.
[[nodiscard]] bool acceptor_asks(Backend backend, const Settings& settings) noexcept;

/// A source that lives as long as the process, or nullptr.
[[nodiscard]] inline std::shared_ptr<const AccountSource> unowned(
    const AccountSource* source) noexcept {
  return {std::shared_ptr<void>(), source};
}

/// `file`, if not nullptr, and the domain, as far as settings name it and there is a winbind here.
/// Without either there is no source. No network, no call of winbind. Throws std::bad_alloc.
[[nodiscard]] Accounts join_accounts(const UsersFile* file, const Settings& settings);

}  // namespace gssntlm
