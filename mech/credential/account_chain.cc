#include "mech/credential/account_chain.h"

#include <algorithm>
#include <optional>

#include "mech/backends/winbind/winbind_names.h"

namespace gssntlm {
Result<Logon> AccountChain::logon(const LogonRequest& request, const Policy& policy,
                                  const Runtime& env) const {
  std::optional<Error> undecided;
  for (const Backend backend : order_) {
    if (backend == Backend::kUsersFile && file_ != nullptr &&
        file_->decides(request.user, request.domain)) {
      return file_->logon(request, policy, env);
    }
    if (backend == Backend::kWinbind) {
      Verdict verdict = Verdict::kRefused;
      Result<Logon> logon = winbind_.logon(request, policy, env, verdict);
      if (logon || verdict == Verdict::kRefused) {
        return logon;
      }
      if (verdict == Verdict::kUnreachable) {
        undecided = logon.error();
      }
    }
  }
  return undecided.value_or(failure(Minor::kLogonFailure));
}

bool acceptor_asks(Backend backend, const Settings& settings) noexcept {
  const std::vector<Backend>& order = settings.acceptor_accounts;
  return std::find(order.begin(), order.end(), backend) != order.end();
}

Accounts join_accounts(const UsersFile* file, const Settings& settings) {
  if (acceptor_asks(Backend::kWinbind, settings) && has_winbind()) {
    const std::chrono::seconds bound(settings.winbind_timeout);
    return {std::make_shared<AccountChain>(settings.acceptor_accounts, file, bound), true};
  }
  return {unowned(file), false};
}

}  // namespace gssntlm
