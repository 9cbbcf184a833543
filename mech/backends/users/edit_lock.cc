#include "mech/backends/users/edit_lock.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/sysmacros.h>

#include "mech/base/text.h"
#include "mech/os/owner.h"

namespace gssntlm {
namespace {

constexpr std::chrono::milliseconds kPause{10};

struct CloseStream {
  void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
};

// The process that holds a lock on the file, as the kernel lists it; 0 if it does not say.
long holder_of(int fd) {
  struct stat st;
  const std::unique_ptr<std::FILE, CloseStream> locks(std::fopen("/proc/locks", "re"));
  if (!locks || ::fstat(fd, &st) != 0) {
    return 0;
  }
  char line[160];
  while (std::fgets(line, sizeof line, locks.get()) != nullptr) {
    long pid = 0;
    unsigned major = 0;
    unsigned minor = 0;
    unsigned long long inode = 0;
    // "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"; a process that waits has "->".
    const bool is_holder =
        std::sscanf(line, "%*d: %*s %*s %*s %ld %x:%x:%llu", &pid, &major, &minor, &inode) == 4;
    if (is_holder && inode == st.st_ino && makedev(major, minor) == st.st_dev) {
      return pid;
    }
  }
  return 0;
}

// The open file is still the one of that name: its last holder has not removed it.
bool is_current(int fd, int directory, const std::string& name) noexcept {
  struct stat open;
  struct stat named;
  return ::fstat(fd, &open) == 0 &&
         ::fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

// Why a lock file cannot be ours, as far as that is visible from outside; empty: nothing is.
std::string why_unusable(const struct stat& st) {
  return !S_ISREG(st.st_mode)      ? "is not a regular file"
         : !is_own(st.st_uid)      ? "belongs to " + owner_text(st.st_uid)
         : (st.st_mode & 077) != 0 ? "can be opened by other users"
                                   : "";
}

Result<Descriptor> open_lock_file(int directory, const std::string& name, const std::string& path) {
  Descriptor file(::openat(directory, name.c_str(),
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                           0600));
  const int error = errno;
  struct stat st;
  const bool known = (file.get() < 0 ? ::fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW)
                                     : ::fstat(file.get(), &st)) == 0;
  const std::string why = known ? why_unusable(st) : std::string();
  if (!why.empty()) {
    return users_file_error(Minor::kUsersFileMode, path,
                            "its lock file " + printable_utf8(name) + " " + why + "; remove it");
  }
  if (file.get() < 0 || !known) {
    errno = error;
    return users_file_errno(path, "cannot open its lock file " + printable_utf8(name));
  }
  return file;
}

Error held_error(int fd, const std::string& path, const std::string& name) {
  const long pid = holder_of(fd);
  const std::string holder = pid > 0 ? "process " + std::to_string(pid) : "another process";
  return users_file_error(Minor::kUsersFileOpen, path,
                          holder + " is changing it and holds the lock file " +
                              printable_utf8(name) + "; try again when that is done");
}

}  // namespace

Result<EditLock> EditLock::take(const TrustedPlace& place, const std::string& path,
                                std::chrono::milliseconds patience) {
  const int directory = place.directory.get();
  std::string name = "." + place.name + ".gss-ntlm-lock";
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    Result<Descriptor> file = open_lock_file(directory, name, path);
    if (!file) {
      return file.error();
    }
    const bool locked = ::flock(file->get(), LOCK_EX | LOCK_NB) == 0;
    if (locked && is_current(file->get(), directory, name)) {
      return EditLock(std::move(*file), directory, std::move(name));
    }
    if (!locked && errno != EWOULDBLOCK && errno != EINTR) {
      return users_file_errno(path, "cannot lock " + printable_utf8(name));
    }
    if (std::chrono::steady_clock::now() >= end) {
      return held_error(file->get(), path, name);
    }
    // Also after a lock that came too late for its file: the next one may as well.
    std::this_thread::sleep_for(kPause);
  }
}

EditLock::~EditLock() {
  if (file_.get() >= 0) {
    ::unlinkat(directory_, name_.c_str(), 0);
  }
}

}  // namespace gssntlm
