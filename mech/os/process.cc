#include "mech/os/process.h"

#include <atomic>

#include <pthread.h>
#include <unistd.h>

namespace gssntlm {
namespace {

std::atomic<std::uint32_t> g_forks{0};

}  // namespace

std::uint32_t process_generation() noexcept {
  static const bool counted = ::pthread_atfork(nullptr, nullptr, [] {
                                g_forks.fetch_add(1, std::memory_order_relaxed);
                              }) == 0;
  // Without the count the process' number serves: slower, and it may come again.
  return counted ? g_forks.load(std::memory_order_relaxed) : static_cast<std::uint32_t>(::getpid());
}

}  // namespace gssntlm
