// Messages that are sealed, and messages that are signed only.
#include "test/spi/iov.h"

namespace gssntlm::test {

TEST_CASE("conf_req: decides between ends that both tell, and for DCE", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm, GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_DCE_STYLE);
  std::string token;
  REQUIRE(wrap(p.acceptor, kText, token, 0).ok());
  CHECK(token.substr(16) == kText);
  gss_buffer_desc in = {token.size(), token.data()};
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  int state = -1;
  REQUIRE(gss_unwrap(&minor, p.initiator.context, &in, &out, &state, nullptr) == 0);
  CHECK(state == 0);
  gss_release_buffer(&minor, &out);
  REQUIRE(wrap(p.initiator, kText, token, 1).ok());
  CHECK(token.substr(16) != kText);
}

TEST_CASE("conf_req: sealed and signed messages may come in any order, and forged between",
          "[spi]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm, GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG);
  const auto open = [&](std::string token, std::string& text, int& state) {
    gss_buffer_desc in = {token.size(), token.data()};
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    const OM_uint32 major = gss_unwrap(&minor, p.acceptor.context, &in, &out, &state, nullptr);
    text.assign(static_cast<const char*>(out.value), out.length);
    gss_release_buffer(&minor, &out);
    return major;
  };
  const std::string orders = "00101100011010";
  for (const std::size_t size : {0u, 16u, 1000u, 0u}) {
    const std::string message(size, 'm');
    for (const char conf : orders) {
      CAPTURE(size, conf);
      std::string token;
      std::string text;
      int state = -1;
      REQUIRE(wrap(p.initiator, message, token, conf - '0').ok());
      std::string forged = token;
      forged[size == 0 ? 5 : forged.size() - 1] ^= 1;
      CHECK(open(forged, text, state) == GSS_S_BAD_SIG);
      CHECK(text.empty());
      REQUIRE(open(token, text, state) == GSS_S_COMPLETE);
      CHECK(text == message);
      CHECK(state == (size == 0 ? 1 : conf - '0'));
      CHECK(open(token, text, state) == (GSS_S_BAD_SIG | GSS_S_DUPLICATE_TOKEN));
    }
  }
}

}  // namespace gssntlm::test
