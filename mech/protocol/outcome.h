// The result of a completed handshake, for either role.
#pragma once

#include <string_view>
#include <vector>

#include "mech/base/flags.h"
#include "mech/base/secret.h"

namespace gssntlm {

/// Which response authenticated the user; for an initiator, the weakest that it sent.
enum class ResponseKind { kNone, kAnonymous, kLm, kNtlmV1, kNtlmV1Ess, kLmV2, kNtlmV2 };

struct Outcome {
  Flags flags = 0;  ///< as agreed; what protects messages
  SessionKey key;   ///< ExportedSessionKey
  ResponseKind kind = ResponseKind::kNone;
  bool mic = false;                 ///< AUTHENTICATE carries a MIC, verified by an acceptor
  bool peer_tells_sealing = false;  ///< see kTellsSealing in mech/wire/types.h
  bool channel_bound = false;       ///< both sides gave the same bindings; a MIC covers them

  /// Messages are protected by keys that only the two ends can compute. False for an anonymous
  /// context, whose keys are public [MS-NLMP] 3.4.
  [[nodiscard]] bool protects() const noexcept {
    return has_any(flags, flag::kProtection) && kind != ResponseKind::kAnonymous;
  }
};

/// The name of a kind, for people.
[[nodiscard]] std::string_view kind_name(ResponseKind kind) noexcept;

/// What is weak about a context, each in words for trace and audit; empty for the default policy's.
/// `dummy_signatures` is the policy's. Throws std::bad_alloc.
[[nodiscard]] std::vector<std::string_view> weaknesses_of(const Outcome& outcome,
                                                          bool dummy_signatures = false);

}  // namespace gssntlm
