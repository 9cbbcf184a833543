#include "mech/base/archive.h"

#include <algorithm>
#include <array>

#include "mech/base/secret.h"

namespace gssntlm {

Serializer::~Serializer() {
  wipe(bytes_);
}

void Serializer::make_room(std::size_t more) {
  constexpr std::size_t kFirst = 2048;
  const std::size_t needed = bytes_.size() + more;
  if (needed <= bytes_.capacity()) {
    return;
  }
  Bytes larger;
  larger.reserve(std::max({kFirst, needed, 2 * bytes_.capacity()}));
  larger.assign(bytes_.begin(), bytes_.end());
  wipe(bytes_);
  bytes_ = std::move(larger);
}

void Serializer::u16(std::uint16_t v) {
  std::array<std::uint8_t, 2> out;
  store_le16(out.data(), v);
  put(out);
}

void Serializer::u32(std::uint32_t v) {
  std::array<std::uint8_t, 4> out;
  store_le32(out.data(), v);
  put(out);
}

void Serializer::u64(std::uint64_t v) {
  std::array<std::uint8_t, 8> out;
  store_le64(out.data(), v);
  put(out);
}

void Serializer::put(ByteView bytes) {
  make_room(bytes.size());
  append(bytes_, bytes);
}

void Serializer::block(ByteView bytes) {
  u32(static_cast<std::uint32_t>(bytes.size()));
  put(bytes);
}

bool Deserializer::flag() noexcept {
  const std::uint8_t v = u8();
  if (v > 1) {
    reject();
  }
  return v == 1;
}

ByteView Deserializer::block(std::size_t limit) noexcept {
  const std::uint32_t size = u32();
  if (size > limit) {
    reject();
    return {};
  }
  return in_.take(size);
}

}  // namespace gssntlm
