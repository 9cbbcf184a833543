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

template <typename Block, std::size_t... I>
[[gnu::always_inline]] inline void run(State& state, const Block& block,
                                       std::index_sequence<I...>) noexcept {
  State v = state;
  (step<I>(v, block), ...);
  add(state, v);
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

}  // namespace gssntlm::md5
