// Text of any bytes, in any locale.
#include <rapidcheck.h>

#include <clocale>
#include <cstdlib>
#include <cwctype>

#include "mech/base/text.h"
#include "mech/crypto/primitives.h"
#include "test/support/catch.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using test::hex;
using test::unhex;
using test::wide;

TEST_CASE("text: UTF-16LE of odd size or with unpaired surrogates has no UTF-8", "[text]") {
  for (const char* bad : {"41", "410042", "00d8", "00dc", "00d84100", "410000d8", "00dc00d8",
                          "00d800d800dc", "00d800"}) {
    const Result<std::string> text = utf8_from_utf16le(unhex(bad));
    CAPTURE(bad);
    REQUIRE_FALSE(text);
    CHECK(text.error().minor == Minor::kBadString);
  }
}

TEST_CASE("text: overlong, surrogate and too large UTF-8 is refused everywhere in a text",
          "[text]") {
  for (const std::string bad :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff", "\x80", "\xc3",
        "\xe2\x82", "\xf0\x9f\x98"}) {
    for (const std::string& text : {bad, "a" + bad, bad + "a", "\xc3\xbc" + bad + "\xc3\xbc"}) {
      const Result<Bytes> utf16 = utf16le_from_utf8(text);
      CAPTURE(hex(as_bytes(text)));
      REQUIRE_FALSE(utf16);
      CHECK(utf16.error().minor == Minor::kBadText);
    }
  }
}

TEST_CASE("text: every code point survives both ways", "[text]") {
  std::size_t wrong = 0;
  for (std::uint32_t cp = 0; cp < 0x110000; cp += cp < 0x3000 ? 1 : 7) {
    if (cp >= 0xD800 && cp < 0xE000) {
      continue;
    }
    Bytes units;
    const std::uint32_t high = cp < 0x10000 ? cp : 0xD800 + ((cp - 0x10000) >> 10);
    units.push_back(static_cast<std::uint8_t>(high));
    units.push_back(static_cast<std::uint8_t>(high >> 8));
    if (cp >= 0x10000) {
      const std::uint32_t low = 0xDC00 + ((cp - 0x10000) & 0x3FF);
      units.push_back(static_cast<std::uint8_t>(low));
      units.push_back(static_cast<std::uint8_t>(low >> 8));
    }
    const Result<std::string> utf8 = utf8_from_utf16le(units);
    const Result<Bytes> back = utf8 ? utf16le_from_utf8(*utf8) : Result<Bytes>(utf8.error());
    wrong += back && *back == units ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("text: no bytes at all trouble a conversion", "[text]") {
  CHECK(rc::check([] {
    const auto bytes = *rc::gen::arbitrary<Bytes>();
    const Buffer exact = Buffer::copy_of(bytes);
    if (const Result<Bytes> utf16 = utf16le_from_utf8(as_text(exact.view()))) {
      RC_ASSERT(test::narrow(*utf16) == as_text(bytes));
    }
    if (const Result<std::string> utf8 = utf8_from_utf16le(exact.view())) {
      RC_ASSERT(wide(*utf8) == bytes);
    }
    for (const std::string& shown :
         {printable_utf8(as_text(exact.view())), printable_utf16le(exact.view())}) {
      RC_ASSERT(utf16le_from_utf8(shown).ok());
      RC_ASSERT(is_clean_name(wide(shown)));
    }
    (void)is_clean_name(exact.view());
  }));
}

TEST_CASE("text: a clean name has even size, no NUL and no control characters", "[text]") {
  CHECK(is_clean_name({}));
  CHECK(is_clean_name(wide("J\xc3\xb6rg O'Neill-\xe2\x82\xac")));
  CHECK_FALSE(is_clean_name(unhex("41")));
  CHECK_FALSE(is_clean_name(unhex("410042")));
  for (unsigned unit = 0; unit < 0x10000; ++unit) {
    Bytes name = wide("ab");
    name.insert(name.begin() + 2,
                {static_cast<std::uint8_t>(unit), static_cast<std::uint8_t>(unit >> 8)});
    const bool control = unit < 0x20 || (unit >= 0x7F && unit < 0xA0);
    if (is_clean_name(name) == control) {
      CAPTURE(unit);
      CHECK(is_clean_name(name) != control);
    }
  }
}

TEST_CASE("text: names of many sizes are converted whole", "[text]") {
  for (const std::size_t size : {0u, 1u, 255u, 256u, 511u, 512u, 1023u, 1024u, 32767u, 65536u}) {
    const std::string text(size, 'x');
    const Result<Bytes> utf16 = utf16le_from_utf8(text);
    CAPTURE(size);
    REQUIRE(utf16);
    CHECK(utf16->size() == 2 * size);
    CHECK(test::narrow(*utf16) == text);
    CHECK(printable_utf8(text).size() == (size > 256 ? 259 : size));
    Bytes upper = *utf16;
    upcase_utf16le(upper);
    CHECK(upper == wide(std::string(size, 'X')));
    CHECK(equal_ignoring_case(upper, *utf16));
  }
}

TEST_CASE("text: OEM bytes come back as they were", "[text]") {
  for (const CodePage page : {CodePage::k437, CodePage::k850, CodePage::k1252}) {
    std::size_t undefined = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const Bytes oem = {static_cast<std::uint8_t>(byte)};
      const Result<Bytes> utf16 = utf16le_from_oem(oem, page);
      if (!utf16) {
        CHECK(utf16.error().minor == Minor::kBadString);
        ++undefined;
        continue;
      }
      const Result<Bytes> back = oem_from_utf16le(*utf16, page);
      REQUIRE(back);
      CHECK(*back == oem);
    }
    CAPTURE(static_cast<unsigned>(page));
    CHECK(undefined == (page == CodePage::k1252 ? 5 : 0));
    CHECK(oem_from_utf16le(wide("\xd0\x96"), page).error().minor == Minor::kUnencodable);
  }
}

TEST_CASE("text: hexadecimal digits are of either case and even in number", "[text]") {
  CHECK(*bytes_from_hex("00fFAb") == unhex("00ffab"));
  CHECK(bytes_from_hex("")->empty());
  for (const char* bad : {"0", "0g", " 0", "0x", "00f", "\xc3\xbc", "+1", "-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(bytes_from_hex(bad));
  }
}

TEST_CASE("text: the locale that was asked for is in force", "[text][locale]") {
  const char* wanted = std::getenv("GSSNTLM_TEST_LOCALE");
  if (wanted == nullptr) {
    return;
  }
  CHECK(std::string(std::setlocale(LC_ALL, nullptr)) == wanted);
  if (std::string(wanted).compare(0, 2, "tr") == 0) {
    CHECK(std::towupper(L'i') == 0x130);
  }
}

TEST_CASE("text: no locale changes what comes out", "[text][locale]") {
  Bytes all;
  for (unsigned unit = 0; unit < 0x10000; ++unit) {
    append(all, std::array{static_cast<std::uint8_t>(unit), static_cast<std::uint8_t>(unit >> 8)});
  }
  upcase_utf16le(all);
  Digest digest;
  hash_md5({all}, digest);
  CHECK(hex(digest) == "7ff498a44e45e77374cc7c962b1b92f2");
  Bytes turkish = wide("\xc4\xb1i\xc4\xb0I");  // dotless and dotted, small and capital
  upcase_utf16le(turkish);
  CHECK(turkish == wide("\xc4\xb1I\xc4\xb0I"));
  CHECK(equal_ignoring_case(wide("admin"), wide("ADMIN")));
  CHECK_FALSE(equal_ignoring_case(wide("adm\xc4\xb1n"), wide("admin")));
  Bytes german = wide(
      "stra\xc3\x9f"
      "e");
  upcase_utf16le(german);
  CHECK(german == wide("STRA\xc3\x9f"
                       "E"));
  CHECK(printable_utf8("\x01\xff\xe2\x80\xae") == "\\x01\\xff\\u202e");
  CHECK(*bytes_from_hex("FFff") == unhex("ffff"));
}

}  // namespace
}  // namespace gssntlm
