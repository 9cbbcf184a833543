// What is wrong with a keyring, and what to do.
#pragma once

#include <string_view>

#include "mech/backends/keyring/login_store.h"
#include "mech/base/status.h"

namespace gssntlm {

/// FAILURE kKeyring with this detail. Throws std::bad_alloc.
[[nodiscard]] Error keyring_error(std::string_view what);
/// The same for a call on a keyring of that kind, which failed with `error` (errno). The detail
/// does not name the kind where no keyring can be used, whichever it is. Throws std::bad_alloc.
[[nodiscard]] Error keyring_error(KeyringKind kind, int error);

/// Why this process has no keyrings at all, from the errno of a call on one; empty: something else
/// is wrong.
[[nodiscard]] std::string_view why_no_keyrings(int error) noexcept;

/// The keyring was revoked or has expired.
[[nodiscard]] bool is_dead(int error) noexcept;

}  // namespace gssntlm
