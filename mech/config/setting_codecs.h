// How values of settings are written: each codec parses and prints one kind of value.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mech/base/text.h"
#include "mech/config/settings.h"

namespace gssntlm::setting_codecs {

// A codec has kForm or form(), what a value looks like, for a person; parse(), which is false for a
// value that it does not understand, and throws std::bad_alloc; print(), the reverse of parse().

/// What a codec needs not say: its values stand in one line, and may be empty.
struct Single {
  static constexpr bool kList = false;
  static constexpr bool kNeverEmpty = false;
};
/// A list, which may go on in indented lines.
struct List {
  static constexpr bool kList = true;
  static constexpr bool kNeverEmpty = false;
};

template <typename Number>
bool parse_number(std::string_view text, Number& to) noexcept {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, to);
  return error == std::errc() && at == end && !text.empty();
}

struct YesNo : Single {
  static constexpr std::string_view kForm = "yes or no";
  static bool parse(std::string_view text, bool& to) noexcept {
    to = text == "yes";
    return to || text == "no";
  }
  static std::string print(bool value) { return value ? "yes" : "no"; }
};

template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

// One of a few words, given by Words::kWords.
template <typename Words>
struct OneOf : Single {
  static constexpr std::string_view kForm = Words::kForm;
  template <typename Value>
  static bool parse(std::string_view text, Value& to) noexcept {
    for (const auto& word : Words::kWords) {
      if (word.text == text) {
        to = word.value;
        return true;
      }
    }
    return false;
  }
  template <typename Value>
  static std::string print(Value value) {
    for (const auto& word : Words::kWords) {
      if (word.value == value) {
        return std::string(word.text);
      }
    }
    return {};
  }
};

struct Levels {
  static constexpr std::string_view kForm = "a number from 0 to 5";
  static constexpr Word<unsigned> kWords[] = {{"0", 0}, {"1", 1}, {"2", 2},
                                              {"3", 3}, {"4", 4}, {"5", 5}};
};
struct KeyBits {
  static constexpr std::string_view kForm = "128, 56 or 40";
  static constexpr Word<unsigned> kWords[] = {{"128", 128}, {"56", 56}, {"40", 40}};
};
struct Demands {
  static constexpr std::string_view kForm = "off, accept or require";
  static constexpr Word<Demand> kWords[] = {
      {"off", Demand::kOff}, {"accept", Demand::kAccept}, {"require", Demand::kRequire}};
};
struct CodePages {
  static constexpr std::string_view kForm = "437, 850 or 1252";
  static constexpr Word<CodePage> kWords[] = {
      {"437", CodePage::k437}, {"850", CodePage::k850}, {"1252", CodePage::k1252}};
};
struct TargetChecks {
  static constexpr std::string_view kForm = "off, log or require";
  static constexpr Word<TargetCheck> kWords[] = {
      {"off", TargetCheck::kOff}, {"log", TargetCheck::kLog}, {"require", TargetCheck::kRequire}};
};
struct SpnegoMics {
  static constexpr std::string_view kForm = "auto, always or never";
  static constexpr Word<SpnegoMic> kWords[] = {
      {"auto", SpnegoMic::kAuto}, {"always", SpnegoMic::kAlways}, {"never", SpnegoMic::kNever}};
};
struct TraceLevels {
  static constexpr std::string_view kForm = "1 or 2";
  static constexpr Word<unsigned> kWords[] = {{"1", 1}, {"2", 2}};
};
struct AuditSinks {
  static constexpr std::string_view kForm = "off, file or syslog";
  static constexpr Word<AuditSink> kWords[] = {
      {"off", AuditSink::kOff}, {"file", AuditSink::kFile}, {"syslog", AuditSink::kSyslog}};
};

struct Duration : Single {
  static constexpr std::string_view kForm = "a time such as 90s, 15m, 36h or 2d";
  static constexpr Word<std::uint64_t> kUnits[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
  static constexpr std::uint64_t kMost = 100ull * 365 * 86400;

  static bool parse(std::string_view text, std::uint64_t& to) noexcept {
    for (const auto& unit : kUnits) {
      std::uint64_t count = 0;
      if (text.ends_with(unit.text) && parse_number(text.substr(0, text.size() - 1), count) &&
          count <= kMost / unit.value) {
        to = count * unit.value;
        return true;
      }
    }
    return false;
  }
  static std::string print(std::uint64_t seconds) {
    for (const auto& unit : kUnits) {
      if (seconds % unit.value == 0 && (seconds != 0 || unit.value == 1)) {
        return std::to_string(seconds / unit.value).append(unit.text);
      }
    }
    return {};
  }
};

struct Path : Single {
  static constexpr std::string_view kForm = "an absolute path, or nothing";
  static bool parse(std::string_view text, std::string& to) {
    to = text;
    return text.empty() || text.front() == '/';
  }
  static std::string print(const std::string& value) { return value; }
};

struct HostName : Single {
  static constexpr std::string_view kForm = "a name of at most 255 printable characters";
  static bool parse(std::string_view text, Bytes& to) {
    Result<Bytes> wide = utf16le_from_utf8(text);
    if (!wide || !is_clean_name(*wide) || wide->size() > 2 * 255 || has_remark(text)) {
      return false;
    }
    to = std::move(*wide);
    return true;
  }
  static std::string print(const Bytes& value) {
    Result<std::string> text = utf8_from_utf16le(value);
    return text ? std::move(*text) : std::string();
  }
};

// The items of a comma-separated list, without the blanks around them; nothing for empty ones.
template <typename Take>
bool split_list(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const std::size_t from = item.find_first_not_of(" \t");
    if (from == std::string_view::npos) {
      continue;
    }
    item = item.substr(from, item.find_last_not_of(" \t") - from + 1);
    if (!take(item)) {
      return false;
    }
  }
  return true;
}

// No name has two backslashes, so a pattern with two, as some tools print it, matches none.
struct Patterns : List {
  static constexpr std::string_view kForm =
      "a list of patterns separated by commas, each with one backslash at most";
  static bool parse(std::string_view text, std::vector<std::string>& to) {
    return split_list(text, [&](std::string_view item) {
      const Result<Bytes> wide = utf16le_from_utf8(item);
      if (!wide || !is_clean_name(*wide) || has_remark(item) ||
          std::count(item.begin(), item.end(), '\\') > 1) {
        return false;
      }
      to.emplace_back(item);
      return true;
    });
  }
  static std::string print(const std::vector<std::string>& value) {
    std::string text;
    for (const std::string& item : value) {
      text.append(text.empty() ? "" : ", ").append(item);
    }
    return text;
  }
};

// Without a list everyone is allowed; with one that names no one, because a variable of a template
// was empty, no one shall be.
struct AllowPatterns : Patterns {
  static constexpr std::string_view kForm =
      "a list of patterns separated by commas, each with one backslash at most, or *";
  static constexpr bool kNeverEmpty = true;
  static std::string print(const std::vector<std::string>& value) {
    return value.empty() ? "*" : Patterns::print(value);
  }
};

struct AccountNames : List {
  static constexpr std::string_view kForm = "a list of names separated by commas";
  static bool parse(std::string_view text, std::vector<std::string>& to) {
    return text.find_first_of("*?") == std::string_view::npos && Patterns::parse(text, to);
  }
  static std::string print(const std::vector<std::string>& value) { return Patterns::print(value); }
};

// A timeout in seconds: a Duration within limits.
struct Patience : Single {
  static constexpr std::string_view kForm = "a time from 1s to 5m";
  static bool parse(std::string_view text, std::uint64_t& to) noexcept {
    return Duration::parse(text, to) && to >= 1 && to <= 300;
  }
  static std::string print(std::uint64_t seconds) { return Duration::print(seconds); }
};

// How long an exported handshake is good for.
struct HandshakeAge : Single {
  static constexpr std::string_view kForm = "a time from 1m to 1d";
  static bool parse(std::string_view text, std::uint64_t& to) noexcept {
    return Duration::parse(text, to) && to >= 60 && to <= 86400;
  }
  static std::string print(std::uint64_t seconds) { return Duration::print(seconds); }
};

struct FarmName : Single {
  static constexpr std::string_view kForm = "a name of at most 255 bytes, or nothing";
  static bool parse(std::string_view text, std::string& to) {
    const Result<Bytes> wide = utf16le_from_utf8(text);
    to = text;
    return wide && is_clean_name(*wide) && text.size() <= 255 && !has_remark(text);
  }
  static std::string print(const std::string& value) { return value; }
};

// Account sources, in the words of the table of backends.h.
template <std::vector<const Backend*> (*All)()>
struct Backends : Single {
  static std::string form() { return "a list of: " + print(All()); }
  static bool parse(std::string_view text, std::vector<const Backend*>& to) {
    to.clear();
    const std::vector<const Backend*> all = All();
    return split_list(text, [&](std::string_view item) {
      const Backend* named = backend_called(item);
      if (std::find(all.begin(), all.end(), named) == all.end() ||
          std::find(to.begin(), to.end(), named) != to.end()) {
        return false;
      }
      to.push_back(named);
      return true;
    });
  }
  static std::string print(const std::vector<const Backend*>& value) {
    std::string text;
    for (const Backend* backend : value) {
      text.append(text.empty() ? "" : ", ").append(backend->word());
    }
    return text;
  }
};

}  // namespace gssntlm::setting_codecs
