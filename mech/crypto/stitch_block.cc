#include <utility>

#include "mech/crypto/arcfour_stream.h"
#include "mech/crypto/stitch.h"

namespace gssntlm::stitch {
namespace {

// make_word() between the steps, for the processor to do while it waits.
template <typename MakeWord, std::size_t... I>
[[gnu::always_inline]] inline void all_steps(md5::State& v, const std::uint8_t* block,
                                             MakeWord& make_word,
                                             std::index_sequence<I...>) noexcept {
  ((I % 8 == 0 ? make_word() : void(), md5::step<I>(v, md5::BlockWords{block})), ...);
}

}  // namespace

void compress(md5::State& state, const std::uint8_t* block, ArcfourState& stream,
              MutableBytes key_stream) noexcept {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  ArcfourStream source(stream);
  std::uint8_t* out = key_stream.data();
  std::size_t left = key_stream.size();
  const auto make_word = [&] {
    if (left >= kWord) {
      store_le64(out, source.word());
      out += kWord;
      left -= kWord;
    }
  };
  md5::State v = state;
  all_steps(v, block, make_word, std::make_index_sequence<md5::kSteps>());
  md5::add(state, v);
  while (left >= kWord) {
    make_word();
  }
  for (; left != 0; --left) {
    *out++ = source.byte();
  }
  source.save(stream);
}

}  // namespace gssntlm::stitch
