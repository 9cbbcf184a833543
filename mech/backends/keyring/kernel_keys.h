// libkeyutils, opened when first needed: loading the module must cost nothing, and machines without
// it lose the keyring alone.
#pragma once

#include <keyutils.h>

namespace gssntlm {

/// Its functions; all but `move` are there if it is usable.
struct Keyutils {
  decltype(&::add_key) add_key = nullptr;
  decltype(&::keyctl_get_keyring_ID) get_keyring_id = nullptr;
  decltype(&::keyctl_get_persistent) get_persistent = nullptr;
  decltype(&::keyctl_search) search = nullptr;
  decltype(&::keyctl_read) read = nullptr;
  decltype(&::keyctl_describe) describe = nullptr;
  decltype(&::keyctl_setperm) setperm = nullptr;
  decltype(&::keyctl_set_timeout) set_timeout = nullptr;
  decltype(&::keyctl_link) link = nullptr;
  decltype(&::keyctl_unlink) unlink = nullptr;
  decltype(&::keyctl_revoke) revoke = nullptr;
  decltype(&::keyctl_move) move = nullptr;  ///< not in libraries before 1.6.1
  bool usable = false;
};

/// The library. Opens it when called for the first time.
[[nodiscard]] const Keyutils& keyutils() noexcept;

}  // namespace gssntlm
