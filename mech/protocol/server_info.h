// TargetInfo as an acceptor says it, and as it must come back [MS-NLMP] 2.2.2.1, 3.2.5.1.
#pragma once

#include "mech/protocol/identity.h"
#include "mech/wire/target_info.h"

namespace gssntlm {

/// The pairs of a CHALLENGE, in Windows' order: names 1 and 2 always, and the time `now`
/// (FILETIME), which makes clients send a MIC. Throws std::bad_alloc.
[[nodiscard]] Bytes compose_target_info(const HostNames& names, std::uint64_t now);

/// Whether the pairs of an NTLMv2 response are an answer to `sent`: names 1 and 2 there, nothing
/// that was sent changed, no name of another server added.
[[nodiscard]] bool answers_target_info(const TargetInfo& sent, const TargetInfo& back) noexcept;

}  // namespace gssntlm
