// What a domain controller, or winbind on its way there, answers: an NTSTATUS [MS-ERREF] 2.3.
#pragma once

#include <cstdint>
#include <string_view>

#include "mech/backends/backend.h"

namespace gssntlm {

struct StatusMeaning {
  Verdict verdict = Verdict::kRefused;
  std::string_view text;  ///< for the administrator; static; empty: not known here
};

/// Total.
[[nodiscard]] StatusMeaning meaning_of(std::uint32_t nt_status) noexcept;

}  // namespace gssntlm
