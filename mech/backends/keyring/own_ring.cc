#include "mech/backends/keyring/own_ring.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <unistd.h>

#include "mech/backends/keyring/kernel_keys.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr std::string_view kRingPrefix = "gss-ntlm.";

// Our ring below `root`; -1 with errno ENOKEY when there is none, EKEYREJECTED when another user
// has put one of its name there.
key_serial_t find_ring(key_serial_t root) noexcept {
  const auto ring =
      static_cast<key_serial_t>(keyutils().search(root, "keyring", RingName().text(), 0));
  if (ring != -1 && !KeyFacts(ring).is_own("keyring")) {
    errno = EKEYREJECTED;
    return -1;
  }
  return ring;
}

// A new ring below `root` where there is none; -1 with errno EEXIST where another login has just
// made one. Others cannot search it from the moment that they can find it. Kernels before 5.3
// cannot tell that there is one, and let the new one displace the other.
key_serial_t add_ring(key_serial_t root) noexcept {
  const Keyutils& k = keyutils();
  const key_serial_t ring =
      k.add_key("keyring", RingName().text(), nullptr, 0, KEY_SPEC_THREAD_KEYRING);
  if (ring == -1) {
    return -1;
  }
  bool linked = k.setperm(ring, kOwnerAlone) == 0;
  if (linked && k.move != nullptr) {
    if (k.move(ring, KEY_SPEC_THREAD_KEYRING, root, KEYCTL_MOVE_EXCL) == 0) {
      return ring;
    }
    linked = errno == EOPNOTSUPP;
  }
  linked = linked && k.link(ring, root) == 0;
  const int error = errno;
  k.unlink(ring, KEY_SPEC_THREAD_KEYRING);
  errno = error;
  return linked ? ring : -1;
}

}  // namespace

RingName::RingName() noexcept {
  std::copy(kRingPrefix.begin(), kRingPrefix.end(), text_.begin());
  std::to_chars(text_.data() + kRingPrefix.size(), text_.data() + text_.size() - 1, ::geteuid());
}

// type;uid;gid;perm;description
KeyFacts::KeyFacts(key_serial_t key) noexcept {
  const long size = keyutils().describe(key, text_.data(), text_.size());
  if (size <= 0 || static_cast<std::size_t>(size) > text_.size()) {
    return;
  }
  std::string_view rest(text_.data(), static_cast<std::size_t>(size) - 1);
  for (std::string_view& field : fields_) {
    const std::size_t semicolon = rest.find(';');
    if (semicolon == std::string_view::npos) {
      return;
    }
    field = rest.substr(0, semicolon);
    rest.remove_prefix(semicolon + 1);
  }
  description_ = rest;
}

bool KeyFacts::is_own(std::string_view type) const noexcept {
  uid_t uid = 0;
  const std::string_view text = fields_[1];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
  return fields_[0] == type && error == std::errc() && end == text.data() + text.size() &&
         gssntlm::is_own(uid);
}

Possession::Possession(key_serial_t keyring) noexcept
    : keyring_(keyring), linked_(keyutils().link(keyring, KEY_SPEC_THREAD_KEYRING) == 0) {}

Possession::~Possession() {
  if (linked_) {
    keyutils().unlink(keyring_, KEY_SPEC_THREAD_KEYRING);
  }
}

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

key_serial_t make_own_ring(KeyringKind kind, key_serial_t root) noexcept {
  key_serial_t ring = find_own_ring(kind, root);
  if (ring == -1 && errno == ENOKEY) {
    ring = add_ring(root);
    if (ring == -1 && errno == EEXIST) {
      ring = find_own_ring(kind, root);
    }
  }
  return ring;
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

}  // namespace gssntlm
