// SPNEGO tokens [RFC 4178 4.2, MS-SPNG 2.2]: what wraps a mechanism's token under Negotiate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mech/base/bytes.h"
#include "spnego/der.h"

namespace gssntlm {

/// Object identifiers, as the content of their DER.
inline constexpr std::uint8_t kSpnegoOid[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x02};
inline constexpr std::uint8_t kNtlmOid[] = {0x2B, 0x06, 0x01, 0x04, 0x01,
                                            0x82, 0x37, 0x02, 0x02, 0x0A};

/// Why bytes are not a SPNEGO token.
enum class TokenFault : std::uint8_t {
  kNone,
  kNotSpnego,     ///< neither choice, or the framing of another mechanism
  kMalformed,     ///< a length runs past its end or is indefinite, or an element is of a wrong type
  kFieldType,     ///< a field of NegTokenInit or NegTokenResp is not of the type it must have
  kFieldOrder,    ///< a field stands twice, out of order, or is not context-specific
  kTrailing,      ///< bytes follow the token
  kTooManyMechs,  ///< more than kMostMechTypes
};

/// Mechanisms in a list. Windows lists up to five; each one more costs MIT's acceptor a copy of
/// all.
inline constexpr std::size_t kMostMechTypes = 64;

/// NegTokenInit or NegTokenResp. Views point into the token; nothing is copied.
struct SpnegoToken {
  enum class Kind : std::uint8_t { kInit, kResponse };
  enum class State : std::uint8_t { kCompleted, kIncomplete, kReject, kRequestMic };

  Kind kind = Kind::kInit;
  ByteView mech_list;                 ///< kInit: MechTypeList with its tag, what mechListMIC covers
  ByteView mech_types;                ///< kInit: its content; read it with mechanisms_of()
  std::optional<State> state;         ///< kResponse
  std::optional<ByteView> chosen;     ///< kResponse: supportedMech
  std::optional<ByteView> token;      ///< mechToken or responseToken
  std::optional<ByteView> hint_name;  ///< kInit of [MS-SPNG]: negHints
  std::optional<ByteView> mic;        ///< mechListMIC
  ByteView mic_field;                 ///< kResponse: the whole field of mechListMIC, with its tag
};

/// A token starts like one of SPNEGO: the framing of RFC 2743 3.1 or a bare choice [0] or [1].
[[nodiscard]] bool looks_like_spnego(ByteView token) noexcept;

/// What read_token() found wrong.
struct TokenProblem {
  TokenFault fault = TokenFault::kNone;
  std::size_t where = 0;  ///< offset of the element that is wrong, at most the token's size
};

/// Validates every length, tag and type, and reads. Accepts NegTokenInit and NegTokenResp, framed
/// or bare; [MS-SPNG]'s NegTokenInit2; fields that are left out. Fields stand in order and once,
/// and nothing follows the token. Elements with numbers above those of RFC 4178, which may be
/// extended, must be whole and are passed over, except [4] of NegTokenResp: krb5 1.21 to 1.22.1
/// read mechListMIC there, and crash unless it is an OCTET STRING (krb5 ticket 9213). Never
/// allocates.
[[nodiscard]] std::optional<SpnegoToken> read_token(ByteView token,
                                                    TokenProblem* problem = nullptr) noexcept;

/// The contents of the object identifiers in `mech_types` of a token that was read. Throws
/// std::bad_alloc.
[[nodiscard]] inline std::vector<ByteView> mechanisms_of(const SpnegoToken& token) {
  std::vector<ByteView> mechanisms;
  for (DerReader list(token.mech_types); !list.at_end() && list.ok();) {
    mechanisms.push_back(list.next(der_tag::kOid).content);
  }
  return mechanisms;
}

/// `1.3.6.1...` of the content of an object identifier; empty if it is malformed. Throws
/// std::bad_alloc.
[[nodiscard]] std::string oid_text(ByteView content);

}  // namespace gssntlm
