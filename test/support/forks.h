// Every way in which a process is copied.
#pragma once

#include <csignal>

#include <sys/syscall.h>
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
    {"SYS_clone", [] { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }},
};

}  // namespace gssntlm::test
