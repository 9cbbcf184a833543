// Random numbers of the system.
#pragma once

#include "mech/base/bytes.h"

namespace gssntlm {

/// Fills `out` with cryptographically strong random bytes; false if the system has none, and then
/// `out` is not to be used.
[[nodiscard]] bool fill_random(MutableBytes out) noexcept;

}  // namespace gssntlm
