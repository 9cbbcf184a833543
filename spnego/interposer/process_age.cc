#include "spnego/interposer/process_age.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gssntlm::interposer {
namespace {

constexpr Nanoseconds kSecond = 1'000'000'000;
// Start times count in steps of 10 ms, and a file's in steps of the kernel's tick: up to 10 ms.
constexpr Nanoseconds kMargin = 2 * kSecond / 100;
constexpr unsigned long kForkedOnly = 0x40;  // PF_FORKNOEXEC of the kernel's sched.h
constexpr int kMostParents = 64;

constexpr const char* kConfiguration = "/etc/gss/mech";
constexpr const char* kDirectory = "/etc/gss/mech.d";

class File {
 public:
  explicit File(int fd) noexcept : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

// 0: this process.
std::optional<ProcessStat> stat_of(int pid) noexcept {
  char path[32] = "/proc/self/stat";
  if (pid != 0) {
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  }
  const File file(::open(path, O_RDONLY | O_CLOEXEC));
  char line[1024];
  const ssize_t size = file.fd() < 0 ? -1 : ::read(file.fd(), line, sizeof line - 1);
  if (size <= 0) {
    return std::nullopt;
  }
  line[size] = '\0';
  return parse_stat(line);
}

Nanoseconds now(clockid_t clock) noexcept {
  timespec t{};
  ::clock_gettime(clock, &t);
  return t.tv_sec * kSecond + t.tv_nsec;
}

std::uint64_t start_of(int pid, std::uint64_t otherwise) noexcept {
  const std::optional<ProcessStat> stat = pid > 1 ? stat_of(pid) : std::nullopt;
  return stat ? std::min(stat->start, otherwise) : otherwise;
}

// Of a process whose parent is gone: those of its family that are left and may be older. A
// service's main process is named by systemd; a process that did not leave its session has its
// leader.
std::uint64_t start_of_orphan(const ProcessStat& orphan, std::uint64_t earliest) noexcept {
  const char* service = ::secure_getenv("SYSTEMD_EXEC_PID");
  return std::min(start_of(orphan.session, earliest),
                  start_of(service != nullptr ? std::atoi(service) : 0, earliest));
}

std::optional<std::uint64_t> earliest_start() noexcept {
  std::uint64_t earliest = ~std::uint64_t{0};
  int pid = 0;
  for (int i = 0; i < kMostParents; ++i) {
    const std::optional<ProcessStat> stat = stat_of(pid);
    if (!stat) {
      return std::nullopt;
    }
    earliest = std::min(earliest, stat->start);
    if (!stat->forked_only) {
      return earliest;
    }
    if (stat->parent <= 1) {
      return start_of_orphan(*stat, earliest);
    }
    pid = stat->parent;
  }
  return std::nullopt;
}

Nanoseconds change_of(const struct stat& file) noexcept {
  return file.st_ctim.tv_sec * kSecond + file.st_ctim.tv_nsec;
}

// Raises `newest` to the last change of a path: the link's and the file's.
bool note_change(int directory, const char* path, bool must_exist, Nanoseconds& newest) noexcept {
  for (const int flags : {AT_SYMLINK_NOFOLLOW, 0}) {
    struct stat file {};
    if (::fstatat(directory, path, &file, flags) == 0) {
      newest = std::max(newest, change_of(file));
    } else if (must_exist || errno != ENOENT) {
      return false;
    }
  }
  return true;
}

bool note_directory(Nanoseconds& newest) noexcept {
  DIR* directory = ::opendir(kDirectory);
  if (directory == nullptr) {
    return errno == ENOENT;
  }
  bool known = note_change(AT_FDCWD, kDirectory, true, newest);
  while (const dirent* entry = known ? ::readdir(directory) : nullptr) {
    const char* dot = std::strrchr(entry->d_name, '.');
    if (dot != nullptr && std::strcmp(dot, ".conf") == 0) {
      known = note_change(::dirfd(directory), entry->d_name, false, newest);
    }
  }
  ::closedir(directory);
  return known;
}

}  // namespace

std::optional<ProcessStat> parse_stat(const char* line) noexcept {
  const char* end_of_name = std::strrchr(line, ')');
  if (end_of_name == nullptr) {
    return std::nullopt;
  }
  ProcessStat stat;
  unsigned long flags = 0;
  unsigned long long start = 0;
  const int found =
      std::sscanf(end_of_name + 1,
                  " %*c %d %*d %d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                  &stat.parent, &stat.session, &flags, &start);
  if (found != 4) {
    return std::nullopt;
  }
  stat.forked_only = (flags & kForkedOnly) != 0;
  stat.start = start;
  return stat;
}

std::optional<Nanoseconds> program_start() noexcept {
  const std::optional<std::uint64_t> ticks = earliest_start();
  const long rate = ::sysconf(_SC_CLK_TCK);
  if (!ticks || rate <= 0) {
    return std::nullopt;
  }
  const Nanoseconds after_boot =
      static_cast<Nanoseconds>(*ticks) * (kSecond / static_cast<Nanoseconds>(rate));
  return now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME) + after_boot;
}

std::optional<Nanoseconds> last_installation(const char* module) noexcept {
  Nanoseconds newest = 0;
  if (!note_change(AT_FDCWD, module, true, newest)) {
    return std::nullopt;
  }
  const char* instead = ::secure_getenv("GSS_MECH_CONFIG");
  const bool known = instead != nullptr ? note_change(AT_FDCWD, instead, true, newest)
                                        : note_change(AT_FDCWD, kConfiguration, false, newest) &&
                                              note_directory(newest);
  return known ? std::optional(newest) : std::nullopt;
}

bool is_younger_than(const char* module) noexcept {
  const std::optional<Nanoseconds> installed = last_installation(module);
  const std::optional<Nanoseconds> started = installed ? program_start() : std::nullopt;
  return started && *started >= *installed + kMargin;
}

}  // namespace gssntlm::interposer
