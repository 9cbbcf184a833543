#include "test/hostile/kept_memory.h"

#include <atomic>

namespace {
std::atomic<bool> g_keep_freed = false;
}  // namespace

extern "C" {
void __libc_free(void*);

// That this function calls another through the program's procedure linkage table is part of a test:
// the dynamic linker saves all registers there.
void free(void* memory) {
  if (!g_keep_freed) {
    __libc_free(memory);
  }
}
}

namespace gssntlm::test {

KeepFreed::KeepFreed() noexcept {
  g_keep_freed = true;
}

KeepFreed::~KeepFreed() {
  g_keep_freed = false;
}

}  // namespace gssntlm::test
