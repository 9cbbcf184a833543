#include "mech/protocol/logon.h"

#include <algorithm>

#include "mech/base/text.h"

namespace gssntlm {
namespace {

std::optional<Proof> verify_v2(const LogonRequest& r, const NtHash& hash, ByteView domain) {
  const ResponseKey key = derive_response_key(hash, r.user, domain);
  const std::span<const std::uint8_t> temp = r.nt_response.subspan(kNtProofSize);
  V2Proof computed = compute_v2_proof(key, r.server_challenge, temp);
  if (!verify_equal(computed.nt_proof, r.nt_response.first(kNtProofSize))) {
    return std::nullopt;
  }
  return Proof{ResponseKind::kNtlmV2, std::move(computed.base)};
}

// Clients differ in the domain they hash: as sent, in capitals (old Samba), or none at all (XP with
// a local account).
std::optional<Proof> verify_v2_spellings(const LogonRequest& r, const NtHash& hash) {
  if (std::optional<Proof> proof = verify_v2(r, hash, r.domain)) {
    return proof;
  }
  Bytes upper(r.domain.begin(), r.domain.end());
  upcase_utf16le(upper);
  if (std::optional<Proof> proof = verify_v2(r, hash, upper)) {
    return proof;
  }
  return verify_v2(r, hash, {});
}

}  // namespace

ResponseKind response_kind(const LogonRequest& r) noexcept {
  if (r.nt_response.size() > kV1ResponseSize) {
    return ResponseKind::kNtlmV2;
  }
  if (r.nt_response.size() == kV1ResponseSize) {
    return has(r.flags, flag::kEss) ? ResponseKind::kNtlmV1Ess : ResponseKind::kNtlmV1;
  }
  return r.lm_response.size() == kV1ResponseSize ? ResponseKind::kLm : ResponseKind::kNone;
}

bool accepts_kind(ResponseKind kind, const Policy&) noexcept {
  return kind == ResponseKind::kNtlmV2;
}

std::optional<Proof> verify_response(const LogonRequest& request, const NtHash& nt_hash,
                                     const LmHash*, const Policy& policy) {
  const ResponseKind kind = response_kind(request);
  if (!accepts_kind(kind, policy)) {
    return std::nullopt;
  }
  return verify_v2_spellings(request, nt_hash);
}

}  // namespace gssntlm
