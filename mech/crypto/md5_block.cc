#include "mech/crypto/md5_block.h"

namespace gssntlm::md5 {
namespace {

template <std::size_t... I>
[[gnu::always_inline]] inline void all_steps(State& v, const std::uint8_t* p,
                                             std::index_sequence<I...>) noexcept {
  (step<I>(v, p), ...);
}

}  // namespace

void compress(State& state, const std::uint8_t* p, std::size_t count) noexcept {
  State chain = state;
  for (; count != 0; --count, p += kBlockSize) {
    State v = chain;
    all_steps(v, p, std::make_index_sequence<64>());
    for (std::size_t i = 0; i < chain.size(); ++i) {
      chain[i] += v[i];
    }
  }
  state = chain;
}

}  // namespace gssntlm::md5
