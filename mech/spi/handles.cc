// Why a handle is rejected.
#include "mech/spi/boundary.h"

namespace gssntlm::spi {

Error reject_context(gss_ctx_id_t handle) noexcept {
  return handle == GSS_C_NO_CONTEXT
             ? kBadHandle
             : error_with_detail(
                   Major::kNoContext, Minor::kBadArgument,
                   "the context is not one of NTLM's, or was deleted; continue a context with "
                   "the mechanism that created it");
}

Error reject_credential(gss_cred_id_t handle, Major major) noexcept {
  return handle == GSS_C_NO_CREDENTIAL
             ? Error{Major::kNoCred, Minor::kBadArgument}
             : error_with_detail(major, Minor::kBadArgument,
                                 "the credential is not one of NTLM's, or was released");
}

Error reject_name(gss_name_t handle) noexcept {
  return handle == GSS_C_NO_NAME
             ? Error{Major::kBadName, Minor::kBadArgument}
             : error_with_detail(Major::kBadName, Minor::kBadArgument,
                                 "the name is not one of NTLM's, or was released");
}

}  // namespace gssntlm::spi
