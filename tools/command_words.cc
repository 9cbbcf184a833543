#include "tools/command_words.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "mech/base/text.h"

namespace gssntlm::tools {
namespace {

// What a command is called elsewhere.
struct OtherName {
  std::string_view within;  // the command that it belongs to; empty: the program
  std::string_view typed;
  std::string_view meant;
};
constexpr OtherName kOtherNames[] = {
    {"", "ls", "list"},          {"", "klist", "list"},
    {"", "kinit", "login"},      {"", "kdestroy", "logout"},
    {"", "logoff", "logout"},    {"", "users", "user"},
    {"", "account", "user"},     {"", "config", "settings"},
    {"", "status", "doctor"},    {"", "diagnose", "doctor"},
    {"user", "rm", "del"},       {"user", "remove", "del"},
    {"user", "delete", "del"},   {"user", "ls", "list"},
    {"user", "create", "add"},   {"user", "password", "passwd"},
    {"user", "lock", "disable"}, {"user", "unlock", "enable"},
};

const CommandNames* find(const CommandNames& in, std::string_view name) {
  const auto found = std::find_if(in.inner.begin(), in.inner.end(),
                                  [&](const CommandNames& c) { return c.name == name; });
  return found != in.inner.end() ? &*found : nullptr;
}

std::string_view meant_by(std::string_view word, std::string_view within) {
  for (const OtherName& other : kOtherNames) {
    if (other.within == within && other.typed == word) {
      return other.meant;
    }
  }
  return word;
}

std::string complaint_about(const std::string& word, const CommandNames& command) {
  std::vector<std::string> names;
  for (const CommandNames& inner : command.inner) {
    names.push_back(inner.name);
  }
  const std::string of = command.name.empty() ? "" : command.name + " ";
  const std::optional<std::string> near = nearest_name(word, names);
  return "there is no command " + of + printable_utf8(word, 64) +
         (near ? "; did you mean " + of + *near + "?" : "; gss-ntlm " + of + "--help lists them");
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> before(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  std::vector<std::size_t> older;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    older = std::exchange(before, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1])});
      // Two letters that changed places.
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], older[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view word,
                                        const std::vector<std::string>& names) {
  constexpr std::size_t kMostChanges = 2;
  constexpr std::size_t kMostLetters = 32;
  std::optional<std::string> nearest;
  std::size_t least = kMostChanges + 1;
  if (word.empty() || word.size() > kMostLetters) {
    return nearest;
  }
  for (const std::string& name : names) {
    const std::size_t changes = name.starts_with(word) ? 1 : distance(word, name);
    // Of a short word nothing would be left.
    if (changes < least && changes < std::max(word.size(), std::size_t{2})) {
      least = changes;
      nearest = name;
    }
  }
  return nearest;
}

TypedWords read_words(std::vector<std::string> words, const CommandNames& program) {
  const bool help = !words.empty() && words.front() == "help";
  if (help) {
    words.erase(words.begin());
  }
  const CommandNames* command = &program;
  std::size_t depth = 0;
  while (depth < words.size() && !command->inner.empty() && !words[depth].starts_with('-')) {
    words[depth] = meant_by(words[depth], command->name);
    const CommandNames* inner = find(*command, words[depth]);
    if (inner == nullptr) {
      return {{}, complaint_about(words[depth], *command)};
    }
    command = inner;
    ++depth;
  }
  if (help) {
    words.resize(depth);
    words.emplace_back("--help");
  }
  return {std::move(words), {}};
}

}  // namespace gssntlm::tools
