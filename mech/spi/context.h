// A security context: one role's handshake, then its session.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "mech/credential/credential.h"
#include "mech/log/process_runtime.h"
#include "mech/os/process.h"
#include "mech/protocol/acceptor.h"
#include "mech/protocol/initiator.h"
#include "mech/protocol/mic_policy.h"
#include "mech/protocol/session.h"
#include "mech/spi/boundary.h"

namespace gssntlm::spi {

/// What a caller of gss_init_sec_context fixes at the first step.
struct InitiatorCall {
  Ref<const Credential> credential;
  Ref<const Name> target;
  OM_uint32 flags = 0;
};

/// The object behind a gss_ctx_id_t. The caller serialises calls on one context.
class Context : public Tagged<0xC7D1158B> {
 public:
  explicit Context(InitiatorCall call);
  /// An acceptor.
  explicit Context(Ref<const Credential> credential);

  /// First step of an initiator.
  [[nodiscard]] Result<Buffer> negotiate();
  /// Second step of an initiator.
  [[nodiscard]] Result<Buffer> authenticate(ByteView challenge, const ChannelBindingHash* bindings);
  /// First step of an acceptor; connectionless when `negotiate` is empty.
  [[nodiscard]] Result<Buffer> challenge(ByteView negotiate);
  /// Second step of an acceptor.
  [[nodiscard]] Status accept(ByteView token, const ChannelBindingHash* bindings);

  [[nodiscard]] bool is_initiator() const noexcept { return initiator_role_; }
  [[nodiscard]] bool is_open() const noexcept { return session_.has_value(); }
  /// A step has failed: nothing but deletion, or for an acceptor a new NEGOTIATE, helps.
  [[nodiscard]] bool has_failed() const noexcept { return failed_; }
  /// An acceptor that waits for NEGOTIATE.
  [[nodiscard]] bool is_fresh() const noexcept { return fresh_; }
  /// Makes a failed acceptor wait for its first token again, with the same credential. Error:
  /// DEFECTIVE_TOKEN kWrongMessage for a token that would make a connection's context
  /// connectionless, or the reverse; the context is unchanged.
  [[nodiscard]] Status restart(bool connectionless);

  /// GSS flags that an initiator's caller asked for.
  [[nodiscard]] OM_uint32 requested_flags() const noexcept { return requested_; }
  /// GSS flags obtained; 0 before the context is open.
  [[nodiscard]] OM_uint32 gss_flags() const noexcept;
  /// Names; nullptr when not known (yet).
  [[nodiscard]] const Ref<const Name>& source() const noexcept { return source_; }
  [[nodiscard]] const Ref<const Name>& target() const noexcept { return target_; }
  /// Answers GSS_SPNEGO_REQUIRE_MIC: whether SPNEGO must exchange a mechListMIC. The inquiry itself
  /// is the evidence of what is above (see LayerAbove in mic_policy.h), and is kept as that.
  [[nodiscard]] bool answer_spnego() noexcept {
    above_ = LayerAbove::kSpnego;
    return requires_mech_list_mic(mic_);
  }
  /// Only when is_open().
  [[nodiscard]] Session& session() noexcept { return *session_; }
  /// Copied into this process by a fork: begun, imported or opened in another one.
  [[nodiscard]] bool is_inherited() const noexcept { return begun_in_ != process_generation(); }
  /// A receiver of wrapped messages finds out whether they are sealed: both ends of the context can
  /// do that, or the caller's protocol says it beside the message, as DCE RPC does.
  [[nodiscard]] bool distinguishes_wrap_modes() const noexcept {
    return session_->seals() && session_->can_seal() && has(session_->flags(), flag::kEss) &&
           (peer_tells_sealing_ || (requested_ & GSS_C_DCE_STYLE) != 0);
  }
  /// Whether the last wrapped message that came was signed only: the next one may be, too.
  [[nodiscard]] bool expects_plain() const noexcept { return expects_plain_; }
  void expect_plain(bool plain) noexcept { expects_plain_ = plain; }
  /// What is not marked as sealed or signed, in one of these two ways, is sealed.
  [[nodiscard]] bool seals_when_signing() const noexcept { return seals_when_signing_; }

  /// Saves a context that is open, or waits for the peer's answer. No secret of a credential is
  /// saved. Errors: NO_CONTEXT kBadState for one that has failed or not begun; FAILURE kForked for
  /// one of another process, kNotAvailable for a handshake on a machine that cannot be told from
  /// others, kNoRandom. Throws std::bad_alloc.
  [[nodiscard]] Status save(Serializer& out) const;
  /// Error: DEFECTIVE_TOKEN kImport for what save() cannot have written, and for a handshake of
  /// another machine; CONTEXT_EXPIRED kExpired for a handshake that was exported too long ago;
  /// kPolicyKeyLength for keys shorter than policy allows; kBadSetting. Throws std::bad_alloc.
  [[nodiscard]] static Result<std::unique_ptr<Context>> load(Deserializer& in);
  /// Loaded half-way: its next step needs bind().
  [[nodiscard]] bool needs_credential() const noexcept { return !credential_ && !is_open(); }
  /// The credential for the steps that are left. Error: NO_CRED kBadCredential for an initiator's
  /// that is not the one that the handshake began with.
  [[nodiscard]] Status bind(Ref<const Credential> credential);

 private:
  Context(Ref<const Settings> settings, bool initiator);
  Status load_open(Deserializer& in);
  Status load_handshake(Deserializer& in);
  Status save_origin(Serializer& out) const;
  Status load_origin(Deserializer& in);
  [[nodiscard]] Status check_age() const;
  [[nodiscard]] Status claim() const;
  [[nodiscard]] const Policy& policy() const noexcept { return settings_->policy; }
  void note(const Outcome& outcome);
  [[nodiscard]] Session make_session(Outcome outcome) const;
  void open(Session session) noexcept;
  Status check_reflection(ByteView challenge);
  Status take_source(AcceptedLogon& logon, const Outcome& outcome);
  [[nodiscard]] Status check_rules() const;
  [[nodiscard]] SessionRules session_rules() const noexcept;
  void trace_failure(Error error, std::uint32_t events) const;
  Status audit(ByteView authenticate, bool accepted) const;

  Ref<const Settings> settings_;
  ProcessRuntime env_;
  Ref<const Credential> credential_;
  std::variant<std::monostate, Initiator, Acceptor> handshake_;
  std::optional<Session> session_;
  Ref<const Name> source_;
  Ref<const Name> target_;
  OM_uint32 requested_ = 0;
  bool initiator_role_;
  bool fresh_ = true;
  bool failed_ = false;
  bool connectionless_ = false;  // an acceptor whose first token was not NEGOTIATE
  LayerAbove above_ = LayerAbove::kApplication;
  bool mic_ = false;
  bool channel_bound_ = false;
  bool peer_tells_sealing_ = false;
  bool seals_when_signing_ = false;
  bool expects_plain_ = false;
  std::uint32_t begun_in_ = process_generation();
  std::uint64_t exported_at_ = 0;   // FILETIME; a handshake that was imported
  std::uint64_t handshake_id_ = 0;  // the same
  bool reflected_ = false;          // the challenge came from this very process
  ResponseKind kind_ = ResponseKind::kNone;
  std::vector<std::string_view> weak_;
};

/// What an initiator's handshake is made of, but for its credential. Throws std::bad_alloc.
[[nodiscard]] InitiatorSetup setup_for(const Settings& settings, const Name& target,
                                       OM_uint32 flags);

/// The hash of the caller's bindings; nullopt for GSS_C_NO_CHANNEL_BINDINGS.
[[nodiscard]] std::optional<ChannelBindingHash> binding_hash(
    gss_channel_bindings_t bindings) noexcept;

/// The context behind a handle; nullptr for GSS_C_NO_CONTEXT and what is not ours.
[[nodiscard]] inline Context* context_of(gss_ctx_id_t handle) noexcept {
  return handle != GSS_C_NO_CONTEXT && Context::marks(handle) ? reinterpret_cast<Context*>(handle)
                                                              : nullptr;
}
[[nodiscard]] inline gss_ctx_id_t handle_of(Context* context) noexcept {
  return reinterpret_cast<gss_ctx_id_t>(context);
}
/// The credential behind a handle; nullptr for GSS_C_NO_CREDENTIAL and what is not ours.
[[nodiscard]] inline const Credential* credential_of(gss_cred_id_t handle) noexcept {
  return handle != GSS_C_NO_CREDENTIAL && Credential::marks(handle)
             ? reinterpret_cast<const Credential*>(handle)
             : nullptr;
}
[[nodiscard]] inline gss_cred_id_t handle_of(Ref<const Credential> credential) noexcept {
  return reinterpret_cast<gss_cred_id_t>(const_cast<Credential*>(credential.detach()));
}

/// The credential behind `handle`, or the default one of `usage`, for `name` if that is given.
[[nodiscard]] Result<Ref<const Credential>> credential_or_default(gss_cred_id_t handle, Usage usage,
                                                                  Ref<const Name> name = {});

}  // namespace gssntlm::spi
