#include "mech/backends/keyring/login_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>

#include <unistd.h>

#include "mech/backends/keyring/kernel_keys.h"
#include "mech/backends/keyring/keyring_error.h"
#include "mech/backends/keyring/own_ring.h"
#include "mech/base/text.h"
#include "mech/config/glob.h"
#include "mech/names/name.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

constexpr std::string_view kPrefix = "ntlm;";
constexpr std::size_t kMaxPattern = 255;

// What a key holds: version, three zeros, expiry, hash.
constexpr std::size_t kPayloadSize = 28;
constexpr std::uint8_t kPayloadVersion = 1;

// What says which keyrings this thread has.
struct Whose {
  key_serial_t session = 0;
  uid_t real = 0;
  uid_t effective = 0;
  std::uint32_t stores = 0;
  time_t second = -1;

  bool operator==(const Whose&) const = default;
};

std::atomic<std::uint32_t> g_stores{0};  // logins that this process has stored
thread_local Whose t_empty_handed;       // whose keyrings held no login when they were last read
thread_local int t_forbidden = 0;        // the errno of that, if there were no keyrings; else 0

Whose whose_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  (void)::getresuid(&real, &effective, &saved);  // fails for a bad address alone
  return {find_root(KeyringKind::kSession), real, effective,
          g_stores.load(std::memory_order_relaxed), t.tv_sec};
}

// The login that a key of this user describes. Another user may have linked in one of his.
std::optional<Login> describe_key(key_serial_t key) {
  const KeyFacts facts(key);
  std::string_view rest = facts.description();
  if (!facts.is_own("user") || !rest.starts_with(kPrefix)) {
    return std::nullopt;
  }
  rest.remove_prefix(kPrefix.size());
  const std::size_t semicolon = rest.find(';');
  const std::size_t slash = rest.find('\\', semicolon == std::string_view::npos ? 0 : semicolon);
  if (semicolon == std::string_view::npos || slash == std::string_view::npos) {
    return std::nullopt;
  }
  Login login;
  login.pattern = rest.substr(0, semicolon);
  login.domain = rest.substr(semicolon + 1, slash - semicolon - 1);
  login.user = rest.substr(slash + 1);
  login.key = key;
  return login;
}

std::string description_of(const Login& login) {
  return std::string(kPrefix).append(login.pattern).append(";").append(login.account());
}

std::uint64_t unix_time() noexcept {
  return static_cast<std::uint64_t>(::time(nullptr));
}

Status check_login(const Login& login) {
  const Result<Bytes> account = utf16le_from_utf8(login.account());
  if (login.user.empty() || !account || !is_clean_name(*account) ||
      login.domain.find('\\') != std::string::npos || !is_usable_pattern(login.pattern) ||
      description_of(login).size() > kMaxDescription) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  return {};
}

// Adds the key; false with errno. If another login created a ring meanwhile, that one
// hides ours, and the key is added again.
bool add_login(KeyringKind kind, key_serial_t root, const std::string& description,
               ByteView payload, std::uint64_t lifetime) noexcept {
  const Keyutils& k = keyutils();
  constexpr int kTries = 4;
  for (int i = 0; i < kTries; ++i) {
    const key_serial_t ring = make_own_ring(kind, root);
    const key_serial_t key =
        ring == -1 ? -1
                   : k.add_key("user", description.c_str(), payload.data(), payload.size(), ring);
    if (key == -1) {
      return false;
    }
    if (k.setperm(key, kOwnerAlone) != 0 ||
        k.set_timeout(key, static_cast<unsigned>(lifetime)) != 0) {
      const int error = errno;
      k.revoke(key);
      errno = error;
      return false;
    }
    if (find_own_ring(kind, root) == ring) {
      return true;
    }
  }
  errno = EAGAIN;
  return false;
}

bool agrees(std::string_view wanted, std::string_view has) {
  const Result<Bytes> a = utf16le_from_utf8(wanted);
  const Result<Bytes> b = utf16le_from_utf8(has);
  return wanted.empty() || (a && b && equal_ignoring_case(*a, *b));
}

bool is_account(const Login& login, std::string_view user, std::string_view domain) {
  return agrees(user, login.user) &&
         (domain.empty() || login.domain.empty() || agrees(domain, login.domain));
}

// The same account, in the other of the two forms of a UPN.
bool is_other_form(const Login& login, const LoginQuery& query) {
  if (!query.domain.empty()) {
    return login.domain.empty() && agrees(query.user + "@" + query.domain, login.user);
  }
  const std::string_view user = query.user;
  const std::size_t at = user.rfind('@');
  return at != std::string_view::npos && at != 0 && at + 1 != user.size() &&
         is_account(login, user.substr(0, at), user.substr(at + 1));
}

bool answers(const Login& login, const LoginQuery& query, bool other_form) {
  const bool account =
      other_form ? is_other_form(login, query) : is_account(login, query.user, query.domain);
  return account && (query.target.empty() || matches_target(login.pattern, query.target));
}

}  // namespace

std::string_view keyring_name(KeyringKind kind) noexcept {
  return kind == KeyringKind::kSession ? "session"
         : kind == KeyringKind::kUser  ? "user"
                                       : "persistent";
}

std::optional<KeyringKind> keyring_kind(std::string_view name) noexcept {
  for (const KeyringKind kind :
       {KeyringKind::kSession, KeyringKind::kUser, KeyringKind::kPersistent}) {
    if (keyring_name(kind) == name) {
      return kind;
    }
  }
  return std::nullopt;
}

bool is_usable_pattern(std::string_view pattern) {
  const Result<Bytes> wide = utf16le_from_utf8(pattern);
  return !pattern.empty() && pattern.size() <= kMaxPattern &&
         pattern.find(';') == std::string_view::npos && wide && is_clean_name(*wide);
}

Result<std::vector<Login>> list_logins(const std::vector<KeyringKind>& kinds) {
  std::vector<Login> logins;
  std::size_t missing = 0;
  int first_error = 0;
  for (const KeyringKind kind : kinds) {
    const key_serial_t root = find_root(kind);
    if (root == -1) {
      first_error = missing == 0 ? errno : first_error;
      if (++missing == kinds.size()) {
        return keyring_error(kinds.front(), first_error);
      }
      continue;
    }
    const key_serial_t ring = find_own_ring(kind, root);
    if (ring == -1) {
      continue;
    }
    for (const key_serial_t key : read_ring(ring)) {
      if (std::optional<Login> login = describe_key(key)) {
        login->keyring = kind;
        logins.push_back(std::move(*login));
      }
    }
  }
  return logins;
}

std::size_t expired_logins(const std::vector<KeyringKind>& kinds) {
  std::size_t count = 0;
  for (const KeyringKind kind : kinds) {
    const key_serial_t root = find_root(kind);
    const key_serial_t ring = root == -1 ? -1 : find_own_ring(kind, root);
    if (ring == -1) {
      continue;
    }
    for (const key_serial_t key : read_ring(ring)) {
      const bool gone = keyutils().describe(key, nullptr, 0) < 0 && errno == EKEYEXPIRED;
      count += gone ? 1 : 0;
    }
  }
  return count;
}

Result<LoginSecret> read_login(const Login& login) {
  std::array<std::uint8_t, kPayloadSize + 1> bytes{};
  const long size =
      keyutils().usable
          ? keyutils().read(login.key, reinterpret_cast<char*>(bytes.data()), bytes.size())
          : -1;
  const int error = keyutils().usable ? errno : ENOSYS;
  LoginSecret secret;
  secret.expires = load_le64(&bytes[4]);
  const bool good = size == static_cast<long>(kPayloadSize) && bytes[0] == kPayloadVersion;
  const bool expired =
      good ? secret.expires != 0 && secret.expires <= unix_time() : error == EKEYEXPIRED;
  if (good && !expired) {
    secret.hash = NtHash(std::span<const std::uint8_t, 16>(&bytes[12], NtHash::kSize));
  }
  wipe(bytes);
  const std::string who = printable_account(login.user, login.domain);
  if (expired) {
    return error_with_detail(Major::kNoCred, Minor::kExpired,
                             "the login of " + who + " has expired; run gss-ntlm login");
  }
  if (size >= 0 && !good) {
    return keyring_error("the key of " + who + " was not written by this version; log in again");
  }
  if (!good) {
    return keyring_error(login.keyring, error);
  }
  return secret;
}

Status store_login(const Login& login, const NtHash& hash, std::uint64_t lifetime) {
  if (Status s = check_login(login); !s) {
    return s;
  }
  const key_serial_t root = find_root(login.keyring);
  if (root == -1) {
    return keyring_error(login.keyring, errno);
  }
  std::optional<Possession> possession;
  if (login.keyring == KeyringKind::kUser) {
    possession.emplace(root);
  }
  lifetime = std::min<std::uint64_t>(lifetime, 0x7FFFFFFF);
  std::array<std::uint8_t, kPayloadSize> payload{};
  payload[0] = kPayloadVersion;
  store_le64(&payload[4], lifetime == 0 ? 0 : unix_time() + lifetime);
  std::copy(hash.view().begin(), hash.view().end(), &payload[12]);
  const bool added = add_login(login.keyring, root, description_of(login), payload, lifetime);
  const int error = errno;
  g_stores.fetch_add(1, std::memory_order_relaxed);
  wipe(payload);
  return added ? Status() : Status(keyring_error(login.keyring, error));
}

Status remove_login(const Login& login) {
  const key_serial_t root = find_root(login.keyring);
  const key_serial_t ring = root == -1 ? -1 : find_own_ring(login.keyring, root);
  if (ring == -1) {
    return keyring_error(login.keyring, errno);
  }
  // Revoked first: its memory is freed although another keyring may still link to it.
  keyutils().revoke(login.key);
  if (keyutils().unlink(login.key, ring) != 0 && errno != ENOENT) {
    return keyring_error(login.keyring, errno);
  }
  return {};
}

namespace {

// Another source may have the account that the keyring does not give.
Error no_login_because(Error error) noexcept {
  return {Major::kNoCred, error.minor};
}

struct Emptiness {
  bool none_at_all = false;  // no login for whatever query
  int error = 0;             // the errno of that, if the process has none of the keyrings
};

// The one of `kinds` that answers best.
std::optional<Login> best_login(const LoginQuery& query, const std::vector<KeyringKind>& kinds,
                                Emptiness& empty) {
  std::optional<Login> best;
  Result<std::vector<Login>> logins = list_logins(kinds);
  empty.none_at_all = !logins || logins->empty();
  empty.error = logins || find_root(kinds.front()) != -1 ? 0 : errno;
  if (!logins) {
    forget_detail();
    return best;
  }
  const auto weight = [&](const Login& login) {
    // With an unknown target the one for any target, else whichever comes first.
    return query.target.empty() ? (login.pattern == "*" ? std::size_t{1} : std::size_t{0})
                                : pattern_weight(login.pattern);
  };
  for (const bool other_form : {false, true}) {
    for (Login& login : *logins) {
      if (answers(login, query, other_form) && (!best || weight(login) > weight(*best))) {
        best = std::move(login);
      }
    }
    if (best) {
      break;
    }
  }
  return best;
}

}  // namespace

Error no_logins() noexcept {
  constexpr Error kNone{Major::kNoCred, Minor::kNoInitiatorCred};
  const std::string_view why = t_forbidden != 0 ? why_no_keyrings(t_forbidden) : std::string_view();
  return why.empty() ? kNone : error_with_detail(kNone.major, kNone.minor, why);
}

bool have_no_logins() noexcept {
  return t_empty_handed == whose_now();
}

namespace {

Result<std::optional<Login>> find_login_in(KeyringKind keyring, const LoginQuery& query) {
  Emptiness empty;
  std::optional<Login> login = best_login(query, {keyring}, empty);
  if (login) {
    return login;
  }
  if (const std::optional<Error> dead = dead_keyring(keyring)) {
    return *dead;
  }
  const Result<std::vector<Login>> logins = list_logins({keyring});
  return logins ? Result<std::optional<Login>>(std::nullopt) : no_login_because(logins.error());
}

}  // namespace

std::optional<Error> dead_keyring(std::optional<KeyringKind> keyring) {
  for (const KeyringKind kind :
       {KeyringKind::kSession, KeyringKind::kUser, KeyringKind::kPersistent}) {
    if (keyring && kind != *keyring) {
      continue;
    }
    const key_serial_t root = find_root(kind);
    if ((root == -1 || find_own_ring(kind, root) == -1) && is_dead(errno)) {
      return no_login_because(keyring_error(kind, errno));
    }
  }
  return std::nullopt;
}

Result<std::optional<Login>> find_login(const LoginQuery& query) {
  if (query.keyring) {
    return find_login_in(*query.keyring, query);
  }
  const Whose now = whose_now();
  if (t_empty_handed == now) {
    return std::optional<Login>();
  }
  Emptiness empty;
  Emptiness persistent;
  std::optional<Login> login =
      best_login(query, {KeyringKind::kSession, KeyringKind::kUser}, empty);
  if (!login) {
    login = best_login(query, {KeyringKind::kPersistent}, persistent);
  }
  if (login) {
    return login;
  }
  if (const std::optional<Error> dead = dead_keyring(std::nullopt)) {
    return *dead;
  }
  t_forbidden = persistent.error != 0 ? empty.error : 0;
  if (empty.none_at_all && persistent.none_at_all) {
    t_empty_handed = now;
  }
  return login;
}

}  // namespace gssntlm
