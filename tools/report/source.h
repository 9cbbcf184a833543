// The lines of audit files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gssntlm::tools {

/// Hands each line of `file` to `take`, without its end; one over 64 KiB is handed over as an empty
/// one. `-` is standard input; what was compressed by gzip, whatever its name, is read through that
/// program. Only regular files are opened, so that no FIFO or device is waited for. `progress` gets
/// the number of bytes of the file that were read since it was called before. False after a
/// complaint. Throws std::bad_alloc.
[[nodiscard]] bool for_each_line(const std::string& file,
                                 const std::function<void(std::string_view)>& take,
                                 const std::function<void(std::uint64_t)>& progress);

/// The size of all of them together; 0 when it is not known.
[[nodiscard]] std::uint64_t total_size(const std::vector<std::string>& files) noexcept;

}  // namespace gssntlm::tools
