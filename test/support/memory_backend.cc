#include "test/support/memory_backend.h"

#include "mech/config/settings.h"
#include "mech/names/name.h"
#include "mech/os/error_detail.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using test::Account;
using test::memory;
using test::MemoryLogin;
using test::wide;

class SilentAgent : public LogonAgent {
 public:
  [[nodiscard]] Result<AgentAnswer> answer(ByteView, ByteView, const Runtime&) const override {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
};

bool is_called(ByteView asked, const std::string& name) {
  return asked.empty() || equal_ignoring_case(asked, wide(name));
}

class MemoryAccounts final : public Accounts {
 public:
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override {
    Verdict verdict = Verdict::kRefused;
    return logon(request, policy, env, verdict);
  }
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env, Verdict& verdict) const override {
    if (!memory().reachable) {
      verdict = Verdict::kUnreachable;
      return failure(Minor::kDomain);
    }
    for (const Account& account : memory().accounts) {
      if (equal_ignoring_case(request.user, wide(account.user)) &&
          (account.domain.empty() || equal_ignoring_case(request.domain, wide(account.domain)))) {
        verdict = Verdict::kRefused;
        return test::OneAccount(account).logon(request, policy, env);
      }
    }
    verdict = Verdict::kUnknown;
    return failure(Minor::kLogonFailure);
  }
  [[nodiscard]] std::optional<HostNames> host_names(const Settings& settings) const override {
    if (!memory().computer) {
      return std::nullopt;
    }
    HostNames names = settings.names;
    names.nb_computer = wide(*memory().computer);
    return names;
  }
};

class MemoryBackend final : public Backend {
 public:
  constexpr MemoryBackend() noexcept : Backend("memory", "the memory", 200, Roles::kBoth) {}

  [[nodiscard]] Result<FoundLogin> find_login(const LoginSearch& search,
                                              const Settings&) const override {
    if (!memory().here) {
      return FoundLogin{};
    }
    for (const MemoryLogin& login : memory().logins) {
      const bool fits =
          login.target == "*" || search.target.empty() || login.target == search.target;
      if (fits && (!search.place || login.place == *search.place) &&
          is_called(search.user, login.account.user) &&
          is_called(search.domain, login.account.domain)) {
        FoundLogin found;
        found.identity = identity_of(login);
        found.by_target = search.target.empty() && !login.secret_stays;
        return found;
      }
    }
    return error_with_detail(Major::kNoCred, Minor::kNoInitiatorCred,
                             "the memory has no such login");
  }

  [[nodiscard]] std::string login_origin(const LoginSearch&, const Settings&) const override {
    return std::string(title());
  }

  [[nodiscard]] Result<std::shared_ptr<const Accounts>> accounts(std::optional<std::string_view>,
                                                                 const Settings&) const override {
    return memory().here ? std::shared_ptr<const Accounts>(std::make_shared<MemoryAccounts>())
                         : std::shared_ptr<const Accounts>();
  }

  void save_place(std::string_view place, Serializer& out) const override { out.text(place); }
  [[nodiscard]] std::string load_place(Deserializer& in) const override {
    std::string place = in.text(8);
    if (!place.empty() && place != "left" && place != "right") {
      in.reject();
    }
    return place;
  }

  [[nodiscard]] std::optional<Result<HostUser>> local_user(const Name& account, IsOwnDomain,
                                                           const Settings&) const override {
    if (memory().host_user_error) {
      return Result<HostUser>(*memory().host_user_error);
    }
    const auto user = memory().host_users.find(account.user_part());
    return user != memory().host_users.end()
               ? std::optional<Result<HostUser>>(HostUser{user->second, 4242})
               : std::nullopt;
  }
  [[nodiscard]] bool makes_member() const override { return false; }

  [[nodiscard]] std::vector<Health> health(const Settings&) const override {
    return {{memory().health, "memory", "logins: " + std::to_string(memory().logins.size())}};
  }

 private:
  static Ref<const Identity> identity_of(const MemoryLogin& login) {
    Bytes user = wide(login.account.user);
    Bytes domain = wide(login.account.domain);
    return Ref<const Identity>::adopt(
        login.secret_stays
            ? new Identity(std::move(user), std::move(domain), std::make_shared<SilentAgent>())
            : new Identity(std::move(user), std::move(domain),
                           derive_nt_hash(wide(login.account.password)), std::nullopt));
  }
};

constexpr MemoryBackend kMemoryBackend;

}  // namespace

const Backend& memory_backend() noexcept {
  return kMemoryBackend;
}

}  // namespace gssntlm

namespace gssntlm::test {

Memory& memory() {
  static Memory memory;
  return memory;
}

}  // namespace gssntlm::test
