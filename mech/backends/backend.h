// The interface of an account source: where initiators find logins, and acceptors verify them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mech/base/archive.h"
#include "mech/os/host_user.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/logon.h"

namespace gssntlm {

struct Settings;
class Name;

/// What an initiator looks for.
struct LoginSearch {
  ByteView user;            ///< UTF-16LE; empty: any
  ByteView domain;          ///< UTF-16LE; empty: any
  std::string_view target;  ///< an SPN, UTF-8; empty: not known yet
  /// Which of the source's stores the caller chose, in the source's own words (a path, a keyring);
  /// nullopt: what settings say.
  std::optional<std::string_view> place;
  /// The place that the caller named for accepting: its accounts are those of others, so none is
  /// found that `user` does not name.
  std::optional<std::string_view> accepting = std::nullopt;
};

/// A login. Without an identity the source does not exist here, which is no error.
struct FoundLogin {
  Ref<const Identity> identity;
  std::uint64_t expires = 0;  ///< Unix time; 0: never
  bool by_target = false;     ///< the target was not known, and can lead to another login
};

/// What the outcome of a logon means for the sources that are asked next.
enum class Verdict {
  kRefused,      ///< decided: this account, with this response, now
  kUnknown,      ///< the source has no such account or domain; another one may
  kUnreachable,  ///< nothing was decided; trying again may help
};

/// The accounts of a source, or of several. Shared by threads.
class Accounts : public AccountSource {
 public:
  using AccountSource::logon;
  /// As logon() of the only source, but it leaves unknown accounts to the next one: `verdict` says
  /// what an error means. It is not changed by a logon that succeeds. Throws std::bad_alloc.
  [[nodiscard]] virtual Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                            const Runtime& env, Verdict& verdict) const = 0;
  /// This host's names in a CHALLENGE; nullopt: settings' own are all there are. Throws
  /// std::bad_alloc.
  [[nodiscard]] virtual std::optional<HostNames> host_names(const Settings& settings) const = 0;
};

/// Whether a domain (UTF-8) is this host's own, so that its accounts are those of the system.
/// Throws std::bad_alloc.
using IsOwnDomain = bool (*)(const std::string& domain, const Settings& settings);

enum class HealthState {
  kOk,
  kNote,   ///< it works, but something about it is worth knowing
  kWrong,  ///< it must be repaired
};

/// One line of `gss-ntlm doctor`.
struct Health {
  HealthState state = HealthState::kOk;
  std::string name;
  std::string text;  ///< what there is; of what is wrong also what to do. Names in it are escaped.
};

/// An account source. It is stateless, lives as long as the process, and knows no other source. A
/// new one is a directory of its own and a line of backends.inc.
class Backend {
 public:
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  /// What settings call it.
  [[nodiscard]] std::string_view word() const noexcept { return word_; }
  /// What a person calls it.
  [[nodiscard]] std::string_view title() const noexcept { return title_; }
  /// What stands for it in exported credentials: not 0, its own, and never given to another one.
  [[nodiscard]] std::uint8_t tag() const noexcept { return tag_; }
  /// Whether settings may name it for initiators, and for acceptors.
  [[nodiscard]] bool has_logins() const noexcept { return roles_ != Roles::kAccounts; }
  [[nodiscard]] bool has_accounts() const noexcept { return roles_ != Roles::kLogins; }

  /// The login that describes the search most closely; the trace says that it was found. No
  /// network. Errors: NO_CRED kNoInitiatorCred, kExpired; NO_CRED or FAILURE of the source, with
  /// the reason in the detail. Throws std::bad_alloc.
  [[nodiscard]] virtual Result<FoundLogin> find_login(const LoginSearch& search,
                                                      const Settings& settings) const = 0;
  /// Where find_login() found it, for a person. Throws std::bad_alloc.
  [[nodiscard]] virtual std::string login_origin(const LoginSearch& search,
                                                 const Settings& settings) const = 0;

  /// The accounts that it verifies; `place` as in LoginSearch. nullptr: there are none here, which
  /// is no error. No network. Errors: NO_CRED of the source. Throws std::bad_alloc.
  [[nodiscard]] virtual Result<std::shared_ptr<const Accounts>> accounts(
      std::optional<std::string_view> place, const Settings& settings) const = 0;

  /// Exports and imports the `place` of a login that was found by_target; empty: none was chosen.
  /// What save_place() cannot have written is rejected. Throw std::bad_alloc.
  virtual void save_place(std::string_view place, Serializer& out) const = 0;
  [[nodiscard]] virtual std::string load_place(Deserializer& in) const = 0;

  /// The user of this host that a proven account is; nullopt: not this source's to say. Errors:
  /// UNAUTHORIZED when it is none, with the reason in the detail; FAILURE kDomain. Throws
  /// std::bad_alloc.
  [[nodiscard]] virtual std::optional<Result<HostUser>> local_user(
      const Name& account, IsOwnDomain is_own_domain, const Settings& settings) const = 0;
  /// Whether it makes this host a member of a domain, or may do so. Throws std::bad_alloc.
  [[nodiscard]] virtual bool makes_member() const = 0;

  /// Whether it works here, in one line or several. May wait twice the settings' time for it.
  /// Throws std::bad_alloc.
  [[nodiscard]] virtual std::vector<Health> health(const Settings& settings) const = 0;

 protected:
  enum class Roles { kLogins, kAccounts, kBoth };

  constexpr Backend(std::string_view word, std::string_view title, std::uint8_t tag,
                    Roles roles) noexcept
      : word_(word), title_(title), tag_(tag), roles_(roles) {}
  ~Backend() = default;

 private:
  std::string_view word_;
  std::string_view title_;
  std::uint8_t tag_;
  Roles roles_;
};

}  // namespace gssntlm
