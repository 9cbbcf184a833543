#include "mech/account/keyring.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

#include <unistd.h>

#include "mech/account/detail.h"
#include "mech/account/keyutils.h"
#include "mech/account/name.h"
#include "mech/account/pattern.h"
#include "mech/base/text.h"

namespace gssntlm {
namespace {

constexpr const char* kRing = "gss-ntlm";
constexpr std::string_view kPrefix = "ntlm;";
constexpr std::size_t kMaxPattern = 255;
constexpr std::size_t kMaxDescription = 4000;
constexpr key_perm_t kOwnerAlone = KEY_POS_ALL | KEY_USR_ALL;

// What a key holds: version, three zeros, expiry, hash.
constexpr std::size_t kPayloadSize = 28;
constexpr std::uint8_t kPayloadVersion = 1;

Error keyring_error(std::string_view what) {
  return explain(Major::kFailure, Minor::kKeyring, what);
}

Error keyring_error(KeyringKind kind, int error) {
  std::string text("the ");
  text.append(keyring_name(kind)).append(" keyring: ");
  if (!keyutils().usable) {
    text.append("libkeyutils.so.1 cannot be loaded; install it (Debian: libkeyutils1)");
  } else if (error == ENOSYS || error == EPERM || error == EOPNOTSUPP) {
    text.append(
        "this kernel or container does not let processes use keyrings; use a users file "
        "(NTLM_USER_FILE)");
  } else if (error == EDQUOT) {
    text.append("over quota; remove keys (gss-ntlm logout, keyctl) or raise kernel.keys.maxkeys");
  } else {
    text.append(std::strerror(error));
  }
  return keyring_error(text);
}

// The keyring itself; -1 with errno.
key_serial_t find_root(KeyringKind kind) noexcept {
  const Keyutils& k = keyutils();
  if (!k.usable) {
    errno = ENOSYS;
    return -1;
  }
  switch (kind) {
    case KeyringKind::kSession:
      // Not created: a keyring of this process alone would be gone when it ends. Without a session
      // keyring this is the user's default one.
      return k.get_keyring_id(KEY_SPEC_SESSION_KEYRING, 0);
    case KeyringKind::kUser:
      return k.get_keyring_id(KEY_SPEC_USER_KEYRING, 1);
    case KeyringKind::kPersistent:
      return static_cast<key_serial_t>(
          k.get_persistent(static_cast<uid_t>(-1), KEY_SPEC_PROCESS_KEYRING));
  }
  return -1;
}

// Our ring below `root`; -1 with errno ENOKEY when there is none.
key_serial_t find_ring(key_serial_t root) noexcept {
  return static_cast<key_serial_t>(keyutils().search(root, "keyring", kRing, 0));
}

// The user's keyring is usually linked into the session's, so that a search of the session may find
// the ring of the user.
key_serial_t find_own_ring(KeyringKind kind, key_serial_t root) noexcept {
  const key_serial_t ring = find_ring(root);
  if (ring == -1 || kind != KeyringKind::kSession) {
    return ring;
  }
  const key_serial_t user = find_root(KeyringKind::kUser);
  if (user != -1 && find_ring(user) == ring) {
    errno = ENOKEY;
    return -1;
  }
  return ring;
}

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

std::vector<key_serial_t> read_ring(key_serial_t ring) {
  std::vector<key_serial_t> keys(16);
  while (true) {
    const std::size_t room = keys.size() * sizeof(key_serial_t);
    const long size = keyutils().read(ring, reinterpret_cast<char*>(keys.data()), room);
    const std::size_t count = size < 0 ? 0 : static_cast<std::size_t>(size) / sizeof(key_serial_t);
    if (count <= keys.size()) {
      keys.resize(count);
      return keys;
    }
    keys.resize(count + 16);
  }
}

// type;uid;gid;perm;description: the last part of it, if the key is one of ours.
std::optional<Login> describe_key(key_serial_t key) {
  std::array<char, kMaxDescription + 96> text;
  const long size = keyutils().describe(key, text.data(), text.size());
  if (size <= 0 || static_cast<std::size_t>(size) > text.size()) {
    return std::nullopt;
  }
  std::string_view rest(text.data(), static_cast<std::size_t>(size) - 1);
  for (int field = 0; field < 4; ++field) {
    const std::size_t semicolon = rest.find(';');
    if (semicolon == std::string_view::npos) {
      return std::nullopt;
    }
    rest.remove_prefix(semicolon + 1);
  }
  if (!rest.starts_with(kPrefix)) {
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

// A new ring below `root` where there is none; -1 with errno EEXIST where another login has just
// made one. Kernels before 5.3 cannot tell, and let the new one displace the other.
key_serial_t add_ring(key_serial_t root) noexcept {
  const Keyutils& k = keyutils();
  const key_serial_t ring =
      k.move != nullptr ? k.add_key("keyring", kRing, nullptr, 0, KEY_SPEC_THREAD_KEYRING) : -1;
  if (ring != -1) {
    if (k.move(ring, KEY_SPEC_THREAD_KEYRING, root, KEYCTL_MOVE_EXCL) == 0) {
      return ring;
    }
    const int error = errno;
    k.unlink(ring, KEY_SPEC_THREAD_KEYRING);
    errno = error;
    if (error == EEXIST) {
      return -1;
    }
  }
  return k.add_key("keyring", kRing, nullptr, 0, root);
}

// The ring below `root`, made if need be; -1 with errno.
key_serial_t make_ring(KeyringKind kind, key_serial_t root) noexcept {
  key_serial_t ring = find_own_ring(kind, root);
  if (ring == -1 && errno == ENOKEY) {
    ring = add_ring(root);
    if (ring == -1 && errno == EEXIST) {
      ring = find_own_ring(kind, root);
    }
  }
  if (ring != -1) {
    keyutils().setperm(ring, kOwnerAlone);
  }
  return ring;
}

// A user's keyring need not be linked into the session's; new keys below it could then not be given
// their permissions. This thread possesses it while this lives.
class Possession {
 public:
  explicit Possession(key_serial_t keyring) noexcept : keyring_(keyring) {
    linked_ = keyutils().link(keyring, KEY_SPEC_THREAD_KEYRING) == 0;
  }
  Possession(const Possession&) = delete;
  Possession& operator=(const Possession&) = delete;
  ~Possession() {
    if (linked_) {
      keyutils().unlink(keyring_, KEY_SPEC_THREAD_KEYRING);
    }
  }

 private:
  key_serial_t keyring_;
  bool linked_;
};

// Adds the key; false with errno. The ring that another login made meanwhile would take ours out of
// sight: it is then added anew.
bool add_login(KeyringKind kind, key_serial_t root, const std::string& description,
               ByteView payload, std::uint64_t lifetime) noexcept {
  const Keyutils& k = keyutils();
  constexpr int kTries = 4;
  for (int i = 0; i < kTries; ++i) {
    const key_serial_t ring = make_ring(kind, root);
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

bool answers(const Login& login, const LoginQuery& query) {
  const bool domain =
      query.domain.empty() || login.domain.empty() || agrees(query.domain, login.domain);
  return agrees(query.user, login.user) && domain &&
         (query.target.empty() || matches_target(login.pattern, query.target));
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
  for (const KeyringKind kind : kinds) {
    const key_serial_t root = find_root(kind);
    if (root == -1) {
      if (++missing == kinds.size()) {
        return keyring_error(kind, errno);
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
    return explain(Major::kNoCred, Minor::kExpired,
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

// The one of `kinds` that answers best. `none_at_all`: they hold no login for whatever query.
std::optional<Login> best_login(const LoginQuery& query, const std::vector<KeyringKind>& kinds,
                                bool& none_at_all) {
  std::optional<Login> best;
  Result<std::vector<Login>> logins = list_logins(kinds);
  none_at_all = !logins || logins->empty();
  if (!logins) {
    forget_detail();
    return best;
  }
  const auto weight = [&](const Login& login) {
    // With an unknown target the one for any target, else whichever comes first.
    return query.target.empty() ? (login.pattern == "*" ? std::size_t{1} : std::size_t{0})
                                : pattern_weight(login.pattern);
  };
  for (Login& login : *logins) {
    if (answers(login, query) && (!best || weight(login) > weight(*best))) {
      best = std::move(login);
    }
  }
  return best;
}

}  // namespace

bool have_no_logins() noexcept {
  return t_empty_handed == whose_now();
}

std::optional<Login> find_login(const LoginQuery& query) {
  bool none = false;
  if (query.keyring) {
    return best_login(query, {*query.keyring}, none);
  }
  const Whose now = whose_now();
  if (t_empty_handed == now) {
    return std::nullopt;
  }
  bool none_persistent = false;
  std::optional<Login> login = best_login(query, {KeyringKind::kSession, KeyringKind::kUser}, none);
  if (!login) {
    login = best_login(query, {KeyringKind::kPersistent}, none_persistent);
  }
  if (none && none_persistent) {
    t_empty_handed = now;
  }
  return login;
}

}  // namespace gssntlm
