// Hashes of a password as programs write them.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "mech/base/status.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"

namespace gssntlm {

/// A hash of 32 hexadecimal digits, either case; nullopt: `digits` are anything else. Throws
/// std::bad_alloc.
template <typename Hash>
[[nodiscard]] std::optional<Hash> hash_from_hex(std::string_view digits) {
  Result<Bytes> bytes = bytes_from_hex(digits);
  if (!bytes) {
    return std::nullopt;
  }
  const SecretBytes secret(std::move(*bytes));
  if (secret.view().size() != Hash::kSize) {
    return std::nullopt;
  }
  return Hash(secret.view().template first<Hash::kSize>());
}

struct PasswordHashes {
  NtHash nt;
  std::optional<LmHash> lm;
};

/// `nt`, or the pair `lm:nt` of pyspnego and impacket, each of 32 hexadecimal digits. The LM half
/// may be empty; that of the empty password, which stands for none in such pairs, is left out.
/// Error: kBadText. Throws std::bad_alloc.
[[nodiscard]] Result<PasswordHashes> hashes_from_text(std::string_view text);

}  // namespace gssntlm
