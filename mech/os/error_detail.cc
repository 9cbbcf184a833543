#include "mech/os/error_detail.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

#include <pthread.h>

namespace gssntlm {
namespace {

struct Detail {
  std::uint32_t minor;
  std::size_t size;
  std::array<char, 512> text;
};

// Where a thread keeps its Detail, which goes with it. Not thread_local: with that much of it the C
// library makes room when a thread first needs some, and ends the process if there is no memory.
struct Place {
  pthread_key_t key{};
  const bool made = ::pthread_key_create(&key, std::free) == 0;
};

const Place& place() noexcept {
  static const Place instance;
  return instance;
}

// nullptr: this thread has had no error with a detail.
Detail* current() noexcept {
  return place().made ? static_cast<Detail*>(::pthread_getspecific(place().key)) : nullptr;
}

// nullptr without memory.
Detail* make() noexcept {
  void* room = place().made ? std::malloc(sizeof(Detail)) : nullptr;
  if (room == nullptr || ::pthread_setspecific(place().key, room) != 0) {
    std::free(room);
    return nullptr;
  }
  return new (room) Detail{};
}

}  // namespace

Error error_with_detail(Major major, Minor minor, std::string_view text) noexcept {
  Detail* detail = current();
  if (detail == nullptr) {
    detail = make();
  }
  if (detail != nullptr) {
    detail->minor = static_cast<std::uint32_t>(minor);
    detail->size = std::min(text.size(), detail->text.size() - 1);
    std::copy_n(text.begin(), detail->size, detail->text.begin());
  }
  return {major, minor};
}

std::string_view last_detail(std::uint32_t minor) noexcept {
  const Detail* detail = current();
  return detail != nullptr && minor == detail->minor
             ? std::string_view(detail->text.data(), detail->size)
             : std::string_view();
}

std::string error_text(Error error) {
  const auto minor = static_cast<std::uint32_t>(error.minor);
  const std::string_view detail = last_detail(minor);
  std::string text(detail);
  return text.append(detail.empty() ? "" : ": ").append(minor_text(minor));
}

void forget_detail() noexcept {
  if (Detail* detail = current()) {
    detail->minor = 0;
  }
}

}  // namespace gssntlm
