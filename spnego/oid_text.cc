#include <algorithm>

#include "spnego/token.h"

namespace gssntlm {

std::string oid_text(ByteView content) {
  std::string text;
  std::uint64_t value = 0;
  bool first = true;
  for (const std::uint8_t octet : content) {
    if (value >> 50 != 0) {
      return {};
    }
    value = value << 7 | (octet & 0x7F);
    if ((octet & 0x80) != 0) {
      continue;
    }
    if (first) {
      const std::uint64_t root = std::min<std::uint64_t>(value / 40, 2);
      text = std::to_string(root);
      value -= root * 40;
      first = false;
    }
    text.append(".").append(std::to_string(value));
    value = 0;
  }
  return !content.empty() && (content.back() & 0x80) == 0 ? text : std::string();
}

}  // namespace gssntlm
