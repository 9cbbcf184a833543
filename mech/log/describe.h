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

/// `"DOM\user" from "WORKSTATION"`, as AUTHENTICATE says; a malformed one names no one. Neither
/// name ends its quotation. Throws std::bad_alloc.
[[nodiscard]] std::string describe_client(ByteView authenticate);
/// The same of an initiator: `"DOM\user" to "SERVICE@HOST"`, of names that are printable. Throws
/// std::bad_alloc.
[[nodiscard]] std::string describe_parties(std::string_view account, std::string_view target);

}  // namespace gssntlm
