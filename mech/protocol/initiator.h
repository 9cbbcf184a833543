// The client's side of the handshake [MS-NLMP] 3.1.5.
#pragma once

#include <optional>

#include "mech/base/environment.h"
#include "mech/base/ref.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/outcome.h"
#include "mech/protocol/policy.h"

namespace gssntlm {

/// What the caller wants of the context.
struct InitiatorRequest {
  bool integrity = false;
  bool confidentiality = false;
  bool identify = false;
  /// Offer signing and sealing though not asked for, as most callers expect of a GSSAPI mechanism.
  bool offer_protection = true;
  /// Replaces the computed NEGOTIATE flags; policy's demands are added.
  std::optional<Flags> negotiate_flags;
};

/// What the initiator fixes at its first step and keeps to.
struct InitiatorSetup {
  Policy policy;
  InitiatorRequest request;
  Ref<const Identity> identity;
  Bytes target_name;  ///< SPN as UTF-16LE, may be empty
  Bytes workstation;  ///< UTF-16LE, may be empty
};

/// One exchange. Steps are taken in order; a failed step ends it: later steps answer kOutOfTurn.
class Initiator {
 public:
  explicit Initiator(InitiatorSetup setup) noexcept : setup_(std::move(setup)) {}

  /// NEGOTIATE [MS-NLMP] 3.1.5.1.1. Throws std::bad_alloc.
  [[nodiscard]] Result<Buffer> negotiate();

  /// AUTHENTICATE in answer to CHALLENGE [MS-NLMP] 3.1.5.1.2. `bindings` may be nullptr.
  /// Errors: DEFECTIVE_TOKEN for a malformed challenge; FAILURE with kPolicyFlags,
  /// kPolicyKeyLength, kPolicyVersion, kTargetInfo for a weak one; kOutOfTurn; kNoRandom. Throws
  /// std::bad_alloc.
  [[nodiscard]] Result<Buffer> authenticate(ByteView challenge, const ChannelBindingHash* bindings,
                                            const Environment& env);

  /// Once, after authenticate() succeeded.
  [[nodiscard]] Outcome take_outcome() noexcept { return std::move(outcome_); }
  [[nodiscard]] const Identity& identity() const noexcept { return *setup_.identity; }
  /// Flags offered, or agreed once complete.
  [[nodiscard]] Flags flags() const noexcept { return outcome_.flags; }

 private:
  enum class State { kStart, kNegotiateSent, kDone, kFailed };

  Result<Buffer> answer(ByteView challenge, const ChannelBindingHash* bindings,
                        const Environment& env);

  InitiatorSetup setup_;
  State state_ = State::kStart;
  Bytes negotiate_;  // as sent: the MIC covers it
  Outcome outcome_;
};

}  // namespace gssntlm
