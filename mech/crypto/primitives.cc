#include "mech/crypto/primitives.h"

#include <nettle/des.h>
#include <nettle/md4.h>

namespace gssntlm {
namespace {

// Nettle's contexts are plain structs; what they leave on the stack is key material.
template <typename T>
void wipe_object(T& object) noexcept {
  explicit_bzero(&object, sizeof object);
}

consteval std::array<std::uint32_t, 256> make_crc_table() noexcept {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) {
      c = (c >> 1) ^ ((c & 1) != 0 ? 0xEDB88320u : 0);
    }
    table[i] = c;
  }
  return table;
}

constexpr auto kCrcTable = make_crc_table();

}  // namespace

void hash_md4(ByteView data, std::span<std::uint8_t, 16> out) noexcept {
  md4_ctx ctx;
  md4_init(&ctx);
  md4_update(&ctx, data.size(), data.data());
  md4_digest(&ctx, out.size(), out.data());
  wipe_object(ctx);
}

void hash_md5(std::initializer_list<ByteView> parts, std::span<std::uint8_t, 16> out) noexcept {
  md5::Stream hash;
  for (const ByteView part : parts) {
    hash.absorb(part.data(), part.size());
  }
  md5::store_digest(hash.finish(), out);
}

HmacMd5::HmacMd5(std::span<const std::uint8_t, 16> key) noexcept {
  md5::compress_key(inner_, outer_, key);
}

HmacMd5::HmacMd5(HmacMd5&& other) noexcept : inner_(other.inner_), outer_(other.outer_) {
  other.clear();
}

HmacMd5::~HmacMd5() {
  clear();
}

void HmacMd5::clear() noexcept {
  wipe(inner_);
  wipe(outer_);
}

void HmacMd5::mac(std::initializer_list<ByteView> parts,
                  std::span<std::uint8_t, 16> out) const noexcept {
  md5::Stream hash(inner_, md5::kBlockSize);
  for (const ByteView part : parts) {
    hash.absorb(part.data(), part.size());
  }
  md5::State outer = outer_;
  md5::compress_digest(outer, hash.finish());
  md5::store_digest(outer, out);
}

void des56(std::span<const std::uint8_t, 7> key, std::span<const std::uint8_t, 8> block,
           std::span<std::uint8_t, 8> out) noexcept {
  std::uint64_t bits = 0;
  for (const std::uint8_t byte : key) {
    bits = (bits << 8) | byte;
  }
  std::array<std::uint8_t, 8> spread;
  for (unsigned i = 0; i < 8; ++i) {
    spread[i] = static_cast<std::uint8_t>(((bits >> (49 - 7 * i)) & 0x7F) << 1);
  }
  des_ctx ctx;
  // The answer only says whether the key is a weak one; NTLM has no choice of key.
  (void)des_set_key(&ctx, spread.data());
  des_encrypt(&ctx, block.size(), out.data(), block.data());
  wipe_object(ctx);
  wipe(spread);
}

void desl(std::span<const std::uint8_t, 16> key, std::span<const std::uint8_t, 8> block,
          std::span<std::uint8_t, 24> out) noexcept {
  std::array<std::uint8_t, 7> last{key[14], key[15]};
  des56(key.first<7>(), block, out.first<8>());
  des56(key.subspan<7, 7>(), block, out.subspan<8, 8>());
  des56(last, block, out.last<8>());
  wipe(last);
}

std::uint32_t crc32(ByteView data, std::uint32_t crc) noexcept {
  crc = ~crc;
  for (const std::uint8_t byte : data) {
    crc = (crc >> 8) ^ kCrcTable[(crc ^ byte) & 0xFF];
  }
  return ~crc;
}

bool verify_equal(ByteView a, ByteView b) noexcept {
  if (a.size() != b.size()) {
    return false;
  }
  std::uint64_t differing = 0;
  std::size_t i = 0;
  for (; i + sizeof differing <= a.size(); i += sizeof differing) {
    differing |= load_le64(&a[i]) ^ load_le64(&b[i]);
  }
  for (; i < a.size(); ++i) {
    differing |= static_cast<std::uint64_t>(a[i] ^ b[i]);
  }
  // The compiler may not conclude anything from what it has seen of the bytes.
  auto folded = static_cast<std::uint32_t>(differing | (differing >> 32));
  asm("" : "+r"(folded));
  return folded == 0;
}

}  // namespace gssntlm
