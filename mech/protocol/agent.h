// An agent answers challenges with a secret that this process does not have, such as winbind.
#pragma once

#include "mech/base/runtime.h"
#include "mech/base/secret.h"
#include "mech/base/status.h"

namespace gssntlm {

struct AgentAnswer {
  Bytes authenticate;  ///< the message as the agent made it
  SessionKey key;      ///< its ExportedSessionKey
};

/// Shared by threads.
class LogonAgent {
 public:
  virtual ~LogonAgent() = default;
  /// AUTHENTICATE for a CHALLENGE whose target information the answer must repeat. Errors: NO_CRED
  /// kNoInitiatorCred when the secret is gone; kDomain. Throws std::bad_alloc.
  [[nodiscard]] virtual Result<AgentAnswer> answer(ByteView negotiate, ByteView challenge,
                                                   const Runtime& env) const = 0;
};

}  // namespace gssntlm
