// A security context: a login with a handle, its flags in the terms of GSSAPI.
#pragma once

#include <memory>
#include <optional>

#include "mech/login/login.h"
#include "mech/spi/boundary.h"

namespace gssntlm::spi {

/// What a caller of gss_init_sec_context fixes at the first step.
struct InitiatorCall {
  Ref<const Credential> credential;
  Ref<const Name> target;
  OM_uint32 flags = 0;
};

/// The object behind a gss_ctx_id_t: a login in the terms of GSSAPI. The caller serialises calls on
/// one context.
class Context : public Tagged<0xC7D1158B>, public LoginContext {
 public:
  explicit Context(InitiatorCall call);
  /// An acceptor.
  explicit Context(Ref<const Credential> credential);
  /// What save() wrote. Errors as LoginContext's; kBadSetting. Throws std::bad_alloc.
  [[nodiscard]] static Result<std::unique_ptr<Context>> load(Deserializer& in);

  /// Second step of an initiator; the library's SPNEGO is the one that may be above.
  [[nodiscard]] Result<Buffer> authenticate(ByteView challenge, const ChannelBindingHash* bindings);

  /// GSS flags that an initiator's caller asked for.
  [[nodiscard]] OM_uint32 requested_flags() const noexcept { return caller_flags(); }
  /// GSS flags obtained; 0 before the context is open.
  [[nodiscard]] OM_uint32 gss_flags() const noexcept;
  /// A receiver of wrapped messages finds out whether they are sealed: both ends of the context can
  /// do that, or the caller's protocol says it beside the message, as DCE RPC does. Only when
  /// is_open().
  [[nodiscard]] bool distinguishes_wrap_modes() const noexcept {
    return session().seals() && session().can_seal() && has(session().flags(), flag::kEss) &&
           (peer_tells_sealing() || (caller_flags() & GSS_C_DCE_STYLE) != 0);
  }
  /// Whether the last wrapped message that came was signed only: the next one may be, too.
  [[nodiscard]] bool expects_plain() const noexcept { return expects_plain_; }
  void expect_plain(bool plain) noexcept { expects_plain_ = plain; }

 private:
  explicit Context(const Head& head);

  bool expects_plain_ = false;
};

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
