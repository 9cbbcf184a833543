// Encodings in which people pass tokens on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "mech/base/bytes.h"

namespace gssntlm::tools {

enum class Encoding { kHex, kBase64 };

[[nodiscard]] bool is_blank(char c) noexcept;
[[nodiscard]] bool is_hex(char c) noexcept;
/// Of both alphabets of base64, with its padding.
[[nodiscard]] bool is_base64(char c) noexcept;

/// Bytes of base64, of either alphabet, with or without padding; empty if it is not.
[[nodiscard]] Bytes bytes_from_base64(std::string_view text);

struct Decoded {
  Bytes bytes;
  std::string damage;  ///< what was left out of `digits`, and why; empty: nothing
};
/// Decodes digits of their alphabet; a last digit that no byte can be made of is left out.
[[nodiscard]] Decoded decode_digits(std::string_view digits, Encoding encoding);

/// Text as it was before an editor or a shell wrote it: without a byte order mark, and of UTF-16
/// the ASCII characters, with `?` for any other.
[[nodiscard]] std::string without_byte_order_mark(std::string_view input);

}  // namespace gssntlm::tools
