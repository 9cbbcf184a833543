#include "mech/base/text.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include <utf8.h>

#include "mech/base/code_pages.h"
#include "mech/base/upcase_table.h"

namespace gssntlm {
namespace {

char16_t unit_at(ByteView utf16le, std::size_t index) noexcept {
  return static_cast<char16_t>(load_le16(utf16le.data() + 2 * index));
}

void push_unit(Bytes& to, std::uint32_t unit) {
  to.push_back(static_cast<std::uint8_t>(unit));
  to.push_back(static_cast<std::uint8_t>(unit >> 8));
}

void push_code_point(Bytes& to, std::uint32_t cp) {
  if (cp < 0x10000) {
    push_unit(to, cp);
    return;
  }
  push_unit(to, 0xD7C0 + (cp >> 10));
  push_unit(to, 0xDC00 + (cp & 0x3FF));
}

bool is_ascii(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x80;
}
bool is_high_surrogate(std::uint32_t unit) noexcept {
  return (unit & 0xFC00) == 0xD800;
}
bool is_surrogate(std::uint32_t unit) noexcept {
  return (unit & 0xF800) == 0xD800;
}
bool is_low_surrogate(std::uint32_t unit) noexcept {
  return (unit & 0xFC00) == 0xDC00;
}
bool is_control(std::uint32_t cp) noexcept {
  return cp < 0x20 || (cp >= 0x7F && cp < 0xA0);
}

// Characters that reorder or hide text on a terminal or in a log.
bool is_deceptive(std::uint32_t cp) noexcept {
  return (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202E) ||
         (cp >= 0x2060 && cp <= 0x2069) || cp == 0xFEFF;
}

struct CodePoint {
  std::uint32_t value;
  std::size_t units;
  bool paired;  // false: an unpaired surrogate
};

CodePoint code_point_at(ByteView utf16le, std::size_t index) noexcept {
  const std::uint32_t unit = unit_at(utf16le, index);
  if (!is_surrogate(unit)) {
    return {unit, 1, true};
  }
  if (is_high_surrogate(unit) && 2 * index + 3 < utf16le.size()) {
    const std::uint32_t low = unit_at(utf16le, index + 1);
    if (is_low_surrogate(low)) {
      return {0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF), 2, true};
    }
  }
  return {unit, 1, false};
}

void push_escape(std::string& out, const char* format, unsigned value) {
  char text[12];
  std::snprintf(text, sizeof text, format, value);
  out += text;
}

void push_printable(std::string& out, std::uint32_t cp) {
  if (cp == '\\') {
    out += "\\\\";
  } else if (is_control(cp)) {
    push_escape(out, "\\x%02x", cp);
  } else if (is_deceptive(cp)) {
    push_escape(out, "\\u%04x", cp);
  } else {
    utf8::unchecked::append(cp, std::back_inserter(out));
  }
}

const char16_t* upper_half(CodePage page) noexcept {
  switch (page) {
    case CodePage::k850:
      return kCodePage850;
    case CodePage::k1252:
      return kCodePage1252;
    case CodePage::k437:
      break;
  }
  return kCodePage437;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

Result<Bytes> utf16le_from_utf8(std::string_view utf8_text) {
  const char* at = utf8_text.data();
  const char* end = at + utf8_text.size();
  const char* plain_end = std::find_if_not(at, end, is_ascii);
  Bytes out(utf8_text.size() * 2);
  std::uint8_t* to = out.data();
  for (; at != plain_end; to += 2) {
    *to = static_cast<std::uint8_t>(*at++);
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  while (at != end) {
    const char* next = utf8::find_invalid(at, end);
    if (next == at) {
      return Error{Major::kFailure, Minor::kBadText};
    }
    while (at != next) {
      push_code_point(out, utf8::unchecked::next(at));
    }
  }
  return out;
}

Result<std::string> utf8_from_utf16le(ByteView utf16le) {
  if (utf16le.size() % 2 != 0) {
    return defective(Minor::kBadString);
  }
  const std::size_t units = utf16le.size() / 2;
  std::string out(units, '\0');
  std::size_t i = 0;
  for (; i < units && unit_at(utf16le, i) < 0x80; ++i) {
    out[i] = static_cast<char>(utf16le[2 * i]);
  }
  out.resize(i);
  while (i < units) {
    const CodePoint c = code_point_at(utf16le, i);
    if (!c.paired) {
      return defective(Minor::kBadString);
    }
    utf8::unchecked::append(c.value, std::back_inserter(out));
    i += c.units;
  }
  return out;
}

bool is_same_ascii(std::string_view utf8, ByteView utf16le) noexcept {
  if (utf16le.size() != 2 * utf8.size()) {
    return false;
  }
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (!is_ascii(utf8[i]) || unit_at(utf16le, i) != static_cast<unsigned char>(utf8[i])) {
      return false;
    }
  }
  return true;
}

std::string printable_utf16le(ByteView utf16le, std::size_t limit) {
  std::string out;
  const std::size_t units = utf16le.size() / 2;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < units; ++shown) {
    if (shown == limit) {
      return out + "...";
    }
    const CodePoint c = code_point_at(utf16le, i);
    if (c.paired) {
      push_printable(out, c.value);
    } else {
      push_escape(out, "\\u%04x", c.value);
    }
    i += c.units;
  }
  if (utf16le.size() % 2 != 0) {
    push_escape(out, "\\x%02x", utf16le.back());
  }
  return out;
}

std::string printable_utf8(std::string_view text, std::size_t limit) {
  std::string out;
  const char* at = text.data();
  const char* end = at + text.size();
  const char* bad = utf8::find_invalid(at, end);
  for (std::size_t shown = 0; at != end; ++shown) {
    if (shown == limit) {
      return out + "...";
    }
    if (at != bad) {
      push_printable(out, utf8::unchecked::next(at));
    } else {
      push_escape(out, "\\x%02x", static_cast<unsigned char>(*at++));
      bad = utf8::find_invalid(at, end);
    }
  }
  return out;
}

std::string terminal_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const char* at = text.data();
  const char* end = at + text.size();
  const char* bad = utf8::find_invalid(at, end);
  while (at != end) {
    if (at == bad) {
      push_escape(out, "\\x%02x", static_cast<unsigned char>(*at++));
      bad = utf8::find_invalid(at, end);
    } else if (*at == '\n' || *at == '\t' || *at == '\\') {
      out.push_back(*at++);
    } else {
      push_printable(out, utf8::unchecked::next(at));
    }
  }
  return out;
}

char16_t upcase_unit(char16_t unit) noexcept {
  if (unit < 0x80) {
    return unit >= u'a' && unit <= u'z' ? static_cast<char16_t>(unit - 0x20) : unit;
  }
  const auto* it = std::upper_bound(std::begin(kUpcaseRuns), std::end(kUpcaseRuns), unit,
                                    [](char16_t u, const UpcaseRun& r) { return u < r.first; });
  if (it == std::begin(kUpcaseRuns)) {
    return unit;
  }
  --it;
  if (unit > it->last || (unit - it->first) % it->step != 0) {
    return unit;
  }
  return static_cast<char16_t>(unit + it->delta);
}

void upcase_utf16le(MutableBytes utf16le) noexcept {
  for (std::size_t i = 0; i + 1 < utf16le.size(); i += 2) {
    store_le16(&utf16le[i], upcase_unit(static_cast<char16_t>(load_le16(&utf16le[i]))));
  }
}

bool equal_ignoring_case(ByteView a, ByteView b) noexcept {
  if (a.size() != b.size() || a.size() % 2 != 0) {
    return false;
  }
  for (std::size_t i = 0; i < a.size() / 2; ++i) {
    if (upcase_unit(unit_at(a, i)) != upcase_unit(unit_at(b, i))) {
      return false;
    }
  }
  return true;
}

std::optional<Upn> split_upn(ByteView utf16le) noexcept {
  for (std::size_t at = utf16le.size() & ~std::size_t{1}; at > 2;) {
    at -= 2;
    if (load_le16(&utf16le[at]) == u'@') {
      const Upn upn{utf16le.first(at), utf16le.subspan(at + 2)};
      return upn.user.empty() || upn.realm.empty() ? std::nullopt : std::optional<Upn>(upn);
    }
  }
  return std::nullopt;
}

bool is_this_host(ByteView utf16le) noexcept {
  return utf16le.size() == 2 && load_le16(utf16le.data()) == u'.';
}

bool is_clean_name(ByteView utf16le) noexcept {
  if (utf16le.size() % 2 != 0) {
    return false;
  }
  for (std::size_t i = 0; i < utf16le.size() / 2; ++i) {
    if (is_control(unit_at(utf16le, i))) {
      return false;
    }
  }
  return true;
}

Result<Bytes> utf16le_from_oem(ByteView oem, CodePage page) {
  const char16_t* high = upper_half(page);
  Bytes out;
  out.reserve(oem.size() * 2);
  for (const std::uint8_t byte : oem) {
    const char16_t unit = byte < 0x80 ? byte : high[byte - 0x80];
    if (unit == 0 && byte != 0) {
      return defective(Minor::kBadString);
    }
    push_unit(out, unit);
  }
  return out;
}

Result<Bytes> oem_from_utf16le(ByteView utf16le, CodePage page) {
  const char16_t* high = upper_half(page);
  Bytes out;
  out.reserve(utf16le.size() / 2);
  for (std::size_t i = 0; i < utf16le.size() / 2; ++i) {
    const char16_t unit = unit_at(utf16le, i);
    if (unit < 0x80) {
      out.push_back(static_cast<std::uint8_t>(unit));
      continue;
    }
    const char16_t* it = std::find(high, high + 128, unit);
    if (it == high + 128) {
      return failure(Minor::kUnencodable);
    }
    out.push_back(static_cast<std::uint8_t>(0x80 + (it - high)));
  }
  return out;
}

Result<Bytes> bytes_from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) {
    return failure(Minor::kBadText);
  }
  Bytes out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) {
      return failure(Minor::kBadText);
    }
    out.push_back(static_cast<std::uint8_t>((high << 4) | low));
  }
  return out;
}

std::string hex_text(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

}  // namespace gssntlm
