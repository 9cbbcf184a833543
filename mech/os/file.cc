#include "mech/os/file.h"

#include <cerrno>
#include <csignal>
#include <ctime>

#include <fcntl.h>
#include <pthread.h>

namespace gssntlm {
namespace {

constexpr int kRead = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int kAppend = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

// Keeps this thread's writes from raising SIGPIPE, whatever the host does with that signal.
class PipeSignalHold {
 public:
  PipeSignalHold() noexcept {
    sigset_t pending;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigemptyset(&pending);
    ::sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalHold(const PipeSignalHold&) = delete;
  PipeSignalHold& operator=(const PipeSignalHold&) = delete;
  ~PipeSignalHold() {
    if (raised_ && !was_pending_) {
      constexpr timespec kNow{};
      while (::sigtimedwait(&pipe_, nullptr, &kNow) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  void note(ssize_t written) noexcept { raised_ = written < 0 && errno == EPIPE; }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
  bool raised_ = false;
};

}  // namespace

bool may_hide_change(const FileIdentity& file) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const time_t age = now.tv_sec - file.changed.tv_sec;
  return age >= 0 && age < static_cast<time_t>(kChangesShow / 1000);
}

Descriptor open_to_read(const char* path) noexcept {
  return Descriptor(::open(path, kRead));
}

Descriptor open_to_read_in(int directory, const char* name) noexcept {
  return Descriptor(::openat(directory, name, kRead | O_NOFOLLOW));
}

std::optional<std::size_t> read_all(int fd, MutableBytes to) noexcept {
  std::size_t have = 0;
  while (have < to.size()) {
    const ssize_t got = ::read(fd, to.data() + have, to.size() - have);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return std::nullopt;
    }
    if (got == 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  return have;
}

bool write_all(int fd, ByteView bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return true;
}

int append_text(const char* path, std::string_view text) noexcept {
  const Descriptor file(::open(path, kAppend | O_CREAT, 0600));
  if (file.get() < 0) {
    return errno;
  }
  PipeSignalHold hold;
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  const int error = written < 0 ? errno : ENOSPC;
  hold.note(written);
  return written == static_cast<ssize_t>(text.size()) ? 0 : error;
}

int check_append(const char* path) {
  const Descriptor file(::open(path, kAppend));
  if (file.get() >= 0) {
    return 0;
  }
  const std::string_view name(path);
  if (errno != ENOENT || name.empty()) {
    return errno;
  }
  const std::size_t slash = name.rfind('/');
  const std::string directory(slash == std::string_view::npos ? "." : name.substr(0, slash + 1));
  return ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace gssntlm
