// The loop of stitch.h, for any way to make key stream.
#pragma once

#include <utility>

#include "mech/crypto/stitch.h"

namespace gssntlm::stitch {

template <typename KeyStream, std::size_t... I>
[[gnu::always_inline]] inline void all_steps(md5::State& v, const std::uint8_t* clear,
                                             KeyStream& key_stream,
                                             std::index_sequence<I...>) noexcept {
  ((key_stream.template step<I>(), md5::step<I>(v, md5::BlockWords{clear})), ...);
}

/// A KeyStream is made from an ArcfourState; its step<I>() makes byte I of a block of key stream,
/// apply() XORs the block from one place to another, and save() gives the state back.
template <typename KeyStream>
[[gnu::always_inline]] inline void run(md5::State& state, ArcfourState& stream,
                                       Work work) noexcept {
  md5::State chain = state;
  KeyStream key_stream(stream);
  for (; work.blocks != 0; --work.blocks) {
    md5::State v = chain;
    all_steps(v, work.clear, key_stream, std::make_index_sequence<kBlockSize>());
    md5::add(chain, v);
    key_stream.apply(work.in, work.out);
    work.clear += kBlockSize;
    work.in += kBlockSize;
    work.out += kBlockSize;
  }
  key_stream.save(stream);
  state = chain;
}

}  // namespace gssntlm::stitch
