#include "mech/protocol/replay.h"

namespace gssntlm {

Arrival ReplayWindow::arrival_of(std::uint32_t number) const noexcept {
  if (number >= end_) {
    return Arrival::kExpected;
  }
  if (end_ - number > kWidth) {
    return Arrival::kOldToken;
  }
  return (taken_[word(number)] & bit(number)) != 0 ? Arrival::kDuplicate : Arrival::kExpected;
}

void ReplayWindow::take(std::uint32_t number) noexcept {
  if (number >= end_) {
    if (number - end_ >= kWidth) {
      taken_.fill(0);
    } else {
      for (std::uint64_t skipped = end_; skipped < number; ++skipped) {
        taken_[word(skipped)] &= ~bit(skipped);
      }
    }
    end_ = std::uint64_t{number} + 1;
  }
  taken_[word(number)] |= bit(number);
}

}  // namespace gssntlm
