// What a call leaves behind outside of the objects that it wiped: registers, and the stack below
// it.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>

namespace gssntlm {

/// How much of the stack a call that handles a password or a key clears, in bytes: more than it
/// uses where secrets are, as test hostile_remains shows. Acquiring a credential stays within
/// kCredentialStack, but for what is seldom done and clears its own (clearing_deep_stack).
inline constexpr std::size_t kCredentialStack = 2048;
inline constexpr std::size_t kSecretStack = 6144;

/// Zeros the registers that a call need not keep. Keys are copied through them, and the code that
/// saves them next, such as the dynamic linker when it binds a symbol late, would write a key to
/// the stack.
inline void clear_registers() noexcept {
#if defined(__x86_64__)
  asm volatile(
      "xorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\txorl %%esi, %%esi\n\txorl %%edi, %%edi\n\t"
      "xorl %%r8d, %%r8d\n\txorl %%r9d, %%r9d\n\txorl %%r10d, %%r10d\n\txorl %%r11d, %%r11d\n\t"
      "pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2\n\tpxor %%xmm3, %%xmm3\n\t"
      "pxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\tpxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\t"
      "pxor %%xmm8, %%xmm8\n\tpxor %%xmm9, %%xmm9\n\tpxor %%xmm10, %%xmm10\n\t"
      "pxor %%xmm11, %%xmm11\n\tpxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\t"
      "pxor %%xmm14, %%xmm14\n\tpxor %%xmm15, %%xmm15"
      :
      :
      : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "xmm0", "xmm1", "xmm2", "xmm3",
        "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15");
#endif
}

/// Zeros `Size` bytes of stack below the caller's frame. Stores of 16 bytes: a string instruction
/// takes longer to start than these take.
template <std::size_t Size>
[[gnu::noinline]] void clear_stack() noexcept {
  using Block [[gnu::vector_size(16)]] = long long;
  constexpr std::size_t kUnrolled = 16;
  static_assert(Size % (sizeof(Block) * kUnrolled) == 0);
  Block stack[Size / sizeof(Block)];
  for (Block* at = stack; at != std::end(stack); at += kUnrolled) {
    [at]<std::size_t... K>(std::index_sequence<K...>) __attribute__((always_inline)) {
      ((at[K] = Block{}), ...);
    }
    (std::make_index_sequence<kUnrolled>());
    asm volatile("" : : "r"(at) : "memory");
  }
}

/// Calls `body`, and clears kSecretStack bytes below itself, also when `body` throws.
template <typename Body>
[[gnu::noinline]] auto clearing_deep_stack(Body&& body) {
  struct Clearing {
    ~Clearing() { clear_stack<kSecretStack>(); }
  };
  const Clearing clearing;
  // Not inlined: what it leaves is then below this frame.
  const auto call = [&]() __attribute__((noinline)) {
    return body();
  };
  return call();
}

}  // namespace gssntlm
