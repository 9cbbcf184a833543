// The object identifiers this mechanism knows, in static storage.
#pragma once

#include "mech/spi/boundary.h"

namespace gssntlm::spi {

extern gss_OID_desc kSetSequenceOid;
extern gss_OID_desc kRequireMicOid;
extern gss_OID_desc kResetCryptoOid;
extern gss_OID_desc kNegotiateFlagsOid;
extern gss_OID_desc kSsfOid;             ///< GSS_C_SEC_CONTEXT_SASL_SSF
extern gss_OID_desc kSessionKeyOid;      ///< GSS_C_INQ_SSPI_SESSION_KEY
extern gss_OID_desc kSessionKeyTypeOid;  ///< says that the session key is an RC4 key
extern gss_OID_desc kPrincipalNameOid;   ///< GSS_KRB5_NT_PRINCIPAL_NAME
extern gss_OID_desc kTraceOid;
extern gss_OID_desc kNoCiFlagsOid;  ///< GSS_KRB5_CRED_NO_CI_FLAGS_X

/// The type of the text that a name of this kind displays. One of the library's own pointers, or
/// static: the library releases it.
[[nodiscard]] gss_OID type_of(NameKind kind) noexcept;

/// Whether `oid` is one this mechanism hands out.
[[nodiscard]] bool is_static_oid(const gss_OID_desc* oid) noexcept;

}  // namespace gssntlm::spi
