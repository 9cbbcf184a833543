// Text: UTF-8 outside, UTF-16LE or OEM on the wire, and NTLM's own upper-casing. No locale.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mech/base/bytes.h"
#include "mech/base/status.h"

namespace gssntlm {

/// UTF-16LE of valid UTF-8. Error: kBadText.
[[nodiscard]] Result<Bytes> utf16le_from_utf8(std::string_view utf8);

/// UTF-8 of UTF-16LE. Error: kBadString for an odd size or an unpaired surrogate.
[[nodiscard]] Result<std::string> utf8_from_utf16le(ByteView utf16le);

/// Whether both are the same ASCII text. A cheap test: false does not mean that they differ.
[[nodiscard]] bool is_same_ascii(std::string_view utf8, ByteView utf16le) noexcept;

/// For people: at most `limit` characters. Characters that are not printable (control characters,
/// backslashes, unpaired surrogates, a last odd byte) are escaped as \xNN or \uNNNN.
[[nodiscard]] std::string printable_utf16le(ByteView utf16le, std::size_t limit = 256);
/// The same for UTF-8; bytes that are not UTF-8 are escaped one by one.
[[nodiscard]] std::string printable_utf8(std::string_view utf8, std::size_t limit = 256);

/// For a terminal or a log: the text with line feeds and tabs as they are, and other control
/// characters, those that reorder or hide text, and bytes that are not UTF-8 escaped. Text that
/// printable_utf8() made comes back unchanged.
[[nodiscard]] std::string terminal_text(std::string_view utf8);

/// Upper-cases UTF-16LE in place, one 16-bit unit at a time, by the table of [MS-UCODEREF] 3.1.5.3
/// as [MS-NLMP] 3.3.2 needs it. A last odd byte is left alone.
void upcase_utf16le(MutableBytes utf16le) noexcept;
/// One unit of it.
[[nodiscard]] char16_t upcase_unit(char16_t unit) noexcept;

/// Equal after upcase_utf16le of both.
[[nodiscard]] bool equal_ignoring_case(ByteView utf16le_a, ByteView utf16le_b) noexcept;

/// A user principal name (UPN), `user@realm`, divided at its last `@`; nullopt: it is none.
struct Upn {
  ByteView user;
  ByteView realm;
};
[[nodiscard]] std::optional<Upn> split_upn(ByteView utf16le) noexcept;

/// Whether a domain is `.`, by which clients mean the host itself: it is as good as none.
[[nodiscard]] bool is_this_host(ByteView utf16le) noexcept;

/// Whether a name from the wire is acceptable: even size, no NUL or control characters (C0, DEL,
/// C1).
[[nodiscard]] bool is_clean_name(ByteView utf16le) noexcept;

/// Code pages for OEM strings. The page is configured, never negotiated [MS-NLMP] 2.2.
enum class CodePage : std::uint16_t { k437 = 437, k850 = 850, k1252 = 1252 };

/// UTF-16LE of OEM bytes. Every byte has a meaning, except the five that CP1252 leaves undefined:
/// error kBadString.
[[nodiscard]] Result<Bytes> utf16le_from_oem(ByteView oem, CodePage page);
/// OEM bytes of UTF-16LE. Error: kUnencodable.
[[nodiscard]] Result<Bytes> oem_from_utf16le(ByteView utf16le, CodePage page);

/// Bytes of an even number of hexadecimal digits, either case. Error: kBadText.
[[nodiscard]] Result<Bytes> bytes_from_hex(std::string_view hex);
/// Two lower-case digits a byte. Not for secrets: the text is not wiped.
[[nodiscard]] std::string hex_text(ByteView bytes);

}  // namespace gssntlm
