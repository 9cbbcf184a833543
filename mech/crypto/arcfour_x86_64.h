// RC4's step for x86-64, in eight instructions; it uses only what every such processor has.
// Internal to the session ciphers.
#pragma once

#include "mech/crypto/arcfour_state.h"

#if defined(__x86_64__) && defined(__LP64__)
#define GSSNTLM_ARCFOUR_X86_64 1

#include <emmintrin.h>

namespace gssntlm {

/// Makes key stream from a state, which has to be saved before others use it.
class ArcfourLanes {
 public:
  explicit ArcfourLanes(ArcfourState& stream) noexcept
      : s_(stream.s), x_(static_cast<std::uint8_t>(stream.x + 1)), y_(stream.y) {}

  /// Makes the next byte of key stream, zero-extended into a lane of 16 bits.
  template <int Lane>
  [[gnu::always_inline]] void step(__m128i& bytes) noexcept {
    std::uint64_t at_x;
    std::uint64_t at_y;
    asm("movl (%[s],%[x],4), %k[at_x]\n\t"
        "addb %b[at_x], %b[y]\n\t"
        "movl (%[s],%[y],4), %k[at_y]\n\t"
        "movl %k[at_x], (%[s],%[y],4)\n\t"
        "movl %k[at_y], (%[s],%[x],4)\n\t"
        "addb %b[at_x], %b[at_y]\n\t"
        "incb %b[x]\n\t"
        "pinsrw %[lane], (%[s],%[at_y],4), %[bytes]"
        : [x] "+r"(x_), [y] "+r"(y_), [at_x] "=&r"(at_x), [at_y] "=&r"(at_y), [bytes] "+x"(bytes),
          "+m"(s_)
        : [s] "r"(s_.data()), [lane] "i"(Lane)
        : "cc");
  }

  void save(ArcfourState& stream) const noexcept {
    stream.x = static_cast<std::uint8_t>(x_ - 1);
    stream.y = static_cast<std::uint8_t>(y_);
  }

 private:
  ArcfourEntries& s_;
  // The low byte counts; the others stay zero, so that the registers can index. x_ is one ahead.
  std::uint64_t x_;
  std::uint64_t y_;
};

}  // namespace gssntlm

#endif
