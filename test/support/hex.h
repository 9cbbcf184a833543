// Hexadecimal texts of tests to bytes and back.
#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "mech/base/bytes.h"

namespace gssntlm::test {

/// The bytes of `text`; throws for what is not hexadecimal, since only a broken test says that.
inline Bytes unhex(std::string_view text) {
  const auto digit = [](char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::size_t at = kDigits.find(c);
    if (at == std::string_view::npos) {
      throw std::invalid_argument("not a hexadecimal digit");
    }
    return static_cast<unsigned>(at);
  };
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(digit(text.at(i)) << 4 | digit(text.at(i + 1))));
  }
  return out;
}

/// Exactly N bytes of `text`.
template <std::size_t N>
std::array<std::uint8_t, N> unhex(std::string_view text) {
  const Bytes bytes = unhex(text);
  if (bytes.size() != N) {
    throw std::invalid_argument("wrong number of bytes");
  }
  std::array<std::uint8_t, N> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

inline std::string hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace gssntlm::test
