// Calls into the C library that fail when they are told to. Linked into a test program, or
// preloaded into any other one, which a script then steers (see serve() in failing.cc).
#pragma once

#include <cstddef>
#include <cstdint>

namespace failing {

/// What can be made to fail.
enum class Call : int {
  kNone,
  kAllocation,  ///< malloc and related functions, and so operator new
  kRandom,      ///< getrandom
  kOpen,        ///< open, openat, opendir, mkostemp, mkdtemp
  kRead,        ///< read
  kStat,        ///< stat, fstat
  kWrite,       ///< write
  kSync,        ///< fsync
  kRename,      ///< rename, renameat
  kClose,       ///< close, which gives the descriptor back all the same
  kOwner,       ///< fchown, fchmod
  kLock,        ///< flock
  kKeyring,     ///< add_key and keyctl, as libkeyutils makes them
  kLibrary,     ///< dlopen
  kThread,      ///< pthread_create
  kClock,       ///< clock_gettime and time: what is told to fail jumps `error` seconds instead
};

/// In the place of an errno: a call that does less than it was asked to.
inline constexpr int kShort = -1;      ///< read and write: one byte alone
inline constexpr int kEndOfFile = -2;  ///< read: nothing

struct Plan {
  Call call = Call::kNone;
  int at = 0;           ///< the first call that fails, from 1
  int error = 0;        ///< errno, or one of the above
  bool on = false;      ///< so do all after it
  bool others = false;  ///< calls of other threads count as well
  /// With an `error` of 0: what happens just before that call, which then goes on.
  void (*meanwhile)() = nullptr;
};

/// Counts, and lets fail, the calls that this thread makes from here to disarm().
void arm(const Plan& plan) noexcept;
/// How many calls of the plan's kind there were.
int disarm() noexcept;

/// Descriptors that open() and related functions gave, in the whole process, and a child would
/// inherit.
int inheritable() noexcept;

/// Pieces of memory that were allocated and not freed, in the whole process.
long live() noexcept;

/// What dlopen() and stat() are told to find at `path`, they find at `instead`. Four at most; both
/// texts stay the caller's.
void redirect(const char* path, const char* instead) noexcept;

}  // namespace failing
