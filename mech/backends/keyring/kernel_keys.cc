#include "mech/backends/keyring/kernel_keys.h"

#include <dlfcn.h>

namespace gssntlm {
namespace {

template <typename Function>
bool take(void* library, const char* name, Function& to) noexcept {
  to = reinterpret_cast<Function>(::dlsym(library, name));
  return to != nullptr;
}

Keyutils open_keyutils() noexcept {
  Keyutils k;
  void* library = ::dlopen("libkeyutils.so.1", RTLD_NOW | RTLD_LOCAL);
  k.usable =
      library != nullptr && take(library, "add_key", k.add_key) &&
      take(library, "keyctl_get_keyring_ID", k.get_keyring_id) &&
      take(library, "keyctl_get_persistent", k.get_persistent) &&
      take(library, "keyctl_search", k.search) && take(library, "keyctl_read", k.read) &&
      take(library, "keyctl_describe", k.describe) && take(library, "keyctl_setperm", k.setperm) &&
      take(library, "keyctl_set_timeout", k.set_timeout) && take(library, "keyctl_link", k.link) &&
      take(library, "keyctl_unlink", k.unlink) && take(library, "keyctl_revoke", k.revoke);
  if (k.usable) {
    static_cast<void>(take(library, "keyctl_move", k.move));
  }
  return k;
}

}  // namespace

const Keyutils& keyutils() noexcept {
  static const Keyutils instance = open_keyutils();
  return instance;
}

}  // namespace gssntlm
