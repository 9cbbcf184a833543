#include "tools/decode/encodings.h"

#include "mech/base/text.h"

namespace gssntlm::tools {
namespace {

int base64_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') {
    return c - 'A';
  }
  if (c >= 'a' && c <= 'z') {
    return c - 'a' + 26;
  }
  if (c >= '0' && c <= '9') {
    return c - '0' + 52;
  }
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

std::string_view without_padding(std::string_view text) noexcept {
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_base64(char c) noexcept {
  return base64_value(c) >= 0 || c == '=';
}

Bytes bytes_from_base64(std::string_view text) {
  text = without_padding(text);
  if (text.size() % 4 == 1) {
    return {};
  }
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) {
      return {};
    }
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  return out;
}

Decoded decode_digits(std::string_view digits, Encoding encoding) {
  if (encoding == Encoding::kBase64) {
    digits = without_padding(digits);
    const bool whole = digits.size() % 4 != 1;
    return {bytes_from_base64(whole ? digits : digits.substr(0, digits.size() - 1)),
            whole ? "" : "base64 of a length that no bytes have: it was cut"};
  }
  const bool whole = digits.size() % 2 == 0;
  Result<Bytes> bytes = bytes_from_hex(whole ? digits : digits.substr(0, digits.size() - 1));
  return {bytes ? std::move(*bytes) : Bytes(),
          whole ? "" : "an odd number of hexadecimal digits: it was cut"};
}

std::string without_byte_order_mark(std::string_view input) {
  if (input.starts_with("\xEF\xBB\xBF")) {
    return std::string(input.substr(3));
  }
  const bool little = input.starts_with("\xFF\xFE");
  if (!little && !input.starts_with("\xFE\xFF")) {
    return std::string(input);
  }
  std::string text;
  text.reserve(input.size() / 2);
  for (std::size_t at = 2; at + 1 < input.size(); at += 2) {
    const char low = input[little ? at : at + 1];
    const char high = input[little ? at + 1 : at];
    text.push_back(high == 0 ? low : '?');
  }
  return text;
}

}  // namespace gssntlm::tools
