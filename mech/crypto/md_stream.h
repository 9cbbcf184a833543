// The part that MD4 [RFC 1320] and MD5 [RFC 1321] share: blocks of 64 bytes, and the padding.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "mech/base/secret.h"

namespace gssntlm {

using MdState = std::array<std::uint32_t, 4>;

inline constexpr std::size_t kMdBlockSize = 64;
inline constexpr MdState kInitialMdState = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

/// Runs `count` blocks at `p` through a compression function.
using MdCompress = void(MdState& state, const std::uint8_t* p, std::size_t count) noexcept;

/// A hash in progress; wiped when it goes.
template <MdCompress Compress>
class MdStream {
 public:
  MdStream() noexcept : MdStream(kInitialMdState, 0) {}
  /// `begin` is the state after `before` bytes, which are whole blocks.
  MdStream(const MdState& begin, std::uint64_t before) noexcept
      : state_(begin), absorbed_(before) {}
  MdStream(const MdStream&) = delete;
  MdStream& operator=(const MdStream&) = delete;
  ~MdStream() {
    wipe(state_);
    wipe(block_);
  }

  void absorb(const std::uint8_t* bytes, std::size_t size) noexcept {
    const std::size_t filled = held();
    absorbed_ += size;
    if (filled + size < kMdBlockSize) {
      if (size != 0) {
        std::memcpy(block_.data() + filled, bytes, size);
      }
      return;
    }
    if (filled != 0) {
      const std::size_t take = kMdBlockSize - filled;
      std::memcpy(block_.data() + filled, bytes, take);
      Compress(state_, block_.data(), 1);
      bytes += take;
      size -= take;
    }
    Compress(state_, bytes, size / kMdBlockSize);
    std::memcpy(block_.data(), bytes + (size - held()), held());
  }

  /// Takes in all but the last block, and returns that, padded.
  [[nodiscard]] const std::uint8_t* pad() noexcept {
    constexpr std::size_t kLengthAt = kMdBlockSize - sizeof(std::uint64_t);
    constexpr std::array<std::uint8_t, kMdBlockSize> kPadding = {0x80};
    const std::size_t filled = held();
    std::memcpy(block_.data() + filled, kPadding.data(), kPadding.size() - filled);
    if (filled >= kLengthAt) {
      Compress(state_, block_.data(), 1);
      block_.fill(0);
    }
    store_le64(block_.data() + kLengthAt, absorbed_ * 8);
    return block_.data();
  }
  /// The state after all bytes and their padding. Ends the hash.
  [[nodiscard]] const MdState& finish() noexcept {
    Compress(state_, pad(), 1);
    return state_;
  }

  [[nodiscard]] MdState& state() noexcept { return state_; }
  /// The block that is not full yet, of which held() bytes are filled: fewer than kMdBlockSize.
  [[nodiscard]] std::uint8_t* block() noexcept { return block_.data(); }
  [[nodiscard]] std::size_t held() const noexcept { return absorbed_ % kMdBlockSize; }
  /// `size` more bytes were taken into the state by other means: with those held, whole blocks.
  void note_absorbed(std::size_t size) noexcept { absorbed_ += size; }

 private:
  MdState state_;
  std::array<std::uint8_t, kMdBlockSize> block_;
  std::uint64_t absorbed_;
};

/// Writes a digest.
inline void store_digest(const MdState& state, std::span<std::uint8_t, 16> out) noexcept {
  for (std::size_t i = 0; i < state.size(); ++i) {
    store_le32(&out[4 * i], state[i]);
  }
}

}  // namespace gssntlm
