// SPNEGO tokens [RFC 4178 4.2, MS-SPNG 2.2]: what wraps an NTLM message under Negotiate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mech/base/bytes.h"
#include "mech/base/status.h"

namespace gssntlm {

/// The object identifier of NTLM, as the content of its DER.
inline constexpr std::uint8_t kNtlmOid[] = {0x2B, 0x06, 0x01, 0x04, 0x01,
                                            0x82, 0x37, 0x02, 0x02, 0x0A};

/// NegTokenInit or NegTokenResp. Views point into the token; nothing is copied.
struct Negotiation {
  enum class Kind { kInit, kResponse };
  enum class State : std::uint8_t { kCompleted, kIncomplete, kReject, kRequestMic };

  Kind kind = Kind::kInit;
  std::vector<ByteView> mechanisms;   ///< kInit: contents of the object identifiers
  ByteView mech_list;                 ///< kInit: MechTypeList with its tag, what mechListMIC covers
  std::optional<State> state;         ///< kResponse
  std::optional<ByteView> chosen;     ///< kResponse: supportedMech
  std::optional<ByteView> token;      ///< mechToken or responseToken
  std::optional<ByteView> hint_name;  ///< kInit of [MS-SPNG]: negHints
  std::optional<ByteView> mic;        ///< mechListMIC
};

/// A token starts like one of SPNEGO: the framing of RFC 2743 3.1 or a bare choice [0] or [1].
[[nodiscard]] bool looks_like_negotiation(ByteView token) noexcept;

/// Accepts NegTokenInit framed or bare, and NegTokenResp; long and short lengths. Fields stand in
/// order and once; nothing follows. Errors (DEFECTIVE_TOKEN): kNotNtlm when the framing is another
/// mechanism's, kTruncated for all else. `where`, if given, gets the offset of what is wrong.
/// Throws std::bad_alloc.
[[nodiscard]] Result<Negotiation> decode_negotiation(ByteView token, std::size_t* where = nullptr);

/// `1.3.6.1...` of the content of an object identifier; empty if it is malformed.
[[nodiscard]] std::string oid_text(ByteView content);

}  // namespace gssntlm
