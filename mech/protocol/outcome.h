// What a finished handshake leaves behind, for either role.
#pragma once

#include "mech/base/flags.h"
#include "mech/base/secret.h"

namespace gssntlm {

/// Which response authenticated the user.
enum class ResponseKind { kNone, kAnonymous, kLm, kNtlmV1, kNtlmV1Ess, kLmV2, kNtlmV2 };

struct Outcome {
  Flags flags = 0;  ///< as agreed; what protects messages
  SessionKey key;   ///< ExportedSessionKey
  ResponseKind kind = ResponseKind::kNone;
  bool mic = false;            ///< AUTHENTICATE carries a MIC, verified by an acceptor
  bool peer_tells_sealing = false;  ///< see kTellsSealing in mech/wire/types.h
  bool channel_bound = false;  ///< both sides gave bindings and they are the same
};

}  // namespace gssntlm
