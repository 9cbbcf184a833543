// Memory for exceptions, in the place of what the C++ library inside the module does: that takes
// its reserve when it is loaded, and ends the process at the first throw when there was no memory
// then. This reserve is there from the start, and costs no allocation.
#include <cxxabi.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace {

// The C++ library's own header lies below the exception that is thrown (Itanium C++ ABI, Exception
// Handling, 2.2.1). It takes 128 bytes in g++ 12 to 14, and may grow.
constexpr std::size_t kHeader = 256;
// std::bad_alloc has 8 bytes, what the standard library throws 16.
constexpr std::size_t kException = 64;
// Threads that can be out of memory at the same moment.
constexpr std::size_t kPlaces = 128;

struct Place {
  alignas(std::max_align_t) std::array<unsigned char, kHeader + kException> bytes;
};

std::array<Place, kPlaces> g_places;
std::array<std::atomic<bool>, kPlaces> g_taken;

void* take_place(std::size_t size) noexcept {
  for (std::size_t i = 0; size <= kException && i < kPlaces; ++i) {
    if (!g_taken[i].exchange(true)) {
      return &g_places[i];
    }
  }
  return nullptr;
}

bool give_place_back(void* memory) noexcept {
  for (std::size_t i = 0; i < kPlaces; ++i) {
    if (memory == &g_places[i]) {
      g_taken[i] = false;
      return true;
    }
  }
  return false;
}

}  // namespace

extern "C" {

void* __cxa_allocate_exception(std::size_t size) noexcept {
  void* memory = std::malloc(kHeader + size);
  if (memory == nullptr) {
    memory = take_place(size);
  }
  if (memory == nullptr) {
    std::terminate();
  }
  std::memset(memory, 0, kHeader);
  return static_cast<unsigned char*>(memory) + kHeader;
}

void __cxa_free_exception(void* exception) noexcept {
  void* memory = static_cast<unsigned char*>(exception) - kHeader;
  if (!give_place_back(memory)) {
    std::free(memory);
  }
}

}  // extern "C"
