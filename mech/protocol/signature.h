// Message signatures [MS-NLMP] 2.2.2.9 and 3.4.4: one message through one key stream.
#pragma once

#include <array>
#include <span>

#include "mech/crypto/derive.h"
#include "mech/crypto/seal.h"

namespace gssntlm {

inline constexpr std::size_t kSignatureSize = 16;
using Signature = std::array<std::uint8_t, kSignatureSize>;
using SignatureView = std::span<const std::uint8_t, kSignatureSize>;
using SignatureOut = std::span<std::uint8_t, kSignatureSize>;

/// NTLMSSP_MESSAGE_SIGNATURE.Version.
inline constexpr std::uint32_t kSignatureVersion = 1;

/// One buffer of a message, in the order that the signature covers.
struct MessagePart {
  const std::uint8_t* in = nullptr;
  std::uint8_t* out =
      nullptr;  ///< where its sealed (or opened) form goes; may be `in`. nullptr: only signed
  std::size_t size = 0;
  bool sign = true;  ///< counts for the signature without extended session security too
};

/// Whether a part of the message is sealed.
[[nodiscard]] bool seals_any(std::span<const MessagePart> parts) noexcept;

/// The keys that sign or verify one message. `mac` is nullptr without extended session security.
struct SignatureKeys {
  Arcfour& cipher;
  const HmacMd5* mac;
  bool encrypt_checksum;  ///< KEY_EXCH was agreed
};

/// HMAC under the signing key of messages `from` that end [MS-NLMP] 3.4.5.2; of nothing without
/// extended session security, which has no signing keys.
[[nodiscard]] HmacMd5 signing_state(Flags flags, const SessionKey& key, Side from) noexcept;

/// Seals those parts that have an `out` and signs all [MS-NLMP] 3.4.2, 3.4.3.
void protect_message(const SignatureKeys& keys, std::span<const MessagePart> parts,
                     std::uint32_t sequence, SignatureOut signature) noexcept;

/// Opens the parts and says whether `signature` is theirs. Advances the key stream either way;
/// undo_open() takes that back. The sequence number inside `signature` is the caller's to check
/// with extended session security, and is covered here without it.
[[nodiscard]] bool open_message(const SignatureKeys& keys, std::span<const MessagePart> parts,
                                std::uint32_t sequence, SignatureView signature) noexcept;

/// Takes the key stream back to where it was before open_message(). What was opened in place is
/// sealed again with the very same key stream; what was opened elsewhere is wiped.
void undo_open(const SignatureKeys& keys, std::span<const MessagePart> parts) noexcept;

}  // namespace gssntlm
