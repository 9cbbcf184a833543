// Every way in which a process is copied, and what comes of a child.
#pragma once

#include <csignal>
#include <cstdio>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gssntlm::test {

struct Fork {
  const char* name;
  pid_t (*call)();
};

inline constexpr Fork kForks[] = {
    {"fork", [] { return ::fork(); }},
    {"_Fork", [] { return ::_Fork(); }},
#ifdef SYS_fork
    {"SYS_fork", [] { return static_cast<pid_t>(::syscall(SYS_fork)); }},
#endif
#ifdef __s390__  // takes the stack first
    {"SYS_clone", [] { return static_cast<pid_t>(::syscall(SYS_clone, 0, SIGCHLD, 0, 0, 0)); }},
#else
    {"SYS_clone", [] { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }},
#endif
};

/// What `body` gives, 0 to 255, in a child, which does nothing after it; -1 when there is no child,
/// or it did not exit.
template <typename Body>
int in_child(Body body, const Fork& way = kForks[0]) {
  std::fflush(stdout);
  const pid_t child = way.call();
  if (child == 0) {
    ::_exit(body());
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status)
             ? WEXITSTATUS(status)
             : -1;
}

/// Whether `body` is true in a child.
template <typename Body>
bool holds_in_child(Body body) {
  return in_child([&] { return body() ? 0 : 1; }) == 0;
}

}  // namespace gssntlm::test
