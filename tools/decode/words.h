// Words and lines in which tokens and answers to them stand.
#pragma once

#include <string>
#include <string_view>

#include "tools/decode/encodings.h"

namespace gssntlm::tools {

/// Least digits that are looked at: those of a NegTokenResp with a state alone.
inline constexpr std::size_t kMinEncoded = 12;
/// Digits of either encoding that cover the fixed part of a message.
inline constexpr std::size_t kHeadDigits = 192;

/// Without what surrounds encoded digits in source code and in folded headers.
[[nodiscard]] std::string_view trim(std::string_view line) noexcept;
[[nodiscard]] std::string_view trim_front(std::string_view line) noexcept;

/// Whether the bytes are a token, as far as they go.
[[nodiscard]] bool is_token(ByteView bytes);
/// The same of digits.
[[nodiscard]] bool begins_token(std::string_view digits, Encoding encoding);

/// `HTTP/1.1 401 Unauthorized` of a line like `< HTTP/1.1 401 Unauthorized`, but of no interim
/// answer; empty if it is none.
[[nodiscard]] std::string http_status(std::string_view line);

/// Size of the word of base64 at the start of `text`, which ends behind its padding. At least 1.
[[nodiscard]] std::size_t base64_word(std::string_view text) noexcept;

}  // namespace gssntlm::tools
