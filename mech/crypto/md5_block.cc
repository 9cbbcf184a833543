#include "mech/crypto/md5_block.h"

#include <utility>

namespace gssntlm::md5 {
namespace {

// A digest of 16 bytes as the second and last block of a message, with its padding.
struct DigestWords {
  const State& digest;

  template <std::size_t I>
  [[gnu::always_inline]] std::uint32_t word() const noexcept {
    if constexpr (I < 4) {
      return digest[I];
    } else if constexpr (I == 4) {
      return 0x80;
    } else {
      return I == 14 ? 8 * (kBlockSize + sizeof(State)) : 0;
    }
  }
};

// A key of 16 bytes as the first block of an HMAC, XORed with `Pad` in each byte.
template <std::uint32_t Pad>
struct KeyWords {
  const std::uint8_t* key;

  template <std::size_t I>
  [[gnu::always_inline]] std::uint32_t word() const noexcept {
    constexpr std::uint32_t kPads = Pad * 0x01010101;
    if constexpr (I < 4) {
      return load_le32(key + 4 * I) ^ kPads;
    } else {
      return kPads;
    }
  }
};

template <typename Block, std::size_t... I>
[[gnu::always_inline]] inline void run(State& state, const Block& block,
                                       std::index_sequence<I...>) noexcept {
  State v = state;
  (step<I>(v, block), ...);
  add(state, v);
}

template <typename BlockA, typename BlockB, std::size_t... I>
[[gnu::always_inline]] inline void run_both(State& a, const BlockA& block_a, State& b,
                                            const BlockB& block_b,
                                            std::index_sequence<I...>) noexcept {
  State v = a;
  State w = b;
  ((step<I>(v, block_a), step<I>(w, block_b)), ...);
  add(a, v);
  add(b, w);
}

}  // namespace

void compress(State& state, const std::uint8_t* p, std::size_t count) noexcept {
  State chain = state;
  for (; count != 0; --count, p += kBlockSize) {
    run(chain, BlockWords{p}, std::make_index_sequence<kSteps>());
  }
  state = chain;
}

void compress_digest(State& state, const State& digest) noexcept {
  run(state, DigestWords{digest}, std::make_index_sequence<kSteps>());
}

void compress_key(State& inner, State& outer, std::span<const std::uint8_t, 16> key) noexcept {
  inner = outer = kInitialState;
  run_both(inner, KeyWords<0x36>{key.data()}, outer, KeyWords<0x5c>{key.data()},
           std::make_index_sequence<kSteps>());
}

}  // namespace gssntlm::md5
