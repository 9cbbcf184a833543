#include "mech/crypto/stitch_loop.h"

#if defined(GSSNTLM_STITCH_X86_64)

#include "mech/crypto/arcfour_x86_64.h"

namespace gssntlm::stitch {
namespace {

// Key stream is gathered in vector registers, its even and odd bytes apart.
class KeyStream {
 public:
  explicit KeyStream(ArcfourState& stream) noexcept : lanes_(stream) {}

  template <std::size_t I>
  [[gnu::always_inline]] void step() noexcept {
    constexpr std::size_t kBytes = 16;
    lanes_.step<I % kBytes / 2>(bytes_[I % 2]);
    if constexpr (I % kBytes == kBytes - 1) {
      blocks_[I / kBytes] = _mm_xor_si128(bytes_[0], _mm_slli_epi16(bytes_[1], 8));
    }
  }

  [[gnu::always_inline]] void apply(const std::uint8_t* in, std::uint8_t* out) const noexcept {
    for (std::size_t i = 0; i < kBlockSize / sizeof(__m128i); ++i) {
      const std::size_t at = i * sizeof(__m128i);
      const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + at));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + at), _mm_xor_si128(text, blocks_[i]));
    }
  }

  void save(ArcfourState& stream) const noexcept { lanes_.save(stream); }

 private:
  ArcfourLanes lanes_;
  __m128i bytes_[2] = {_mm_setzero_si128(), _mm_setzero_si128()};
  __m128i blocks_[kBlockSize / sizeof(__m128i)];
};

}  // namespace

void run_x86_64(md5::State& state, ArcfourState& stream, const Work& work) noexcept {
  run<KeyStream>(state, stream, work);
}

}  // namespace gssntlm::stitch

#endif
