// Hashes of a password as programs write them.
#pragma once

#include <optional>
#include <string_view>

#include "mech/base/status.h"
#include "mech/crypto/derive.h"

namespace gssntlm {

struct PasswordHashes {
  NtHash nt;
  std::optional<LmHash> lm;
};

/// `nt`, or the pair `lm:nt` of pyspnego and impacket, each of 32 hexadecimal digits. The LM half
/// may be empty; that of the empty password, which stands for none in such pairs, is left out.
/// Error: kBadText. Throws std::bad_alloc.
[[nodiscard]] Result<PasswordHashes> hashes_from_text(std::string_view text);

}  // namespace gssntlm
