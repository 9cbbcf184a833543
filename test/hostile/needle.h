// Secrets to be searched for in the memory of a process.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "mech/base/bytes.h"

namespace gssntlm::test {

// A needle that is kept XORed, so that the search does not find itself.
class Needle {
 public:
  Needle(std::string label, ByteView secret) : label_(std::move(label)) {
    for (const std::uint8_t b : secret) {
      hidden_.push_back(static_cast<std::uint8_t>(b ^ kMask));
    }
  }
  // As another process keeps it.
  static Needle from_hidden(std::vector<std::uint8_t> hidden, std::string label) {
    Needle needle(std::move(label), {});
    needle.hidden_ = std::move(hidden);
    return needle;
  }
  // Hides a byte, or shows it.
  static constexpr std::uint8_t flip(std::uint8_t byte) noexcept { return byte ^ kMask; }
  const std::vector<std::uint8_t>& hidden() const { return hidden_; }
  const std::string& label() const { return label_; }

  // Occurrences in bytes that are hidden as well.
  std::size_t count_hidden(ByteView bytes) const { return count_of(hidden_, bytes); }
  // Occurrences in bytes XORed with kSearchMask.
  std::size_t count_for_search(ByteView bytes) const {
    std::vector<std::uint8_t> wanted = hidden_;
    for (std::uint8_t& byte : wanted) {
      byte ^= kMask ^ kSearchMask;
    }
    return count_of(wanted, bytes);
  }
  static constexpr std::uint8_t kSearchMask = 0x3C;

  // Occurrences in `size` bytes at `p`.
  std::size_t count(const std::uint8_t* p, std::size_t size) const {
    std::size_t found = 0;
    for (std::size_t i = 0; i + hidden_.size() <= size; ++i) {
      std::size_t k = 0;
      while (k < hidden_.size() && (p[i + k] ^ kMask) == hidden_[k]) {
        ++k;
      }
      found += k == hidden_.size() ? 1 : 0;
    }
    return found;
  }

 private:
  static std::size_t count_of(ByteView wanted, ByteView bytes) {
    const std::string_view text = as_text(bytes);
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(as_text(wanted), at)) != std::string_view::npos;
         ++at) {
      ++found;
    }
    return found;
  }

  static constexpr std::uint8_t kMask = 0xA5;
  std::string label_;
  std::vector<std::uint8_t> hidden_;
};

// All writable private memory, page by page through the kernel, as a core dump would have it.
// Where the needle is: lines of the memory map.
inline std::vector<std::string> places_of(const Needle& needle) {
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::string line;
  std::vector<std::string> found;
  std::vector<std::uint8_t> chunk;
  while (std::getline(maps, line)) {
    unsigned long long from = 0;
    unsigned long long to = 0;
    std::array<char, 5> mode{};
    if (std::sscanf(line.c_str(), "%llx-%llx %4s", &from, &to, mode.data()) != 3 ||
        mode[0] != 'r' || mode[1] != 'w' || to - from > (1ull << 30)) {
      continue;
    }
    chunk.resize(to - from);
    const ssize_t got = ::pread(memory, chunk.data(), chunk.size(), static_cast<off_t>(from));
    // Hidden in another way than needles, which would turn into secrets. A search for a string is
    // fast.
    for (std::uint8_t& byte : chunk) {
      byte ^= Needle::kSearchMask;
    }
    if (got > 0 && needle.count_for_search({chunk.data(), static_cast<std::size_t>(got)}) != 0) {
      found.push_back(line);
    }
  }
  ::close(memory);
  return found;
}

}  // namespace gssntlm::test
