#include "mech/crypto/stitch_loop.h"

#if defined(GSSNTLM_STITCH_X86_64)

#include <emmintrin.h>

namespace gssntlm::stitch {
namespace {

// RC4 in ten instructions a byte. The entry that the next step begins with is loaded before this
// step stores, so that no load has to wait until the address of a store is known; should the store
// hit that very entry, its new value is at hand. Key stream is gathered in vector registers, its
// even and odd bytes apart, each byte in a lane of 16 bits.
class KeyStream {
 public:
  explicit KeyStream(ArcfourState& stream) noexcept
      : s_(stream.s),
        x_{static_cast<std::uint8_t>(stream.x + 1), static_cast<std::uint8_t>(stream.x + 2)},
        y_(stream.y),
        at_x_{s_[x_[0]], 0} {}

  template <std::size_t I>
  [[gnu::always_inline]] void step() noexcept {
    constexpr std::size_t kNow = I % 2;
    constexpr std::size_t kNext = 1 - kNow;
    constexpr std::size_t kLanes = 16;
    std::uint64_t at_y;
    asm("addb %b[at_x], %b[y]\n\t"
        "movzwl (%[s],%[y],2), %k[at_y]\n\t"
        "movzwl (%[s],%[next_x],2), %k[at_next_x]\n\t"
        "movw %w[at_x], (%[s],%[y],2)\n\t"
        "movw %w[at_y], (%[s],%[x],2)\n\t"
        "cmpl %k[next_x], %k[y]\n\t"
        "cmovel %k[at_x], %k[at_next_x]\n\t"
        "addb %b[at_x], %b[at_y]\n\t"
        "addb $2, %b[x]\n\t"
        "pinsrw %[lane], (%[s],%[at_y],2), %[bytes]"
        : [x] "+r"(x_[kNow]), [y] "+r"(y_), [at_next_x] "=&r"(at_x_[kNext]), [at_y] "=&r"(at_y),
          [bytes] "+x"(bytes_[kNow]), "+m"(s_)
        : [s] "r"(s_.data()), [next_x] "r"(x_[kNext]), [at_x] "r"(at_x_[kNow]),
          [lane] "i"(I % kLanes / 2)
        : "cc");
    if constexpr (I % kLanes == kLanes - 1) {
      blocks_[I / kLanes] = _mm_xor_si128(bytes_[0], _mm_slli_epi16(bytes_[1], 8));
    }
  }

  [[gnu::always_inline]] void apply(const std::uint8_t* in, std::uint8_t* out) const noexcept {
    for (std::size_t i = 0; i < kBlockSize / sizeof(__m128i); ++i) {
      const std::size_t at = i * sizeof(__m128i);
      const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + at));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + at), _mm_xor_si128(text, blocks_[i]));
    }
  }

  void save(ArcfourState& stream) const noexcept {
    stream.x = static_cast<std::uint8_t>(x_[0] - 1);
    stream.y = static_cast<std::uint8_t>(y_);
  }

 private:
  std::array<std::uint16_t, 256>& s_;
  // The low byte counts; the others stay zero, so that the registers can index. Steps with an even
  // number use x_[0] and at_x_[0], the entry there, and leave x_[0] two further on.
  std::array<std::uint64_t, 2> x_;
  std::uint64_t y_;
  std::array<std::uint64_t, 2> at_x_;
  __m128i bytes_[2] = {_mm_setzero_si128(), _mm_setzero_si128()};
  __m128i blocks_[kBlockSize / sizeof(__m128i)];
};

}  // namespace

void run_x86_64(md5::State& state, ArcfourState& stream, const Work& work) noexcept {
  run<KeyStream>(state, stream, work);
}

}  // namespace gssntlm::stitch

#endif
