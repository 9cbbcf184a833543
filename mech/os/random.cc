#include "mech/os/random.h"

#include <cerrno>

#include <sys/random.h>

namespace gssntlm {

bool fill_random(MutableBytes out) noexcept {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace gssntlm
