#include "mech/base/bytes.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace gssntlm {

bool same_bytes(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

bool is_zero(ByteView bytes) noexcept {
  std::uint8_t any = 0;
  for (const std::uint8_t b : bytes) {
    any |= b;
  }
  return any == 0;
}

void append(Bytes& to, ByteView more) {
  to.insert(to.end(), more.begin(), more.end());
}

Buffer::Buffer(std::size_t size) : size_(size) {
  if (size == 0) {
    return;
  }
  data_ = static_cast<std::uint8_t*>(std::malloc(size));
  if (data_ == nullptr) {
    throw std::bad_alloc();
  }
}

Buffer Buffer::copy_of(ByteView bytes) {
  Buffer b(bytes.size());
  if (!bytes.empty()) {
    std::memcpy(b.data_, bytes.data(), bytes.size());
  }
  return b;
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    std::free(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Buffer::~Buffer() {
  std::free(data_);
}

std::uint8_t* Buffer::release() noexcept {
  size_ = 0;
  return std::exchange(data_, nullptr);
}

ByteView Reader::take(std::size_t n) noexcept {
  if (!ok_ || n > remaining()) {
    ok_ = false;
    return {};
  }
  ByteView v = in_.subspan(at_, n);
  at_ += n;
  return v;
}

std::uint8_t Reader::u8() noexcept {
  ByteView v = take(1);
  return ok_ ? v[0] : std::uint8_t{0};
}

std::uint16_t Reader::u16() noexcept {
  ByteView v = take(2);
  return ok_ ? load_le16(v.data()) : std::uint16_t{0};
}

std::uint32_t Reader::u32() noexcept {
  ByteView v = take(4);
  return ok_ ? load_le32(v.data()) : 0;
}

std::uint64_t Reader::u64() noexcept {
  ByteView v = take(8);
  return ok_ ? load_le64(v.data()) : 0;
}

void Reader::copy(MutableBytes out) noexcept {
  ByteView v = take(out.size());
  if (out.empty()) {
    return;
  }
  if (ok_) {
    std::memcpy(out.data(), v.data(), out.size());
  } else {
    std::memset(out.data(), 0, out.size());
  }
}

std::uint8_t* Writer::claim(std::size_t n) noexcept {
  if (!ok_ || n > out_.size() - at_) {
    ok_ = false;
    return nullptr;
  }
  std::uint8_t* p = out_.data() + at_;
  at_ += n;
  return p;
}

void Writer::u8(std::uint8_t v) noexcept {
  if (std::uint8_t* p = claim(1)) {
    *p = v;
  }
}

void Writer::u16(std::uint16_t v) noexcept {
  if (std::uint8_t* p = claim(2)) {
    store_le16(p, v);
  }
}

void Writer::u32(std::uint32_t v) noexcept {
  if (std::uint8_t* p = claim(4)) {
    store_le32(p, v);
  }
}

void Writer::u64(std::uint64_t v) noexcept {
  if (std::uint8_t* p = claim(8)) {
    store_le64(p, v);
  }
}

void Writer::put(ByteView bytes) noexcept {
  std::uint8_t* p = claim(bytes.size());
  if (p != nullptr && !bytes.empty()) {
    std::memcpy(p, bytes.data(), bytes.size());
  }
}

void Writer::zeros(std::size_t n) noexcept {
  std::uint8_t* p = claim(n);
  if (p != nullptr && n != 0) {
    std::memset(p, 0, n);
  }
}

bool Writer::finish(Buffer& to) noexcept {
  if (!ok_ || at_ != out_.size()) {
    return false;
  }
  to = std::move(out_);
  at_ = 0;
  ok_ = false;
  return true;
}

}  // namespace gssntlm
