#include "mech/protocol/logon.h"

#include <algorithm>

#include "mech/base/text.h"

namespace gssntlm {
namespace {

// HMAC under NTOWFv2 over the server's challenge and `rest`, which `proof` must equal.
std::optional<Proof> verify_hmac(const LogonRequest& r, const NtHash& hash, ByteView domain,
                                 ResponseKind kind) {
  const bool lm = kind == ResponseKind::kLmV2;
  const ByteView response = lm ? r.lm_response : r.nt_response;
  V2Proof computed = compute_v2_proof(derive_response_key(hash, r.user, domain), r.server_challenge,
                                      response.subspan(kNtProofSize));
  if (!verify_equal(computed.nt_proof, response.first(kNtProofSize))) {
    return std::nullopt;
  }
  return Proof{kind, std::move(computed.base)};
}

// Clients differ in the domain they hash: as sent, in capitals (old Samba), or none at all (XP with
// a local account), which 3.2.5.1.2 has acceptors try.
std::optional<Proof> verify_spellings(const LogonRequest& r, const NtHash& hash,
                                      ResponseKind kind) {
  if (std::optional<Proof> proof = verify_hmac(r, hash, r.domain, kind)) {
    return proof;
  }
  Bytes upper(r.domain.begin(), r.domain.end());
  upcase_utf16le(upper);
  if (std::optional<Proof> proof = verify_hmac(r, hash, upper, kind)) {
    return proof;
  }
  return verify_hmac(r, hash, {}, kind);
}

// [MS-NLMP] 3.3.1. With extended session security the LM field is the client's challenge.
std::optional<Proof> verify_v1(const LogonRequest& r, const NtHash& hash, ResponseKind kind) {
  Response24 expected;
  if (kind == ResponseKind::kNtlmV1Ess) {
    Nonce client;
    std::copy_n(r.lm_response.begin(), client.size(), client.begin());
    expected = compute_v1_ess_response(hash, r.server_challenge, client);
  } else {
    expected = compute_v1_response(hash.view(), r.server_challenge);
  }
  if (!verify_equal(expected, r.nt_response)) {
    return std::nullopt;
  }
  return Proof{kind, derive_v1_base_key(hash)};
}

bool may_be_lm(const LogonRequest& r, const Policy& policy) noexcept {
  return accepts_kind(ResponseKind::kLm, policy) && !has(r.flags, flag::kEss);
}

// The LM field alone: LMv2, or LM.
std::optional<Proof> verify_lm_field(const LogonRequest& r, const NtHash& hash,
                                     const LmHash* lm_hash, const Policy& policy) {
  if (accepts_kind(ResponseKind::kLmV2, policy)) {
    if (std::optional<Proof> proof = verify_spellings(r, hash, ResponseKind::kLmV2)) {
      return proof;
    }
  }
  if (!may_be_lm(r, policy)) {
    return std::nullopt;
  }
  // Compared also without an LM hash: the time must not tell which accounts have one.
  const LmHash none;
  const LmHash& known = lm_hash != nullptr ? *lm_hash : none;
  const bool same =
      verify_equal(compute_v1_response(known.view(), r.server_challenge), r.lm_response);
  if (!same || lm_hash == nullptr) {
    return std::nullopt;
  }
  return Proof{ResponseKind::kLm, derive_v1_base_key(hash)};
}

}  // namespace

ResponseKind response_kind(const LogonRequest& r) noexcept {
  const bool lm = r.lm_response.size() == kV1ResponseSize;
  if (r.nt_response.size() > kV1ResponseSize) {
    return ResponseKind::kNtlmV2;
  }
  if (r.nt_response.size() < kV1ResponseSize) {
    return lm ? ResponseKind::kLm : ResponseKind::kNone;
  }
  if (!has(r.flags, flag::kEss)) {
    return ResponseKind::kNtlmV1;
  }
  return lm ? ResponseKind::kNtlmV1Ess : ResponseKind::kNone;
}

bool accepts_response(const LogonRequest& request, const Policy& policy) noexcept {
  const ResponseKind kind = response_kind(request);
  if (kind == ResponseKind::kLm) {
    return accepts_kind(ResponseKind::kLmV2, policy) || may_be_lm(request, policy);
  }
  return accepts_kind(kind, policy);
}

std::optional<Proof> verify_response(const LogonRequest& request, const NtHash& nt_hash,
                                     const LmHash* lm_hash, const Policy& policy) {
  if (!accepts_response(request, policy)) {
    return std::nullopt;
  }
  // The LM field counts only without an NT response: falling back to it, as in 3.2.5.1.2, would let
  // an attacker choose the weaker of two proofs.
  switch (const ResponseKind kind = response_kind(request)) {
    case ResponseKind::kNtlmV2:
      return verify_spellings(request, nt_hash, kind);
    case ResponseKind::kNtlmV1:
    case ResponseKind::kNtlmV1Ess:
      return verify_v1(request, nt_hash, kind);
    default:
      return verify_lm_field(request, nt_hash, lm_hash, policy);
  }
}

KeyExchangeKey key_exchange_key(const LogonRequest& request, const Logon& logon) noexcept {
  if (logon.kind == ResponseKind::kNtlmV2 || logon.kind == ResponseKind::kLmV2) {
    return KeyExchangeKey(logon.base.view());
  }
  // What was sent in the LM field, whichever response that is [MS-NLMP] 3.4.5.1.
  Response24 lm{};
  std::copy_n(request.lm_response.begin(), std::min(lm.size(), request.lm_response.size()),
              lm.begin());
  return derive_v1_key_exchange_key(request.flags, logon.base,
                                    logon.lm_hash ? &*logon.lm_hash : nullptr, lm,
                                    request.server_challenge);
}

}  // namespace gssntlm
