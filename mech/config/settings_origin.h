// Where the value of each setting is from, for people.
#pragma once

#include <string>
#include <vector>

#include "mech/config/settings.h"

namespace gssntlm {

/// As parse_settings(). `lines`: in which line each key is set, in the order of setting_keys(); 0:
/// it is not.
[[nodiscard]] Status parse_settings_with_lines(std::string_view text, std::string_view name,
                                               Settings& settings, std::vector<std::size_t>& lines);

/// For each of setting_keys() where `settings`, which are in force in this process, have it from:
/// `PATH line N`, the name of a variable, `host name`, or `default`. The file is read again. Error:
/// kBadSetting. Throws std::bad_alloc.
[[nodiscard]] Result<std::vector<std::string>> setting_origins(const Settings& settings);

}  // namespace gssntlm
