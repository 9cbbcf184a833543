// LLVMFuzzerMutate() where there is no libFuzzer: one byte put in, taken out or changed.
#include <algorithm>
#include <random>

#include "test/fuzz/fuzz.h"

namespace {

// The same in every run.
std::size_t draw() {
  static std::mt19937 random(20240229);
  return random();
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max) {
  const std::size_t at = size == 0 ? 0 : draw() % size;
  switch (draw() % 4) {
    case 0:
      if (size < max) {
        std::copy_backward(data + at, data + size, data + size + 1);
        data[at] = static_cast<std::uint8_t>(draw());
        return size + 1;
      }
      return size;
    case 1:
      if (size > 1) {
        std::copy(data + at + 1, data + size, data + at);
        return size - 1;
      }
      return size;
    case 2:
      if (size != 0) {
        data[at] ^= static_cast<std::uint8_t>(1u << draw() % 8);
      }
      return size;
    default:
      if (size != 0) {
        data[at] = static_cast<std::uint8_t>(draw());
      }
      return size;
  }
}
