#include "mech/spi/oids.h"

#include <algorithm>
#include <string_view>

#include "include/gssapi/gssapi_ntlm.h"
#include "spnego/token.h"

namespace gssntlm::spi {
namespace {

// gss_OID_desc has no const member to put a literal in; nothing writes through it.
template <std::size_t N>
constexpr gss_OID_desc oid(const char (&content)[N]) noexcept {
  return {N - 1, const_cast<char*>(content)};
}

gss_OID_desc kMechanismOid = oid(GSS_NTLM_MECH_OID_BYTES);

// The public header is for C, and spnego/ includes no GSSAPI.
static_assert(std::ranges::equal(std::string_view(GSS_NTLM_MECH_OID_BYTES), kNtlmOid, {},
                                 [](char c) { return static_cast<std::uint8_t>(c); }));

}  // namespace

gss_OID_desc kSetSequenceOid = oid(GSS_NTLM_SET_SEQ_NUM_OID_BYTES);
gss_OID_desc kRequireMicOid = oid(GSS_NTLM_SPNEGO_REQUIRE_MIC_OID_BYTES);
gss_OID_desc kResetCryptoOid = oid(GSS_NTLM_RESET_CRYPTO_OID_BYTES);
gss_OID_desc kNegotiateFlagsOid = oid(GSS_NTLM_NEG_FLAGS_OID_BYTES);
gss_OID_desc kSsfOid = oid("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f");
gss_OID_desc kSessionKeyOid = oid("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05");
gss_OID_desc kSessionKeyTypeOid = oid("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x04\x17");
gss_OID_desc kPrincipalNameOid = oid("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01");
gss_OID_desc kTraceOid = oid(GSS_NTLM_DEBUG_OID_BYTES);
gss_OID_desc kNoCiFlagsOid = oid("\x2a\x85\x70\x2b\x0d\x1d");

gss_OID mechanism_oid() noexcept {
  return &kMechanismOid;
}

bool same_oid(const gss_OID_desc* a, const gss_OID_desc* b) noexcept {
  return a != nullptr && b != nullptr &&
         same_bytes({static_cast<const std::uint8_t*>(a->elements), a->length},
                    {static_cast<const std::uint8_t*>(b->elements), b->length});
}

bool is_static_oid(const gss_OID_desc* oid) noexcept {
  return oid == &kMechanismOid || oid == &kPrincipalNameOid;
}

}  // namespace gssntlm::spi
