#include "mech/os/error_detail.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

#include <pthread.h>

namespace gssntlm {
namespace {

struct Detail {
  std::uint32_t minor;  // 0: none
  std::size_t size;
  std::array<char, 512> text;

  [[nodiscard]] std::string_view of(std::uint32_t code) const noexcept {
    return minor != 0 && minor == code ? std::string_view(text.data(), size) : std::string_view();
  }
};

// A call's detail replaces the last one only once it is known that the call fails.
struct Details {
  std::array<Detail, 2> slots;
  std::size_t reported;
  [[nodiscard]] Detail& pending() noexcept { return slots[1 - reported]; }
};

// Where a thread keeps its Details, which go with it. Not thread_local: with that much of it the C
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
Details* current() noexcept {
  return place().made ? static_cast<Details*>(::pthread_getspecific(place().key)) : nullptr;
}

// nullptr without memory.
Details* make() noexcept {
  void* room = place().made ? std::malloc(sizeof(Details)) : nullptr;
  if (room == nullptr || ::pthread_setspecific(place().key, room) != 0) {
    std::free(room);
    return nullptr;
  }
  return new (room) Details{};
}

}  // namespace

Error error_with_detail(Major major, Minor minor, std::string_view text) noexcept {
  Details* details = current();
  if (details == nullptr) {
    details = make();
  }
  if (details != nullptr) {
    Detail& detail = details->pending();
    detail.minor = static_cast<std::uint32_t>(minor);
    detail.size = std::min(text.size(), detail.text.size() - 1);
    std::copy_n(text.begin(), detail.size, detail.text.begin());
  }
  return {major, minor};
}

std::string_view last_detail(std::uint32_t minor) noexcept {
  Details* details = current();
  return details != nullptr ? details->pending().of(minor) : std::string_view();
}

std::string_view reported_detail(std::uint32_t minor) noexcept {
  const Details* details = current();
  return details != nullptr ? details->slots[details->reported].of(minor) : std::string_view();
}

std::string error_text(Error error) {
  const auto minor = static_cast<std::uint32_t>(error.minor);
  const std::string_view detail = last_detail(minor);
  std::string text(detail);
  return text.append(detail.empty() ? "" : ": ").append(minor_text(minor));
}

void forget_detail() noexcept {
  if (Details* details = current()) {
    details->pending().minor = 0;
  }
}

void report_failure(std::uint32_t minor) noexcept {
  Details* details = current();
  if (details == nullptr) {
    return;
  }
  if (details->pending().minor != minor) {
    details->pending().minor = 0;
  }
  details->reported = 1 - details->reported;
  details->pending().minor = 0;
}

}  // namespace gssntlm
