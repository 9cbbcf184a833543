// The text of a settings file, read with the INI library.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include <ini.h>
}

#include "mech/base/text.h"
#include "mech/config/settings_origin.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

struct Parser {
  std::string_view rest;
  std::string_view name;
  Settings& settings;
  std::size_t line = 0;
  bool indented = false;
  bool has_key = false;  // in this section: an indented line goes on with it
  bool failed = false;
  std::vector<std::size_t> seen = std::vector<std::size_t>(setting_keys().size());  // in which line
  std::vector<bool> filled = std::vector<bool>(setting_keys().size());

  // The first mistake counts: what follows may be its consequence.
  void refuse(std::string_view what) {
    if (!failed) {
      failed = true;
      std::string text("settings file ");
      text.append(printable_utf8(name)).append(" line ").append(std::to_string(line));
      text.append(": ").append(what);
      error_with_detail(Major::kFailure, Minor::kBadSetting, text);
    }
  }
};

// fgets over the text. Counts lines, and checks what the INI library does not report.
char* next_line(char* to, int size, void* stream) {
  auto& parser = *static_cast<Parser*>(stream);
  if (parser.rest.empty() || parser.failed || size <= 2) {
    return nullptr;
  }
  ++parser.line;
  const std::string_view line = parser.rest.substr(0, parser.rest.find('\n'));
  parser.rest.remove_prefix(std::min(line.size() + 1, parser.rest.size()));
  // One byte for the newline, one for the end.
  const std::size_t most = static_cast<std::size_t>(size) - 2;
  const std::size_t text = line.find_first_not_of(" \t\r");
  parser.indented = text != 0 && text != std::string_view::npos;
  const bool comment = text != std::string_view::npos && (line[text] == '#' || line[text] == ';');
  if (comment || text == std::string_view::npos) {
    std::memcpy(to, "\n", 2);
    return to;
  }
  parser.has_key = parser.has_key && line[text] != '[';
  if (line.size() > most) {
    parser.refuse("longer than " + std::to_string(most) +
                  " bytes; a list goes on in the next line if that is indented");
    return nullptr;
  }
  // Some versions of the INI library cut a list there and say nothing.
  if (parser.indented && parser.has_key && has_remark(line)) {
    parser.refuse("a semicolon behind a blank would begin a remark; write that above the list");
    return nullptr;
  }
  if (line.find('\0') != std::string_view::npos) {
    parser.refuse("has a NUL byte; write plain text");
    return nullptr;
  }
  std::memcpy(to, line.data(), line.size());
  std::memcpy(to + line.size(), "\n", 2);
  return to;
}

std::string key_text(std::string_view section, std::string_view name) {
  return std::string("[")
      .append(printable_utf8(section, 64))
      .append("] ")
      .append(printable_utf8(name, 64));
}

int take_key(void* user, const char* section, const char* name, const char* value) {
  auto& parser = *static_cast<Parser*>(user);
  const auto keys = setting_keys();
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const SettingKey& k) {
    return k.section == section && k.name == name;
  });
  if (key == keys.end()) {
    parser.refuse(key_text(section, name) +
                  ": no such setting; gss-ntlm(5) lists them all by section");
    return 0;
  }
  const auto number = static_cast<std::size_t>(key - keys.begin());
  if (parser.seen[number] != 0 && !(key->list && parser.indented)) {
    parser.refuse(key_text(section, name) + ": set for a second time; remove one");
    return 0;
  }
  parser.seen[number] = parser.seen[number] != 0 ? parser.seen[number] : parser.line;
  parser.filled[number] = parser.filled[number] || std::string_view(value).find_first_not_of(
                                                       " \t,") != std::string_view::npos;
  parser.has_key = true;
  if (!key->set(parser.settings, value)) {
    parser.refuse(key_text(section, name) + " = " + printable_utf8(value, 64) + ": write " +
                  key->form());
    return 0;
  }
  return 1;
}

// A list may go on in the lines below its key, so that only the end tells.
void check_lists(Parser& parser) {
  const auto keys = setting_keys();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].never_empty && parser.seen[i] != 0 && !parser.filled[i]) {
      parser.line = parser.seen[i];
      parser.refuse(key_text(keys[i].section, keys[i].name) + " is empty: write " + keys[i].form() +
                    ", or remove it");
    }
  }
}

}  // namespace

Status parse_settings(std::string_view text, std::string_view name, Settings& settings) {
  std::vector<std::size_t> lines;
  return parse_settings_with_lines(text, name, settings, lines);
}

Status parse_settings_with_lines(std::string_view text, std::string_view name, Settings& settings,
                                 std::vector<std::size_t>& lines) {
  Parser parser{text, name, settings};
  const int bad_line = ini_parse_stream(next_line, &parser, take_key, &parser);
  if (bad_line < 0) {
    return failure(Minor::kNoMemory);
  }
  if (bad_line > 0 && (!parser.failed || static_cast<std::size_t>(bad_line) < parser.line)) {
    parser.failed = false;
    parser.line = static_cast<std::size_t>(bad_line);
    parser.refuse("neither a [section] nor a name = value");
  }
  check_lists(parser);
  if (settings.audit_required && settings.audit == AuditSink::kOff) {
    parser.refuse("[audit] required = yes needs log = file or syslog; set that too, or remove it");
  }
  lines = std::move(parser.seen);
  return parser.failed ? Status(failure(Minor::kBadSetting)) : Status();
}

}  // namespace gssntlm
