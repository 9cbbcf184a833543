// What the three messages share: prefix, security buffers, Version.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "mech/base/bytes.h"
#include "mech/base/flags.h"
#include "mech/base/status.h"

namespace gssntlm {

enum class MessageType : std::uint32_t { kNegotiate = 1, kChallenge = 2, kAuthenticate = 3 };

/// No token longer than this is looked at, and none is made.
inline constexpr std::size_t kMaxTokenSize = 0x18000;

/// VERSION [MS-NLMP] 2.2.2.10; for debugging only.
struct Version {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  std::uint16_t build = 0;
  std::array<std::uint8_t, 3> reserved{};
  std::uint8_t revision = 0;

  friend bool operator==(const Version&, const Version&) = default;
};

/// In the first reserved byte, which others ignore and leave zero: the sender tells sealed from
/// merely signed wrap tokens (docs/decisions/0010).
inline constexpr std::uint8_t kTellsSealing = 1;

/// What we say of ourselves: the protocol of Windows 10, NTLM revision 15, build 0.
inline constexpr Version kOurVersion{10, 0, 0, {kTellsSealing, 0, 0}, 15};

/// Whether the sender of `version` said so.
[[nodiscard]] constexpr bool distinguishes_wrap_modes(
    const std::optional<Version>& version) noexcept {
  return version && (version->reserved[0] & kTellsSealing) != 0;
}

/// Size of Version, and of the MIC.
inline constexpr std::size_t kVersionSize = 8;
inline constexpr std::size_t kMicSize = 16;

/// Type of a token that starts with the NTLMSSP signature. Errors: kNotNtlm (also for an unknown
/// type), kTooLong.
[[nodiscard]] Result<MessageType> peek_type(ByteView token) noexcept;

/// NEGOTIATE and CHALLENGE must name a character set [MS-NLMP] 2.2.2.5. Error: DEFECTIVE_TOKEN
/// kCharset.
[[nodiscard]] Status check_charset(Flags flags) noexcept;

namespace wire_detail {

inline constexpr std::size_t kPrefixSize = 12;
inline constexpr std::size_t kFieldSize = 8;

/// Len and Offset of a security buffer [MS-NLMP] 2.2; MaxLen is ignored on receipt.
struct Field {
  std::uint16_t length = 0;
  std::uint32_t offset = 0;
};

/// The field whose descriptor is at `at`, which must lie inside `token`.
[[nodiscard]] Field read_field(ByteView token, std::size_t at) noexcept;
/// The bytes of a field. Errors: kFieldOutOfBounds; kFieldOutOfBounds too if it reaches below
/// `payload_from` (nothing that is sent may overlap the header).
[[nodiscard]] Result<ByteView> field_bytes(ByteView token, Field field,
                                           std::size_t payload_from) noexcept;
/// Checks signature, type and size: kNotNtlm, kWrongMessage, kTooLong, kTruncated.
[[nodiscard]] Status check_prefix(ByteView token, MessageType type, std::size_t min_size) noexcept;

[[nodiscard]] Version read_version(ByteView token, std::size_t at) noexcept;

/// Writes prefix, descriptors and Version, counting payload offsets from `payload_at`.
class MessageWriter {
 public:
  /// `size` is that of the whole message.
  MessageWriter(MessageType type, std::size_t size, std::size_t payload_at);
  /// A descriptor for `payload`; call put() with the same payloads in the same order later.
  void field(ByteView payload) noexcept;
  /// A descriptor for `length` bytes at `offset`.
  void field(std::size_t length, std::size_t offset) noexcept;
  void version(const Version& version) noexcept;
  Writer& writer() noexcept { return out_; }
  /// Errors: kTooLong when a field or the message exceeds what its descriptor can say.
  [[nodiscard]] Result<Buffer> finish() noexcept;

 private:
  Writer out_;
  std::size_t next_;
  bool ok_;
};

}  // namespace wire_detail
}  // namespace gssntlm
