#include "tools/report/record.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "mech/base/text.h"

namespace gssntlm::tools {
namespace {

// A reader of the JSON that audit records are: an object of strings, numbers, words and lists of
// strings. A document is not built, because months of records are many.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool take(char c) noexcept {
    skip_blanks();
    if (!rest_.starts_with(c)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool sees(char c) noexcept {
    skip_blanks();
    return rest_.starts_with(c);
  }
  [[nodiscard]] bool at_end() noexcept {
    skip_blanks();
    return rest_.empty();
  }
  bool take_string(std::string& to);
  bool take_list(std::vector<std::string>& to);
  // A number or a word.
  [[nodiscard]] std::string_view take_word() noexcept;
  bool skip_value();

 private:
  void skip_blanks() noexcept {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) {
      rest_.remove_prefix(1);
    }
  }
  bool take_escape(std::string& to);
  std::optional<std::uint16_t> take_unit() noexcept;

  std::string_view rest_;
  std::string skipped_;
};

bool Reader::take_string(std::string& to) {
  to.clear();
  if (!take('"')) {
    return false;
  }
  while (true) {
    std::size_t plain = 0;
    while (plain < rest_.size() && rest_[plain] != '"' && rest_[plain] != '\\') {
      ++plain;
    }
    if (plain == rest_.size()) {
      return false;
    }
    to.append(rest_.substr(0, plain));
    const bool ends = rest_[plain] == '"';
    rest_.remove_prefix(plain + 1);
    if (ends) {
      return true;
    }
    if (!take_escape(to)) {
      return false;
    }
  }
}

bool Reader::take_escape(std::string& to) {
  if (rest_.empty()) {
    return false;
  }
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char letter = rest_.front();
  rest_.remove_prefix(1);
  if (const std::size_t at = kLetters.find(letter); at != std::string_view::npos) {
    to.push_back(kMeanings[at]);
    return true;
  }
  const std::optional<std::uint16_t> unit = letter == 'u' ? take_unit() : std::nullopt;
  if (!unit) {
    return false;
  }
  Bytes wide = {static_cast<std::uint8_t>(*unit), static_cast<std::uint8_t>(*unit >> 8)};
  if ((*unit & 0xFC00) == 0xD800 && rest_.starts_with("\\u")) {
    rest_.remove_prefix(2);
    const std::optional<std::uint16_t> second = take_unit();
    if (!second) {
      return false;
    }
    wide.push_back(static_cast<std::uint8_t>(*second));
    wide.push_back(static_cast<std::uint8_t>(*second >> 8));
  }
  const Result<std::string> text = utf8_from_utf16le(wide);
  to.append(text ? *text : "?");
  return true;
}

std::optional<std::uint16_t> Reader::take_unit() noexcept {
  constexpr std::size_t kDigits = 4;
  const std::string_view digits = rest_.substr(0, kDigits);
  std::uint16_t unit = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  if (error != std::errc() || end != digits.data() + kDigits) {
    return std::nullopt;
  }
  rest_.remove_prefix(kDigits);
  return unit;
}

bool Reader::take_list(std::vector<std::string>& to) {
  to.clear();
  if (!take('[')) {
    return false;
  }
  if (take(']')) {
    return true;
  }
  do {
    if (!take_string(to.emplace_back())) {
      return false;
    }
  } while (take(','));
  return take(']');
}

std::string_view Reader::take_word() noexcept {
  skip_blanks();
  const std::size_t end = rest_.find_first_of(",}] \t");
  const std::string_view word = rest_.substr(0, end);
  rest_.remove_prefix(word.size());
  return word;
}

bool Reader::skip_value() {
  if (sees('"')) {
    return take_string(skipped_);
  }
  if (sees('[')) {
    std::vector<std::string> list;
    return take_list(list);
  }
  return !sees('{') && !take_word().empty();
}

struct TextField {
  std::string_view key;
  std::string AuditEntry::*member;
};
constexpr TextField kTexts[] = {
    {"time", &AuditEntry::time},
    {"role", &AuditEntry::role},
    {"process", &AuditEntry::process},
    {"unit", &AuditEntry::unit},
    {"user", &AuditEntry::user},
    {"domain", &AuditEntry::domain},
    {"workstation", &AuditEntry::workstation},
    {"target", &AuditEntry::target},
    {"version", &AuditEntry::version},
    {"bindings", &AuditEntry::bindings},
    {"account", &AuditEntry::account},
    {"result", &AuditEntry::result},
    {"reason", &AuditEntry::reason},
};

bool take_field(Reader& reader, std::string_view key, AuditEntry& entry) {
  for (const TextField& field : kTexts) {
    if (field.key == key) {
      return reader.take_string(entry.*field.member);
    }
  }
  if (key == "weak" || key == "would_reject") {
    return reader.take_list(key == "weak" ? entry.weak : entry.would_reject);
  }
  if (key == "mic") {
    entry.mic = reader.take_word() == "true";
    return true;
  }
  return reader.skip_value();
}

void clear(AuditEntry& entry) noexcept {
  for (const TextField& field : kTexts) {
    (entry.*field.member).clear();
  }
  entry.mic = false;
  entry.weak.clear();
  entry.would_reject.clear();
}

bool take_object(Reader& reader, AuditEntry& entry) {
  std::string key;
  if (!reader.take('{')) {
    return false;
  }
  do {
    if (!reader.take_string(key) || !reader.take(':') || !take_field(reader, key, entry)) {
      return false;
    }
  } while (reader.take(','));
  return reader.take('}') && reader.at_end();
}

}  // namespace

bool read_entry(std::string_view line, AuditEntry& entry) {
  clear(entry);
  const std::size_t start = line.find('{');
  if (start == std::string_view::npos) {
    return false;
  }
  Reader reader(line.substr(start));
  return take_object(reader, entry) && !entry.time.empty() && !entry.role.empty() &&
         !entry.result.empty();
}

}  // namespace gssntlm::tools
