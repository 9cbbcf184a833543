// NTLM messages in words, for trace and audit. Never shows a response, key or hash.
#pragma once

#include <string>
#include <string_view>

#include "mech/base/bytes.h"
#include "mech/base/flags.h"
#include "mech/protocol/outcome.h"

namespace gssntlm {

/// Name of the one bit set in `bit`, as [MS-NLMP] 2.2.2.5 has it without its prefix; empty for
/// bits without a name.
[[nodiscard]] std::string_view flag_name(Flags bit) noexcept;
/// `0xXXXXXXXX NAME NAME ...`
[[nodiscard]] std::string describe_flags(Flags flags);
/// One line about any of the three messages; of a malformed one, what is wrong. Names are escaped.
/// Throws std::bad_alloc.
[[nodiscard]] std::string describe_message(ByteView token);

}  // namespace gssntlm
