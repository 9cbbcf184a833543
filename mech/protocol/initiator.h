// The client's side of the handshake [MS-NLMP] 3.1.5.
#pragma once

#include "mech/base/archive.h"
#include "mech/base/ref.h"
#include "mech/base/runtime.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/negotiation.h"
#include "mech/protocol/outcome.h"
#include "mech/protocol/policy.h"
#include "mech/protocol/response.h"

namespace gssntlm {

/// What the initiator fixes at its first step and keeps to.
struct InitiatorSetup {
  Policy policy;
  InitiatorRequest request;
  Ref<const Identity> identity;
  Bytes target_name;  ///< SPN as UTF-16LE, may be empty
  Bytes workstation;  ///< UTF-16LE, may be empty
};

/// One exchange. Steps are taken in order; a failed step ends it: later steps answer kBadState.
class Initiator {
 public:
  explicit Initiator(InitiatorSetup setup) noexcept : setup_(std::move(setup)) {}

  /// NEGOTIATE [MS-NLMP] 3.1.5.1.1; connectionless an empty token, for which the server's CHALLENGE
  /// is waited [MS-NLMP] 3.1.5.2. Throws std::bad_alloc.
  [[nodiscard]] Result<Buffer> negotiate();

  /// AUTHENTICATE in answer to CHALLENGE [MS-NLMP] 3.1.5.1.2, 3.1.5.2.1. `bindings` may be nullptr.
  /// Errors: DEFECTIVE_TOKEN for a malformed challenge; FAILURE with kPolicyFlags,
  /// kPolicyKeyLength, kTargetInfo for a weak one; BAD_BINDINGS where nothing can carry them;
  /// kUnencodable for names that the server's OEM code page lacks; kBadState; kNoRandom. Throws
  /// std::bad_alloc.
  [[nodiscard]] Result<Buffer> authenticate(ByteView challenge, const ChannelBindingHash* bindings,
                                            const Runtime& env);

  /// AUTHENTICATE will neither announce nor carry a MIC.
  void withhold_mic() noexcept { setup_.policy.send_mic = false; }
  /// AUTHENTICATE will not say which machine it comes from.
  void withhold_single_host() noexcept { setup_.policy.send_single_host = false; }
  /// Saves a handshake that waits for CHALLENGE. Error: kBadState. Throws std::bad_alloc.
  [[nodiscard]] Status save(Serializer& out) const;
  /// Error: DEFECTIVE_TOKEN kImport for what save() cannot have written. Throws std::bad_alloc.
  [[nodiscard]] static Result<Initiator> load(InitiatorSetup setup, Deserializer& in);
  /// Gives one that was loaded the account it logs in with.
  void set_identity(Ref<const Identity> identity) noexcept {
    setup_.identity = std::move(identity);
  }

  /// Once, after authenticate() succeeded.
  [[nodiscard]] Outcome take_outcome() noexcept { return std::move(outcome_); }
  [[nodiscard]] const Identity& identity() const noexcept { return *setup_.identity; }
  /// Flags offered, or agreed once complete.
  [[nodiscard]] Flags flags() const noexcept { return outcome_.flags; }

 private:
  enum class State { kStart, kNegotiateSent, kDone, kFailed };

  Result<Buffer> answer(ByteView challenge, const ChannelBindingHash* bindings, const Runtime& env);
  Result<Buffer> ask_agent(ByteView challenge_token, const ChallengeMessage& challenge,
                           Flags agreed, const ChannelBindingHash* bindings, const Runtime& env);
  Result<Flags> agree(Flags challenge, const Runtime& env) const;
  Result<Buffer> compose(Flags agreed, const Responses& responses, ByteView wrapped_key,
                         const Runtime& env) const;

  InitiatorSetup setup_;
  State state_ = State::kStart;
  Bytes negotiate_;  // as sent: the MIC covers it
  Outcome outcome_;
};

}  // namespace gssntlm
