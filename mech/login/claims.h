// Exported contexts that were imported into this process: each is used once.
#pragma once

#include <cstdint>

namespace gssntlm {

/// The clocks by which exported handshakes expire.
enum class HandshakeClock {
  kMachine,  ///< since the machine was started: settings of the time do not move it
  kWall,     ///< common to the hosts of a farm
};

/// Now, in seconds; 0 when it cannot be read.
[[nodiscard]] std::uint64_t seconds_of(HandshakeClock clock) noexcept;

enum class Claim {
  kFirst,           ///< this call is the first with that identifier
  kDuplicateToken,  ///< it was claimed before, or is being claimed by another thread
  kExpired,         ///< the handshake has expired
  kFull,            ///< too many were claimed lately to remember another
};

/// Claims the handshake `id`, a random number, which expires at `ends` of `clock`, and remembers it
/// until then; three days ahead at most, what expires later is kFull. A time that was reached by
/// any call before stays reached, however the clock is set: what is forgotten has expired for good.
/// Of several calls at once with one identifier at most one is the first. Memory is bounded, 2 MiB
/// for each clock, of which a page is used when a claim falls on it; when it is used up nothing
/// that must be remembered is forgotten. Takes no lock and allocates nothing. A child of fork knows
/// what was claimed before the fork.
[[nodiscard]] Claim claim_handshake(HandshakeClock clock, std::uint64_t id,
                                    std::uint64_t ends) noexcept;

/// The same when the clock is at `now`.
[[nodiscard]] Claim claim_handshake_at(HandshakeClock clock, std::uint64_t id, std::uint64_t ends,
                                       std::uint64_t now) noexcept;

/// Whether this is the first import of the established context `id`, a random number that is not 0,
/// among the last 16000 of this process: such a context does not expire. Of several calls at once
/// with one identifier at most one is the first. 256 KiB; otherwise as claim_handshake().
[[nodiscard]] bool claim_session(std::uint64_t id) noexcept;

}  // namespace gssntlm
