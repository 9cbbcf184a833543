// What the benchmarks and the budget do with a mechanism, through libgssapi alone, so that any
// module that GSS_MECH_CONFIG names does the same. Ends the program when a call fails.
#pragma once

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include <cstddef>
#include <string>
#include <vector>

namespace gssntlm::bench {

/// The account of the users file that NTLM_USER_FILE names.
inline constexpr const char* kUser = "BENCH\\alice";
inline constexpr const char* kPassword = "Passw0rd-alice";

enum class Mech { kNtlm, kSpnego };

/// Both ends of an exchange.
struct Pair {
  gss_ctx_id_t initiator = GSS_C_NO_CONTEXT;
  gss_ctx_id_t acceptor = GSS_C_NO_CONTEXT;

  Pair() = default;
  Pair(Pair&& other) noexcept;
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() { close(); }
  void close() noexcept;
};

/// Monotonic time, in seconds.
[[nodiscard]] double now() noexcept;

/// An imported name.
class Imported {
 public:
  Imported(const char* text, gss_OID type);
  Imported(const Imported&) = delete;
  Imported& operator=(const Imported&) = delete;
  ~Imported();
  [[nodiscard]] gss_name_t get() const noexcept { return name_; }

 private:
  gss_name_t name_ = GSS_C_NO_NAME;
};

/// A credential, from the users file or from a password.
[[nodiscard]] gss_cred_id_t acquire(Mech mech, gss_cred_usage_t usage,
                                    gss_name_t user = GSS_C_NO_NAME,
                                    const char* password = nullptr);
void release(gss_cred_id_t cred) noexcept;

/// Names and credentials of a client and a server.
class Works {
 public:
  explicit Works(Mech mech, const char* user = kUser, const char* password = nullptr);
  Works(const Works&) = delete;
  Works& operator=(const Works&) = delete;
  ~Works();

  /// A whole handshake; `pair` holds none before. Adds what the acceptor took to
  /// `acceptor_seconds`, if it is given.
  void handshake(Pair& pair, double* acceptor_seconds = nullptr) const;

 private:
  Mech mech_;
  Imported target_;
  gss_cred_id_t initiate_ = GSS_C_NO_CREDENTIAL;
  gss_cred_id_t accept_ = GSS_C_NO_CREDENTIAL;
};

/// A buffer that goes with its contents.
class Token {
 public:
  Token() = default;
  Token(Token&& other) noexcept;
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token();
  gss_buffer_t get() noexcept { return &buffer_; }

 private:
  gss_buffer_desc buffer_ = GSS_C_EMPTY_BUFFER;
};

void wrap(gss_ctx_id_t from, const std::string& message, Token& token);
void unwrap(gss_ctx_id_t to, Token& token, Token& message);
void get_mic(gss_ctx_id_t from, const std::string& message, Token& token);
void verify_mic(gss_ctx_id_t to, const std::string& message, Token& token);
/// In place; `header` takes what gss_wrap_iov puts before the message. False where a mechanism has
/// no such call.
bool wrap_iov(gss_ctx_id_t from, std::string& message, std::string& header);
void unwrap_iov(gss_ctx_id_t to, std::string& message, std::string& header);

}  // namespace gssntlm::bench
