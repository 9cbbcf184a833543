// Views, owned bytes, and the only pointer arithmetic over messages: Reader and Writer.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace gssntlm {

using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

/// True if `len` bytes at `off` lie inside `size` bytes. Cannot wrap.
[[nodiscard]] constexpr bool fits(std::size_t size, std::size_t off, std::size_t len) noexcept {
  return len <= size && off <= size - len;
}

/// Little-endian loads and stores; `p` must point to sizeof(T) bytes.
template <typename T>
[[nodiscard]] T load_le(const std::uint8_t* p) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    T v;
    std::memcpy(&v, p, sizeof v);
    return v;
  } else {
    T v = 0;
    for (std::size_t i = sizeof(T); i != 0; --i) {
      v = static_cast<T>((v << 8) | p[i - 1]);
    }
    return v;
  }
}
template <typename T>
void store_le(std::uint8_t* p, T v) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(p, &v, sizeof v);
  } else {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      p[i] = static_cast<std::uint8_t>(v >> (8 * i));
    }
  }
}
[[nodiscard]] inline std::uint16_t load_le16(const std::uint8_t* p) noexcept {
  return load_le<std::uint16_t>(p);
}
[[nodiscard]] inline std::uint32_t load_le32(const std::uint8_t* p) noexcept {
  return load_le<std::uint32_t>(p);
}
[[nodiscard]] inline std::uint64_t load_le64(const std::uint8_t* p) noexcept {
  return load_le<std::uint64_t>(p);
}
inline void store_le16(std::uint8_t* p, std::uint16_t v) noexcept {
  store_le(p, v);
}
inline void store_le32(std::uint8_t* p, std::uint32_t v) noexcept {
  store_le(p, v);
}
inline void store_le64(std::uint8_t* p, std::uint64_t v) noexcept {
  store_le(p, v);
}

/// The bytes of a text, without a terminator.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The text of some bytes.
[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Whether every byte is zero; true of an empty view. The time depends on their number alone.
[[nodiscard]] bool is_zero(ByteView bytes) noexcept;

/// Equality of public bytes. Compare secrets with verify_equal() of crypto/primitives.h.
[[nodiscard]] bool same_bytes(ByteView a, ByteView b) noexcept;

/// Appends `more` to `to`.
void append(Bytes& to, ByteView more);

/// Owns bytes from malloc, so that a C caller can free() them. Movable, not copyable.
class Buffer {
 public:
  Buffer() noexcept = default;
  /// `size` uninitialised bytes; size 0 owns nothing. Throws std::bad_alloc.
  explicit Buffer(std::size_t size);
  /// A copy of `bytes`. Throws std::bad_alloc.
  [[nodiscard]] static Buffer copy_of(ByteView bytes);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint8_t* data() noexcept { return data_; }
  [[nodiscard]] ByteView view() const noexcept { return {data_, size_}; }
  [[nodiscard]] MutableBytes bytes() noexcept { return {data_, size_}; }
  /// Hands the memory to the caller, who must free() it; nullptr when empty.
  [[nodiscard]] std::uint8_t* release() noexcept;

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Reads little-endian values in order. A read past the end yields zero or an empty view and
/// latches failure: check ok() or at_end() before using what was read.
class Reader {
 public:
  explicit Reader(ByteView in) noexcept : in_(in) {}

  [[nodiscard]] std::uint8_t u8() noexcept;
  [[nodiscard]] std::uint16_t u16() noexcept;
  [[nodiscard]] std::uint32_t u32() noexcept;
  [[nodiscard]] std::uint64_t u64() noexcept;
  [[nodiscard]] ByteView take(std::size_t n) noexcept;
  /// Fills `out`, or zeroes it and latches.
  void copy(MutableBytes out) noexcept;
  void skip(std::size_t n) noexcept { (void)take(n); }

  [[nodiscard]] std::size_t position() const noexcept { return at_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return in_.size() - at_; }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return ok_ && remaining() == 0; }

 private:
  ByteView in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

/// Builds a message whose size is known in advance. Writing past it latches failure; finish() is
/// the only access to the bytes, and succeeds only if exactly `size` bytes were written.
class Writer {
 public:
  /// Throws std::bad_alloc.
  explicit Writer(std::size_t size) : out_(size) {}

  void u8(std::uint8_t v) noexcept;
  void u16(std::uint16_t v) noexcept;
  void u32(std::uint32_t v) noexcept;
  void u64(std::uint64_t v) noexcept;
  void put(ByteView bytes) noexcept;
  void zeros(std::size_t n) noexcept;

  [[nodiscard]] std::size_t position() const noexcept { return at_; }
  /// Moves the message out into `to`; false (and `to` untouched) if a write overflowed or bytes
  /// are missing.
  [[nodiscard]] bool finish(Buffer& to) noexcept;

 private:
  [[nodiscard]] std::uint8_t* claim(std::size_t n) noexcept;

  Buffer out_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace gssntlm
