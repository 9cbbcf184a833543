// A second way to the same results, for comparison: Nettle's functions one after the other, and a
// decoder of its own. Nothing of mech/wire or mech/crypto is used here.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "mech/base/bytes.h"

namespace gssntlm::fuzz {

using Sixteen = std::array<std::uint8_t, 16>;

[[nodiscard]] Sixteen plain_md4(ByteView data);
[[nodiscard]] Sixteen plain_md5(const Bytes& data);
[[nodiscard]] Sixteen plain_hmac(ByteView key, const Bytes& data);
/// `data` through RC4 under `key`, after `skip` bytes of key stream.
[[nodiscard]] Bytes plain_rc4(ByteView key, ByteView data, std::size_t skip = 0);
[[nodiscard]] std::uint32_t plain_crc32(ByteView data);

/// NTProofStr and session base key of an NTLMv2 response [MS-NLMP] 3.3.2. `upper_user` is in
/// capitals already.
struct PlainProof {
  Sixteen proof;
  Sixteen base;
};
[[nodiscard]] PlainProof plain_v2_proof(ByteView nt_hash, ByteView upper_user, ByteView domain,
                                        ByteView server_challenge, ByteView temp);
/// [MS-NLMP] 3.1.5.1.2. `at` is the MIC's place, 16 bytes of which are there.
[[nodiscard]] Sixteen plain_mic(ByteView key, ByteView negotiate, ByteView challenge,
                                const Bytes& authenticate, std::size_t at);

/// One direction's keys [MS-NLMP] 3.4.5.2, 3.4.5.3, for extended session security.
struct PlainKeys {
  Bytes sign;
  Bytes seal;
};
[[nodiscard]] PlainKeys plain_keys(std::uint32_t flags, ByteView session_key, bool from_client);

/// A message as decoded here. Numbers and strings by name; a name that is missing was not there.
struct PlainMessage {
  unsigned type = 0;
  std::map<std::string, Bytes> fields;
  std::map<std::string, std::uint64_t> numbers;
};

/// nullopt: malformed. `oem`: names of an AUTHENTICATE may have odd sizes.
[[nodiscard]] std::optional<PlainMessage> plain_decode(ByteView token, bool oem);
/// Known pairs as fields `av1` ... `av10`, their size with the final one as number `size`.
[[nodiscard]] std::optional<PlainMessage> plain_pairs(ByteView list);

}  // namespace gssntlm::fuzz
