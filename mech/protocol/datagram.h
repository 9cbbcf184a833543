// Session security of a connectionless context [MS-NLMP] 1.3.1.2, 3.4: every message has a number
// and a key stream of its own, so that it may be lost, reordered or repeated on its way.
#pragma once

#include <optional>

#include "mech/base/flags.h"
#include "mech/base/status.h"
#include "mech/crypto/derive.h"
#include "mech/protocol/replay.h"
#include "mech/protocol/signature.h"

namespace gssntlm {

/// The numbers of a connectionless context.
struct DatagramNumbers {
  std::uint64_t next_sent = 0;         ///< above all numbers sent; 2^32: used up
  std::uint32_t next_received = 0;     ///< used without extended session security only
  std::optional<std::uint32_t> fixed;  ///< of all messages, until another is set
  ReplayWindow window;
};

/// Keys and numbers of one context, both directions. The caller serialises calls. Nothing here
/// allocates.
class DatagramSecurity {
 public:
  /// `self` is this end. Without `detect_replay` a number may be taken any number of times.
  DatagramSecurity(Flags flags, const SessionKey& key, Side self, bool detect_replay) noexcept;

  /// The number of all messages from now on, in both directions, until it is set again
  /// [MS-NLMP] 3.4. Any number of messages can be signed under it, but only the first message can
  /// be sealed, and only if no number as high was sent before.
  void set_sequence(std::uint32_t number) noexcept;

  /// As Session::protect(). Parts may be sealed with extended session security only. Errors:
  /// CONTEXT_EXPIRED kSequenceEnd when the sequence numbers are used up (signing goes on under a
  /// fixed number); FAILURE kSequenceUsed for sealing under a fixed number that was used, or is
  /// below one that was.
  [[nodiscard]] Status protect(std::span<const MessagePart> parts, SignatureOut signature) noexcept;

  /// As Session::open(). With extended session security the message says its number; without,
  /// it is the one set, or that after the last one opened. A duplicate or old message that is
  /// genuine is opened, and called so, except a signature under a fixed number. Errors: BAD_SIG
  /// kBadSignature, kSequence (not the number set).
  [[nodiscard]] Result<Arrival> open(std::span<const MessagePart> parts,
                                     SignatureView signature) noexcept;

  /// Saves the numbers.
  void save(Serializer& out) const;
  /// Takes them up again; latches a failure in `in`.
  void load(Deserializer& in) noexcept;

 private:
  struct Direction {
    Direction(Flags flags, const SessionKey& key, Side from) noexcept;
    SealingKey sealing;
    HmacMd5 mac;
  };

  [[nodiscard]] bool ess() const noexcept { return has(flags_, flag::kEss); }
  [[nodiscard]] SignatureKeys keys(const Direction& direction, Arcfour& cipher) const noexcept;
  [[nodiscard]] Result<std::uint32_t> number_to_send(bool sealing) const noexcept;
  [[nodiscard]] Result<std::uint32_t> number_of(SignatureView signature) const noexcept;

  Flags flags_;
  bool detect_replay_;
  Direction sending_;
  Direction receiving_;
  DatagramNumbers numbers_;
};

}  // namespace gssntlm
