#include "mech/crypto/md4_block.h"

#include <bit>
#include <utility>

namespace gssntlm::md4 {
namespace {

constexpr std::size_t kSteps = 48;

// Step I. The roles of v's words rotate with I, so that nothing moves.
template <std::size_t I>
[[gnu::always_inline]] inline void step(MdState& v, const std::uint8_t* block) noexcept {
  constexpr std::size_t kRound = I / 16;
  constexpr std::array<std::uint32_t, 3> kRoot = {0, 0x5a827999, 0x6ed9eba1};
  constexpr int kShifts[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
  constexpr std::size_t kWords[3][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
                                         {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}};
  std::uint32_t& a = v[(48 - I) % 4];
  const std::uint32_t b = v[(49 - I) % 4];
  const std::uint32_t c = v[(50 - I) % 4];
  const std::uint32_t d = v[(51 - I) % 4];
  a += load_le32(block + 4 * kWords[kRound][I % 16]) + kRoot[kRound];
  if constexpr (kRound == 0) {
    a += d ^ (b & (c ^ d));
  } else if constexpr (kRound == 1) {
    // The majority of three bits, as a sum of two terms that share no bit.
    a += (c & d) + (b & (c ^ d));
  } else {
    a += b ^ c ^ d;
  }
  a = std::rotl(a, kShifts[kRound][I % 4]);
}

template <std::size_t... I>
[[gnu::always_inline]] inline void all_steps(MdState& v, const std::uint8_t* block,
                                             std::index_sequence<I...>) noexcept {
  (step<I>(v, block), ...);
}

}  // namespace

void compress(MdState& state, const std::uint8_t* p, std::size_t count) noexcept {
  for (; count != 0; --count, p += kMdBlockSize) {
    MdState v = state;
    all_steps(v, p, std::make_index_sequence<kSteps>());
    state[0] += v[0];
    state[1] += v[1];
    state[2] += v[2];
    state[3] += v[3];
  }
}

}  // namespace gssntlm::md4
