// Writes the page of `decode --html`.
#pragma once

#include <string>
#include <string_view>

namespace gssntlm::tools {

/// Creates the file at `path`, or replaces it by a new one, with mode 0600: passwords can be
/// guessed from what a page shows. The directory is found as resolve_trusted_place() does. What is
/// no regular file, belongs to another user or is a symbolic link is left alone. An exit status,
/// after a complaint.
[[nodiscard]] int write_page(const std::string& path, std::string_view page);

}  // namespace gssntlm::tools
