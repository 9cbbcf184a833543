// Handshakes that were imported into this process and completed: each is completed once.
#pragma once

#include <cstdint>

namespace gssntlm {

enum class Claim {
  kFirst,           ///< this call is the first with that identifier
  kDuplicateToken,  ///< it was claimed before, or is being claimed by another thread
  kFull,            ///< too many were claimed lately to remember another
};

/// Claims the handshake `id`, a random number, and remembers it for `minutes` at least, three days
/// at most, whatever later calls ask for. Of several calls at once with one identifier at most one
/// is the first. Memory is bounded, 2 MiB of which a page is used when a claim falls on it; when it
/// is used up nothing that must be remembered is forgotten. Takes no lock and allocates nothing. A
/// child of fork knows what was claimed before the fork.
[[nodiscard]] Claim claim_handshake(std::uint64_t id, std::uint64_t minutes) noexcept;

/// The same, in the minute `now` of a clock that never goes back.
[[nodiscard]] Claim claim_handshake_at(std::uint64_t id, std::uint64_t minutes,
                                       std::uint64_t now) noexcept;

}  // namespace gssntlm
