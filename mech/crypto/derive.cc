#include "mech/crypto/derive.h"

#include <algorithm>

#include "mech/base/text.h"
#include "mech/crypto/seal.h"

namespace gssntlm {
namespace {

using namespace std::string_view_literals;

// [MS-NLMP] 3.4.5.2 and 3.4.5.3; the terminating zero is part of the constant.
constexpr auto kClientSigning = "session key to client-to-server signing key magic constant\0"sv;
constexpr auto kServerSigning = "session key to server-to-client signing key magic constant\0"sv;
constexpr auto kClientSealing = "session key to client-to-server sealing key magic constant\0"sv;
constexpr auto kServerSealing = "session key to server-to-client sealing key magic constant\0"sv;

constexpr std::array<std::uint8_t, 8> kLmMagic = {0x4b, 0x47, 0x53, 0x21, 0x40, 0x23, 0x24, 0x25};

std::array<std::uint8_t, 4> le32(std::uint32_t v) noexcept {
  std::array<std::uint8_t, 4> out;
  store_le32(out.data(), v);
  return out;
}

void lm_key_exchange(const LmHash* lm, std::span<const std::uint8_t, 8> response,
                     std::span<std::uint8_t, 16> out) noexcept {
  const LmHash zero;
  const auto hash = (lm != nullptr ? *lm : zero).view();
  std::array<std::uint8_t, 7> second = {hash[7], 0xBD, 0xBD, 0xBD, 0xBD, 0xBD, 0xBD};
  des56(hash.first<7>(), response, out.first<8>());
  des56(second, response, out.last<8>());
  wipe(second);
}

}  // namespace

NtHash derive_nt_hash(ByteView password_utf16le) noexcept {
  NtHash hash;
  hash_md4(password_utf16le, hash.bytes());
  return hash;
}

LmHash derive_lm_hash(ByteView password_oem_upper) noexcept {
  std::array<std::uint8_t, 14> padded{};
  std::copy_n(password_oem_upper.begin(), std::min<std::size_t>(14, password_oem_upper.size()),
              padded.begin());
  const std::span<const std::uint8_t, 14> key(padded);
  LmHash hash;
  des56(key.first<7>(), kLmMagic, hash.bytes().first<8>());
  des56(key.last<7>(), kLmMagic, hash.bytes().last<8>());
  wipe(padded);
  return hash;
}

bool is_of_empty_password(const NtHash& hash) noexcept {
  constexpr std::uint8_t kEmpty[] = {0x31, 0xD6, 0xCF, 0xE0, 0xD1, 0x6A, 0xE9, 0x31,
                                     0xB7, 0x3C, 0x59, 0xD7, 0xE0, 0xC0, 0x89, 0xC0};
  return verify_equal(hash.view(), kEmpty);
}

bool is_of_empty_password(const LmHash& hash) noexcept {
  constexpr std::uint8_t kEmpty[] = {0xAA, 0xD3, 0xB4, 0x35, 0xB5, 0x14, 0x04, 0xEE,
                                     0xAA, 0xD3, 0xB4, 0x35, 0xB5, 0x14, 0x04, 0xEE};
  return verify_equal(hash.view(), kEmpty);
}

std::optional<LmHash> lm_hash_of_password(ByteView password_utf16le, CodePage page) {
  constexpr std::size_t kLongest = 14;
  SecretBytes upper(password_utf16le);
  upcase_utf16le(upper.bytes());
  Result<Bytes> oem = oem_from_utf16le(upper.view(), page);
  if (!oem) {
    return std::nullopt;
  }
  const SecretBytes password(std::move(*oem));
  return password.view().size() <= kLongest ? std::optional<LmHash>(derive_lm_hash(password.view()))
                                            : std::nullopt;
}

ResponseKey derive_response_key(const NtHash& hash, ByteView user, ByteView domain) {
  ResponseKey key;
  HmacMd5 hmac(hash.view());
  std::array<std::uint8_t, 256> small;
  if (user.size() <= small.size()) {
    const MutableBytes upper = MutableBytes(small).first(user.size());
    std::copy(user.begin(), user.end(), upper.begin());
    upcase_utf16le(upper);
    hmac.mac({upper, domain}, key.bytes());
  } else {
    Bytes upper(user.begin(), user.end());
    upcase_utf16le(upper);
    hmac.mac({upper, domain}, key.bytes());
  }
  return key;
}

Response24 compute_v1_response(std::span<const std::uint8_t, 16> hash,
                               const Nonce& server) noexcept {
  Response24 out;
  desl(hash, server, out);
  return out;
}

Nonce mix_challenges(const Nonce& server, const Nonce& client) noexcept {
  Digest digest;
  hash_md5({server, client}, digest);
  Nonce mixed;
  std::copy_n(digest.begin(), mixed.size(), mixed.begin());
  return mixed;
}

Response24 compute_v1_ess_response(const NtHash& hash, const Nonce& server,
                                   const Nonce& client) noexcept {
  return compute_v1_response(hash.view(), mix_challenges(server, client));
}

Response24 compute_lmv2_response(const ResponseKey& key, const Nonce& server,
                                 const Nonce& client) noexcept {
  Response24 out;
  HmacMd5(key.view()).mac({server, client}, std::span<std::uint8_t, 24>(out).first<16>());
  std::copy(client.begin(), client.end(), out.begin() + 16);
  return out;
}

V2Proof compute_v2_proof(const ResponseKey& key, const Nonce& server, ByteView temp) noexcept {
  V2Proof proof;
  HmacMd5 hmac(key.view());
  hmac.mac({server, temp}, proof.nt_proof);
  hmac.mac({proof.nt_proof}, proof.base.bytes());
  return proof;
}

SessionBaseKey derive_v1_base_key(const NtHash& hash) noexcept {
  SessionBaseKey key;
  hash_md4(hash.view(), key.bytes());
  return key;
}

KeyExchangeKey derive_v1_key_exchange_key(Flags flags, const SessionBaseKey& base, const LmHash* lm,
                                          const Response24& lm_response,
                                          const Nonce& server) noexcept {
  KeyExchangeKey key;
  const auto first8 = std::span<const std::uint8_t, 24>(lm_response).first<8>();
  if (has(flags, flag::kEss)) {
    HmacMd5(base.view()).mac({server, first8}, key.bytes());
  } else if (has(flags, flag::kLmKey)) {
    lm_key_exchange(lm, first8, key.bytes());
  } else if (has(flags, flag::kNonNtSessionKey)) {
    // Eight bytes: a domain controller passes on no more of the hash.
    if (lm != nullptr) {
      std::copy_n(lm->view().begin(), 8, key.bytes().begin());
    }
  } else {
    return KeyExchangeKey(base.view());
  }
  return key;
}

void rc4k(std::span<const std::uint8_t, 16> key, std::span<const std::uint8_t, 16> in,
          std::span<std::uint8_t, 16> out) noexcept {
  Arcfour(key).crypt(in.data(), out.data(), out.size());
}

SigningKey derive_signing_key(const SessionKey& key, Side from) noexcept {
  SigningKey out;
  hash_md5({key.view(), as_bytes(from == Side::kClient ? kClientSigning : kServerSigning)},
           out.bytes());
  return out;
}

SealingKey::SealingKey(Flags flags, const SessionKey& key, Side from) noexcept {
  const auto source = key.view();
  if (has(flags, flag::kEss)) {
    const std::size_t used = key_bits(flags) / 8;
    hash_md5(
        {source.first(used), as_bytes(from == Side::kClient ? kClientSealing : kServerSealing)},
        bytes_.bytes());
    return;
  }
  std::copy(source.begin(), source.end(), bytes_.bytes().begin());
  // Our own NTLMRevisionCurrent is 15, so DATAGRAM alone asks for the short form.
  if (has_any(flags, flag::kLmKey | flag::kDatagram)) {
    // 128 does not help here: without 56 the key has 40 bits (3.4.5.3).
    size_ = 8;
    constexpr std::array<std::uint8_t, 3> k40 = {0xE5, 0x38, 0xB0};
    if (has(flags, flag::k56)) {
      bytes_.bytes()[7] = 0xA0;
    } else {
      std::copy(k40.begin(), k40.end(), bytes_.bytes().begin() + 5);
    }
  }
}

Secret<struct MessageKeyTag, 16> derive_message_key(ByteView sealing_key,
                                                    std::uint32_t sequence) noexcept {
  Secret<struct MessageKeyTag, 16> key;
  hash_md5({sealing_key, le32(sequence)}, key.bytes());
  return key;
}

Mic compute_mic(const SessionKey& key, ByteView negotiate, ByteView challenge,
                ByteView authenticate, std::size_t mic_offset) noexcept {
  constexpr Mic kNoMic{};
  Mic mic;
  HmacMd5(key.view())
      .mac({negotiate, challenge, authenticate.first(mic_offset), kNoMic,
            authenticate.subspan(mic_offset + kNoMic.size())},
           mic);
  return mic;
}

ChannelBindingHash compute_binding_hash(const ChannelBindings& b) noexcept {
  const auto size = [](ByteView v) { return le32(static_cast<std::uint32_t>(v.size())); };
  ChannelBindingHash hash;
  hash_md5({le32(b.initiator_type), size(b.initiator), b.initiator, le32(b.acceptor_type),
            size(b.acceptor), b.acceptor, size(b.application_data), b.application_data},
           hash);
  return hash;
}

}  // namespace gssntlm
