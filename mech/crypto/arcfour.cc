#include <cassert>

#include "mech/base/secret.h"
#include "mech/crypto/seal.h"

namespace gssntlm {

Arcfour::Arcfour(ByteView key) noexcept {
  rekey(key);
}

Arcfour::~Arcfour() {
  wipe({reinterpret_cast<std::uint8_t*>(s_.data()), sizeof s_});
  x_ = 0;
  y_ = 0;
}

void Arcfour::rekey(ByteView key) noexcept {
  assert(!key.empty() && key.size() <= s_.size());
  for (std::uint32_t i = 0; i < s_.size(); ++i) {
    s_[i] = i;
  }
  std::uint32_t j = 0;
  std::size_t at = 0;
  for (std::uint32_t& entry : s_) {
    const std::uint32_t value = entry;
    j = (j + value + key[at]) & 0xff;
    entry = s_[j];
    s_[j] = value;
    at = at + 1 == key.size() ? 0 : at + 1;
  }
  x_ = 0;
  y_ = 0;
}

void Arcfour::crypt(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept {
  std::uint32_t x = x_;
  std::uint32_t y = y_;
  for (std::size_t i = 0; i < size; ++i) {
    x = (x + 1) & 0xff;
    const std::uint32_t at_x = s_[x];
    y = (y + at_x) & 0xff;
    const std::uint32_t at_y = s_[y];
    s_[x] = at_y;
    s_[y] = at_x;
    out[i] = static_cast<std::uint8_t>(in[i] ^ s_[(at_x + at_y) & 0xff]);
  }
  x_ = x;
  y_ = y;
}

void Arcfour::rewind(std::size_t size) noexcept {
  std::uint32_t x = x_;
  std::uint32_t y = y_;
  for (; size != 0; --size) {
    const std::uint32_t at_y = s_[x];
    const std::uint32_t at_x = s_[y];
    s_[x] = at_x;
    s_[y] = at_y;
    y = (y - at_x) & 0xff;
    x = (x - 1) & 0xff;
  }
  x_ = x;
  y_ = y;
}

}  // namespace gssntlm
