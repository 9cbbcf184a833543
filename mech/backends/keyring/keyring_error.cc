#include "mech/backends/keyring/keyring_error.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <unistd.h>

#include "mech/backends/keyring/kernel_keys.h"
#include "mech/backends/keyring/own_ring.h"
#include "mech/os/error_detail.h"
#include "mech/os/owner.h"

namespace gssntlm {

Error keyring_error(std::string_view what) {
  return error_with_detail(Major::kFailure, Minor::kKeyring, what);
}

bool is_dead(int error) noexcept {
  return error == EKEYREVOKED || error == EKEYEXPIRED;
}

std::string_view why_no_keyrings(int error) noexcept {
  if (!keyutils().usable) {
    return "libkeyutils.so.1 cannot be loaded; install it (Debian: libkeyutils1)";
  }
  if (error == ENOSYS || error == EPERM || error == EOPNOTSUPP) {
    return "this kernel or container does not let processes use keyrings; use a users file "
           "(NTLM_USER_FILE)";
  }
  return {};
}

Error keyring_error(KeyringKind kind, int error) {
  const bool lacks_persistent = kind == KeyringKind::kPersistent && error == EOPNOTSUPP;
  const std::string_view why = why_no_keyrings(error);
  if (!why.empty() && !lacks_persistent) {
    return keyring_error(why);
  }
  std::string text("the ");
  text.append(keyring_name(kind)).append(" keyring: ");
  if (lacks_persistent) {
    text.append("this kernel has none; use the session's or the user's");
  } else if (is_dead(error)) {
    text.append(error == EKEYREVOKED ? "it was revoked" : "it has expired")
        .append("; log in to a new session (keyctl session) and run gss-ntlm login there");
  } else if (error == EDQUOT) {
    text.append("over quota; remove keys (gss-ntlm logout, keyctl) or raise kernel.keys.maxkeys");
  } else if (error == EKEYREJECTED && is_ambiguous(::geteuid())) {
    text.append("this process is ")
        .append(owner_text(::geteuid()))
        .append(", so no login is known to be its own; map its user, or use a users file");
  } else if (error == EKEYREJECTED) {
    text.append("another user's keyring has the name ")
        .append(RingName().text())
        .append("; start a session with a keyring of its own (pam_keyinit, keyctl session)");
  } else {
    text.append(std::strerror(error));
  }
  return keyring_error(text);
}

}  // namespace gssntlm
