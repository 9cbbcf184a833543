// NegotiateFlags [MS-NLMP] 2.2.2.5. Unknown bits are carried, never cleared in passing.
#pragma once

#include <cstdint>

namespace gssntlm {

using Flags = std::uint32_t;

namespace flag {
inline constexpr Flags kUnicode = 0x00000001;
inline constexpr Flags kOem = 0x00000002;
inline constexpr Flags kRequestTarget = 0x00000004;
inline constexpr Flags kSign = 0x00000010;
inline constexpr Flags kSeal = 0x00000020;
inline constexpr Flags kDatagram = 0x00000040;
inline constexpr Flags kLmKey = 0x00000080;
inline constexpr Flags kNtlm = 0x00000200;
inline constexpr Flags kAnonymous = 0x00000800;
inline constexpr Flags kOemDomainSupplied = 0x00001000;
inline constexpr Flags kOemWorkstationSupplied = 0x00002000;
inline constexpr Flags kAlwaysSign = 0x00008000;
inline constexpr Flags kTargetTypeDomain = 0x00010000;
inline constexpr Flags kTargetTypeServer = 0x00020000;
inline constexpr Flags kEss = 0x00080000;  ///< EXTENDED_SESSIONSECURITY
inline constexpr Flags kIdentify = 0x00100000;
inline constexpr Flags kNonNtSessionKey = 0x00400000;
inline constexpr Flags kTargetInfo = 0x00800000;
inline constexpr Flags kVersion = 0x02000000;
inline constexpr Flags k128 = 0x20000000;
inline constexpr Flags kKeyExchange = 0x40000000;
inline constexpr Flags k56 = 0x80000000;
/// Either of them makes a session key useful.
inline constexpr Flags kProtection = kSign | kSeal;
}  // namespace flag

[[nodiscard]] constexpr bool has(Flags flags, Flags all) noexcept {
  return (flags & all) == all;
}
[[nodiscard]] constexpr bool has_any(Flags flags, Flags any) noexcept {
  return (flags & any) != 0;
}

/// Bits of the session key that protect messages: 128, 56 or 40. Without extended session security
/// LM_KEY and DATAGRAM shorten the key whatever 128 says [MS-NLMP] 3.4.5.3.
[[nodiscard]] constexpr unsigned key_bits(Flags flags) noexcept {
  const bool shortened = !has(flags, flag::kEss) && has_any(flags, flag::kLmKey | flag::kDatagram);
  return has(flags, flag::k128) && !shortened ? 128 : has(flags, flag::k56) ? 56 : 40;
}

}  // namespace gssntlm
