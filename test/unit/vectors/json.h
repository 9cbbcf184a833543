// Reading the vector files.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "mech/base/bytes.h"

namespace gssntlm::test {

using Json = nlohmann::json;

/// The document at `path`. JSON can say unpaired surrogates and the parser cannot hold them: they
/// become U+0001 and four digits, which utf16() turns into the unit that was meant. Throws.
[[nodiscard]] Json load_json(const std::string& path);

/// UTF-16LE of a text of such a document.
[[nodiscard]] Bytes utf16(const std::string& text);

}  // namespace gssntlm::test
