// The session ciphers: RC4, and HMAC-MD5 and RC4 over one message in one pass.
#pragma once

#include <array>
#include <cstdint>

#include "mech/base/bytes.h"
#include "mech/crypto/arcfour_state.h"
#include "mech/crypto/primitives.h"

namespace gssntlm {

/// An RC4 key stream [MS-NLMP] 6. Holds 256 32-bit entries and two indices (1,028 bytes); wiped
/// when it goes. RC4's steps can be undone, so a receiver need not save the state before it knows
/// whether a message is genuine.
class Arcfour {
 public:
  /// `key` is 1 to 256 bytes.
  explicit Arcfour(ByteView key) noexcept;
  Arcfour(const Arcfour&) = delete;
  Arcfour& operator=(const Arcfour&) = delete;
  ~Arcfour();

  /// XORs `size` bytes of key stream. `in` may equal `out`; other overlap is not allowed.
  void crypt(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept;
  /// Takes back the last `size` bytes of key stream: the state is what it was before them.
  void rewind(std::size_t size) noexcept;

  /// Size of a saved key stream: the permutation and the two indices, a byte each.
  static constexpr std::size_t kStateSize = 256 + 2;
  void save(std::span<std::uint8_t, kStateSize> out) const noexcept;
  /// False, and nothing changed, if `in` is not a key stream's state.
  [[nodiscard]] bool restore(std::span<const std::uint8_t, kStateSize> in) noexcept;

 private:
  friend class SealPass;
  ArcfourState state_;
};

/// One message under extended session security [MS-NLMP] 3.4.4.2: HMAC_MD5 over LE32(SeqNum) and
/// the clear text of all parts in order, while those parts that are sealed pass through RC4. No
/// allocation. The parts of a message may be given in any pieces; the result depends on their
/// concatenation only.
class SealPass {
 public:
  SealPass(const HmacMd5& key, Arcfour& stream, std::uint32_t sequence) noexcept;
  SealPass(const SealPass&) = delete;
  SealPass& operator=(const SealPass&) = delete;

  /// Clear text that is signed and not sealed.
  void sign(ByteView clear) noexcept;
  /// Clear text `in` is signed and sealed to `out`. `in` may equal `out`. Part of it may be written
  /// by the next call only: both stay where they are until finish().
  void seal(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept;
  /// Sealed `in` is opened to `out`, and the clear text signed. `in` may equal `out`.
  void unseal(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept;
  /// The first 8 bytes of the HMAC, passed through RC4 if `encrypt` (KEY_EXCH). Ends the message.
  [[nodiscard]] std::array<std::uint8_t, 8> finish(bool encrypt) noexcept;

 private:
  // Seal or unseal whole MD5 blocks, of which there are at least two, and return the bytes done.
  std::size_t seal_blocks(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept;
  std::size_t unseal_blocks(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept;
  void seal_rest() noexcept;

  const HmacMd5& key_;
  Arcfour& stream_;
  md5::Stream hash_;
  // Signed and not yet sealed. Key stream made after the last block of the inner hash is made while
  // the processor waits for that.
  struct {
    const std::uint8_t* in;
    std::uint8_t* out;
    std::size_t size;
  } rest_ = {nullptr, nullptr, 0};
};

}  // namespace gssntlm
