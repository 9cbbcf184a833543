// The primitives of [MS-NLMP] 6. All outputs are written in full; inputs of any size.
#pragma once

#include <array>
#include <initializer_list>

#include "mech/base/secret.h"
#include "mech/crypto/md5_stream.h"

namespace gssntlm {

using Digest = std::array<std::uint8_t, 16>;

/// MD4(data), written to `out`.
void hash_md4(ByteView data, std::span<std::uint8_t, 16> out) noexcept;
/// MD5 over the concatenation of `parts`, written to `out`.
void hash_md5(std::initializer_list<ByteView> parts, std::span<std::uint8_t, 16> out) noexcept;

/// HMAC_MD5 with a 16-byte key. The two keyed states are kept (32 bytes), so that a message costs
/// no key setup. Moving wipes the source; wiped when it goes.
class HmacMd5 {
 public:
  explicit HmacMd5(std::span<const std::uint8_t, 16> key) noexcept;
  HmacMd5(HmacMd5&& other) noexcept;
  HmacMd5& operator=(HmacMd5&&) = delete;
  ~HmacMd5();

  /// HMAC over the concatenation of `parts`, written to `out`.
  void mac(std::initializer_list<ByteView> parts, std::span<std::uint8_t, 16> out) const noexcept;

 private:
  friend class SealPass;
  void clear() noexcept;

  md5::State inner_;
  md5::State outer_;
};

/// DES(K, D) of [MS-NLMP] 6: a 7-byte key, one ECB block of 8 bytes.
void des56(std::span<const std::uint8_t, 7> key, std::span<const std::uint8_t, 8> block,
           std::span<std::uint8_t, 8> out) noexcept;
/// DESL(K, D): 24 bytes from a 16-byte key.
void desl(std::span<const std::uint8_t, 16> key, std::span<const std::uint8_t, 8> block,
          std::span<std::uint8_t, 24> out) noexcept;

/// CRC-32 (polynomial EDB88320 reflected), continued from `crc` of what went before (0 at first).
[[nodiscard]] std::uint32_t crc32(ByteView data, std::uint32_t crc = 0) noexcept;

/// Equality in time that depends on the size only; false for different sizes. The one comparison
/// for secrets, proofs, MICs, signatures and binding hashes.
[[nodiscard]] bool verify_equal(ByteView a, ByteView b) noexcept;

}  // namespace gssntlm
