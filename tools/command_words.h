// The words in front of a command's options: help, other names, mistakes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gssntlm::tools {

/// The commands of the program, or those of one of them.
struct CommandNames {
  std::string name;
  std::vector<CommandNames> inner;
};

/// What is typed becomes what the program has: `help user add` is `user add --help`, and commands
/// have the other names that people are used to (`user rm`, `ls`, `klist`). A word that is no
/// command gives a complaint instead, with the nearest command.
struct TypedWords {
  std::vector<std::string> words;  ///< without the program's name
  std::string complaint;           ///< empty: none
};
[[nodiscard]] TypedWords read_words(std::vector<std::string> words, const CommandNames& program);

/// The name that needs the fewest changes of a letter, at most two, or that `word` begins; nullopt:
/// none is near. Throws std::bad_alloc.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view word,
                                                      const std::vector<std::string>& names);

}  // namespace gssntlm::tools
