// NegotiateFlags: what each role offers, and what the two agree on [MS-NLMP] 2.2.2.5.
#pragma once

#include <optional>

#include "mech/base/flags.h"
#include "mech/base/status.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/policy.h"
#include "mech/protocol/refusal.h"

namespace gssntlm {

/// What the caller wants of the context.
struct InitiatorRequest {
  bool integrity = false;
  bool confidentiality = false;
  bool detection = false;  ///< of replayed and reordered messages, which only signing gives
  bool identify = false;
  bool connectionless = false;
  /// Offer signing though not asked for, and sealing too where the caller asks for none of the
  /// three above: programs that ask for nothing protect messages later, as GSSAPI lets them. One
  /// that asks for signing alone gets no more.
  bool offer_protection = true;
  /// Replaces the computed NEGOTIATE flags; policy's demands are added.
  std::optional<Flags> negotiate_flags;
};

/// What an initiator offers in NEGOTIATE, or chooses from connectionless [MS-NLMP] 3.1.5.1.1.
[[nodiscard]] Flags negotiate_flags_for_offer(const Policy& policy, const InitiatorRequest& request,
                                              bool anonymous) noexcept;

/// What an initiator that offered `offered` agrees to of a CHALLENGE's flags: the flags of its
/// AUTHENTICATE [MS-NLMP] 3.1.5.1.2, 3.1.5.2.1. Sealing that was offered without being asked for is
/// given up where it cannot be, connectionless without extended session security.
[[nodiscard]] Flags agree_with_challenge(Flags offered, Flags challenge,
                                         const InitiatorRequest& request) noexcept;

/// An initiator's flags: what it offered, what CHALLENGE said, and what it agrees to.
struct ChallengeFlags {
  Flags offered = 0;
  Flags challenge = 0;
  Flags agreed = 0;
};
/// Whether the agreed flags satisfy request and policy [MS-NLMP] 3.1.5.1.2; nullopt if so. Errors:
/// FAILURE kPolicyFlags, kPolicyKeyLength. Throws std::bad_alloc.
[[nodiscard]] std::optional<Refusal> check_challenge_flags(const ChallengeFlags& flags,
                                                           const Policy& policy,
                                                           const InitiatorRequest& request);

/// The flags of a CHALLENGE in answer to NEGOTIATE [MS-NLMP] 3.2.5.1.1.
[[nodiscard]] Flags negotiate_flags_for_challenge(Flags offered, const Policy& policy,
                                                  const HostNames& names) noexcept;
/// The flags of a connectionless CHALLENGE: the whole offer [MS-NLMP] 3.2.5.2.1.
[[nodiscard]] Flags negotiate_flags_for_connectionless_challenge(const Policy& policy,
                                                                 const HostNames& names) noexcept;

/// Whether an acceptor may answer a client that said `offered` with `reply`; nullopt if so. Errors
/// as check_challenge_flags().
[[nodiscard]] std::optional<Refusal> check_reply_flags(Flags reply, Flags offered,
                                                       const Policy& policy);

/// What holds after an AUTHENTICATE that says `answer` to what CHALLENGE said [MS-NLMP] 3.2.5.1.2,
/// 3.2.5.2.2. Only what check_authenticate_flags() lets pass.
[[nodiscard]] Flags negotiate_flags_for_session(Flags challenge, Flags answer) noexcept;

/// Whether an acceptor accepts those flags; nullopt if so. Errors: FAILURE kDowngrade,
/// kPolicyFlags, kPolicyKeyLength; DEFECTIVE_TOKEN kCharset, kBadResponse (connectionless without
/// KEY_EXCH). Throws std::bad_alloc.
[[nodiscard]] std::optional<Refusal> check_authenticate_flags(Flags challenge, Flags answer,
                                                              const Policy& policy);

/// The same for an anonymous client, whose messages are not protected anyway: flags that it clears
/// are ignored (Samba's client clears extended session security), flags that it adds are rejected.
/// Throws std::bad_alloc.
[[nodiscard]] Flags anonymous_flags(Flags challenge, Flags answer) noexcept;
[[nodiscard]] std::optional<Refusal> check_anonymous_flags(Flags challenge, Flags answer);

/// A session key travels in AUTHENTICATE [MS-NLMP] 3.1.5.1.2.
[[nodiscard]] constexpr bool exchanges_key(Flags agreed) noexcept {
  return has(agreed, flag::kKeyExchange) && has_any(agreed, flag::kProtection);
}

}  // namespace gssntlm
