// Serialized state of exported contexts, credentials and names: little-endian values and
// length-prefixed blocks.
#pragma once

#include <string>
#include <string_view>

#include "mech/base/bytes.h"

namespace gssntlm {

/// Appends values to a buffer. They may be secret: the buffer is wiped on destruction and on
/// reallocation.
class Serializer {
 public:
  Serializer() = default;
  Serializer(const Serializer&) = delete;
  Serializer& operator=(const Serializer&) = delete;
  ~Serializer();

  void u8(std::uint8_t v) { put({&v, 1}); }
  void flag(bool v) { u8(v ? 1 : 0); }
  void u16(std::uint16_t v);
  void u32(std::uint32_t v);
  void u64(std::uint64_t v);
  /// Bytes without a length; the reader must know it.
  void put(ByteView bytes);
  /// A 32-bit length, then the bytes. A block of 4 GiB or more cannot be read back.
  void block(ByteView bytes);
  void text(std::string_view text) { block(as_bytes(text)); }

  [[nodiscard]] ByteView view() const noexcept { return bytes_; }

 private:
  void make_room(std::size_t more);

  Bytes bytes_;
};

/// Reads the values of untrusted serialized state. The first malformed value latches failure: check
/// ok() or finished() before using what was read.
class Deserializer {
 public:
  explicit Deserializer(ByteView in) noexcept : in_(in) {}

  [[nodiscard]] std::uint8_t u8() noexcept { return in_.u8(); }
  /// 0 or 1; any other value latches failure.
  [[nodiscard]] bool flag() noexcept;
  [[nodiscard]] std::uint16_t u16() noexcept { return in_.u16(); }
  [[nodiscard]] std::uint32_t u32() noexcept { return in_.u32(); }
  [[nodiscard]] std::uint64_t u64() noexcept { return in_.u64(); }
  void copy(MutableBytes out) noexcept { in_.copy(out); }
  /// A block of at most `limit` bytes.
  [[nodiscard]] ByteView block(std::size_t limit) noexcept;
  [[nodiscard]] std::string text(std::size_t limit) { return std::string(as_text(block(limit))); }
  /// Latches failure, for a value that the caller finds invalid.
  void reject() noexcept { good_ = false; }

  [[nodiscard]] bool ok() const noexcept { return good_ && in_.ok(); }
  [[nodiscard]] bool finished() const noexcept { return good_ && in_.at_end(); }

 private:
  Reader in_;
  bool good_ = true;
};

}  // namespace gssntlm
