#include "mech/base/text.h"

#include "test/support/catch.h"

namespace gssntlm {
namespace {

TEST_CASE("text: UTF-8 goes to UTF-16LE and back", "[text]") {
  const std::string text = "user \xc3\xbc\xf0\x9f\x98\x80";
  const Result<Bytes> wide = utf16le_from_utf8(text);
  REQUIRE(wide);
  CHECK(wide->size() == 2 * 8);
  const Result<std::string> back = utf8_from_utf16le(*wide);
  REQUIRE(back);
  CHECK(*back == text);
}

TEST_CASE("text: malformed UTF-8 is refused", "[text]") {
  for (const char* bad : {"\x80", "a\xc3", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc0\xaf"}) {
    CAPTURE(bad);
    CHECK_FALSE(utf16le_from_utf8(bad));
  }
}

TEST_CASE("text: a UPN is divided at its last @, and has both parts", "[text]") {
  const auto wide = [](const char* text) { return *utf16le_from_utf8(text); };
  const Bytes upn = wide("a@b@realm");
  const std::optional<Upn> parts = split_upn(upn);
  REQUIRE(parts);
  CHECK(same_bytes(parts->user, wide("a@b")));
  CHECK(same_bytes(parts->realm, wide("realm")));
  // The second has an @ between its bytes only: U+4000 U+0040 read one byte off.
  for (const char* text : {"", "user", "@", "@realm", "user@", "a@b@", "\xe4\x80\x80x"}) {
    CAPTURE(text);
    CHECK_FALSE(split_upn(wide(text)));
  }
  Bytes odd = wide("a@b");
  odd.push_back('@');
  CHECK(split_upn(odd));
  CHECK(is_this_host(wide(".")));
  for (const char* text : {"", "..", "x"}) {
    CHECK_FALSE(is_this_host(wide(text)));
  }
}

TEST_CASE("text: what a person sees holds no control characters", "[text]") {
  CHECK(printable_utf8("a\nAUDIT ok\x1b[31m") == "a\\x0aAUDIT ok\\x1b[31m");
  CHECK(printable_utf8("a\xff") == "a\\xff");
  CHECK(printable_utf8(std::string(300, 'x')).size() == 256 + 3);
}

}  // namespace
}  // namespace gssntlm
