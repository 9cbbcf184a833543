// What the process supplies to the pure core: time, randomness and the trace.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "mech/base/bytes.h"
#include "mech/base/status.h"

namespace gssntlm {

/// Handed to every step of the protocol. Implementations may be used by several threads at once.
class Runtime {
 public:
  virtual ~Runtime() = default;
  /// Now, as FILETIME: 100 ns since 1601-01-01 UTC.
  [[nodiscard]] virtual std::uint64_t now() const noexcept = 0;
  /// Fills `out` with cryptographically strong random bytes; false if there are none.
  [[nodiscard]] virtual bool random(MutableBytes out) const noexcept = 0;
  /// 32 bytes that identify this machine until it restarts. Zeros: not known.
  [[nodiscard]] virtual std::array<std::uint8_t, 32> machine_id() const noexcept { return {}; }
  /// Whether trace() writes anywhere; if not, callers need not compose a line.
  [[nodiscard]] virtual bool tracing() const noexcept { return false; }
  /// Records one event, as text. Callers never pass a secret.
  virtual void trace(std::string_view event) const noexcept { (void)event; }
  /// Gives the caller of the step the reason of an error that the step is about to return.
  virtual void explain(Minor minor, std::string_view reason) const noexcept {
    (void)minor;
    (void)reason;
  }
};

inline constexpr std::uint64_t kFiletimePerSecond = 10'000'000;
inline constexpr std::uint64_t kFiletimeUnixEpoch = 116'444'736'000'000'000;

}  // namespace gssntlm
