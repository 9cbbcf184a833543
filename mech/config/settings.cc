#include "mech/config/settings.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

extern "C" {
#include <ini.h>
}

#include <sys/auxv.h>
#include <unistd.h>

#include "mech/base/text.h"
#include "mech/config/settings_file.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"
#include "mech/os/fork_mutex.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxNetbiosName = 15;
constexpr std::size_t kMaxHostName = 255;

// ---- the file

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

// ---- the environment

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

enum : std::size_t { kFileVariable, kDefaultUser, kFirstKeyed };
constexpr std::array kVariables = {
    Variable{"GSS_NTLM_SETTINGS", {}, {}},
    Variable{"NTLMUSER", {}, {}},
    Variable{"GSSNTLMSSP_DEBUG", "trace", {"file"}},
    Variable{"LM_COMPAT_LEVEL", "policy", {"send_level", "accept_level"}},
    Variable{"NETBIOS_COMPUTER_NAME", "names", {"netbios_computer"}},
    Variable{"NETBIOS_DOMAIN_NAME", "names", {"netbios_domain"}},
    Variable{"NTLM_USER_FILE", "accounts", {"users_file"}},
    Variable{"GSS_NTLM_TRACE", "trace", {"file"}},
    Variable{"GSS_NTLM_TRACE_LEVEL", "trace", {"level"}},
};

using Values = std::array<const char*, kVariables.size()>;
using KeptValues = std::array<std::string, kVariables.size()>;

// Whether some variable's name begins like this entry: hardly any other does.
constexpr bool may_be_variable(const char* entry) noexcept {
  switch (entry[0]) {
    case 'G':
      return entry[1] == 'S';
    case 'L':
      return entry[1] == 'M';
    case 'N':
      return entry[1] == 'E' || entry[1] == 'T';
    default:
      return false;
  }
}

static_assert(std::all_of(kVariables.begin(), kVariables.end(),
                          [](const Variable& v) { return may_be_variable(v.name.data()); }));

// Takes the entry `NAME=value` if it is one of the variables; of two the first counts.
void take_entry(const char* entry, Values& values) noexcept {
  const char* equals = std::strchr(entry, '=');
  if (equals == nullptr) {
    return;
  }
  const std::string_view name(entry, static_cast<std::size_t>(equals - entry));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (kVariables[i].name == name && values[i] == nullptr) {
      values[i] = equals + 1;
    }
  }
}

// One walk for all variables, since a credential is made often and an environment is long. A
// set-user-ID program ignores the environment of the user who runs it.
Values read_variables() noexcept {
  Values values{};
  static const bool trusted = ::getauxval(AT_SECURE) == 0;
  char** at = trusted ? ::environ : nullptr;
  while (const char* entry = at != nullptr ? std::atomic_ref(*at).load() : nullptr) {
    if (may_be_variable(entry)) {
      take_entry(entry, values);
    }
    ++at;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    // An empty level is a mistake, not an absent one.
    const bool empty_level =
        values[i] != nullptr && *values[i] == '\0' && kVariables[i].section == "policy";
    values[i] = values[i] == nullptr ? "" : empty_level ? " " : values[i];
  }
  return values;
}

// What several walks agree upon. While another thread removes a variable, the C library moves those
// behind it one place forward, and a walk can miss one of them.
Values settled_variables() noexcept {
  constexpr unsigned kEnough = 3;
  constexpr unsigned kMost = 64;
  Values values = read_variables();
  for (unsigned walks = 1, agreed = 1; agreed < kEnough && walks < kMost; ++walks) {
    const Values again = read_variables();
    agreed = again == values ? agreed + 1 : 1;
    values = again;
  }
  return values;
}

const char* file_of(const Values& values) noexcept {
  return *values[kFileVariable] != '\0' ? values[kFileVariable] : kDefaultSettingsFile;
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

Status apply_variables(const Values& values, Settings& settings) {
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
  return {};
}

// ---- names

std::string host_name() {
  char name[kMaxHostName + 1];
  if (::gethostname(name, sizeof name) != 0) {
    return {};
  }
  name[kMaxHostName] = '\0';
  return name;
}

// A stand-alone server: its NetBIOS name, which is also its domain's, from the first label.
void fill_names(const std::string& host, HostNames& names) {
  if (names.dns_computer.empty()) {
    Result<Bytes> dns = utf16le_from_utf8(host);
    if (dns && is_clean_name(*dns)) {
      names.dns_computer = std::move(*dns);
    }
  }
  if (names.nb_computer.empty()) {
    const std::string label = host.substr(0, host.find('.')).substr(0, kMaxNetbiosName);
    Result<Bytes> wide = utf16le_from_utf8(label);
    if (wide && is_clean_name(*wide)) {
      names.nb_computer = std::move(*wide);
      upcase_utf16le(names.nb_computer);
    }
  }
  if (names.nb_domain.empty()) {
    names.nb_domain = names.nb_computer;
  }
}

// ---- the outcome, kept

// Of Kept.
ForkMutex g_mutex;

struct Kept {
  Ref<const Settings> settings;
  KeptValues values;
  SettingsSource file;
  time_t looked_at = 0;
};

// A file that is wrong, for one user: it is not read again until it changes.
struct Rejected {
  KeptValues values;
  FileIdentity file;
  uid_t reader = 0;
  std::string why;
};

Kept& kept() {
  // Never destroyed: a thread may still be in a call when the process ends.
  static auto& instance = *new Kept;
  return instance;
}

Rejected& rejected() {
  static auto& instance = *new Rejected;
  return instance;
}

time_t coarse_seconds() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return t.tv_sec;
}

// The file as it is now; a default FileIdentity when there is none.
FileIdentity look_at(const char* path) noexcept {
  struct stat st;
  return ::stat(path, &st) == 0 ? FileIdentity::of(st) : FileIdentity{};
}

bool same_values(const KeptValues& kept_values, const Values& values) noexcept {
  return std::equal(
      values.begin(), values.end(), kept_values.begin(),
      [](const char* a, const std::string& b) { return *a == '\0' ? b.empty() : b == a; });
}

// A file that one user of the process owns does not rule the others.
bool is_current(const Kept& k, const Values& values, time_t now) noexcept {
  return k.settings && same_values(k.values, values) && is_trusted(k.file.owner) &&
         (now == k.looked_at || look_at(file_of(values)) == k.file.identity);
}

bool is_rejected(const Rejected& r, const Values& values) noexcept {
  return r.file.size >= 0 && same_values(r.values, values) && r.reader == ::geteuid() &&
         look_at(file_of(values)) == r.file;
}

Result<Ref<const Settings>> load(const Values& values, SettingsSource& source) {
  auto* settings = new Settings;
  auto loaded = Ref<const Settings>::adopt(settings);
  const bool named = *values[kFileVariable] != '\0';
  const std::string path = named ? values[kFileVariable] : kDefaultSettingsFile;
  struct stat st;
  if (named || ::stat(path.c_str(), &st) == 0 || (errno != ENOENT && errno != ENOTDIR)) {
    const Result<std::string> text = read_settings_file(path, source);
    if (!text) {
      return text.error();
    }
    if (Status s = parse_settings(*text, path, *settings); !s) {
      return s.error();
    }
    settings->source = path;
  }
  if (Status s = apply_variables(values, *settings); !s) {
    return s.error();
  }
  settings->given_names = settings->names;
  fill_names(host_name(), settings->names);
  return loaded;
}

void remember_rejected(const Values& values, const SettingsSource& source, Error error) {
  Rejected& r = rejected();
  r.file = error.minor == Minor::kBadSetting ? source.identity : FileIdentity();
  std::copy(values.begin(), values.end(), r.values.begin());
  r.reader = ::geteuid();
  r.why = last_detail(static_cast<std::uint32_t>(error.minor));
}

}  // namespace

Status parse_settings(std::string_view text, std::string_view name, Settings& settings) {
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
  return parser.failed ? Status(failure(Minor::kBadSetting)) : Status();
}

Result<Ref<const Settings>> load_settings() {
  Values values = read_variables();
  Kept& k = kept();
  const std::lock_guard<ForkMutex> lock(g_mutex);
  const time_t now = coarse_seconds();
  if (is_current(k, values, now) || is_current(k, values = settled_variables(), now)) {
    k.looked_at = now;
    return k.settings;
  }
  if (is_rejected(rejected(), values)) {
    return error_with_detail(Major::kFailure, Minor::kBadSetting, rejected().why);
  }
  SettingsSource source;
  Result<Ref<const Settings>> fresh = load(values, source);
  if (!fresh) {
    remember_rejected(values, source, fresh.error());
    return fresh.error();
  }
  std::copy(values.begin(), values.end(), k.values.begin());
  k.settings = std::move(*fresh);
  k.file = source;
  k.looked_at = now;
  return k.settings;
}

}  // namespace gssntlm
