#include "mech/credential/account_chain.h"

#include <optional>
#include <utility>

#include "mech/config/settings.h"

namespace gssntlm {

Result<Logon> AccountChain::logon(const LogonRequest& request, const Policy& policy,
                                  const Runtime& env) const {
  Verdict verdict = Verdict::kRefused;
  return logon(request, policy, env, verdict);
}

Result<Logon> AccountChain::logon(const LogonRequest& request, const Policy& policy,
                                  const Runtime& env, Verdict& verdict) const {
  std::optional<Error> undecided;
  for (const auto& source : sources_) {
    verdict = Verdict::kRefused;
    Result<Logon> logon = source->logon(request, policy, env, verdict);
    if (logon || verdict == Verdict::kRefused) {
      return logon;
    }
    if (verdict == Verdict::kUnreachable) {
      undecided = logon.error();
    }
  }
  verdict = undecided ? Verdict::kUnreachable : Verdict::kUnknown;
  return undecided.value_or(failure(Minor::kLogonFailure));
}

std::optional<HostNames> AccountChain::host_names(const Settings& settings) const {
  for (const auto& source : sources_) {
    if (std::optional<HostNames> names = source->host_names(settings)) {
      return names;
    }
  }
  return std::nullopt;
}

// A single source answers by itself: it treats unknown accounts as it treats wrong passwords.
Result<std::shared_ptr<const Accounts>> acceptor_accounts(const Settings& settings) {
  std::shared_ptr<const Accounts> first;
  std::vector<std::shared_ptr<const Accounts>> all;
  for (const Backend* backend : settings.acceptor_accounts) {
    Result<std::shared_ptr<const Accounts>> accounts = backend->accounts(std::nullopt, settings);
    if (!accounts) {
      return accounts.error();
    }
    if (*accounts == nullptr) {
      continue;
    }
    if (first == nullptr) {
      first = std::move(*accounts);
      continue;
    }
    if (all.empty()) {
      all.push_back(first);
    }
    all.push_back(std::move(*accounts));
  }
  if (all.empty()) {
    return first;
  }
  return std::shared_ptr<const Accounts>(std::make_shared<AccountChain>(std::move(all)));
}

}  // namespace gssntlm
