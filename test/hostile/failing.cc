// open and open64 are two functions here, not two names of one.
#undef _FILE_OFFSET_BITS

#include "test/hostile/failing.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
// The allocator behind the names that are taken here.
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
int __libc_start_main(int (*)(int, char**, char**), int, char**, void (*)(), void (*)(), void (*)(),
                      void*);
}

namespace failing {
namespace {

// A plan under way. Shared with the parent, when a server of forks is at work.
struct State {
  Plan plan;
  std::atomic<int> seen{0};
};

State g_own;
State* g_state = &g_own;
std::atomic<bool> g_armed{false};
std::atomic<long> g_live{0};
std::atomic<int> g_inheritable{0};
thread_local bool t_armed = false;
std::atomic<long> g_jumped{0};

struct Detour {
  const char* from;
  const char* to;
};
std::array<Detour, 4> g_detours{};

const char* detour(const char* path) noexcept {
  for (const Detour& d : g_detours) {
    if (path != nullptr && d.from != nullptr && std::strcmp(path, d.from) == 0) {
      return d.to;
    }
  }
  return path;
}

// Whether this call is to fail. Leaves the plan's error in errno.
bool fails(Call call) noexcept {
  if (!g_armed.load(std::memory_order_relaxed) || g_state->plan.call != call ||
      !(t_armed || g_state->plan.others)) {
    return false;
  }
  const Plan& plan = g_state->plan;
  const int number = ++g_state->seen;
  if (number != plan.at && !(plan.on && number > plan.at)) {
    return false;
  }
  if (plan.meanwhile != nullptr) {
    plan.meanwhile();
    return false;
  }
  errno = plan.error > 0 ? plan.error : EIO;
  return true;
}

void* counted(void* memory) noexcept {
  if (memory != nullptr) {
    ++g_live;
  }
  return memory;
}

int opened(int fd) noexcept {
  if (t_armed && fd >= 0 && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) {
    ++g_inheritable;
  }
  return fd;
}

void* next(const char* name) noexcept {
  return ::dlsym(RTLD_NEXT, name);
}

}  // namespace

void arm(const Plan& plan) noexcept {
  g_state->plan = plan;
  g_state->seen = 0;
  g_jumped = 0;
  t_armed = true;
  g_armed = true;
}

int disarm() noexcept {
  g_armed = false;
  t_armed = false;
  g_jumped = 0;
  return g_state->seen;
}

int inheritable() noexcept {
  return g_inheritable;
}

long live() noexcept {
  return g_live;
}

void redirect(const char* path, const char* instead) noexcept {
  for (Detour& d : g_detours) {
    if (d.from == nullptr) {
      d = {path, instead};
      return;
    }
  }
  std::abort();
}

}  // namespace failing

using failing::Call;
using failing::fails;

#define NEXT(name) \
  static const auto real = reinterpret_cast<decltype(&::name)>(failing::next(#name))

extern "C" {

// ---- memory

void* malloc(std::size_t size) noexcept {
  return fails(Call::kAllocation) ? nullptr : failing::counted(__libc_malloc(size));
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  return fails(Call::kAllocation) ? nullptr : failing::counted(__libc_calloc(count, size));
}

void* realloc(void* old, std::size_t size) noexcept {
  if (fails(Call::kAllocation)) {
    return nullptr;
  }
  void* fresh = __libc_realloc(old, size);
  failing::g_live += (old == nullptr && fresh != nullptr ? 1 : 0) -
                     (old != nullptr && fresh == nullptr && size == 0 ? 1 : 0);
  return fresh;
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return fails(Call::kAllocation) ? nullptr : failing::counted(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  *memory = memalign(alignment, size);
  return *memory != nullptr ? 0 : ENOMEM;
}

void free(void* memory) noexcept {
  if (memory != nullptr) {
    --failing::g_live;
  }
  __libc_free(memory);
}

// ---- files

int open64(const char* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  NEXT(open64);
  return fails(Call::kOpen) ? -1 : failing::opened(real(path, flags, mode));
}

int open(const char* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  NEXT(open);
  return fails(Call::kOpen) ? -1 : failing::opened(real(path, flags, mode));
}

int openat64(int directory, const char* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  NEXT(openat64);
  return fails(Call::kOpen) ? -1 : failing::opened(real(directory, path, flags, mode));
}

int openat(int directory, const char* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  NEXT(openat);
  return fails(Call::kOpen) ? -1 : failing::opened(real(directory, path, flags, mode));
}

DIR* opendir(const char* path) {
  NEXT(opendir);
  return fails(Call::kOpen) ? nullptr : real(path);
}

int mkostemp64(char* pattern, int flags) {
  NEXT(mkostemp64);
  return fails(Call::kOpen) ? -1 : failing::opened(real(pattern, flags));
}

char* mkdtemp(char* pattern) noexcept {
  NEXT(mkdtemp);
  return fails(Call::kOpen) ? nullptr : real(pattern);
}

ssize_t read(int fd, void* to, std::size_t size) {
  NEXT(read);
  if (!fails(Call::kRead)) {
    return real(fd, to, size);
  }
  switch (failing::g_state->plan.error) {
    case failing::kShort:
      return real(fd, to, size < 1 ? size : 1);
    case failing::kEndOfFile:
      return 0;
    default:
      return -1;
  }
}

ssize_t write(int fd, const void* from, std::size_t size) {
  NEXT(write);
  if (!fails(Call::kWrite)) {
    return real(fd, from, size);
  }
  return failing::g_state->plan.error == failing::kShort ? real(fd, from, size < 1 ? size : 1) : -1;
}

int stat64(const char* path, struct stat64* st) noexcept {
  NEXT(stat64);
  return fails(Call::kStat) ? -1 : real(failing::detour(path), st);
}

int fstat64(int fd, struct stat64* st) noexcept {
  NEXT(fstat64);
  return fails(Call::kStat) ? -1 : real(fd, st);
}

int fsync(int fd) {
  NEXT(fsync);
  return fails(Call::kSync) ? -1 : real(fd);
}

int rename(const char* from, const char* to) noexcept {
  NEXT(rename);
  return fails(Call::kRename) ? -1 : real(from, to);
}

int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
  NEXT(renameat);
  return fails(Call::kRename) ? -1 : real(from_directory, from, to_directory, to);
}

int close(int fd) {
  NEXT(close);
  const int done = real(fd);
  return fails(Call::kClose) ? -1 : done;
}

int fchown(int fd, uid_t owner, gid_t group) noexcept {
  NEXT(fchown);
  return fails(Call::kOwner) ? -1 : real(fd, owner, group);
}

int fchmod(int fd, mode_t mode) noexcept {
  NEXT(fchmod);
  return fails(Call::kOwner) ? -1 : real(fd, mode);
}

int flock(int fd, int operation) noexcept {
  NEXT(flock);
  return fails(Call::kLock) ? -1 : real(fd, operation);
}

// ---- the rest of the system

ssize_t getrandom(void* to, std::size_t size, unsigned flags) {
  NEXT(getrandom);
  if (!fails(Call::kRandom)) {
    return real(to, size, flags);
  }
  return failing::g_state->plan.error == failing::kShort ? real(to, size < 1 ? size : 1, flags)
                                                         : -1;
}

long syscall(long number, ...) noexcept {
  std::va_list more;
  va_start(more, number);
  const long a = va_arg(more, long);
  const long b = va_arg(more, long);
  const long c = va_arg(more, long);
  const long d = va_arg(more, long);
  const long e = va_arg(more, long);
  const long f = va_arg(more, long);
  va_end(more);
  NEXT(syscall);
  if ((number == SYS_keyctl || number == SYS_add_key) && fails(Call::kKeyring)) {
    return -1;
  }
  return real(number, a, b, c, d, e, f);
}

void* dlopen(const char* name, int flags) {
  NEXT(dlopen);
  if (name != nullptr && fails(Call::kLibrary)) {
    return nullptr;
  }
  return real(failing::detour(name), flags);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  NEXT(pthread_create);
  return fails(Call::kThread) ? EAGAIN : real(thread, attributes, start, argument);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  NEXT(clock_gettime);
  const int status = real(clock, now);
  if (fails(Call::kClock)) {
    failing::g_jumped = failing::g_state->plan.error;
  }
  now->tv_sec += clock == CLOCK_REALTIME ? failing::g_jumped.load() : 0;
  return status;
}

time_t time(time_t* now) noexcept {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  if (now != nullptr) {
    *now = t.tv_sec;
  }
  return t.tv_sec;
}

}  // extern "C"

// ---- a program that a script steers

namespace failing {
namespace {

int (*g_main)(int, char**, char**) = nullptr;

struct Order {
  std::int32_t call;
  std::int32_t at;
  std::int32_t error;
  std::int32_t on;
};

struct Reply {
  std::int32_t status;
  std::int32_t seen;
};

bool carry_out(const Order& order, int argc, char** argv, char** environment, int from, int to) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(from);
    ::close(to);
    // Each run reads its standard input from the start, and writes to files that begin empty.
    ::lseek(STDIN_FILENO, 0, SEEK_SET);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      if (::ftruncate(fd, 0) == 0) {
        ::lseek(fd, 0, SEEK_SET);
      }
    }
    arm({static_cast<Call>(order.call), order.at, order.error, order.on != 0, true});
    std::exit(g_main(argc, argv, environment));
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  const Reply reply{status, g_state->seen};
  return ::write(to, &reply, sizeof reply) == static_cast<ssize_t>(sizeof reply);
}

// Runs the program once for each order that comes: a fork costs less than a start.
int serve(int argc, char** argv, char** environment) {
  int from = -1;
  int to = -1;
  const char* descriptors = std::getenv("FAILING_SERVER");
  if (descriptors == nullptr || std::sscanf(descriptors, "%d,%d", &from, &to) != 2) {
    return g_main(argc, argv, environment);
  }
  ::unsetenv("FAILING_SERVER");
  ::unsetenv("LD_PRELOAD");
  void* shared =
      ::mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    return 99;
  }
  g_state = new (shared) State;
  Order order;
  while (::read(from, &order, sizeof order) == static_cast<ssize_t>(sizeof order) &&
         carry_out(order, argc, argv, environment, from, to)) {
  }
  ::_exit(0);
}

}  // namespace
}  // namespace failing

extern "C" int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv,
                                 void (*init)(), void (*fini)(), void (*rtld_fini)(), void* stack) {
  const auto real =
      reinterpret_cast<decltype(&__libc_start_main)>(failing::next("__libc_start_main"));
  failing::g_main = main;
  return real(failing::serve, argc, argv, init, fini, rtld_fini, stack);
}
