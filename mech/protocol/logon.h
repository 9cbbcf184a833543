// Who checks a response: the question put to an account source, and its answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mech/base/runtime.h"
#include "mech/base/secret.h"
#include "mech/crypto/derive.h"
#include "mech/protocol/outcome.h"
#include "mech/protocol/policy.h"
#include "mech/wire/authenticate.h"

namespace gssntlm {

/// Which accounts may log in. Shared by threads.
class LogonFilter {
 public:
  virtual ~LogonFilter() = default;
  /// Whether the account, in its own spelling (UTF-16LE), may log in; `env`'s trace says why not.
  /// Throws std::bad_alloc.
  [[nodiscard]] virtual bool admits(ByteView user, ByteView domain, const Runtime& env) const = 0;
};

/// What a client claims. Names are UTF-16LE and clean (no NUL, no control characters); views into
/// the token or the acceptor.
struct LogonRequest {
  Nonce server_challenge{};
  ByteView user;
  ByteView domain;
  ByteView workstation;
  ByteView lm_response;
  ByteView nt_response;
  Flags flags = 0;                      ///< as agreed
  const LogonFilter* filter = nullptr;  ///< nullptr: every account may log in
};

/// A fact about the account, for gss_get_name_attribute.
struct LogonAttribute {
  std::string name;
  std::string value;
  bool authenticated =
      true;  ///< stated by the account source that verified the logon, not set by an application
};

/// A proven logon. Names are the account's own spelling, UTF-16LE.
struct Logon {
  Bytes user;
  Bytes domain;
  ResponseKind kind = ResponseKind::kNone;
  SessionBaseKey base;
  std::optional<LmHash> lm_hash;  ///< first 8 bytes suffice [MS-NLMP] 3.4.5.1
  std::vector<LogonAttribute> attributes;
};

/// Something that knows accounts: a users file, a domain. Shared by threads.
class AccountSource {
 public:
  virtual ~AccountSource() = default;
  /// Proves the response. Wrong password, unknown user, disabled account, one that the filter does
  /// not admit: FAILURE kLogonFailure, all after the same computation where the source verifies the
  /// response itself; which it was goes to `env`'s trace only. A source that learns the account's
  /// spelling only from its proof leaves the filter to the caller. Throws
  /// std::bad_alloc.
  [[nodiscard]] virtual Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                            const Runtime& env) const = 0;
};

/// A response proven with a hash.
struct Proof {
  ResponseKind kind = ResponseKind::kNone;
  SessionBaseKey base;
};

/// Verifies the NT or LM response of `request` against an account's hashes, as far as `policy`
/// admits its kind [MS-NLMP] 3.3, 3.2.5.1.2. An NT response is the only one that counts where there
/// is one. NTLMv2 and LMv2 are tried with the domain as sent, upper-cased, and empty. `lm_hash` may
/// be nullptr. nullopt: no match. Takes the same time for a hash that matches nothing. Throws
/// std::bad_alloc.
[[nodiscard]] std::optional<Proof> verify_response(const LogonRequest& request,
                                                   const NtHash& nt_hash, const LmHash* lm_hash,
                                                   const Policy& policy);

/// Which kind of response `request` carries. kLm stands for LM and LMv2, which look alike. NTLMv1
/// with extended session security is one only with the client's challenge in the LM field.
[[nodiscard]] ResponseKind response_kind(const LogonRequest& request) noexcept;

/// Whether policy admits what `request` carries.
[[nodiscard]] bool accepts_response(const LogonRequest& request, const Policy& policy) noexcept;

/// KXKEY [MS-NLMP] 3.4.5.1 for a proven logon. An LM response that was not sent counts as zeros.
[[nodiscard]] KeyExchangeKey key_exchange_key(const LogonRequest& request,
                                              const Logon& logon) noexcept;

}  // namespace gssntlm
