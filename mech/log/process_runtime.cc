#include "mech/log/process_runtime.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <set>

#include <unistd.h>

#include "mech/base/civil_time.h"
#include "mech/config/settings_trace.h"
#include "mech/crypto/primitives.h"
#include "mech/log/describe.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"
#include "mech/os/fork_mutex.h"
#include "mech/os/random.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxEvent = 3000;
constexpr std::size_t kMaxParties = 1000;
constexpr std::size_t kMaxKept = 255;

// Set by set_trace_file(), which frees nothing it once pointed to: another thread may read it.
std::atomic<const std::string*> g_trace_file{nullptr};
std::atomic<std::uint32_t> g_contexts{0};
ForkMutex g_trace_mutex;

const char* trace_file(const Settings& settings) noexcept {
  const std::string* chosen = g_trace_file.load(std::memory_order_acquire);
  const std::string& path = chosen != nullptr ? *chosen : settings.trace_file;
  return path.empty() ? nullptr : path.c_str();
}

// `parties` may be empty.
void write_event(const char* path, std::string_view context, std::string_view role,
                 std::string_view event, std::string_view parties = {}) noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  const CivilTime utc = utc_of(t.tv_sec);
  char line[kMaxEvent + kMaxParties + 200];
  event = event.substr(0, kMaxEvent);
  parties = parties.substr(0, kMaxParties);
  const int size = std::snprintf(
      line, sizeof line,
      "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ gss-ntlm[%ld] %.*s%.*s%s%.*s%s%.*s%s\n", utc.year,
      utc.month, utc.day, utc.hour, utc.minute, utc.second, t.tv_nsec / 1000,
      static_cast<long>(::getpid()), static_cast<int>(context.size()), context.data(),
      static_cast<int>(role.size()), role.data(), role.empty() ? "" : ": ",
      static_cast<int>(event.size()), event.data(), parties.empty() ? "" : " (",
      static_cast<int>(parties.size()), parties.data(), parties.empty() ? "" : ")");
  if (size <= 0) {
    return;
  }
  // Callers escape names; this keeps one event one line whatever they hand in.
  char* end = line + size - 1;
  std::replace_if(
      line, end, [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
  append_text(path, {line, static_cast<std::size_t>(size)});
}

using MachineId = std::array<std::uint8_t, 32>;

// Hashed, so that the kernel's identifier itself does not travel. Zeros: it cannot be read.
MachineId read_machine_id() noexcept {
  std::array<std::uint8_t, 36> boot{};
  MachineId id{};
  const Descriptor file = open_to_read("/proc/sys/kernel/random/boot_id");
  if (file.get() < 0 || read_all(file.get(), boot) != boot.size()) {
    return id;
  }
  const std::span<std::uint8_t, 32> out(id);
  hash_md5({as_bytes("single host 1"), boot}, out.first<16>());
  hash_md5({as_bytes("single host 2"), boot}, out.last<16>());
  return id;
}

// Kept once it was read; a failure is not, or checks that need it would be off for good. No lock,
// which a fork could leave held: all threads read the same.
class KeptMachineId {
 public:
  [[nodiscard]] MachineId get() noexcept {
    if (!kept_.load(std::memory_order_acquire)) {
      const MachineId id = read_machine_id();
      if (is_zero(id)) {
        return id;
      }
      for (std::size_t i = 0; i < words_.size(); ++i) {
        words_[i].store(load_le64(&id[8 * i]), std::memory_order_relaxed);
      }
      kept_.store(true, std::memory_order_release);
    }
    MachineId id;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      store_le64(&id[8 * i], words_[i].load(std::memory_order_relaxed));
    }
    return id;
  }

 private:
  std::array<std::atomic<std::uint64_t>, sizeof(MachineId) / 8> words_{};
  std::atomic<bool> kept_{false};
};
KeptMachineId g_machine_id;

}  // namespace

ProcessRuntime::ProcessRuntime(Ref<const Settings> settings, const char* role)
    : settings_(std::move(settings)),
      role_(role),
      number_(g_contexts.fetch_add(1, std::memory_order_relaxed) + 1) {
  if (settings_->audit != AuditSink::kOff) {
    last_ = std::make_unique<std::string>();
    last_->reserve(kMaxKept);
  }
}

std::uint64_t ProcessRuntime::now() const noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return kFiletimeUnixEpoch + static_cast<std::uint64_t>(t.tv_sec) * kFiletimePerSecond +
         static_cast<std::uint64_t>(t.tv_nsec) / 100;
}

std::array<std::uint8_t, 32> ProcessRuntime::machine_id() const noexcept {
  return g_machine_id.get();
}

bool ProcessRuntime::random(MutableBytes out) const noexcept {
  return fill_random(out);
}

bool ProcessRuntime::tracing() const noexcept {
  return last_ != nullptr || is_tracing(*settings_);
}

void ProcessRuntime::trace(std::string_view event) const noexcept {
  ++events_;
  if (last_) {
    last_->assign(event.substr(0, kMaxKept));  // fits what was reserved
  }
  const char* path = trace_file(*settings_);
  if (path == nullptr) {
    return;
  }
  char context[24];
  std::snprintf(context, sizeof context, "context %lu ", static_cast<unsigned long>(number_));
  const std::string_view role(role_);
  const bool says_role = event.starts_with(role) && event.substr(role.size()).starts_with(": ");
  write_event(path, context, says_role ? std::string_view() : role, event, parties_);
}

bool ProcessRuntime::writes_trace() const noexcept {
  return is_tracing(*settings_);
}

void ProcessRuntime::explain(Minor minor, std::string_view reason) const noexcept {
  (void)error_with_detail(Major::kFailure, minor, reason);
}

void ProcessRuntime::trace_message(std::string_view verb, ByteView token) const {
  if (settings_->trace_level < 2 || trace_file(*settings_) == nullptr) {
    return;
  }
  char context[24];
  std::snprintf(context, sizeof context, "context %lu ", static_cast<unsigned long>(number_));
  write_event(trace_file(*settings_), context, role_,
              std::string(verb).append(" ").append(describe_message(token)));
}

void trace_failed_settings(Error error) {
  const std::string* const chosen = g_trace_file.load(std::memory_order_acquire);
  const std::string path = chosen != nullptr ? *chosen : trace_file_of_failed_settings();
  if (!path.empty()) {
    write_event(path.c_str(), {}, {}, "settings: " + error_text(error));
  }
}

void trace_event(const Settings& settings, std::string_view event) noexcept {
  if (const char* path = trace_file(settings)) {
    write_event(path, {}, {}, event);
  }
}

bool is_tracing(const Settings& settings) noexcept {
  return trace_file(settings) != nullptr;
}

void set_trace_file(std::string_view path) {
  static auto& paths = *new std::set<std::string, std::less<>>;
  const std::lock_guard<ForkMutex> lock(g_trace_mutex);
  auto found = paths.find(path);
  if (found == paths.end()) {
    found = paths.emplace(path).first;
  }
  g_trace_file.store(&*found, std::memory_order_release);
}

}  // namespace gssntlm
