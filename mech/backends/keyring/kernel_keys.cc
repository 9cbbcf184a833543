#include "mech/backends/keyring/kernel_keys.h"

#include "mech/os/library.h"

namespace gssntlm {
namespace {

Keyutils open_keyutils() noexcept {
  Keyutils k;
  const Library library("libkeyutils.so.1");
  k.usable =
      library.take("add_key", k.add_key) &&
      library.take("keyctl_get_keyring_ID", k.get_keyring_id) &&
      library.take("keyctl_get_persistent", k.get_persistent) &&
      library.take("keyctl_search", k.search) && library.take("keyctl_read", k.read) &&
      library.take("keyctl_describe", k.describe) && library.take("keyctl_setperm", k.setperm) &&
      library.take("keyctl_set_timeout", k.set_timeout) && library.take("keyctl_link", k.link) &&
      library.take("keyctl_unlink", k.unlink) && library.take("keyctl_revoke", k.revoke);
  if (k.usable) {
    static_cast<void>(library.take("keyctl_move", k.move));
  }
  return k;
}

}  // namespace

const Keyutils& keyutils() noexcept {
  static const Keyutils instance = open_keyutils();
  return instance;
}

}  // namespace gssntlm
