// What AUTHENTICATE proves the user with [MS-NLMP] 3.1.5.1.2, 3.3: computed here for all levels.
#pragma once

#include <array>

#include "mech/base/runtime.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/outcome.h"
#include "mech/protocol/policy.h"
#include "mech/wire/challenge.h"

namespace gssntlm {

/// What the responses depend on. Views and pointers must outlive the call.
struct ResponseInput {
  const Policy& policy;
  const Identity& identity;
  const ChallengeMessage& challenge;
  Flags agreed;
  Nonce client_challenge;
  const ChannelBindingHash* bindings;  ///< may be nullptr
  ByteView target_name;                ///< SPN as UTF-16LE, may be empty
};

struct Responses {
  ResponseKind kind = ResponseKind::kNone;  ///< the weakest of what is sent
  Response24 lm_bytes{};
  std::size_t lm_size = 0;
  Bytes nt;  ///< empty, 24 bytes, or NTLMv2_RESPONSE
  KeyExchangeKey key;
  bool mic = false;  ///< the NTLMv2 response announces a MIC

  [[nodiscard]] ByteView lm() const noexcept { return ByteView(lm_bytes).first(lm_size); }
};

/// The responses that policy's level, the identity and the challenge call for. Errors: FAILURE
/// kTargetInfo when NTLMv2 lacks what policy demands of the server; BAD_BINDINGS kBindings when
/// bindings were given and nothing can carry them (the v1 family, anonymous, no target
/// information). Reasons go to `env`'s trace. Throws std::bad_alloc.
[[nodiscard]] Result<Responses> compute_responses(const ResponseInput& input, const Runtime& env);

/// The target information that an agent's NTLMv2 response must repeat: the server's, and what is
/// ours to say: whether there is a MIC, the bindings, the target. The identity and the client's
/// challenge do not count. Errors and trace as compute_responses(). Throws std::bad_alloc.
[[nodiscard]] Result<Bytes> compose_agent_pairs(const ResponseInput& input, const Runtime& env);

}  // namespace gssntlm
