// Settings from environment variables.
#pragma once

#include <array>
#include <cstddef>

#include "mech/config/settings.h"

namespace gssntlm {

inline constexpr std::size_t kSettingVariables = 10;

/// The values of the variables that change settings, in the environment itself; "" for one that is
/// not set. An empty level is " ": it is a mistake, not an absent one.
using VariableValues = std::array<const char*, kSettingVariables>;

/// One walk through the environment for all of them, since credentials are acquired often and an
/// environment is long. A set-user-ID program ignores the environment of the user who runs it.
[[nodiscard]] VariableValues read_variables() noexcept;

/// What several walks agree upon. While another thread removes a variable, the C library moves
/// those behind it one place forward, and a walk can miss one of them. `walk` is one walk.
[[nodiscard]] VariableValues settled_variables(
    VariableValues (*walk)() noexcept = read_variables) noexcept;

/// GSS_NTLM_SETTINGS; nullptr: not set.
[[nodiscard]] const char* named_settings_file(const VariableValues& values) noexcept;

/// The variable that decides about `key`; empty: none does.
[[nodiscard]] std::string_view variable_that_sets(const SettingKey& key,
                                                  const VariableValues& values) noexcept;

/// GSS_NTLM_TRACE, else GSSNTLMSSP_DEBUG; "": neither is set.
[[nodiscard]] const char* named_trace_file(const VariableValues& values) noexcept;

/// Changes `settings` as the other variables say. Error: kBadSetting; its detail names the
/// variable. Throws std::bad_alloc.
[[nodiscard]] Status apply_variables(const VariableValues& values, Settings& settings);

}  // namespace gssntlm
