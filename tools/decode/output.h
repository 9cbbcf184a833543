// The forms in which decoded tokens are shown.
#pragma once

#include <string>
#include <vector>

#include "tools/decode/diagnose.h"
#include "tools/decode/exchange.h"

namespace gssntlm::tools {

struct TextStyle {
  bool colour = false;
  bool bytes = false;  ///< with offsets and the bytes themselves
};

/// For a person at a terminal. `number` counts from 1.
[[nodiscard]] std::string render_text(const Token& token, std::size_t number,
                                      const TextStyle& style);
[[nodiscard]] std::string render_text(const std::vector<Finding>& findings, const TextStyle& style);
/// The line above the tokens of an exchange.
[[nodiscard]] std::string render_text(const Exchange& exchange, std::size_t number,
                                      const TextStyle& style);
/// One JSON object in one line, without its end. `exchange` is that of the token, `number` its
/// number from 1.
[[nodiscard]] std::string render_json(const Token& token, const Exchange& exchange,
                                      std::size_t number);
[[nodiscard]] std::string render_json(const std::vector<Finding>& findings);
/// A whole HTML page about the exchanges, with nothing outside of it.
[[nodiscard]] std::string render_html(const std::vector<Exchange>& exchanges,
                                      const std::vector<Finding>& findings);

}  // namespace gssntlm::tools
