// A tag in the first word of an object behind a C handle identifies the type of the object.
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
  /// Whether the object at `p` has this tag. Reads four bytes at `p`, whatever its type.
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
