// Which process this is.
#pragma once

#include <cstdint>

namespace gssntlm {

/// Tells this process from those it was forked from. Costs no system call.
[[nodiscard]] std::uint32_t process_generation() noexcept;

}  // namespace gssntlm
