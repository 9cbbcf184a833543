#include "mech/config/settings_origin.h"

#include "mech/base/text.h"
#include "mech/config/settings_environment.h"
#include "mech/config/settings_file.h"

namespace gssntlm {
namespace {

std::string origin_of(const SettingKey& key, std::size_t line, const VariableValues& variables,
                      const Settings& settings) {
  if (const std::string_view variable = variable_that_sets(key, variables); !variable.empty()) {
    return std::string(variable);
  }
  if (key.name == "users_file" && settings.users_file_handed_over) {
    return "CREDENTIALS_DIRECTORY";
  }
  if (line != 0) {
    return printable_utf8(settings.source) + " line " + std::to_string(line);
  }
  const bool derived = key.section == "names" && key.get(settings) != key.get(Settings());
  return derived ? "host name" : "default";
}

}  // namespace

Result<std::vector<std::string>> setting_origins(const Settings& settings) {
  const auto keys = setting_keys();
  std::vector<std::size_t> lines(keys.size());
  if (!settings.source.empty()) {
    SettingsSource source;
    const Result<std::string> text = read_settings_file(settings.source, source);
    if (!text) {
      return text.error();
    }
    Settings again;
    if (Status s = parse_settings_with_lines(*text, settings.source, again, lines); !s) {
      return s.error();
    }
  }
  const VariableValues variables = read_variables();
  std::vector<std::string> origins;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    origins.push_back(origin_of(keys[i], lines[i], variables, settings));
  }
  return origins;
}

}  // namespace gssntlm
