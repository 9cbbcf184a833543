// The kernel keyring as an account source.
#include <utility>

#include "mech/backends/backends.h"
#include "mech/backends/keyring/login_store.h"
#include "mech/base/scrub.h"
#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "mech/log/process_runtime.h"
#include "mech/names/name.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

std::string login_text(const Login& login) {
  return printable_account(login.user, login.domain) + " from the " +
         std::string(keyring_name(login.keyring)) + " keyring, kept for " +
         printable_utf8(login.pattern);
}

std::string utf8_or_nothing(ByteView wide) {
  Result<std::string> text = utf8_from_utf16le(wide);
  return text ? std::move(*text) : std::string();
}

// A login that answers to the name of a UPN, and was stored in its other form, travels whole.
Result<FoundLogin> identity_of_login(const Login& login, const LoginSearch& search) {
  Result<LoginSecret> secret = read_login(login);
  if (!secret) {
    return secret.error();
  }
  Result<Bytes> user = utf16le_from_utf8(login.user);
  Result<Bytes> domain = utf16le_from_utf8(login.domain);
  if (!user || !domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  if (search.domain.empty() && !search.user.empty() && !equal_ignoring_case(*user, search.user)) {
    user->assign(search.user.begin(), search.user.end());
    domain->clear();
  }
  FoundLogin found;
  found.identity = Ref<const Identity>::adopt(
      new Identity(std::move(*user), std::move(*domain), std::move(secret->hash), std::nullopt));
  found.expires = secret->expires;
  return found;
}

LoginQuery query_for(const LoginSearch& search) {
  LoginQuery query;
  query.keyring = keyring_kind(search.place.value_or(std::string_view()));
  query.user = utf8_or_nothing(search.user);
  query.domain = utf8_or_nothing(search.domain);
  query.target = search.target;
  return query;
}

class KeyringBackend final : public Backend {
 public:
  constexpr KeyringBackend() noexcept
      : Backend("keyring", "the kernel keyring", 1, Roles::kLogins) {}

  [[nodiscard]] Result<FoundLogin> find_login(const LoginSearch& search,
                                              const Settings& settings) const override {
    if (!search.place && search.target.empty() && have_no_logins()) {
      return no_logins();
    }
    const Result<std::optional<Login>> answer = gssntlm::find_login(query_for(search));
    if (!answer) {
      return answer.error();
    }
    const std::optional<Login>& login = *answer;
    if (!login && !search.target.empty()) {
      return error_with_detail(Major::kNoCred, Minor::kNoInitiatorCred,
                               "no login is kept for " + printable_utf8(search.target) +
                                   "; gss-ntlm list shows those there are");
    }
    if (!login) {
      return search.place ? Error{Major::kNoCred, Minor::kNoInitiatorCred} : no_logins();
    }
    Result<FoundLogin> found =
        clearing_deep_stack([&] { return identity_of_login(*login, search); });
    if (found && is_tracing(settings)) {
      trace_event(settings, "credentials: " + login_text(*login));
    }
    if (found) {
      found->by_target = search.target.empty();
    }
    return found;
  }

  [[nodiscard]] std::string login_origin(const LoginSearch& search,
                                         const Settings&) const override {
    const Result<std::optional<Login>> login = gssntlm::find_login(query_for(search));
    return login && *login ? "the " + std::string(keyring_name((*login)->keyring)) +
                                 " keyring, made for " + printable_utf8((*login)->pattern)
                           : std::string(title());
  }

  [[nodiscard]] Result<std::shared_ptr<const Accounts>> accounts(std::optional<std::string_view>,
                                                                 const Settings&) const override {
    return std::shared_ptr<const Accounts>();
  }

  void save_place(std::string_view place, Serializer& out) const override {
    const std::optional<KeyringKind> keyring = keyring_kind(place);
    out.flag(keyring.has_value());
    out.u8(static_cast<std::uint8_t>(keyring.value_or(KeyringKind::kSession)));
  }
  [[nodiscard]] std::string load_place(Deserializer& in) const override {
    const bool chosen = in.flag();
    const std::uint8_t keyring = in.u8();
    if (keyring > static_cast<std::uint8_t>(KeyringKind::kPersistent)) {
      in.reject();
    } else if (chosen) {
      return std::string(keyring_name(static_cast<KeyringKind>(keyring)));
    } else if (keyring != static_cast<std::uint8_t>(KeyringKind::kSession)) {
      in.reject();
    }
    return {};
  }

  [[nodiscard]] std::optional<Result<HostUser>> local_user(const Name&, IsOwnDomain,
                                                           const Settings&) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool makes_member() const override { return false; }

  [[nodiscard]] std::vector<Health> health(const Settings&) const override {
    if (const std::optional<Error> dead = dead_keyring(std::nullopt)) {
      return {{HealthState::kWrong, "keyring", error_text(*dead)}};
    }
    const Result<std::vector<Login>> logins =
        list_logins({KeyringKind::kSession, KeyringKind::kUser, KeyringKind::kPersistent});
    if (!logins) {
      return {{HealthState::kNote, "keyring", error_text(logins.error())}};
    }
    return {{HealthState::kOk, "keyring", "logins: " + std::to_string(logins->size())}};
  }
};

constexpr KeyringBackend kKeyringBackend;

}  // namespace

const Backend& keyring_backend() noexcept {
  return kKeyringBackend;
}

}  // namespace gssntlm
