// A message on its way through MD5 [RFC 1321]: blocks of 64 bytes, and the padding. Internal to
// mech/crypto.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "mech/base/secret.h"
#include "mech/crypto/md5_block.h"

namespace gssntlm::md5 {

/// A hash in progress; wiped when it goes.
class Stream {
 public:
  Stream() noexcept : Stream(kInitialState, 0) {}
  /// `begin` is the state after `before` bytes, which are whole blocks.
  Stream(const State& begin, std::uint64_t before) noexcept : state_(begin), absorbed_(before) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    wipe(state_);
    wipe(block_);
  }

  void absorb(const std::uint8_t* bytes, std::size_t size) noexcept {
    const std::size_t filled = held();
    absorbed_ += size;
    if (filled + size < kBlockSize) {
      if (size != 0) {
        std::memcpy(block_.data() + filled, bytes, size);
      }
      return;
    }
    if (filled != 0) {
      const std::size_t take = kBlockSize - filled;
      std::memcpy(block_.data() + filled, bytes, take);
      compress(state_, block_.data(), 1);
      bytes += take;
      size -= take;
    }
    compress(state_, bytes, size / kBlockSize);
    std::memcpy(block_.data(), bytes + (size - held()), held());
  }

  /// Takes in all but the last block, and returns that, padded.
  [[nodiscard]] const std::uint8_t* pad() noexcept {
    constexpr std::size_t kLengthAt = kBlockSize - sizeof(std::uint64_t);
    constexpr std::array<std::uint8_t, kBlockSize> kPadding = {0x80};
    const std::size_t filled = held();
    std::memcpy(block_.data() + filled, kPadding.data(), kPadding.size() - filled);
    if (filled >= kLengthAt) {
      compress(state_, block_.data(), 1);
      block_.fill(0);
    }
    store_le64(block_.data() + kLengthAt, absorbed_ * 8);
    return block_.data();
  }
  /// The state after all bytes and their padding. Ends the hash.
  [[nodiscard]] const State& finish() noexcept {
    compress(state_, pad(), 1);
    return state_;
  }

  [[nodiscard]] State& state() noexcept { return state_; }
  /// The block that is not full yet, of which held() bytes are filled: fewer than kBlockSize.
  [[nodiscard]] std::uint8_t* block() noexcept { return block_.data(); }
  [[nodiscard]] std::size_t held() const noexcept { return absorbed_ % kBlockSize; }
  /// `size` more bytes were taken into the state by other means: with those held, whole blocks.
  void note_absorbed(std::size_t size) noexcept { absorbed_ += size; }

 private:
  State state_;
  std::array<std::uint8_t, kBlockSize> block_;
  std::uint64_t absorbed_;
};

/// Writes a digest.
inline void store_digest(const State& state, std::span<std::uint8_t, 16> out) noexcept {
  for (std::size_t i = 0; i < state.size(); ++i) {
    store_le32(&out[4 * i], state[i]);
  }
}

}  // namespace gssntlm::md5
