// What programs do with connectionless contexts beside the calls of every context.
#pragma once

#include <cstdint>
#include <string>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {

inline gss_OID_desc kSetSequence = {GSS_NTLM_OID_LENGTH,
                                    const_cast<char*>(GSS_NTLM_SET_SEQ_NUM_OID_BYTES)};

inline Outcome set_sequence(End& end, std::uint32_t number) {
  gss_buffer_desc value = {sizeof number, &number};
  Outcome o;
  o.major = gss_set_sec_context_option(&o.minor, &end.context, &kSetSequence, &value);
  return o;
}

/// The empty token of a connectionless client, in the form that the mechglue hands to NTLM.
inline std::string framed_nothing() {
  gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc framed = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_encapsulate_token(&nothing, &kNtlm, &framed) == GSS_S_COMPLETE);
  return take(framed);
}

}  // namespace gssntlm::test
