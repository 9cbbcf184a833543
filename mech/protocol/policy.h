// What this side sends and accepts. A value that callers pass in; it never reads settings. The only
// place that turns LmCompatibilityLevel [MS-NLMP] 7 <82> into decisions.
#pragma once

#include <cstdint>

#include "mech/base/flags.h"
#include "mech/base/text.h"
#include "mech/protocol/outcome.h"

namespace gssntlm {

/// How strictly something optional is treated.
enum class Demand {
  kOff,      ///< never looked at
  kAccept,   ///< verified when the peer has it
  kRequire,  ///< its absence is a failure
};

/// Defaults are the secure ones; every weaker thing is a named member, off.
struct Policy {
  /// LmCompatibilityLevel 0 to 5 [MS-NLMP] 7 <82>, each role for itself. 3 and more send NTLMv2
  /// only; 5 accepts NTLMv2 only. Level 0 knows no extended session security: it neither offers
  /// nor demands it.
  unsigned initiator_level = 3;
  unsigned acceptor_level = 5;
  /// Minimum session-key length where messages are protected: 128, 56 or 40 bits. With 56 and 40
  /// the weak key derivations LM_KEY and REQUEST_NON_NT_SESSION_KEY are allowed too.
  unsigned min_key_bits = 128;
  /// Extended session security must be agreed, above level 0.
  bool require_ess = true;
  /// An initiator sends NTLMv2 to servers that give target information only; without any there is
  /// neither MIC, nor channel bindings, nor target name.
  bool require_target_info = true;
  /// An initiator that sends NTLMv2 to a server without a clock adds the LMv2 response, which
  /// proves the password without all that NTLMv2 protects [MS-NLMP] 3.1.5.1.2.
  bool send_lmv2 = false;
  /// An initiator announces and sends a MIC with NTLMv2; off only where withholds_mic().
  bool send_mic = true;
  /// An acceptor rejects NTLMv2 responses without a MIC (clients older than Vista, and several
  /// libraries). See mic_policy.h.
  bool require_mic = false;
  /// An acceptor that was given channel bindings, and a client without any, or with some that no
  /// MIC covers, which a man in the middle can add: kRequire rejects it, kAccept accepts it without
  /// the channel-bound mark. A mismatch is rejected by both; kOff compares nothing.
  Demand channel_bindings = Demand::kAccept;
  /// Anonymous logons are accepted.
  bool allow_anonymous = false;
  /// Accounts of a users file whose password is empty may log in.
  bool allow_empty_passwords = false;
  /// An acceptor opens connectionless contexts [MS-NLMP] 1.3.1.2. Off, no first token makes one.
  bool allow_connectionless = false;
  /// Maximum difference between the client's NTLMv2 timestamp and our clock, in seconds. 36 hours.
  std::uint64_t max_skew_seconds = 36 * 60 * 60;
  /// gss_wrap with SIGN and without SEAL agreed encrypts, as Windows and SASL peers expect.
  bool seal_when_signing = true;
  /// Where neither SIGN nor SEAL was agreed, the constant signature of [MS-NLMP] 3.4.4.3 is made
  /// and taken. It proves nothing.
  bool dummy_signatures = false;
  /// An initiator tells the server which machine it runs on [MS-NLMP] 2.2.2.2.
  bool send_single_host = false;
  /// No reflected login: an acceptor rejects a client that says it runs on this machine. Initiators
  /// are held back by their caller, who knows which challenges are its own.
  bool refuse_reflection = true;
  /// An initiator offers OEM beside Unicode, a connectionless acceptor too. Acceptors take clients
  /// that know nothing else in any case. Names go through this code page.
  bool offer_oem = false;
  CodePage code_page = CodePage::k437;
};

/// Which responses an initiator proves the user with.
enum class ResponseFamily {
  kLmAndNtlm,  ///< LM and NTLMv1; with extended session security NTLMv1 alone
  kNtlm,       ///< NTLMv1, in both fields
  kNtlmV2,
};

[[nodiscard]] constexpr ResponseFamily family_sent(const Policy& policy) noexcept {
  return policy.initiator_level <= 1   ? ResponseFamily::kLmAndNtlm
         : policy.initiator_level == 2 ? ResponseFamily::kNtlm
                                       : ResponseFamily::kNtlmV2;
}

/// Whether an acceptor takes that kind of response. kLmV2 is one without an NTLMv2 response.
[[nodiscard]] constexpr bool accepts_kind(ResponseKind kind, const Policy& policy) noexcept {
  switch (kind) {
    case ResponseKind::kNtlmV2:
      return true;
    case ResponseKind::kNtlmV1:
    case ResponseKind::kNtlmV1Ess:
    case ResponseKind::kLmV2:
      return policy.acceptor_level <= 4;
    case ResponseKind::kLm:
      return policy.acceptor_level <= 3;
    case ResponseKind::kAnonymous:
      return policy.allow_anonymous;
    case ResponseKind::kNone:
      break;
  }
  return false;
}

/// Whether an initiator, or an acceptor, offers extended session security.
[[nodiscard]] constexpr bool supports_ess(const Policy& policy) noexcept {
  return policy.initiator_level >= 1;
}
[[nodiscard]] constexpr bool initiator_demands_ess(const Policy& policy) noexcept {
  return policy.require_ess && supports_ess(policy);
}
[[nodiscard]] constexpr bool acceptor_demands_ess(const Policy& policy) noexcept {
  return policy.require_ess && policy.acceptor_level >= 1;
}

/// Whether session keys may come from the LM hash: LM_KEY, REQUEST_NON_NT_SESSION_KEY.
[[nodiscard]] constexpr bool allows_lm_keys(const Policy& policy) noexcept {
  return policy.min_key_bits <= 56;
}
/// Whether an initiator asks for them on its own: at levels 0 and 1.
[[nodiscard]] constexpr bool offers_lm_key(const Policy& policy) noexcept {
  return allows_lm_keys(policy) && policy.initiator_level <= 1;
}

/// Whether LM hashes are of use to an initiator, or an acceptor.
[[nodiscard]] constexpr bool initiator_needs_lm_hash(const Policy& policy) noexcept {
  return family_sent(policy) == ResponseFamily::kLmAndNtlm;
}
[[nodiscard]] constexpr bool acceptor_needs_lm_hash(const Policy& policy) noexcept {
  return accepts_kind(ResponseKind::kLm, policy) ||
         (accepts_kind(ResponseKind::kNtlmV1, policy) && allows_lm_keys(policy));
}

}  // namespace gssntlm
