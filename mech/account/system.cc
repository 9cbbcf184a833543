#include "mech/account/system.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

namespace gssntlm {

SystemEnvironment::SystemEnvironment(const void* context) noexcept : context_(context) {
  trace_file_ = ::secure_getenv("GSS_NTLM_TRACE");
  if (trace_file_ == nullptr) {
    trace_file_ = ::secure_getenv("GSSNTLMSSP_DEBUG");
  }
  if (trace_file_ != nullptr && *trace_file_ == '\0') {
    trace_file_ = nullptr;
  }
}

std::uint64_t SystemEnvironment::now() const noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return kFiletimeUnixEpoch + static_cast<std::uint64_t>(t.tv_sec) * kFiletimePerSecond +
         static_cast<std::uint64_t>(t.tv_nsec) / 100;
}

bool SystemEnvironment::random(MutableBytes out) const noexcept {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

// The file is opened for each line: nothing is held that a daemon could close under us, or that a
// child would inherit.
void SystemEnvironment::trace(std::string_view event) const noexcept {
  if (trace_file_ == nullptr) {
    return;
  }
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  tm utc{};
  ::gmtime_r(&t.tv_sec, &utc);
  char line[1024];
  const int size = std::snprintf(
      line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ gss-ntlm[%ld] %p %.*s\n",
      utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
      t.tv_nsec / 1000, static_cast<long>(::getpid()), context_,
      static_cast<int>(event.size() < 800 ? event.size() : 800), event.data());
  const int fd = ::open(trace_file_, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0) {
    return;
  }
  if (size > 0) {
    // A trace that cannot be written must not fail the call it describes.
    [[maybe_unused]] const ssize_t written = ::write(fd, line, static_cast<std::size_t>(size));
  }
  ::close(fd);
}

}  // namespace gssntlm
