// Where tokens are read from.
#pragma once

#include <optional>
#include <string>

namespace gssntlm::tools {

struct Input {
  std::string text;
  std::string name;      ///< for complaints
  bool is_file = false;  ///< or standard input; else the argument itself
};

/// `argument` is `-` for standard input, the name of a file, or the text itself when there is no
/// such file. Only regular files are opened, so that no FIFO or device is waited for. nullopt after
/// a complaint, for example about more than 64 MiB.
[[nodiscard]] std::optional<Input> read_input(const std::string& argument);

/// Why there is no token in `input`.
[[nodiscard]] std::string no_token_in(const Input& input);

}  // namespace gssntlm::tools
