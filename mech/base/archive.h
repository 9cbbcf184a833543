// State that leaves the process and comes back: little-endian, in blocks that say their length.
#pragma once

#include <string>
#include <string_view>

#include "mech/base/bytes.h"

namespace gssntlm {

/// Collects values. What it holds may be secret: it is wiped when it goes and when it moves.
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
  /// Bytes whose number the reader knows.
  void put(ByteView bytes);
  /// A 32-bit length, and the bytes. Longer ones end up unreadable.
  void block(ByteView bytes);
  void text(std::string_view text) { block(as_bytes(text)); }

  [[nodiscard]] ByteView view() const noexcept { return bytes_; }

 private:
  void make_room(std::size_t more);

  Bytes bytes_;
};

/// Takes the values out again, from whoever wrote them. After the first thing that is not right
/// nothing is: look at ok(), or at finished(), before using what was read.
class Deserializer {
 public:
  explicit Deserializer(ByteView in) noexcept : in_(in) {}

  [[nodiscard]] std::uint8_t u8() noexcept { return in_.u8(); }
  /// 0 or 1; anything else is not right.
  [[nodiscard]] bool flag() noexcept;
  [[nodiscard]] std::uint16_t u16() noexcept { return in_.u16(); }
  [[nodiscard]] std::uint32_t u32() noexcept { return in_.u32(); }
  [[nodiscard]] std::uint64_t u64() noexcept { return in_.u64(); }
  void copy(MutableBytes out) noexcept { in_.copy(out); }
  /// A block of at most `limit` bytes.
  [[nodiscard]] ByteView block(std::size_t limit) noexcept;
  [[nodiscard]] std::string text(std::size_t limit) { return std::string(as_text(block(limit))); }
  /// Latches failure: a value made no sense.
  void reject() noexcept { good_ = false; }

  [[nodiscard]] bool ok() const noexcept { return good_ && in_.ok(); }
  [[nodiscard]] bool finished() const noexcept { return good_ && in_.at_end(); }

 private:
  Reader in_;
  bool good_ = true;
};

}  // namespace gssntlm
