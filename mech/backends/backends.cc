// The table, alone in its file: a program with a table of its own does not link this one.
#include "mech/backends/backends.h"

namespace gssntlm {

std::span<const Backend* const> backends() noexcept {
  static const Backend* const table[] = {
#define X(WORD, DIRECTORY) &WORD##_backend(),
#include "mech/backends/backends.inc"
#undef X
  };
  return table;
}

}  // namespace gssntlm
