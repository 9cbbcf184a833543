// RC4's state and step. Internal to the session ciphers, which alone look into an Arcfour.
#pragma once

#include <array>
#include <cstdint>

namespace gssntlm {

/// The permutation, in 16-bit entries (half the memory of 32-bit ones at the same speed; 8-bit ones
/// are slower), and the indices i and j as they stand after the last byte of key stream.
struct ArcfourState {
  std::array<std::uint16_t, 256> s;
  std::uint8_t x = 0;
  std::uint8_t y = 0;
};

/// Makes the next byte of key stream: `entry` is the one at the new x, `y` still the old one.
[[gnu::always_inline]] inline std::uint16_t arcfour_step(std::array<std::uint16_t, 256>& s,
                                                         std::uint16_t& entry,
                                                         std::uint8_t& y) noexcept {
  const std::uint16_t at_x = entry;
  y = static_cast<std::uint8_t>(y + at_x);
  const std::uint16_t at_y = s[y];
  s[y] = at_x;
  entry = at_y;
  return s[static_cast<std::uint8_t>(at_x + at_y)];
}

}  // namespace gssntlm
