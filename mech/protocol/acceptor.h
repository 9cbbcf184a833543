// The server's side of the handshake [MS-NLMP] 3.2.5.
#pragma once

#include <optional>

#include "mech/base/archive.h"
#include "mech/base/runtime.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/login_facts.h"
#include "mech/protocol/logon.h"
#include "mech/protocol/outcome.h"
#include "mech/protocol/policy.h"

namespace gssntlm {

/// The user who logged in, UTF-16LE and clean, and how.
struct AcceptedLogon {
  bool anonymous = false;  ///< user and domain are empty
  Bytes user;              ///< the account's spelling
  Bytes domain;
  std::vector<LogonAttribute> attributes;
  LoginFacts facts;  ///< none of an anonymous client
};

/// One exchange. A failed step ends it: later steps answer kBadState. One challenge, one attempt.
class Acceptor {
 public:
  explicit Acceptor(const Policy& policy) noexcept : policy_(policy) {}

  /// CHALLENGE in answer to NEGOTIATE [MS-NLMP] 3.2.5.1.1.
  /// Errors: DEFECTIVE_TOKEN for a malformed message; FAILURE with kPolicyFlags or kPolicyKeyLength
  /// for a weak offer, kUnencodable when the client takes OEM only and our name has none;
  /// kBadState; kNoRandom. Throws std::bad_alloc.
  [[nodiscard]] Result<Buffer> challenge(ByteView negotiate, const HostNames& names,
                                         const Runtime& env);

  /// A connectionless CHALLENGE, which nothing precedes [MS-NLMP] 3.2.5.2.1. Errors: FAILURE
  /// kPolicyBlocked where policy has no connectionless contexts; otherwise as challenge().
  [[nodiscard]] Result<Buffer> connectionless_challenge(const HostNames& names, const Runtime& env);

  /// Verifies AUTHENTICATE [MS-NLMP] 3.2.5.1.2, 3.2.5.2.2. `bindings` may be nullptr. `accounts`
  /// are not asked about an anonymous client, which has no names. Errors: DEFECTIVE_TOKEN for a
  /// malformed message; BAD_BINDINGS; FAILURE with kLogonFailure (user, password, MIC, echoed names
  /// and clock alike), kPolicyVersion, kPolicyFlags, kPolicyKeyLength, kDowngrade, kAnonymous;
  /// kBadState. Throws std::bad_alloc.
  [[nodiscard]] Result<AcceptedLogon> authenticate(ByteView token,
                                                   const ChannelBindingHash* bindings,
                                                   const AccountSource& accounts,
                                                   const Runtime& env);

  /// Saves a handshake that waits for AUTHENTICATE. Error: kBadState. Throws std::bad_alloc.
  [[nodiscard]] Status save(Serializer& out) const;
  /// Errors: DEFECTIVE_TOKEN kImport for what save() cannot have written; FAILURE kPolicyBlocked
  /// for a connectionless one where policy has none. Throws std::bad_alloc.
  [[nodiscard]] static Result<Acceptor> load(const Policy& policy, Deserializer& in);

  /// After authenticate() succeeded.
  [[nodiscard]] const Outcome& outcome() const noexcept { return outcome_; }
  /// Once, after authenticate() succeeded.
  [[nodiscard]] Outcome take_outcome() noexcept { return std::move(outcome_); }
  /// Random; after challenge().
  [[nodiscard]] const Nonce& server_challenge() const noexcept { return server_challenge_; }
  /// Flags offered in CHALLENGE, or agreed once complete.
  [[nodiscard]] Flags flags() const noexcept { return outcome_.flags; }

 private:
  enum class State { kStart, kChallengeSent, kDone, kFailed };

  // Names of an AUTHENTICATE as UTF-16LE: views of the token, or of what was converted.
  struct Names {
    ByteView user;
    ByteView domain;
    ByteView workstation;
    std::array<Bytes, 3> converted;
  };
  // AUTHENTICATE, and what it is verified against.
  struct Answer {
    ByteView token;
    const AuthenticateMessage& message;
    Flags agreed;
    const ChannelBindingHash* bindings;
  };

  Result<Buffer> emit(Flags flags, ByteView negotiate, const HostNames& names, const Runtime& env);
  Result<AcceptedLogon> verify(ByteView token, const ChannelBindingHash* bindings,
                               const AccountSource& accounts, const Runtime& env);
  Result<AcceptedLogon> verify_user(const Answer& answer, const AccountSource& accounts,
                                    const Runtime& env);
  Result<AcceptedLogon> check_anonymous(const AuthenticateMessage& message, Flags agreed,
                                        const ChannelBindingHash* bindings, const Runtime& env);
  Result<Flags> agree(const AuthenticateMessage& message, const Runtime& env) const;
  Result<Names> read_names(const AuthenticateMessage& message, Flags agreed,
                           const Runtime& env) const;
  Status check_kind(const LogonRequest& request, const ChannelBindingHash* bindings,
                    const Runtime& env) const;
  Status check_mic(const Answer& answer, const SessionKey& key, const Runtime& env) const;
  Status check_blob(const V2ClientChallenge& blob, const Runtime& env) const;
  Result<bool> check_bindings(const AuthenticateMessage& message,
                              const ChannelBindingHash* bindings, const Runtime& env) const;
  // The verdict on a client that is not bound to the channel: false, or the error of kRequire.
  Result<bool> check_unbound(std::string_view why, const Runtime& env) const;
  [[nodiscard]] bool uses_oem() const noexcept;

  Policy policy_;
  State state_ = State::kStart;
  Nonce server_challenge_{};
  Bytes transcript_;  // NEGOTIATE (connectionless none), then CHALLENGE, as they travelled
  std::size_t negotiate_size_ = 0;
  Outcome outcome_;
};

}  // namespace gssntlm
