// The first word of an object behind a C handle says what the object is.
#pragma once

#include <cstdint>
#include <cstring>

namespace gssntlm {

/// Base of a class whose objects cross the C boundary; derive from it first, and have no virtual
/// functions. Tags are odd, so that no aligned pointer at the start of a foreign object equals one.
template <std::uint32_t kTag>
class Tagged {
  static_assert(kTag % 2 == 1);

 public:
  /// Whether the object at `p` is one with this tag. Reads four bytes, whatever `p` points at.
  [[nodiscard]] static bool marks(const void* p) noexcept {
    std::uint32_t first = 0;
    std::memcpy(&first, p, sizeof first);
    return first == kTag;
  }

 protected:
  Tagged() noexcept = default;
  Tagged(const Tagged&) noexcept = default;
  Tagged& operator=(const Tagged&) = delete;
  // Volatile, or the store would be dropped: the object's lifetime ends here.
  ~Tagged() { *const_cast<volatile std::uint32_t*>(&tag_) = 0; }

 private:
  std::uint32_t tag_ = kTag;
};

}  // namespace gssntlm
