// The compression function of MD4 [RFC 1320] 3.4.
#pragma once

#include "mech/crypto/md_stream.h"

namespace gssntlm::md4 {

/// Runs `count` blocks at `p` through the compression function.
MdCompress compress;

using Stream = MdStream<compress>;

}  // namespace gssntlm::md4
