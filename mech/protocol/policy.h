// What this side sends and accepts. A value: handed in, never looked up.
#pragma once

#include <cstdint>

#include "mech/base/flags.h"
#include "mech/base/text.h"

namespace gssntlm {

/// How strictly something optional is treated.
enum class Demand {
  kOff,      ///< never looked at
  kAccept,   ///< verified when the peer has it
  kRequire,  ///< its absence is a failure
};

/// Defaults are the secure ones; every weaker thing is a named member, off.
struct Policy {
  /// LmCompatibilityLevel 0 to 5 [MS-NLMP] 7 <82>, each role for itself. 3 and more send NTLMv2
  /// only; 5 accepts NTLMv2 only.
  unsigned initiator_level = 3;
  unsigned acceptor_level = 5;
  /// Least strength of session keys where messages are protected: 128, 56 or 40.
  unsigned min_key_bits = 128;
  /// Extended session security must be agreed.
  bool require_ess = true;
  /// An acceptor takes NTLMv2 responses without a MIC (clients older than Vista, and several
  /// libraries).
  bool allow_missing_mic = true;
  /// An acceptor that was given channel bindings: a client without any is kRequire: refused,
  /// kAccept: let in without the channel-bound mark. A mismatch is refused by both; kOff compares
  /// nothing.
  Demand channel_bindings = Demand::kAccept;
  /// Anonymous logons are let in.
  bool allow_anonymous = false;
  /// Most that the client's NTLMv2 timestamp may differ from ours, in seconds. 36 hours.
  std::uint64_t max_skew_seconds = 36 * 60 * 60;
  /// gss_wrap with SIGN and without SEAL agreed encrypts, as Windows and SASL peers expect.
  bool seal_when_signing = true;
  /// OEM is offered and accepted beside Unicode; names go through this code page.
  bool offer_oem = false;
  CodePage code_page = CodePage::k437;
};

}  // namespace gssntlm
