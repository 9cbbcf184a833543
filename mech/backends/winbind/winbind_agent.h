// Single sign-on: winbind keeps the password that its user logged in with, and answers challenges.
#pragma once

#include "mech/config/settings.h"
#include "mech/protocol/identity.h"

namespace gssntlm {

/// The account `user` of `domain` (UTF-16LE; without `user` the one that this process' user logged
/// in as), if winbind keeps its password for this process' user. Asks winbind alone, for a second
/// at most. Error: NO_CRED kNoInitiatorCred. Throws std::bad_alloc.
[[nodiscard]] Result<Ref<const Identity>> winbind_identity(ByteView user, ByteView domain,
                                                           const Settings& settings);

}  // namespace gssntlm
