// Session security of an established context [MS-NLMP] 3.4.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "mech/protocol/datagram.h"

namespace gssntlm {

/// What the two ends need not agree on.
struct SessionRules {
  /// A connectionless message that is genuine and was there before is called so.
  bool detect_replay = true;
  /// Messages carry a constant signature where neither SIGN nor SEAL but ALWAYS_SIGN was agreed
  /// [MS-NLMP] 3.4.4.3. It proves nothing.
  bool dummy_signatures = false;
};

/// Keys, key streams and counters of one context. The caller serialises calls. Key streams are made
/// when the first message of their direction needs them.
class Session {
 public:
  /// `self` is this end. Throws std::bad_alloc for a connectionless context.
  Session(Flags flags, SessionKey key, Side self, SessionRules rules = {});

  [[nodiscard]] Flags flags() const noexcept { return flags_; }
  [[nodiscard]] bool protects() const noexcept { return has_any(flags_, flag::kProtection); }
  [[nodiscard]] bool seals() const noexcept { return has(flags_, flag::kSeal); }
  /// Messages may be sealed, whether that was agreed or not: connectionless ones without extended
  /// session security may not [MS-NLMP] 3.4.3.
  [[nodiscard]] bool can_seal() const noexcept {
    return protects() && (datagrams_ == nullptr || ess());
  }
  [[nodiscard]] bool is_connectionless() const noexcept { return datagrams_ != nullptr; }
  [[nodiscard]] const SessionKey& key() const noexcept { return key_; }

  /// Seals those parts that have an `out`, and signs all: `signature` is written last.
  /// Errors: UNAVAILABLE kNoProtection, also for sealing where can_seal() denies it;
  /// CONTEXT_EXPIRED kSequenceEnd; FAILURE kSequenceUsed (see DatagramSecurity). Nothing is changed
  /// then. Throws std::bad_alloc on the first
  /// message of a direction.
  [[nodiscard]] Status protect(std::span<const MessagePart> parts, SignatureOut signature);

  /// Opens and verifies. On error the context is as it was, parts opened in place hold what they
  /// held, and parts opened elsewhere are zero. Errors: UNAVAILABLE kNoProtection; BAD_SIG
  /// kBadSignature; BAD_SIG kDuplicateToken and kGapToken for a number below and above the one
  /// expected on a connection; BAD_SIG kSequence for another than set_sequence() said. Throws
  /// std::bad_alloc on the first message of a direction.
  [[nodiscard]] Result<Arrival> open(std::span<const MessagePart> parts, SignatureView signature);

  /// The number of connectionless messages from now on, see DatagramSecurity. False on a
  /// connection, which counts for itself.
  [[nodiscard]] bool set_sequence(std::uint32_t number) noexcept;

  /// Restarts the key stream that sends, or that receives, as after a mechListMIC
  /// [MS-SPNG] 3.2.5.1. Counters go on. Connectionless messages have nothing to restart.
  void reset_stream(bool receiving) noexcept;

  /// Saves keys, key streams and counters. Using both this session and the loaded one afterwards
  /// would use key stream twice. Throws std::bad_alloc.
  void save(Serializer& out) const;
  /// Error: DEFECTIVE_TOKEN kImport for what save() cannot have written. Throws std::bad_alloc.
  [[nodiscard]] static Result<Session> load(Deserializer& in);

 private:
  // One direction. Without extended session security one serves both [MS-NLMP] 3.4.4. A stream that
  // is not there begins at its beginning.
  struct Direction {
    Side from;
    std::uint64_t sequence = 0;
    std::unique_ptr<Arcfour> stream = nullptr;
    std::optional<HmacMd5> mac = std::nullopt;
  };

  Direction& sending() noexcept { return directions_[0]; }
  Direction& receiving() noexcept { return directions_[ess() ? 1 : 0]; }
  [[nodiscard]] bool ess() const noexcept { return has(flags_, flag::kEss); }
  [[nodiscard]] Arcfour& stream_of(Direction& direction) const;
  [[nodiscard]] SignatureKeys keys(Direction& direction) const;
  void load_direction(Direction& direction, Deserializer& in);
  Status protect_otherwise(std::span<const MessagePart> parts, SignatureOut signature) noexcept;
  Result<Arrival> open_otherwise(std::span<const MessagePart> parts,
                                 SignatureView signature) noexcept;
  [[nodiscard]] bool makes_dummies() const noexcept {
    return !protects() && rules_.dummy_signatures && has(flags_, flag::kAlwaysSign);
  }

  Flags flags_;
  SessionRules rules_;
  SessionKey key_;
  std::array<Direction, 2> directions_;
  std::unique_ptr<DatagramSecurity> datagrams_;  // set: directions_ is unused
};

}  // namespace gssntlm
