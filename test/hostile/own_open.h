// open() of the program, which the linker finds for the module too. Included by one file of a
// program that is linked with export_dynamic.
#pragma once

#include <cstdarg>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gssntlm::test {

/// Before each call of open(). Written by the program.
void before_open(const char* path, int flags);

inline int open_after_all(const char* path, int flags, va_list list) {
  before_open(path, flags);
  const unsigned mode = (flags & O_CREAT) != 0 ? va_arg(list, unsigned) : 0;
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

}  // namespace gssntlm::test

// By their names in C the headers have declared them, and may have renamed one to the other.
extern "C" {
[[gnu::visibility("default")]] int own_open(const char* path, int flags, ...) __asm__("open");
[[gnu::visibility("default")]] int own_open64(const char* path, int flags, ...) __asm__("open64");

int own_open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const int fd = gssntlm::test::open_after_all(path, flags, list);
  va_end(list);
  return fd;
}

int own_open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const int fd = gssntlm::test::open_after_all(path, flags, list);
  va_end(list);
  return fd;
}

}  // extern "C"
