#include "mech/os/process.h"

#include <atomic>
#include <new>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace gssntlm {
namespace {

using Word = std::atomic<std::uint32_t>;
static_assert(Word::is_always_lock_free);

// Advice that no kernel knows; some emulators agree to any and do nothing.
constexpr int kNoAdvice = -1;

// A word that the kernel sets to 0 in a child with memory of its own; nullptr where it cannot.
Word* map_word() noexcept {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    return nullptr;
  }
  if (::madvise(page, size, kNoAdvice) == 0 || ::madvise(page, size, MADV_WIPEONFORK) != 0) {
    ::munmap(page, size);
    return nullptr;
  }
  return new (page) Word(0);
}

// While the module is loaded: a lock around it could be held by another thread during a fork.
Word* const g_word = map_word();
Word g_last{0};
Word g_forks{0};

// A child has its ancestors' count, and so takes a number that none of them has.
std::uint32_t begin_generation() noexcept {
  const std::uint32_t next = g_last.fetch_add(1, std::memory_order_relaxed) + 1;
  std::uint32_t found = 0;
  return g_word->compare_exchange_strong(found, next, std::memory_order_relaxed) ? next : found;
}

}  // namespace

std::uint32_t process_generation() noexcept {
  if (g_word == nullptr) {
    return process_generation_by_number();
  }
  const std::uint32_t now = g_word->load(std::memory_order_relaxed);
  return now != 0 ? now : begin_generation();
}

std::uint32_t process_generation_by_number() noexcept {
  constexpr int kNumberBits = 22;
  static const bool counted = ::pthread_atfork(nullptr, nullptr, [] {
                                g_forks.fetch_add(1, std::memory_order_relaxed);
                              }) == 0;
  const std::uint32_t forks = counted ? g_forks.load(std::memory_order_relaxed) : 0;
  return forks << kNumberBits | static_cast<std::uint32_t>(::getpid());
}

}  // namespace gssntlm
