// Session security of an established context [MS-NLMP] 3.4.
#pragma once

#include <array>
#include <memory>

#include "mech/base/flags.h"
#include "mech/base/secret.h"
#include "mech/base/status.h"
#include "mech/crypto/derive.h"
#include "mech/crypto/seal.h"

namespace gssntlm {

inline constexpr std::size_t kSignatureSize = 16;
using Signature = std::array<std::uint8_t, kSignatureSize>;

/// One buffer of a message, in the order that the signature covers.
struct MessagePart {
  const std::uint8_t* in = nullptr;
  std::uint8_t* out =
      nullptr;  ///< where its sealed (or opened) form goes; may be `in`. nullptr: only signed
  std::size_t size = 0;
  bool sign = true;  ///< counts for the signature without extended session security too
};

/// Keys, key streams and counters of one context. The caller serialises calls. Key streams are made
/// when the first message of their direction needs them.
class Session {
 public:
  /// `self` is this end.
  Session(Flags flags, SessionKey key, Side self) noexcept;

  [[nodiscard]] Flags flags() const noexcept { return flags_; }
  [[nodiscard]] bool protects() const noexcept { return has_any(flags_, flag::kProtection); }
  [[nodiscard]] bool seals() const noexcept { return has(flags_, flag::kSeal); }
  [[nodiscard]] const SessionKey& key() const noexcept { return key_; }

  /// Seals those parts that have an `out`, and signs all: `signature` is written last.
  /// Errors: UNAVAILABLE kNoProtection; CONTEXT_EXPIRED kSequenceEnd. Nothing is changed then.
  /// Throws std::bad_alloc on the first message of a direction.
  [[nodiscard]] Status protect(std::span<const MessagePart> parts,
                               std::span<std::uint8_t, kSignatureSize> signature);

  /// Opens and verifies. On error the context is as it was, parts opened in place hold what they
  /// held, and parts opened elsewhere are zero. Errors: UNAVAILABLE kNoProtection; BAD_SIG
  /// kBadSignature, kSequence.
  [[nodiscard]] Status open(std::span<const MessagePart> parts,
                            std::span<const std::uint8_t, kSignatureSize> signature);

  /// Restarts the key stream that sends, or that receives, as after a mechListMIC
  /// [MS-SPNG] 3.2.5.1. Counters go on. Throws std::bad_alloc.
  void reset_stream(bool receiving);

 private:
  // One direction. Without extended session security one serves both [MS-NLMP] 3.4.4.
  struct Stream {
    Stream(Flags flags, const SessionKey& key, Side from) noexcept;
    Arcfour cipher;
    HmacMd5State mac;
  };
  struct Direction {
    Side from;
    std::uint64_t sequence = 0;
    std::unique_ptr<Stream> stream;
  };

  Direction& sending() noexcept { return directions_[0]; }
  Direction& receiving() noexcept { return directions_[ess() ? 1 : 0]; }
  [[nodiscard]] bool ess() const noexcept { return has(flags_, flag::kEss); }
  Stream& stream_of(Direction& direction);
  std::array<std::uint8_t, 8> pass(Stream& stream, std::span<const MessagePart> parts,
                                   std::uint32_t sequence, bool opening) noexcept;
  Signature sign_legacy(Stream& stream, std::span<const MessagePart> parts, std::uint32_t sequence,
                        bool opening) noexcept;
  void undo(Stream& stream, std::span<const MessagePart> parts,
            std::size_t signature_stream) noexcept;

  Flags flags_;
  SessionKey key_;
  std::array<Direction, 2> directions_;
};

}  // namespace gssntlm
