// Finds NTLM and SPNEGO tokens in text or binary input.
#pragma once

#include <string_view>

#include "tools/decode/found.h"

namespace gssntlm::tools {

/// The tokens in `input`, in order: raw ones; hexadecimal digits or base64, several a line or over
/// several lines; values of headers; dumps; or any text that contains such, for example a log of
/// curl -v. A token in a text ends where its text ends, also if fewer bytes would do. Only a text
/// with no token in any line is joined and read as one. Headers and words of hexadecimal digits
/// that are the whole input are given back even when they do not decode to NTLM or SPNEGO, so that
/// the caller can report what is wrong with them.
[[nodiscard]] Conversation find_tokens(std::string_view input);

}  // namespace gssntlm::tools
