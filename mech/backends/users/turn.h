// One thread at a time reads a file.
#pragma once

#include <atomic>
#include <cstdint>

#include "mech/os/process.h"

namespace gssntlm {

/// The turn to read a file. Taken by one thread; the others wait until it is over.
class Turn {
 public:
  explicit Turn(std::atomic<std::uint32_t>& reader) : reader_(reader) {
    // A reader of another process is a thread that did not come along with a fork.
    const std::uint32_t mark = process_generation() + 1;
    std::uint32_t before = reader.load();
    while (before != mark && !taken_) {
      taken_ = reader.compare_exchange_weak(before, mark);
    }
    if (!taken_) {
      reader.wait(mark);
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (taken_) {
      reader_.store(0);
      reader_.notify_all();
    }
  }
  [[nodiscard]] bool taken() const noexcept { return taken_; }

 private:
  std::atomic<std::uint32_t>& reader_;
  bool taken_ = false;
};

}  // namespace gssntlm
