// The forms in which decoded tokens are shown.
#pragma once

#include <string>
#include <vector>

#include "tools/diagnose.h"
#include "tools/message.h"

namespace gssntlm::tools {

struct TextStyle {
  bool colour = false;
  bool bytes = false;  ///< with offsets and the bytes themselves
};

/// For a person at a terminal. `number` counts from 1.
[[nodiscard]] std::string render_text(const Token& token, std::size_t number,
                                      const TextStyle& style);
[[nodiscard]] std::string render_text(const std::vector<Finding>& findings, const TextStyle& style);
/// One JSON object in one line, without its end.
[[nodiscard]] std::string render_json(const Token& token);
[[nodiscard]] std::string render_json(const std::vector<Finding>& findings);
/// A whole HTML page about an exchange, with nothing outside of it.
[[nodiscard]] std::string render_html(const std::vector<Token>& tokens,
                                      const std::vector<Finding>& findings);

}  // namespace gssntlm::tools
