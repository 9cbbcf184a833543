// Messages in lists of buffers, and with associated data [MS-NLMP] 3.4.6, 3.4.7, 3.4.8, 3.4.9.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "test/spi/iov.h"

namespace gssntlm::test {

TEST_CASE("wrap_iov: a message cut anywhere is the token that wrap makes", "[spi][iov]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    Pair p(mech);
    for (const int conf : {0, 1}) {
      for (std::size_t cut = 0; cut <= kText.size(); cut += 9) {
        List list;
        list.header().data(kText.substr(0, cut)).data(kText.substr(cut));
        list.add(GSS_IOV_BUFFER_TYPE_PADDING, "pp").add(GSS_IOV_BUFFER_TYPE_TRAILER, "tt");
        Iov iov = list.iov();
        int state = -1;
        REQUIRE(wrap_iov(p.initiator, iov, conf, &state).ok());
        CHECK(state == conf);
        CHECK((list.all(GSS_IOV_BUFFER_TYPE_DATA) == kText) == (conf == 0));
        CHECK(iov[3].buffer.length == 0);
        CHECK(iov[4].buffer.length == 0);
        std::string back;
        REQUIRE(unwrap(p.acceptor, tail(list), back).ok());
        CHECK(back == kText);

        std::string token;
        REQUIRE(wrap(p.acceptor, kText, token, conf).ok());
        List received;
        received.header().data(token.substr(16, cut)).data(token.substr(16 + cut));
        received.at(0) = token.substr(0, 16);
        Iov other = received.iov();
        REQUIRE(unwrap_iov(p.initiator, other, &state).ok());
        CHECK(state == conf);
        CHECK(received.all(GSS_IOV_BUFFER_TYPE_DATA) == kText);
      }
    }
  }
}

TEST_CASE("wrap_iov: SIGN_ONLY counts at its place and is left alone", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  // 40 pieces are more than are handled without an allocation.
  for (const int pieces : {1, 5, 8, 20}) {
    List list;
    for (int i = 0; i < pieces; ++i) {
      list.signs("sign" + std::to_string(i)).data("data" + std::to_string(i));
    }
    list.header();
    const std::string data = list.all(GSS_IOV_BUFFER_TYPE_DATA);
    const std::string signs = list.all(GSS_IOV_BUFFER_TYPE_SIGN_ONLY);
    Iov iov = list.iov();
    REQUIRE(wrap_iov(p.initiator, iov).ok());
    CHECK(list.all(GSS_IOV_BUFFER_TYPE_DATA) != data);
    CHECK(list.all(GSS_IOV_BUFFER_TYPE_SIGN_ONLY) == signs);

    List moved = list;
    std::swap(moved.at(0), moved.at(pieces > 1 ? 2 : 1));
    Iov wrong = moved.iov();
    CHECK(unwrap_iov(p.acceptor, wrong).major == GSS_S_BAD_SIG);
    REQUIRE(unwrap_iov(p.acceptor, iov).ok());
    CHECK(list.all(GSS_IOV_BUFFER_TYPE_DATA) == data);
    CHECK(list.all(GSS_IOV_BUFFER_TYPE_SIGN_ONLY) == signs);
  }
}

TEST_CASE("wrap_aead and unwrap_aead: the same as HEADER, SIGN_ONLY, DATA", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  std::string associated = "associated";
  std::string message = kText;
  for (const bool with : {true, false}) {
    gss_buffer_desc a = {associated.size(), associated.data()};
    gss_buffer_desc m = {message.size(), message.data()};
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    gss_buffer_t assoc = with ? &a : GSS_C_NO_BUFFER;
    OM_uint32 minor = 0;
    int state = 0;
    REQUIRE(gss_wrap_aead(&minor, p.initiator.context, 1, 0, assoc, &m, &state, &token) == 0);
    CHECK(state == 1);
    CHECK(token.length == message.size() + 16);
    List list;
    list.add(GSS_IOV_BUFFER_TYPE_STREAM,
             std::string(static_cast<const char*>(token.value), token.length));
    list.data("");
    if (with) {
      list.signs(associated);
    }
    Iov iov = list.iov();
    // Associated data precedes the message.
    CHECK(unwrap_iov(p.acceptor, iov).ok() == !with);
    if (with) {
      gss_buffer_desc back = GSS_C_EMPTY_BUFFER;
      REQUIRE(gss_unwrap_aead(&minor, p.acceptor.context, &token, assoc, &back, &state, nullptr) ==
              0);
      CHECK(std::string(static_cast<const char*>(back.value), back.length) == message);
      gss_release_buffer(&minor, &back);
    }
    gss_release_buffer(&minor, &token);
  }
  p.check_alive();
}

TEST_CASE("unwrap_iov: a stream is opened in place, or into memory of the caller's", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  for (const std::string& message : {std::string(), std::string("m"), kText}) {
    for (const bool allocate : {false, true}) {
      std::string token;
      REQUIRE(wrap(p.initiator, message, token).ok());
      const std::string sealed = token;
      const OM_uint32 flags = allocate ? GSS_IOV_BUFFER_FLAG_ALLOCATE : 0;
      Iov iov = {{GSS_IOV_BUFFER_TYPE_STREAM, {token.size(), token.data()}},
                 {GSS_IOV_BUFFER_TYPE_DATA | flags, {99, nullptr}}};
      int state = 0;
      REQUIRE(unwrap_iov(p.acceptor, iov, &state).ok());
      CHECK(state == 1);
      REQUIRE(iov[1].buffer.length == message.size());
      CHECK(std::string(static_cast<const char*>(iov[1].buffer.value), message.size()) == message);
      CHECK(((iov[1].type & GSS_IOV_BUFFER_FLAG_ALLOCATED) != 0) == allocate);
      // In place the clear text stands where the sealed was; a byte may be sealed to itself.
      CHECK(token == (allocate ? sealed : sealed.substr(0, 16) + message));
      if (!allocate) {
        CHECK(static_cast<void*>(token.data() + 16) == iov[1].buffer.value);
      }
      OM_uint32 minor = 0;
      gss_release_iov_buffer(&minor, iov.data(), 2);
    }
  }
}

TEST_CASE("get_mic_iov and verify_mic_iov: the MIC of the buffers' concatenation", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  for (const bool allocate : {false, true}) {
    List list;
    list.data("one").signs("two").data("").signs("three").mic();
    Iov iov = list.iov();
    if (allocate) {
      iov[4] = {GSS_IOV_BUFFER_TYPE_MIC_TOKEN | GSS_IOV_BUFFER_FLAG_ALLOCATE, {0, nullptr}};
    }
    OM_uint32 minor = 0;
    REQUIRE(gss_get_mic_iov(&minor, p.initiator.context, 0, iov.data(), 5) == 0);
    REQUIRE(iov[4].buffer.length == 16);
    const std::string mic(static_cast<const char*>(iov[4].buffer.value), 16);
    CHECK(list.all(GSS_IOV_BUFFER_TYPE_DATA) == "one");
    if (allocate) {
      CHECK(verify_mic(p.acceptor, "onetwothree", mic).ok());
    } else {
      CHECK(gss_verify_mic_iov(&minor, p.acceptor.context, nullptr, iov.data(), 5) == 0);
    }
    gss_release_iov_buffer(&minor, iov.data(), 5);
  }
  std::string mic;
  REQUIRE(get_mic(p.acceptor, "", mic).ok());
  Iov only = {{GSS_IOV_BUFFER_TYPE_MIC_TOKEN, {mic.size(), mic.data()}}};
  OM_uint32 minor = 0;
  CHECK(gss_verify_mic_iov(&minor, p.initiator.context, nullptr, only.data(), 1) == 0);
  p.check_alive();
}

TEST_CASE("lengths: 16 for HEADER and MIC_TOKEN, 0 for PADDING and TRAILER", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  OM_uint32 minor = 0;
  int state = -1;
  Iov iov = {{GSS_IOV_BUFFER_TYPE_HEADER, {7, nullptr}},
             {GSS_IOV_BUFFER_TYPE_DATA, {1000, nullptr}},
             {GSS_IOV_BUFFER_TYPE_PADDING, {7, nullptr}},
             {GSS_IOV_BUFFER_TYPE_TRAILER, {7, nullptr}}};
  REQUIRE(gss_wrap_iov_length(&minor, p.initiator.context, 1, 0, &state, iov.data(), 4) == 0);
  CHECK(state == 1);
  CHECK(iov[0].buffer.length == 16);
  CHECK(iov[1].buffer.length == 1000);
  CHECK(iov[2].buffer.length == 0);
  CHECK(iov[3].buffer.length == 0);
  Iov mic = {{GSS_IOV_BUFFER_TYPE_MIC_TOKEN, {0, nullptr}}};
  REQUIRE(gss_get_mic_iov_length(&minor, p.initiator.context, 0, mic.data(), 1) == 0);
  CHECK(mic[0].buffer.length == 16);
  CHECK(gss_wrap_iov_length(&minor, p.initiator.context, 1, 1, nullptr, iov.data(), 4) ==
        GSS_S_BAD_QOP);
  p.check_alive();
}

}  // namespace gssntlm::test
