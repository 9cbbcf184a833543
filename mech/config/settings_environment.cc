#include "mech/config/settings_environment.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>
#include <utility>

#include <sys/auxv.h>
#include <unistd.h>

#include "mech/base/text.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

Error bad_variable(std::string_view name, std::string_view value, std::string_view remedy) {
  std::string text(name);
  text.append("=").append(printable_utf8(value, 64)).append(": write ").append(remedy);
  return error_with_detail(Major::kFailure, Minor::kBadSetting, text);
}

const SettingKey& find_key(std::string_view section, std::string_view name) noexcept {
  const auto keys = setting_keys();
  return *std::find_if(keys.begin(), keys.end(),
                       [&](const SettingKey& k) { return k.section == section && k.name == name; });
}

// A variable, and the keys that it stands for. An empty value counts for a name or path as unset.
struct Variable {
  std::string_view name;
  std::string_view section;
  std::array<std::string_view, 2> keys;
};

enum : std::size_t {
  kFileVariable,
  kDefaultUser,
  kCredentials,
  kFirstKeyed,
  kTraceOfGssNtlmssp = kFirstKeyed,
  kTrace = 8
};
constexpr std::array kVariables = {
    Variable{"GSS_NTLM_SETTINGS", {}, {}},
    Variable{"NTLMUSER", {}, {}},
    Variable{"CREDENTIALS_DIRECTORY", {}, {}},
    Variable{"GSSNTLMSSP_DEBUG", "trace", {"file"}},
    Variable{"LM_COMPAT_LEVEL", "policy", {"send_level", "accept_level"}},
    Variable{"NETBIOS_COMPUTER_NAME", "names", {"netbios_computer"}},
    Variable{"NETBIOS_DOMAIN_NAME", "names", {"netbios_domain"}},
    Variable{"NTLM_USER_FILE", "accounts", {"users_file"}},
    Variable{"GSS_NTLM_TRACE", "trace", {"file"}},
    Variable{"GSS_NTLM_TRACE_LEVEL", "trace", {"level"}},
};

static_assert(kVariables.size() == kSettingVariables);
static_assert(kVariables[kTraceOfGssNtlmssp].name == "GSSNTLMSSP_DEBUG");
static_assert(kVariables[kTrace].name == "GSS_NTLM_TRACE");

// How many characters are looked at before an entry is compared with all names: enough to tell
// GSS_NTLM_SETTINGS from GSS_MECH_CONFIG.
constexpr std::size_t kDistinctive = 5;

// For each character a bit for each place in the beginning of a name where it stands.
constexpr auto kPlaces = [] {
  std::array<std::uint8_t, 256> places{};
  for (const Variable& variable : kVariables) {
    for (std::size_t at = 0; at < kDistinctive; ++at) {
      places[static_cast<unsigned char>(variable.name[at])] |= static_cast<std::uint8_t>(1 << at);
    }
  }
  return places;
}();
static_assert(kPlaces['\0'] == 0, "an entry is not read behind its end");

// Whether some variable's name may begin like this entry: hardly any other does, and environments
// are long.
constexpr bool may_be_variable(const char* entry) noexcept {
  for (std::size_t at = 0; at < kDistinctive; ++at) {
    if ((kPlaces[static_cast<unsigned char>(entry[at])] & (1 << at)) == 0) {
      return false;
    }
  }
  return true;
}

constexpr char kUnset[] = "";

// An empty level is a mistake, not an absent one.
const char* value_of(const Variable& variable, const char* value) noexcept {
  return *value == '\0' && variable.section == "policy" ? " " : value;
}

// Takes the entry `NAME=value` if it is one of the variables; of two the first counts.
void take_entry(const char* entry, VariableValues& values) noexcept {
  const char* equals = std::strchr(entry, '=');
  if (equals == nullptr) {
    return;
  }
  const std::string_view name(entry, static_cast<std::size_t>(equals - entry));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (kVariables[i].name == name) {
      values[i] = values[i] == kUnset ? value_of(kVariables[i], equals + 1) : values[i];
      return;
    }
  }
}

// Relative paths were always allowed here.
void set_path(Settings& settings, std::string_view key, const char* value) {
  if (key != "users_file") {
    settings.trace_file = value;
    return;
  }
  settings.users_file = value;
  settings.acceptor_users_file.clear();
  settings.initiator_users_file.clear();
}

// What systemd hands over (LoadCredential=ntlm-users:...), where no users file is named.
void find_handed_over(Settings& settings, const char* directory) {
  if (*directory != '/' || !settings.users_file.empty() || !settings.acceptor_users_file.empty() ||
      !settings.initiator_users_file.empty()) {
    return;
  }
  std::string path(directory);
  path.append("/").append(kHandedOverUsers);
  if (::access(path.c_str(), F_OK) == 0) {
    settings.users_file = std::move(path);
    settings.users_file_handed_over = true;
  }
}

}  // namespace

VariableValues read_variables() noexcept {
  VariableValues values;
  values.fill(kUnset);
  static const bool trusted = ::getauxval(AT_SECURE) == 0;
  char** at = trusted ? ::environ : nullptr;
  while (const char* entry = at != nullptr ? std::atomic_ref(*at).load() : nullptr) {
    if (may_be_variable(entry)) {
      take_entry(entry, values);
    }
    ++at;
  }
  return values;
}

VariableValues settled_variables(VariableValues (*walk)() noexcept) noexcept {
  constexpr unsigned kEnough = 3;
  constexpr unsigned kMost = 64;
  VariableValues values = walk();
  for (unsigned walks = 1, agreed = 1; agreed < kEnough && walks < kMost; ++walks) {
    const VariableValues again = walk();
    agreed = again == values ? agreed + 1 : 1;
    values = again;
  }
  return values;
}

const char* named_settings_file(const VariableValues& values) noexcept {
  return *values[kFileVariable] != '\0' ? values[kFileVariable] : nullptr;
}

std::string_view variable_that_sets(const SettingKey& key, const VariableValues& values) noexcept {
  // NTLM_USER_FILE replaces the files of both roles.
  const bool users = key.section == "accounts" && key.name.ends_with("users_file");
  for (std::size_t i = values.size(); i-- > kFirstKeyed;) {
    const Variable& v = kVariables[i];
    const bool named = v.section == key.section &&
                       (std::find(v.keys.begin(), v.keys.end(), key.name) != v.keys.end() ||
                        (users && v.keys[0] == "users_file"));
    if (named && *values[i] != '\0') {
      return v.name;
    }
  }
  return {};
}

const char* named_trace_file(const VariableValues& values) noexcept {
  return *values[kTrace] != '\0' ? values[kTrace] : values[kTraceOfGssNtlmssp];
}

Status apply_variables(const VariableValues& values, Settings& settings) {
  settings.default_user = values[kDefaultUser];
  for (std::size_t i = kFirstKeyed; i < values.size(); ++i) {
    const Variable& variable = kVariables[i];
    if (*values[i] == '\0') {
      continue;
    }
    for (const std::string_view name : variable.keys) {
      if (name.empty()) {
        continue;
      }
      const SettingKey& key = find_key(variable.section, name);
      if (name == "users_file" || name == "file") {
        set_path(settings, name, values[i]);
      } else if (!key.set(settings, values[i])) {
        return bad_variable(variable.name, values[i], key.form().append(", or unset it"));
      }
    }
  }
  find_handed_over(settings, values[kCredentials]);
  return {};
}

}  // namespace gssntlm
