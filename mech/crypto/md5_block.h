// The compression function of MD5 [RFC 1321] 3.4, step by step, so that other work can be put
// between its steps. Internal to mech/crypto; other code hashes with primitives.h.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "mech/base/bytes.h"

namespace gssntlm::md5 {

inline constexpr std::size_t kBlockSize = 64;
inline constexpr std::size_t kSteps = 64;

using State = std::array<std::uint32_t, 4>;

inline constexpr State kInitialState = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

/// K[i] = floor(2^32 * |sin(i + 1)|).
inline constexpr std::array<std::uint32_t, kSteps> kSines = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

/// Makes the compiler take `sum` as it stands. Each step waits for the one before it, so what can
/// be added early must not be gathered into one late, slow addition.
[[gnu::always_inline]] inline void keep_sum(std::uint32_t& sum) noexcept {
  asm("" : "+r"(sum));
}

/// The words of a block in memory.
struct BlockWords {
  const std::uint8_t* p;

  template <std::size_t I>
  [[gnu::always_inline]] std::uint32_t word() const noexcept {
    return load_le32(p + 4 * I);
  }
};

/// Step I over a block, word<0>() to word<15>() of `block`. The roles of v's words rotate with I,
/// so that nothing moves.
template <std::size_t I, typename Block>
[[gnu::always_inline]] inline void step(State& v, const Block& block) noexcept {
  constexpr std::size_t kRound = I / 16;
  constexpr std::array<std::size_t, 4> kFactor = {1, 5, 3, 7};
  constexpr std::array<std::size_t, 4> kOffset = {0, 1, 5, 0};
  constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  constexpr std::size_t kWord = (kFactor[kRound] * I + kOffset[kRound]) % 16;
  std::uint32_t& a = v[(64 - I) % 4];
  const std::uint32_t b = v[(65 - I) % 4];
  const std::uint32_t c = v[(66 - I) % 4];
  const std::uint32_t d = v[(67 - I) % 4];
  a += block.template word<kWord>() + kSines[I];
  keep_sum(a);
  if constexpr (kRound == 0) {
    a += d ^ (b & (c ^ d));
  } else if constexpr (kRound == 1) {
    // (b & d) | (c & ~d) as a sum: the half without b, which comes last, is added early.
    a += c & ~d;
    keep_sum(a);
    a += b & d;
  } else if constexpr (kRound == 2) {
    a += b ^ (c ^ d);
  } else {
    a += c ^ (b | ~d);
  }
  a = std::rotl(a, kShifts[kRound][I % 4]) + b;
}

/// Adds the outcome `v` of the 64 steps to `state`.
[[gnu::always_inline]] inline void add(State& state, const State& v) noexcept {
  // Not a loop: an array indexed by a variable would be kept in memory during the steps.
  state[0] += v[0];
  state[1] += v[1];
  state[2] += v[2];
  state[3] += v[3];
}

/// Runs `count` blocks at `p` through the compression function.
void compress(State& state, const std::uint8_t* p, std::size_t count) noexcept;

/// Runs the last block of a hash over one block and one digest: `digest` and its padding.
void compress_digest(State& state, const State& digest) noexcept;

/// The two states of HMAC [RFC 2104] after their first block: `key`, padded with zeros and XORed
/// with the inner and the outer pad. Step beside step they take hardly longer than one.
void compress_key(State& inner, State& outer, std::span<const std::uint8_t, 16> key) noexcept;

}  // namespace gssntlm::md5
