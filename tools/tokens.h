// Finds NTLM and SPNEGO tokens in text or binary input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mech/base/bytes.h"

namespace gssntlm::tools {

/// The tokens in `input`, in order: a raw token; hexadecimal digits or base64, also over several
/// lines; `Negotiate ...` and `NTLM ...` headers; or any text that contains such, for example a log
/// of curl -v. Headers and inputs that are nothing but one encoded token are given back even when
/// they do not decode to NTLM or SPNEGO, so that the caller can report what is wrong with them.
[[nodiscard]] std::vector<Bytes> find_tokens(std::string_view input);

/// Bytes of base64, with or without padding; empty if it is not.
[[nodiscard]] Bytes bytes_from_base64(std::string_view text);

}  // namespace gssntlm::tools
