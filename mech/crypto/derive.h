// The one-way functions and key derivations of [MS-NLMP] 3.3 and 3.4.5.
#pragma once

#include <array>
#include <optional>

#include "mech/base/flags.h"
#include "mech/base/secret.h"
#include "mech/base/text.h"
#include "mech/crypto/primitives.h"

namespace gssntlm {

using Nonce = std::array<std::uint8_t, 8>;        ///< ServerChallenge, ClientChallenge
using Response24 = std::array<std::uint8_t, 24>;  ///< LM, NTLM and LMv2 responses
using ChannelBindingHash = std::array<std::uint8_t, 16>;
using Mic = std::array<std::uint8_t, 16>;

/// One of the two ends of a context. A key that protects messages is named after the sending end.
enum class Side { kClient, kServer };
[[nodiscard]] constexpr Side other(Side side) noexcept {
  return side == Side::kClient ? Side::kServer : Side::kClient;
}

/// NTOWFv1 of a password given as UTF-16LE [MS-NLMP] 3.3.1.
[[nodiscard]] NtHash derive_nt_hash(ByteView password_utf16le) noexcept;
/// LMOWFv1 of a password already upper-cased and in the OEM code page; bytes after the first 14 are
/// ignored [MS-NLMP] 3.3.1. The caller decides whether a longer password has an LM hash.
[[nodiscard]] LmHash derive_lm_hash(ByteView password_oem_upper) noexcept;
/// LMOWFv1 of a password given as UTF-16LE, which is upper-cased and converted to `page`. nullopt:
/// the password has no LM hash, because it then has more than 14 bytes or contains characters that
/// the page lacks. Throws std::bad_alloc.
[[nodiscard]] std::optional<LmHash> lm_hash_of_password(ByteView password_utf16le, CodePage page);
/// Whether `hash` is the hash of the empty password; compared in constant time.
[[nodiscard]] bool is_of_empty_password(const NtHash& hash) noexcept;
[[nodiscard]] bool is_of_empty_password(const LmHash& hash) noexcept;
/// NTOWFv2. `user` and `domain` are UTF-16LE; only `user` is upper-cased [MS-NLMP] 3.3.2.
/// Throws std::bad_alloc for a user of more than 128 units.
[[nodiscard]] ResponseKey derive_response_key(const NtHash& hash, ByteView user, ByteView domain);

/// NTLMv1 without ESS: DESL(hash, server challenge) [MS-NLMP] 3.3.1.
[[nodiscard]] Response24 compute_v1_response(std::span<const std::uint8_t, 16> hash,
                                             const Nonce& server) noexcept;
/// The 8 bytes that an NTLMv1 response with ESS encrypts: MD5(server || client)[0..7]
/// [MS-NLMP] 3.3.1.
[[nodiscard]] Nonce mix_challenges(const Nonce& server, const Nonce& client) noexcept;
/// NTLMv1 with ESS: DESL(NTOWFv1, mix_challenges(server, client)).
[[nodiscard]] Response24 compute_v1_ess_response(const NtHash& hash, const Nonce& server,
                                                 const Nonce& client) noexcept;
/// LMv2: HMAC_MD5(key, server || client) || client [MS-NLMP] 3.3.2.
[[nodiscard]] Response24 compute_lmv2_response(const ResponseKey& key, const Nonce& server,
                                               const Nonce& client) noexcept;

struct V2Proof {
  Digest nt_proof;  ///< NTProofStr, public
  SessionBaseKey base;
};
/// NTProofStr over `server` || `temp` and the session base key from it [MS-NLMP] 3.3.2. `temp` is
/// the NT response from byte 16 to its end, as received or as it will be sent.
[[nodiscard]] V2Proof compute_v2_proof(const ResponseKey& key, const Nonce& server,
                                       ByteView temp) noexcept;

/// SessionBaseKey of the v1 family: MD4(NTOWFv1) [MS-NLMP] 3.3.1.
[[nodiscard]] SessionBaseKey derive_v1_base_key(const NtHash& hash) noexcept;
/// KXKEY for the v1 family [MS-NLMP] 3.4.5.1. `lm_response` is what was sent in the LM field (24
/// bytes). If `lm` is nullptr, zeros are used as the LM hash.
[[nodiscard]] KeyExchangeKey derive_v1_key_exchange_key(Flags flags, const SessionBaseKey& base,
                                                        const LmHash* lm,
                                                        const Response24& lm_response,
                                                        const Nonce& server) noexcept;

/// RC4K(key, data) on 16 bytes: wraps and unwraps ExportedSessionKey [MS-NLMP] 3.1.5.1.2.
void rc4k(std::span<const std::uint8_t, 16> key, std::span<const std::uint8_t, 16> in,
          std::span<std::uint8_t, 16> out) noexcept;

/// SIGNKEY [MS-NLMP] 3.4.5.2, for extended session security only.
[[nodiscard]] SigningKey derive_signing_key(const SessionKey& key, Side from) noexcept;

/// SEALKEY [MS-NLMP] 3.4.5.3: 8 bytes without ESS but with LM_KEY or DATAGRAM, otherwise 16.
class SealingKey {
 public:
  SealingKey(Flags flags, const SessionKey& key, Side from) noexcept;
  [[nodiscard]] ByteView view() const noexcept { return bytes_.view().first(size_); }

 private:
  Secret<struct SealingKeyTag, 16> bytes_;
  std::size_t size_ = 16;
};
/// The key for one connectionless message [MS-NLMP] 3.4: MD5(SealingKey || LE32(sequence)).
[[nodiscard]] Secret<struct MessageKeyTag, 16> derive_message_key(ByteView sealing_key,
                                                                  std::uint32_t sequence) noexcept;

/// MIC over the three messages [MS-NLMP] 3.1.5.1.2. The MIC field of `authenticate`, 16 bytes at
/// `mic_offset`, is taken as zeros; `mic_offset + 16 <= authenticate.size()`. In a connectionless
/// (datagram) exchange, `negotiate` is empty.
[[nodiscard]] Mic compute_mic(const SessionKey& key, ByteView negotiate, ByteView challenge,
                              ByteView authenticate, std::size_t mic_offset) noexcept;

/// The fields of gss_channel_bindings_struct, as views; any of them may be empty.
struct ChannelBindings {
  std::uint32_t initiator_type = 0;
  ByteView initiator;
  std::uint32_t acceptor_type = 0;
  ByteView acceptor;
  ByteView application_data;
};
/// MsvAvChannelBindings [MS-NLMP] 3.1.1.2, RFC 4121 4.1.1.2. Lengths must fit 32 bits.
[[nodiscard]] ChannelBindingHash compute_binding_hash(const ChannelBindings& bindings) noexcept;

}  // namespace gssntlm
