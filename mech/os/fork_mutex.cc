#include "mech/os/fork_mutex.h"

#include <pthread.h>

namespace gssntlm {
namespace {

// Filled by static initialisation, while the module is loaded, and not changed later.
constinit ForkMutex* g_first = nullptr;

}  // namespace

ForkMutex::ForkMutex() noexcept : next_(g_first) {
  // Without memory for the handlers a child may find it locked, as with any mutex.
  if (g_first == nullptr) {
    ::pthread_atfork(&hold_all, &free_all, &free_all);
  }
  g_first = this;
}

void ForkMutex::hold_all() {
  for (ForkMutex* m = g_first; m != nullptr; m = m->next_) {
    m->lock();
  }
}

void ForkMutex::free_all() {
  for (ForkMutex* m = g_first; m != nullptr; m = m->next_) {
    m->unlock();
  }
}

}  // namespace gssntlm
