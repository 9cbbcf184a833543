// User namespaces in which users of the machine have no number of their own.
#pragma once

#include <cstdio>
#include <fstream>
#include <optional>
#include <string>

#include <grp.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

/// The kernel's number for users that a namespace does not map; here also the number, inside, of
/// the user outside that kMappedUser is.
constexpr uid_t kOverflowUser = 65534;
constexpr uid_t kMappedUser = 7777;

/// Whether `body` is true in a child that runs as kMappedUser in a user namespace that maps root
/// and that user alone, as kOverflowUser: every third user has the same number there as the child.
/// `uid`: 0 to run as root of that namespace.
/// nullopt, and a line of text, where such a namespace cannot be made.
template <typename Body>
std::optional<bool> as_overflow_user(Body body, uid_t uid = kOverflowUser) {
  int pipes[2][2];
  if (::geteuid() != 0 || ::pipe(pipes[0]) != 0 || ::pipe(pipes[1]) != 0) {
    std::printf("not root: no user namespace was tried\n");
    return std::nullopt;
  }
  constexpr int kImpossible = 3;
  char byte = '-';
  const pid_t child = ::fork();
  if (child == 0) {
    byte = ::unshare(CLONE_NEWUSER) == 0 ? '+' : '-';
    const bool mapped = ::write(pipes[0][1], &byte, 1) == 1 && ::read(pipes[1][0], &byte, 1) == 1;
    if (!mapped || byte != '+' || ::setgroups(0, nullptr) != 0 || ::setgid(uid) != 0 ||
        ::setuid(uid) != 0) {
      ::_exit(kImpossible);
    }
    ::_exit(body() ? 0 : 1);
  }
  if (::read(pipes[0][0], &byte, 1) == 1 && byte == '+') {
    const std::string map =
        "0 0 1\n" + std::to_string(kOverflowUser) + " " + std::to_string(kMappedUser) + " 1\n";
    for (const char* name : {"uid_map", "gid_map"}) {
      std::ofstream file("/proc/" + std::to_string(child) + "/" + name);
      byte = (file << map << std::flush) ? byte : '-';
    }
  }
  const bool told = ::write(pipes[1][1], &byte, 1) == 1;
  int status = -1;
  ::waitpid(child, &status, 0);
  for (const auto& ends : pipes) {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  if (!told || !WIFEXITED(status) || WEXITSTATUS(status) == kImpossible) {
    std::printf("this kernel or container has no user namespaces to give: nothing was tried\n");
    return std::nullopt;
  }
  return WEXITSTATUS(status) == 0;
}
