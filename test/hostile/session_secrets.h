// The keys of an established context, to be searched for in memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "mech/crypto/derive.h"
#include "mech/protocol/session.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {

/// Hands `use` the context's session key where the library holds it, and wipes it then: no copy is
/// made here.
template <typename Use>
void with_session_key(const End& end, Use use) {
  OM_uint32 minor = 0;
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  REQUIRE(gss_inquire_sec_context_by_oid(&minor, end.context, &kSessionKeyOid, &set) ==
          GSS_S_COMPLETE);
  const std::span<std::uint8_t> key(static_cast<std::uint8_t*>(set->elements[0].value),
                                    set->elements[0].length);
  use(key);
  ::explicit_bzero(key.data(), key.size());
  gss_release_buffer_set(&minor, &set);
}

/// `add` takes a label and the bytes: the session key itself, and what both sides sign and seal
/// with.
template <typename Add>
void add_session_keys(std::span<const std::uint8_t, SessionKey::kSize> bytes, std::uint32_t flags,
                      Add add) {
  const SessionKey key(bytes);
  add("ExportedSessionKey", key.view());
  for (const Side side : {Side::kClient, Side::kServer}) {
    add("signing key", derive_signing_key(key, side).view());
    add("sealing key", SealingKey(flags, key, side).view());
  }
}

}  // namespace gssntlm::test
