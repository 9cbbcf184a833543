// The table of account sources with one line more.
#include "test/support/memory_backend.h"

namespace gssntlm {

std::span<const Backend* const> backends() noexcept {
  static const Backend* const table[] = {
#define X(WORD, DIRECTORY) &WORD##_backend(),
#include "mech/backends/backends.inc"
#undef X
      &memory_backend(),
  };
  return table;
}

}  // namespace gssntlm
