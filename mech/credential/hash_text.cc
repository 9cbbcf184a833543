#include "mech/credential/hash_text.h"

#include <utility>

#include "mech/base/text.h"

namespace gssntlm {
namespace {

template <typename Hash>
std::optional<Hash> parse_hash(std::string_view digits) {
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

}  // namespace

Result<PasswordHashes> hashes_from_text(std::string_view text) {
  const Error bad = failure(Minor::kBadText);
  const std::size_t colon = text.find(':');
  const bool pair = colon != std::string_view::npos;
  std::optional<NtHash> nt = parse_hash<NtHash>(pair ? text.substr(colon + 1) : text);
  if (!nt) {
    return bad;
  }
  PasswordHashes hashes{std::move(*nt), std::nullopt};
  if (!pair || colon == 0) {
    return hashes;
  }
  hashes.lm = parse_hash<LmHash>(text.substr(0, colon));
  if (!hashes.lm) {
    return bad;
  }
  if (is_of_empty_password(*hashes.lm)) {
    hashes.lm.reset();
  }
  return hashes;
}

}  // namespace gssntlm
