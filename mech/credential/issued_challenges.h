// Challenges that acceptors of this process have issued, so that an initiator can tell when one
// comes back to it: a login of the process to itself, or a reflected exchange.
#pragma once

#include "mech/base/bytes.h"

namespace gssntlm {

/// Remembers the server challenge of an encoded CHALLENGE. The last few thousand are kept, best
/// effort; none is a secret.
void remember_issued(ByteView challenge) noexcept;

/// Whether the server challenge of this token, which may be malformed, is a remembered one.
[[nodiscard]] bool was_issued_here(ByteView challenge) noexcept;

}  // namespace gssntlm
