// A mutex that a fork leaves free in the child.
#pragma once

#include <mutex>

namespace gssntlm {

/// fork() waits until all of these are free, holds them, and frees them in parent and child: a
/// child never waits for a thread that it does not have, nor sees half of a change. For objects of
/// static storage, held for moments; no thread holds two of them.
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
