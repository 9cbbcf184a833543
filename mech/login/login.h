// The state of one security context, for either role: its handshake, the checks around it, then its
// session. Independent of GSSAPI: the caller translates flags, names and tokens.
#pragma once

#include <optional>
#include <variant>

#include "mech/credential/credential.h"
#include "mech/login/claims.h"
#include "mech/login/login_report.h"
#include "mech/os/process.h"
#include "mech/protocol/acceptor.h"
#include "mech/protocol/initiator.h"
#include "mech/protocol/mic_policy.h"
#include "mech/protocol/session.h"

namespace gssntlm {

/// What the caller asked for.
struct LoginRequest {
  std::uint32_t caller_flags = 0;  ///< opaque here: stored and exported
  InitiatorRequest initiator;      ///< the same flags, as an initiator uses them
  bool detect_replay = true;       ///< always true for an acceptor
};
/// The setup of an initiator's handshake, except for its credential. Throws std::bad_alloc.
[[nodiscard]] InitiatorSetup setup_for(const Settings& settings, const Name& target,
                                       const InitiatorRequest& request);

/// The caller serializes calls on one object.
class LoginContext {
 public:
  /// An initiator.
  LoginContext(Ref<const Credential> credential, Ref<const Name> target,
               const LoginRequest& request);
  /// An acceptor.
  explicit LoginContext(Ref<const Credential> credential);

  /// First step of an initiator.
  [[nodiscard]] Result<Buffer> negotiate();
  /// Second step of an initiator. For `carries_mech_list_mic` see withholds_mic().
  [[nodiscard]] Result<Buffer> authenticate(ByteView challenge, const ChannelBindingHash* bindings,
                                            bool (*carries_mech_list_mic)() noexcept);
  /// First step of an acceptor; connectionless when `negotiate` is empty.
  [[nodiscard]] Result<Buffer> challenge(ByteView negotiate);
  /// Second step of an acceptor.
  [[nodiscard]] Status accept(ByteView token, const ChannelBindingHash* bindings);

  [[nodiscard]] bool is_initiator() const noexcept { return initiator_role_; }
  [[nodiscard]] bool is_open() const noexcept { return session_.has_value(); }
  /// A step has failed. An acceptor can restart(); any other context can only be deleted.
  [[nodiscard]] bool has_failed() const noexcept { return failed_; }
  /// Makes a failed acceptor wait for its first token again, with the same credential. Error:
  /// DEFECTIVE_TOKEN kWrongMessage if `connectionless` is not what it was the first time; the
  /// context is then unchanged.
  [[nodiscard]] Status restart(bool connectionless);

  [[nodiscard]] std::uint32_t caller_flags() const noexcept { return request_.caller_flags; }
  /// Names of initiator and acceptor; nullptr while not known.
  [[nodiscard]] const Ref<const Name>& source() const noexcept { return source_; }
  [[nodiscard]] const Ref<const Name>& target() const noexcept { return target_; }
  /// Answers GSS_SPNEGO_REQUIRE_MIC: whether SPNEGO must exchange a mechListMIC. Also records that
  /// the layer above is SPNEGO, because only SPNEGO makes this inquiry (see LayerAbove).
  [[nodiscard]] bool answer_spnego() noexcept {
    above_ = LayerAbove::kSpnego;
    return requires_mech_list_mic(mic_);
  }
  /// Only when is_open().
  [[nodiscard]] Session& session() noexcept { return *session_; }
  [[nodiscard]] const Session& session() const noexcept { return *session_; }
  /// Valid only when is_open().
  [[nodiscard]] bool is_anonymous() const noexcept { return kind_ == ResponseKind::kAnonymous; }
  [[nodiscard]] bool is_channel_bound() const noexcept { return channel_bound_; }
  [[nodiscard]] bool detects_replay() const noexcept { return request_.detect_replay; }
  [[nodiscard]] bool peer_tells_sealing() const noexcept { return peer_tells_sealing_; }
  /// The value of setting `seal_when_signing` for this context.
  [[nodiscard]] bool seals_when_signing() const noexcept { return seals_when_signing_; }
  /// A fork copied this object: another process began or imported the context.
  [[nodiscard]] bool is_inherited() const noexcept { return begun_in_ != process_generation(); }

  /// Saves a context that is open, or that waits for the peer's answer. No secret of a credential
  /// is saved. Errors: NO_CONTEXT kBadState if it has failed or not begun; FAILURE kForked if
  /// is_inherited(), kNotAvailable for a handshake on a machine that has no identifier while
  /// setting `farm` is empty, kNoRandom. Throws std::bad_alloc.
  [[nodiscard]] Status save(Serializer& out) const;
  /// The last step of an import, after the whole token was found valid. Error: FAILURE kBadState if
  /// this process imported the same established context before.
  [[nodiscard]] Status claim_import() const;
  /// Imported before it was established: the next step requires bind() first.
  [[nodiscard]] bool needs_credential() const noexcept { return !credential_ && !is_open(); }
  /// Sets the credential for the remaining steps. Error: NO_CRED kBadCredential if an initiator's
  /// handshake began with a credential of another name.
  [[nodiscard]] Status bind(Ref<const Credential> credential);

 protected:
  /// The first part of a saved context. The rest is loaded with its help.
  struct Head {
    Ref<const Settings> settings;
    bool initiator = false;
    bool open = false;
    std::uint32_t caller_flags = 0;
    std::uint64_t id = 0;  ///< of the token; of the handshake for one that is not established
  };
  /// Error: kBadSetting. Throws std::bad_alloc.
  [[nodiscard]] static Result<Head> load_head(Deserializer& in);
  /// Contains only the data of `head`. The caller discards it if load() fails.
  LoginContext(const Head& head, const LoginRequest& request);
  /// Errors: DEFECTIVE_TOKEN kImport for data that save() cannot have written, and for a handshake
  /// of another machine; CONTEXT_EXPIRED kExpired for a handshake that was exported too long ago;
  /// kPolicyKeyLength for keys shorter than policy allows; kPolicyBlocked for a connectionless
  /// acceptor if policy does not allow these. Throws std::bad_alloc.
  [[nodiscard]] Status load(const Head& head, Deserializer& in);

 private:
  // The imported token. Times are those of clock(); 0: none. `ends` is fixed when a handshake is
  // exported, so that later changes of max_handshake_age do not move it.
  struct Lease {
    std::uint64_t id = 0;
    std::uint64_t begins = 0;
    std::uint64_t ends = 0;
  };
  Status load_open(Deserializer& in);
  Status load_handshake(Deserializer& in);
  Status load_acceptor(Deserializer& in);
  Status save_origin(Serializer& out) const;
  Status load_origin(Deserializer& in);
  [[nodiscard]] Result<std::uint64_t> token_id() const;
  [[nodiscard]] HandshakeClock clock() const noexcept {
    return settings_->farm.empty() ? HandshakeClock::kMachine : HandshakeClock::kWall;
  }
  [[nodiscard]] Status check_age() const;
  // check_turn() runs before a step; claim() after all else in it has succeeded, so that of several
  // imports of one token only one returns the step's result.
  [[nodiscard]] Status check_turn() const;
  [[nodiscard]] Status claim() const;
  [[nodiscard]] const Policy& policy() const noexcept { return settings_->policy; }
  [[nodiscard]] const ProcessRuntime& env() const noexcept { return report_.env(); }
  // The AUTHENTICATE for `challenge`, after the decisions about what it omits.
  Result<Buffer> answer(Initiator& initiator, ByteView challenge,
                        const ChannelBindingHash* bindings,
                        bool (*carries_mech_list_mic)() noexcept);
  Status judge(Acceptor& acceptor, ByteView token, const ChannelBindingHash* bindings);
  void note(const Outcome& outcome);
  [[nodiscard]] Session make_session(Outcome outcome) const;
  void open(Session session) noexcept;
  Status take_source(AcceptedLogon& logon);
  Status audit(ByteView authenticate, bool accepted) const;

  Ref<const Settings> settings_;
  LoginReport report_;
  Ref<const Credential> credential_;
  LoginRequest request_;
  std::variant<std::monostate, Initiator, Acceptor> handshake_;
  std::optional<Session> session_;
  Ref<const Name> source_;
  Ref<const Name> target_;
  bool initiator_role_;
  bool fresh_ = true;
  bool failed_ = false;
  bool connectionless_ = false;  // an acceptor whose first token was not NEGOTIATE
  LayerAbove above_ = LayerAbove::kApplication;
  bool mic_ = false;
  bool channel_bound_ = false;
  bool peer_tells_sealing_ = false;
  bool seals_when_signing_ = false;
  std::uint32_t begun_in_ = process_generation();
  Lease lease_;
  ResponseKind kind_ = ResponseKind::kNone;
};

}  // namespace gssntlm
