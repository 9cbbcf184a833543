// NEGOTIATE_MESSAGE [MS-NLMP] 2.2.1.1.
#include "mech/wire/negotiate.h"

#include "test/support/catch.h"
#include "test/support/hex.h"

namespace gssntlm {
namespace {

using test::hex;
using test::unhex;

constexpr const char* kPrefix = "4e544c4d5353500001000000";

TEST_CASE("negotiate: names that lie over their own fields are read", "[wire]") {
  // Heimdal 7 lets the domain start at 24, where the workstation's field is.
  const Bytes token =
      unhex(std::string(kPrefix) + "01920840" + "0800080018000000" + "0000000000000000");
  const Result<NegotiateMessage> m = decode_negotiate(token);
  REQUIRE(m);
  CHECK(hex(m->domain) == "0000000000000000");
  CHECK(m->workstation.empty());
}

TEST_CASE("negotiate: names outside the message are refused", "[wire]") {
  const std::string flags = "01320840";
  for (const char* fields : {"0800080019000000"
                             "0000000000000000",
                             "0000000000000000"
                             "0100010020000000",
                             "ffffffffffffffff"
                             "0000000000000000",
                             "0800080008000000"
                             "0000000000000000"}) {
    const Result<NegotiateMessage> m = decode_negotiate(unhex(kPrefix + flags + fields));
    CAPTURE(fields);
    REQUIRE_FALSE(m);
    CHECK(m.error().major == Major::kDefectiveToken);
    CHECK(m.error().minor == Minor::kFieldOutOfBounds);
  }
}

TEST_CASE("negotiate: a charset is asked for apart from decoding", "[wire]") {
  const Result<NegotiateMessage> m = decode_negotiate(unhex(std::string(kPrefix) + "00820800"));
  REQUIRE(m);
  CHECK(check_charset(m->flags).error().minor == Minor::kCharset);
  CHECK_FALSE(check_charset(m->flags));
  CHECK(check_charset(m->flags | flag::kUnicode));
  CHECK(check_charset(m->flags | flag::kOem));
}

}  // namespace
}  // namespace gssntlm
