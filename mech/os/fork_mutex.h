// A mutex that is unlocked in the child after fork().
#pragma once

#include <mutex>

namespace gssntlm {

/// fork() locks all mutexes of this class before it copies the process, and unlocks them in parent
/// and child. So a child never waits for a thread that exists only in the parent, and never sees
/// half of a change. Objects have static storage; a thread holds at most one of them, and briefly.
class ForkMutex {
 public:
  ForkMutex() noexcept;
  ForkMutex(const ForkMutex&) = delete;
  ForkMutex& operator=(const ForkMutex&) = delete;

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  static void hold_all();
  static void free_all();

  std::mutex mutex_;
  ForkMutex* next_;
};

}  // namespace gssntlm
