#include <algorithm>
#include <cassert>
#include <utility>

#include "mech/base/secret.h"
#include "mech/crypto/arcfour_stream.h"
#include "mech/crypto/seal.h"

namespace gssntlm {
namespace {

constexpr ArcfourEntries kIdentity = [] {
  ArcfourEntries s{};
  for (std::size_t i = 0; i < s.size(); ++i) {
    s[i] = static_cast<std::uint32_t>(i);
  }
  return s;
}();

// Shuffles the entries by the key, which is repeated as often as needed. With a size known to the
// compiler the inner loop is unrolled.
template <std::size_t Extent>
void mix_key(ArcfourEntries& s, std::span<const std::uint8_t, Extent> key) noexcept {
  std::uint8_t y = 0;
  for (std::size_t x = 0; x < s.size();) {
    for (std::size_t k = 0; k < key.size() && x < s.size(); ++k, ++x) {
      const std::uint32_t at_x = s[x];
      y = static_cast<std::uint8_t>(y + at_x + key[k]);
      s[x] = s[y];
      s[y] = at_x;
    }
  }
}

}  // namespace

Arcfour::Arcfour(ByteView key) noexcept : state_{kIdentity} {
  assert(!key.empty() && key.size() <= state_.s.size());
  if (key.size() == 16) {
    mix_key(state_.s, key.first<16>());
  } else {
    mix_key(state_.s, key);
  }
}

Arcfour::~Arcfour() {
  wipe({reinterpret_cast<std::uint8_t*>(&state_), sizeof state_});
}

void Arcfour::crypt(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  ArcfourStream key_stream(state_);
  for (; size >= kWord; size -= kWord) {
    store_le64(out, load_le64(in) ^ key_stream.word());
    in += kWord;
    out += kWord;
  }
  for (; size != 0; --size) {
    *out++ = static_cast<std::uint8_t>(*in++ ^ key_stream.byte());
  }
  key_stream.save(state_);
}

void Arcfour::rewind(std::size_t size) noexcept {
  auto& s = state_.s;
  std::uint8_t x = state_.x;
  std::uint8_t y = state_.y;
  for (; size != 0; --size) {
    const std::uint32_t at_y = s[x];
    const std::uint32_t at_x = s[y];
    s[x] = at_x;
    s[y] = at_y;
    y = static_cast<std::uint8_t>(y - at_x);
    x = static_cast<std::uint8_t>(x - 1);
  }
  state_.x = x;
  state_.y = y;
}

void Arcfour::save(std::span<std::uint8_t, kStateSize> out) const noexcept {
  for (std::size_t i = 0; i < state_.s.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(state_.s[i]);
  }
  out[state_.s.size()] = state_.x;
  out[state_.s.size() + 1] = state_.y;
}

bool Arcfour::restore(std::span<const std::uint8_t, kStateSize> in) noexcept {
  std::array<bool, 256> seen{};
  for (const std::uint8_t value : in.first<256>()) {
    if (std::exchange(seen[value], true)) {
      return false;
    }
  }
  std::copy_n(in.begin(), state_.s.size(), state_.s.begin());
  state_.x = in[state_.s.size()];
  state_.y = in[state_.s.size() + 1];
  return true;
}

}  // namespace gssntlm
