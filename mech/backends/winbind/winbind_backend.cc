// winbind, and the domain behind it, as an account source.
#include <algorithm>
#include <utility>

#include "mech/backends/backends.h"
#include "mech/backends/winbind/winbind_agent.h"
#include "mech/backends/winbind/winbind_check.h"
#include "mech/backends/winbind/winbind_logon.h"
#include "mech/backends/winbind/winbind_names.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/log/process_runtime.h"

namespace gssntlm {
namespace {

class WinbindBackend final : public Backend {
 public:
  constexpr WinbindBackend() noexcept : Backend("winbind", "winbind", 3, Roles::kBoth) {}

  [[nodiscard]] Result<FoundLogin> find_login(const LoginSearch& search,
                                              const Settings& settings) const override {
    if (!has_winbind()) {
      return FoundLogin{};
    }
    Result<Ref<const Identity>> identity = winbind_identity(search.user, search.domain, settings);
    if (!identity) {
      return identity.error();
    }
    trace_event(settings, "credentials: the password that winbind keeps");
    return FoundLogin{std::move(*identity)};
  }

  [[nodiscard]] std::string login_origin(const LoginSearch&, const Settings&) const override {
    return "the password that winbind keeps";
  }

  [[nodiscard]] Result<std::shared_ptr<const Accounts>> accounts(
      std::optional<std::string_view>, const Settings& settings) const override {
    if (!has_winbind()) {
      return std::shared_ptr<const Accounts>();
    }
    return std::shared_ptr<const Accounts>(
        std::make_shared<WinbindSource>(std::chrono::seconds(settings.winbind_timeout)));
  }

  // The password that winbind keeps does not depend on the target.
  void save_place(std::string_view, Serializer&) const override {}
  [[nodiscard]] std::string load_place(Deserializer& in) const override {
    in.reject();
    return {};
  }

  // Its are the account that a domain controller named, and one of a domain that is not this host's
  // own.
  [[nodiscard]] std::optional<Result<HostUser>> local_user(
      const Name& account, IsOwnDomain is_own_domain, const Settings& settings) const override {
    if (!is_named_by_domain(account) &&
        (!has_winbind() || is_own_domain(account.domain_part(), settings))) {
      return std::nullopt;
    }
    return domain_user_here(account, std::chrono::seconds(settings.winbind_timeout));
  }

  // A winbind that does not answer may be a member's.
  [[nodiscard]] bool makes_member() const override {
    if (!has_winbind()) {
      return false;
    }
    const Result<WinbindFacts> facts = winbind_facts();
    return !facts || facts->is_member();
  }

  [[nodiscard]] std::vector<Health> health(const Settings& settings) const override {
    const auto& order = settings.acceptor_accounts;
    if (std::find(order.begin(), order.end(), this) == order.end()) {
      return {{HealthState::kOk, "winbind", "is off in the settings"}};
    }
    const WinbindCheck winbind = check_winbind(settings);
    if (!winbind.installed || !winbind.answers) {
      return {{HealthState::kOk, "winbind", "is not running: there are no domain accounts"}};
    }
    const std::string who = printable_utf8(winbind.facts.netbios_name) + " of domain " +
                            printable_utf8(winbind.facts.netbios_domain);
    return {{winbind.good() ? HealthState::kOk : HealthState::kNote, "winbind",
             who + (winbind.good() ? "; its domain controller answers" : "; " + winbind.problem)}};
  }
};

constexpr WinbindBackend kWinbindBackend;

}  // namespace

const Backend& winbind_backend() noexcept {
  return kWinbindBackend;
}

}  // namespace gssntlm
