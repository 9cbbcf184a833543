// What tokens are wrapped in besides SPNEGO, and where a token in a row of bytes ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mech/base/bytes.h"

namespace gssntlm::tools {

/// A part of a wrapping that is worth showing.
struct WrappingPart {
  ByteView bytes;
  std::string name;
  std::string value;
};

/// The framing of RFC 2743 3.1 with the mechanism NTLM, a TSRequest [MS-CSSP] 2.2.1, or an
/// LDAPMessage with a bind [RFC 4511 4.2, MS-ADTS 5.1.1.1.3]. Views point into the token.
struct Wrapping {
  std::string name;
  std::vector<WrappingPart> parts;
  ByteView inner;      ///< the token in it; empty: none
  std::string result;  ///< of a bind: "LDAP invalidCredentials (49)"; else empty
};

/// The wrapping that `token` begins with and that ends where `token` ends. SPNEGO is none.
[[nodiscard]] std::optional<Wrapping> unwrap(ByteView token);

/// Whether `bytes`, which may be cut, begin like an NTLM message, or a token of SPNEGO or of a
/// Wrapping.
[[nodiscard]] bool starts_token(ByteView bytes);
/// Whether `bytes` begin with the signature of an NTLM message.
[[nodiscard]] bool starts_ntlm(ByteView bytes) noexcept;

/// Size that the NTLM message or DER element at the start of `bytes` claims to have, as far as
/// `bytes`, which may be cut, show it; 0 if it is neither.
[[nodiscard]] std::size_t claimed_size(ByteView bytes) noexcept;
/// From an NTLM message's own fields: where the last of those that lie inside of `bytes` ends.
[[nodiscard]] std::size_t message_end(ByteView bytes) noexcept;

/// A token in a row of bytes.
struct Extent {
  std::size_t offset = 0;
  std::size_t size = 0;
};
/// All tokens in `bytes`, in order. A message that is cut reaches to the end of `bytes`. Takes time
/// proportional to the size of `bytes`.
[[nodiscard]] std::vector<Extent> find_extents(ByteView bytes);

}  // namespace gssntlm::tools
