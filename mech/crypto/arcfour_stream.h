// RC4's key stream in pieces, so that other work can be put between them. Internal to the session
// ciphers.
#pragma once

#include "mech/crypto/arcfour_x86_64.h"

namespace gssntlm {

#if defined(GSSNTLM_ARCFOUR_X86_64)
/// Makes key stream a word or a byte at a time; the first byte of a word is its lowest. The state
/// has to be saved before others use it.
class ArcfourStream {
 public:
  explicit ArcfourStream(ArcfourState& stream) noexcept : lanes_(stream) {}

  std::uint64_t word() noexcept {
    __m128i even = _mm_setzero_si128();
    __m128i odd = _mm_setzero_si128();
    lanes_.step<0>(even);
    lanes_.step<0>(odd);
    lanes_.step<1>(even);
    lanes_.step<1>(odd);
    lanes_.step<2>(even);
    lanes_.step<2>(odd);
    lanes_.step<3>(even);
    lanes_.step<3>(odd);
    const __m128i both = _mm_xor_si128(even, _mm_slli_epi16(odd, 8));
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(both));
  }
  std::uint8_t byte() noexcept {
    __m128i lane = _mm_setzero_si128();
    lanes_.step<0>(lane);
    return static_cast<std::uint8_t>(_mm_cvtsi128_si32(lane));
  }
  void save(ArcfourState& stream) const noexcept { lanes_.save(stream); }

 private:
  ArcfourLanes lanes_;
};
#else
/// Makes key stream a word or a byte at a time; the first byte of a word is its lowest. The state
/// has to be saved before others use it.
class ArcfourStream {
 public:
  explicit ArcfourStream(ArcfourState& stream) noexcept
      : s_(stream.s), x_(stream.x), y_(stream.y) {}

  std::uint64_t word() noexcept {
    std::uint64_t word = 0;
    for (int shift = 0; shift < 64; shift += 8) {
      word |= static_cast<std::uint64_t>(byte()) << shift;
    }
    return word;
  }
  std::uint8_t byte() noexcept {
    x_ = static_cast<std::uint8_t>(x_ + 1);
    return static_cast<std::uint8_t>(arcfour_step(s_, s_[x_], y_));
  }
  void save(ArcfourState& stream) const noexcept {
    stream.x = x_;
    stream.y = y_;
  }

 private:
  ArcfourEntries& s_;
  std::uint8_t x_;
  std::uint8_t y_;
};
#endif

}  // namespace gssntlm
