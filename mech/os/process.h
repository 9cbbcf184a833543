// Which process this is.
#pragma once

#include <cstdint>

namespace gssntlm {

/// Tells this process from those it was copied from, however that was done: fork(), _Fork(), or
/// the kernel's calls themselves. A child that shares the memory of its parent (vfork(),
/// CLONE_VM) has the parent's. Costs no system call. Never 0.
[[nodiscard]] std::uint32_t process_generation() noexcept;

/// The same where the kernel or an emulator cannot clear memory in a child: from the number of the
/// process and the calls of fork(). Costs a system call. A number may come again.
[[nodiscard]] std::uint32_t process_generation_by_number() noexcept;

}  // namespace gssntlm
