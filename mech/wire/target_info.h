// AV_PAIR lists [MS-NLMP] 2.2.2.1: the TargetInfo of CHALLENGE and of the NTLMv2 response.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <type_traits>

#include "mech/base/bytes.h"
#include "mech/base/status.h"

namespace gssntlm {

enum class AvId : std::uint16_t {
  kEol = 0,
#define X(id, number, name, kind, sender, member) id = (number),
#include "mech/wire/av_pairs.inc"
#undef X
};

/// Form of a pair's value.
enum class AvKind {
  kText,        ///< UTF-16LE
  kFlags,       ///< 32 bits
  kTime,        ///< FILETIME
  kSingleHost,  ///< 48 bytes or more
  kHash,        ///< 16 bytes
  kUnknown,
};

/// Who may state a pair.
enum class AvSender { kServer, kClient };

/// A row of av_pairs.inc. A pair that is not in it has no name, kUnknown and kServer: clients echo
/// it.
struct AvRow {
  std::string_view name;
  AvKind kind = AvKind::kUnknown;
  AvSender sender = AvSender::kServer;
};
[[nodiscard]] AvRow av_row(AvId id) noexcept;

namespace av_flag {
inline constexpr std::uint32_t kConstrained = 1;
inline constexpr std::uint32_t kMicPresent = 2;
inline constexpr std::uint32_t kUntrustedTargetName = 4;
}  // namespace av_flag

struct AvPair {
  AvId id = AvId::kEol;
  ByteView value;
};

/// Iterates over a list. next() yields pairs until EOL; then, or on malformed input, nothing. A
/// list is well formed if finished() holds after the last pair.
class AvReader {
 public:
  explicit AvReader(ByteView list) noexcept : in_(list) {}
  [[nodiscard]] std::optional<AvPair> next() noexcept;
  /// EOL was reached and nothing before it was malformed.
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  /// Bytes up to and with EOL.
  [[nodiscard]] std::size_t position() const noexcept { return in_.position(); }

 private:
  Reader in_;
  bool finished_ = false;
};

/// The pairs the protocol looks at, as views into the list. An absent pair is nullopt, which an
/// empty value is not.
struct TargetInfo {
  template <AvKind kKind>
  using Value =
      std::conditional_t<kKind == AvKind::kFlags, std::uint32_t,
                         std::conditional_t<kKind == AvKind::kTime, std::uint64_t, ByteView>>;
#define X(id, number, name, kind, sender, member) std::optional<Value<AvKind::kind>> member;
#include "mech/wire/av_pairs.inc"
#undef X
  /// A second MsvAvChannelBindings, all zeros, stands behind one that is not: Samba 4.17's winbind
  /// appends it to the pair that it is asked to send. Acceptors take it under a verified MIC only.
  bool repeats_bindings = false;
  std::size_t size = 0;  ///< bytes up to and with EOL
};

/// Error kBadAvPairs: no EOL, an EOL with a value, a pair that overruns the list, wrong fixed
/// sizes, odd-sized names, a second pair of a known kind but for repeats_bindings. Unknown pairs
/// and bytes after EOL are allowed and skipped.
[[nodiscard]] Result<TargetInfo> decode_target_info(ByteView list) noexcept;

/// Single_Host_Data [MS-NLMP] 2.2.2.2: the machine a client runs on.
struct SingleHost {
  std::array<std::uint8_t, 8> custom_data{};  ///< token flags and integrity level
  std::array<std::uint8_t, 32> machine_id{};  ///< random, of this boot
};

/// Its classic size; newer systems append 32 bytes that mean nothing.
inline constexpr std::size_t kSingleHostSize = 48;

/// What a process without special rights says of its token: integrity level medium.
inline constexpr std::array<std::uint8_t, 8> kOurCustomData = {1, 0, 0, 0, 0, 0x20, 0, 0};

[[nodiscard]] std::array<std::uint8_t, kSingleHostSize> encode_single_host(
    const SingleHost& host) noexcept;
/// Of the value of a pair kSingleHost. Error: kBadAvPairs (shorter than 48 bytes).
[[nodiscard]] Result<SingleHost> decode_single_host(ByteView value) noexcept;

/// Appends one pair. `value` is at most 65535 bytes, which the caller has made sure of.
void append_av_pair(Bytes& list, AvId id, ByteView value);

}  // namespace gssntlm
