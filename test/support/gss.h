// GSSAPI for tests: owners of handles, a whole handshake, a users file and a registration of their
// own.
#pragma once

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include <optional>
#include <string>
#include <utility>

namespace gssntlm::test {

extern gss_OID_desc kNtlm;
extern gss_OID_desc kSpnego;

/// Of inquiries for a context's session key.
extern gss_OID_desc kSessionKeyOid;

/// A buffer that looks at `text`.
gss_buffer_desc buffer_of(const std::string& text);
/// What is in a buffer that was given; the buffer is released.
std::string take(gss_buffer_desc& buffer);

/// A status, and what it says.
struct Outcome {
  OM_uint32 major = GSS_S_COMPLETE;
  OM_uint32 minor = 0;
  [[nodiscard]] bool ok() const { return !GSS_ERROR(major); }
  /// The minor code's text as gss_display_status gives it.
  [[nodiscard]] std::string text() const;
};

class NameHandle {
 public:
  NameHandle() = default;
  NameHandle(const std::string& text, gss_OID type);
  NameHandle(NameHandle&& o) noexcept : name_(std::exchange(o.name_, nullptr)) {}
  NameHandle(const NameHandle&) = delete;
  NameHandle& operator=(NameHandle&& o) noexcept {
    std::swap(name_, o.name_);
    return *this;
  }
  ~NameHandle();
  gss_name_t get() const { return name_; }
  /// For a call that makes a name; the one held before is released.
  gss_name_t* out() {
    *this = NameHandle();
    return &name_;
  }
  [[nodiscard]] std::string display() const;

 private:
  gss_name_t name_ = GSS_C_NO_NAME;
};

class CredHandle {
 public:
  CredHandle() = default;
  CredHandle(CredHandle&& o) noexcept : cred_(std::exchange(o.cred_, nullptr)) {}
  CredHandle& operator=(CredHandle&& o) noexcept {
    std::swap(cred_, o.cred_);
    return *this;
  }
  CredHandle(const CredHandle&) = delete;
  ~CredHandle();
  gss_cred_id_t get() const { return cred_; }
  /// For a call that changes the credential held.
  gss_cred_id_t* handle() { return &cred_; }
  /// For a call that makes a credential; the one held before is released.
  gss_cred_id_t* out() {
    *this = CredHandle();
    return &cred_;
  }

 private:
  gss_cred_id_t cred_ = GSS_C_NO_CREDENTIAL;
};

/// One end of a context.
struct End {
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  OM_uint32 flags = 0;
  Outcome last;
  NameHandle source;

  End() = default;
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  ~End();
};

/// What a handshake is made of. Empty credentials are the default ones.
struct Exchange {
  gss_OID mech = &kNtlm;
  OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
  gss_cred_id_t initiator_cred = GSS_C_NO_CREDENTIAL;
  gss_cred_id_t acceptor_cred = GSS_C_NO_CREDENTIAL;
  std::optional<std::string> initiator_bindings;
  std::optional<std::string> acceptor_bindings;
  std::string target = "HTTP@server.example";
};

/// One step of either side; `input` is the peer's token. The outcome is in `end.last`.
std::string init_step(const Exchange& x, End& end, const std::string& input);
std::string accept_step(const Exchange& x, End& end, const std::string& input);

/// Runs steps until both are complete or one fails; true when both are complete.
bool run(const Exchange& x, End& initiator, End& acceptor);

/// Whether a MIC covers the exchange of this acceptor.
bool has_mic(const End& acceptor);
/// Whether a MIC covers this exchange, which opens a context: inside SPNEGO that depends on the
/// library.
bool carries_mic(const Exchange& x);

/// A credential from a name and a password, or from a store; `user` may be empty.
Outcome acquire_password(const std::string& user, const std::string& password, gss_OID mech,
                         CredHandle& cred);
Outcome acquire(gss_cred_usage_t usage, gss_OID mech, CredHandle& cred);
Outcome acquire_from(gss_cred_usage_t usage, gss_OID mech, const std::string& user,
                     std::initializer_list<std::pair<const char*, std::string>> store,
                     CredHandle& cred);

/// Messages. Outputs only when ok().
Outcome wrap(End& end, const std::string& message, std::string& token, int conf = 1);
Outcome unwrap(End& end, const std::string& token, std::string& message);
Outcome get_mic(End& end, const std::string& message, std::string& token);
Outcome verify_mic(End& end, const std::string& message, const std::string& token);

/// The token of a context, which is gone then; and a context from a token.
Outcome export_context(End& end, std::string& token);
Outcome import_context(End& end, const std::string& token);
/// Empty when the context has none.
std::string session_key(const End& end);

/// A directory that goes with its contents. Sets NTLM_USER_FILE to `users` inside it, and
/// GSS_NTLM_SETTINGS to `settings`, which knows no keyring and lets the users file's accounts log
/// in to this process; with several accounts NTLMUSER to the first.
class Workshop {
 public:
  explicit Workshop(const std::string& users, const std::string& settings = {});
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  ~Workshop();
  /// Writes a file of mode `mode`; gives its path.
  std::string write(const std::string& name, const std::string& text, unsigned mode = 0600) const;
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }

 private:
  std::string directory_;
};

}  // namespace gssntlm::test
