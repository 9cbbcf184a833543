// Handshakes that were imported into this process and completed: each is completed once.
#pragma once

#include <cstdint>

namespace gssntlm {

enum class Claim {
  kFirst,           ///< this call is the first with that identifier
  kDuplicateToken,  ///< it was claimed before, by any thread
  kFull,            ///< too many were claimed lately to remember another
};

/// Claims the handshake `id`, a random number, and remembers it for `minutes` at least, 45 days at
/// most. Memory is bounded; when it is used up nothing that must be remembered is forgotten. Takes
/// no lock and allocates nothing. A child of fork knows what was claimed before the fork.
[[nodiscard]] Claim claim_handshake(std::uint64_t id, std::uint64_t minutes) noexcept;

}  // namespace gssntlm
