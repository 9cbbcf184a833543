// Text in a page.
#pragma once

#include <string>
#include <string_view>

namespace gssntlm::tools {

/// `text` as terminal_text() gives it, with what HTML gives a meaning escaped: for text and for
/// quoted attributes. Throws std::bad_alloc.
[[nodiscard]] std::string html_text(std::string_view text);

}  // namespace gssntlm::tools
