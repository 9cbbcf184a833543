// One login of either role: its handshake, the checks around it, then its session. Knows nothing of
// GSSAPI: the caller translates flags, names and tokens.
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
  std::uint32_t caller_flags = 0;  ///< in the caller's own terms: kept and exported, never read
  InitiatorRequest initiator;      ///< what they mean to an initiator
  bool detect_replay = true;       ///< always true for an acceptor
};
/// What an initiator's handshake is made of, but for its credential. Throws std::bad_alloc.
[[nodiscard]] InitiatorSetup setup_for(const Settings& settings, const Name& target,
                                       const InitiatorRequest& request);

/// The caller serialises calls on one login.
class LoginContext {
 public:
  /// An initiator.
  LoginContext(Ref<const Credential> credential, Ref<const Name> target,
               const LoginRequest& request);
  /// An acceptor.
  explicit LoginContext(Ref<const Credential> credential);

  /// First step of an initiator.
  [[nodiscard]] Result<Buffer> negotiate();
  /// Second step of an initiator. `carries_mech_list_mic` as for withholds_mic().
  [[nodiscard]] Result<Buffer> authenticate(ByteView challenge, const ChannelBindingHash* bindings,
                                            bool (*carries_mech_list_mic)() noexcept);
  /// First step of an acceptor; connectionless when `negotiate` is empty.
  [[nodiscard]] Result<Buffer> challenge(ByteView negotiate);
  /// Second step of an acceptor.
  [[nodiscard]] Status accept(ByteView token, const ChannelBindingHash* bindings);

  [[nodiscard]] bool is_initiator() const noexcept { return initiator_role_; }
  [[nodiscard]] bool is_open() const noexcept { return session_.has_value(); }
  /// A step has failed: nothing but deletion, or for an acceptor a new NEGOTIATE, helps.
  [[nodiscard]] bool has_failed() const noexcept { return failed_; }
  /// Makes a failed acceptor wait for its first token again, with the same credential. Error:
  /// DEFECTIVE_TOKEN kWrongMessage for a token that would make a connection's context
  /// connectionless, or the reverse; the context is unchanged.
  [[nodiscard]] Status restart(bool connectionless);

  [[nodiscard]] std::uint32_t caller_flags() const noexcept { return request_.caller_flags; }
  /// Names; nullptr when not known (yet).
  [[nodiscard]] const Ref<const Name>& source() const noexcept { return source_; }
  [[nodiscard]] const Ref<const Name>& target() const noexcept { return target_; }
  /// Answers GSS_SPNEGO_REQUIRE_MIC: whether SPNEGO must exchange a mechListMIC. The inquiry itself
  /// is the evidence of what is above (see LayerAbove), and is kept as that.
  [[nodiscard]] bool answer_spnego() noexcept {
    above_ = LayerAbove::kSpnego;
    return requires_mech_list_mic(mic_);
  }
  /// Only when is_open().
  [[nodiscard]] Session& session() noexcept { return *session_; }
  [[nodiscard]] const Session& session() const noexcept { return *session_; }
  /// What is known once it is open.
  [[nodiscard]] bool is_anonymous() const noexcept { return kind_ == ResponseKind::kAnonymous; }
  [[nodiscard]] bool is_channel_bound() const noexcept { return channel_bound_; }
  [[nodiscard]] bool detects_replay() const noexcept { return request_.detect_replay; }
  [[nodiscard]] bool peer_tells_sealing() const noexcept { return peer_tells_sealing_; }
  /// What is not marked as sealed or signed, in one of these two ways, is sealed.
  [[nodiscard]] bool seals_when_signing() const noexcept { return seals_when_signing_; }
  /// Copied into this process by a fork: begun, imported or opened in another one.
  [[nodiscard]] bool is_inherited() const noexcept { return begun_in_ != process_generation(); }

  /// Saves a login that is open, or waits for the peer's answer. No secret of a credential is
  /// saved. Errors: NO_CONTEXT kBadState for one that has failed or not begun; FAILURE kForked for
  /// one of another process, kNotAvailable for a handshake on a machine that cannot be told from
  /// others, kNoRandom. Throws std::bad_alloc.
  [[nodiscard]] Status save(Serializer& out) const;
  /// The last step of an import, once the token is known to be good: an established context is
  /// imported once. Error: FAILURE kBadState.
  [[nodiscard]] Status claim_import() const;
  /// Loaded half-way: its next step needs bind().
  [[nodiscard]] bool needs_credential() const noexcept { return !credential_ && !is_open(); }
  /// The credential for the steps that are left. Error: NO_CRED kBadCredential for an initiator's
  /// that is not the one that the handshake began with.
  [[nodiscard]] Status bind(Ref<const Credential> credential);

 protected:
  /// The first part of a saved login, from which the rest is loaded.
  struct Head {
    Ref<const Settings> settings;
    bool initiator = false;
    bool open = false;
    std::uint32_t caller_flags = 0;
    std::uint64_t id = 0;  ///< of the token; of the handshake for one that is not established
  };
  /// Error: kBadSetting. Throws std::bad_alloc.
  [[nodiscard]] static Result<Head> load_head(Deserializer& in);
  /// Has nothing but its head; to be given up unless load() succeeds.
  LoginContext(const Head& head, const LoginRequest& request);
  /// Error: DEFECTIVE_TOKEN kImport for what save() cannot have written, and for a handshake of
  /// another machine; CONTEXT_EXPIRED kExpired for a handshake that was exported too long ago;
  /// kPolicyKeyLength for keys shorter than policy allows, kPolicyBlocked for a connectionless
  /// acceptor where policy has none. Throws std::bad_alloc.
  [[nodiscard]] Status load(const Head& head, Deserializer& in);

 private:
  // What was imported. Times by clock(); `ends` is fixed when a handshake is exported, whatever
  // is set later; 0 where there is none.
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
  // Before a step, and when all of it is right: its result is given out once.
  [[nodiscard]] Status check_turn() const;
  [[nodiscard]] Status claim() const;
  [[nodiscard]] const Policy& policy() const noexcept { return settings_->policy; }
  [[nodiscard]] const ProcessRuntime& env() const noexcept { return report_.env(); }
  // The token that answers, after the decisions about what it leaves out.
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
