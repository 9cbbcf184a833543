// Texts of tests as UTF-16LE and back.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "mech/base/text.h"

namespace gssntlm::test {

/// UTF-16LE of valid UTF-8; throws for other bytes, since only a broken test has them.
inline Bytes wide(std::string_view utf8) {
  Result<Bytes> out = utf16le_from_utf8(utf8);
  if (!out) {
    throw std::invalid_argument("not UTF-8");
  }
  return std::move(*out);
}

/// UTF-8 of valid UTF-16LE.
inline std::string narrow(ByteView utf16le) {
  Result<std::string> out = utf8_from_utf16le(utf16le);
  if (!out) {
    throw std::invalid_argument("not UTF-16LE");
  }
  return std::move(*out);
}

}  // namespace gssntlm::test
