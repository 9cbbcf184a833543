#include "mech/crypto/hash_text.h"

namespace gssntlm {

Result<PasswordHashes> hashes_from_text(std::string_view text) {
  const Error bad = failure(Minor::kBadText);
  const std::size_t colon = text.find(':');
  const bool pair = colon != std::string_view::npos;
  std::optional<NtHash> nt = hash_from_hex<NtHash>(pair ? text.substr(colon + 1) : text);
  if (!nt) {
    return bad;
  }
  PasswordHashes hashes{std::move(*nt), std::nullopt};
  if (!pair || colon == 0) {
    return hashes;
  }
  hashes.lm = hash_from_hex<LmHash>(text.substr(0, colon));
  if (!hashes.lm) {
    return bad;
  }
  if (is_of_empty_password(*hashes.lm)) {
    hashes.lm.reset();
  }
  return hashes;
}

}  // namespace gssntlm
