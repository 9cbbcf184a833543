// Sets of buffers and of object identifiers for callers.
#pragma once

#include <initializer_list>

#include "mech/spi/boundary.h"

namespace gssntlm::spi {

/// Gives the caller a set of copies; it is released with gss_release_buffer_set.
[[nodiscard]] Answer give_set(gss_buffer_set_t* set, std::initializer_list<ByteView> members);
[[nodiscard]] Answer give_set(gss_buffer_set_t* set, std::span<const ByteView> members);

/// Gives the caller who wants one a set of `oids`; it is released with gss_release_oid_set.
[[nodiscard]] Answer give_oids(gss_OID_set* set, std::span<const gss_const_OID> oids);

/// The set of this mechanism alone, for a caller who wants it.
[[nodiscard]] Answer give_mechs(gss_OID_set* mechs);

}  // namespace gssntlm::spi
