#include "mech/config/settings.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <unistd.h>

#include "mech/base/text.h"
#include "mech/config/settings_environment.h"
#include "mech/config/settings_file.h"
#include "mech/config/settings_trace.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"
#include "mech/os/fork_mutex.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxNetbiosName = 15;
constexpr std::size_t kMaxHostName = 255;

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

using KeptValues = std::array<std::string, kSettingVariables>;

// Of Kept.
ForkMutex g_mutex;

struct Kept {
  Ref<const Settings> settings;
  KeptValues values;
  SettingsSource file;
  time_t looked_at = 0;
  time_t read_again = 0;
};

// A file that is wrong, for one user: it is not read again until it changes.
struct Rejected {
  KeptValues values;
  FileIdentity file;
  time_t read_again = 0;
  uid_t reader = 0;
  std::string why;
  std::string trace_file;
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

// The second that has begun may be almost over.
constexpr time_t kChangesShowSeconds = 1 + static_cast<time_t>(kChangesShow / 1000);

// When a file is to be read again because it may have changed without a sign; 0: never.
time_t read_again_at(const FileIdentity& file, time_t now) noexcept {
  return may_hide_change(file) ? now + kChangesShowSeconds : 0;
}

bool is_due(time_t read_again, time_t now) noexcept {
  return read_again != 0 && now >= read_again;
}

// The file as it is now; a default FileIdentity when there is none.
FileIdentity look_at(const char* path) noexcept {
  struct stat st;
  return ::stat(path, &st) == 0 ? FileIdentity::of(st) : FileIdentity{};
}

const char* path_of(const VariableValues& values) noexcept {
  const char* named = named_settings_file(values);
  return named != nullptr ? named : kDefaultSettingsFile;
}

bool same_values(const KeptValues& kept_values, const VariableValues& values) noexcept {
  return std::equal(
      values.begin(), values.end(), kept_values.begin(),
      [](const char* a, const std::string& b) { return *a == '\0' ? b.empty() : b == a; });
}

// A file that one user of the process owns does not rule the others.
bool is_current(const Kept& k, const VariableValues& values, time_t now) noexcept {
  return k.settings && same_values(k.values, values) && is_trusted(k.file.owner) &&
         (now == k.looked_at || look_at(path_of(values)) == k.file.identity);
}

bool is_rejected(const Rejected& r, const VariableValues& values, time_t now) noexcept {
  return r.file.size >= 0 && same_values(r.values, values) && r.reader == ::geteuid() &&
         !is_due(r.read_again, now) && look_at(path_of(values)) == r.file;
}

// `trace_file`: what the file says, if it is wrong.
Result<Ref<const Settings>> load(const VariableValues& values, SettingsSource& source,
                                 std::string& trace_file) {
  auto* settings = new Settings;
  auto loaded = Ref<const Settings>::adopt(settings);
  const bool named = named_settings_file(values) != nullptr;
  const std::string path = path_of(values);
  struct stat st;
  if (named || ::stat(path.c_str(), &st) == 0 || (errno != ENOENT && errno != ENOTDIR)) {
    const Result<std::string> text = read_settings_file(path, source);
    if (!text) {
      return text.error();
    }
    if (Status s = parse_settings(*text, path, *settings); !s) {
      trace_file = trace_file_in(*text);
      return s.error();
    }
    settings->source = path;
  }
  if (Status s = apply_variables(values, *settings); !s) {
    trace_file = std::move(settings->trace_file);
    return s.error();
  }
  settings->given_names = settings->names;
  fill_names(host_name(), settings->names);
  return loaded;
}

void remember_rejected(const VariableValues& values, const SettingsSource& source, Error error,
                       time_t now, std::string trace_file) {
  Rejected& r = rejected();
  r.file = error.minor == Minor::kBadSetting ? source.identity : FileIdentity();
  std::copy(values.begin(), values.end(), r.values.begin());
  r.read_again = read_again_at(r.file, now);
  r.reader = ::geteuid();
  r.why = last_detail(static_cast<std::uint32_t>(error.minor));
  const char* const named = named_trace_file(values);
  r.trace_file = *named != '\0' ? named : std::move(trace_file);
}

}  // namespace

Result<Ref<const Settings>> load_settings() {
  VariableValues values = read_variables();
  Kept& k = kept();
  const std::lock_guard<ForkMutex> lock(g_mutex);
  const time_t now = coarse_seconds();
  const bool current =
      is_current(k, values, now) || is_current(k, values = settled_variables(), now);
  if (current && !is_due(k.read_again, now)) {
    k.looked_at = now;
    return k.settings;
  }
  if (is_rejected(rejected(), values, now)) {
    return error_with_detail(Major::kFailure, Minor::kBadSetting, rejected().why);
  }
  SettingsSource source;
  std::string trace_file;
  Result<Ref<const Settings>> fresh = load(values, source, trace_file);
  // What was read of it still counts when this user can no longer read the file.
  if (!fresh && current && source.identity == FileIdentity()) {
    k.read_again = now + kChangesShowSeconds;
    return k.settings;
  }
  if (!fresh) {
    remember_rejected(values, source, fresh.error(), now, std::move(trace_file));
    return fresh.error();
  }
  std::copy(values.begin(), values.end(), k.values.begin());
  k.settings = std::move(*fresh);
  k.file = source;
  k.read_again = read_again_at(source.identity, now);
  k.looked_at = now;
  return k.settings;
}

std::string trace_file_of_failed_settings() {
  const std::lock_guard<ForkMutex> lock(g_mutex);
  return rejected().trace_file;
}

}  // namespace gssntlm
