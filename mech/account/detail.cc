#include "mech/account/detail.h"

#include <algorithm>
#include <array>

namespace gssntlm {
namespace {

struct Detail {
  std::uint32_t minor;
  std::size_t size;
  std::array<char, 512> text;
};

// Trivial, so that nothing has to run when a thread ends.
thread_local Detail t_detail;

}  // namespace

Error explain(Major major, Minor minor, std::string_view text) noexcept {
  t_detail.minor = static_cast<std::uint32_t>(minor);
  t_detail.size = std::min(text.size(), t_detail.text.size() - 1);
  std::copy_n(text.begin(), t_detail.size, t_detail.text.begin());
  return {major, minor};
}

std::string_view last_detail(std::uint32_t minor) noexcept {
  return minor == t_detail.minor ? std::string_view(t_detail.text.data(), t_detail.size)
                                 : std::string_view();
}

void forget_detail() noexcept {
  t_detail.minor = 0;
}

}  // namespace gssntlm
