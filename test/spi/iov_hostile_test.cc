// Lists of buffers and messages that are wrong: nothing is handed out, and the context goes on.
#include <algorithm>
#include <cstring>
#include <functional>

#include "test/spi/iov.h"

namespace gssntlm::test {

TEST_CASE("unwrap_iov: a forged message is refused, nothing is handed out, the context goes on",
          "[spi][iov]") {
  const Workshop workshop(kUsers);
  for (const auto flags :
       {OM_uint32{GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG}, OM_uint32{GSS_C_INTEG_FLAG}}) {
    Pair p(&kNtlm, flags);
    std::string token;
    REQUIRE(wrap(p.initiator, kText, token).ok());
    for (std::size_t at = 0; at < token.size(); ++at) {
      std::string forged = token;
      forged[at] = static_cast<char>(forged[at] ^ 0x10);
      const std::string before = forged;
      Iov in_place = {{GSS_IOV_BUFFER_TYPE_STREAM, {forged.size(), forged.data()}},
                      {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}}};
      CHECK(GSS_ROUTINE_ERROR(unwrap_iov(p.acceptor, in_place).major) == GSS_S_BAD_SIG);
      CHECK(forged == before);
      CHECK(in_place[1].buffer.value == nullptr);
      Iov copied = {{GSS_IOV_BUFFER_TYPE_STREAM, {forged.size(), forged.data()}},
                    {GSS_IOV_BUFFER_TYPE_DATA | GSS_IOV_BUFFER_FLAG_ALLOCATE, {0, nullptr}}};
      CHECK(GSS_ROUTINE_ERROR(unwrap_iov(p.acceptor, copied).major) == GSS_S_BAD_SIG);
      CHECK(copied[1].buffer.value == nullptr);
      CHECK((copied[1].type & GSS_IOV_BUFFER_FLAG_ALLOCATED) == 0);
    }
    std::string back;
    REQUIRE(unwrap(p.acceptor, token, back).ok());
    CHECK(back == kText);
    p.check_alive();
  }
}

TEST_CASE("iov: lists that make no sense are refused and change nothing", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  constexpr OM_uint32 kHeader = GSS_IOV_BUFFER_TYPE_HEADER;
  constexpr OM_uint32 kData = GSS_IOV_BUFFER_TYPE_DATA;
  constexpr OM_uint32 kStream = GSS_IOV_BUFFER_TYPE_STREAM;
  constexpr OM_uint32 kMic = GSS_IOV_BUFFER_TYPE_MIC_TOKEN;
  std::string room(64, 'r');
  const auto at = [&room](OM_uint32 type, std::size_t offset, std::size_t size) {
    return gss_iov_buffer_desc{type, {size, room.data() + offset}};
  };
  const std::vector<Iov> for_all = {
      {at(kData, 16, 8)},                                           // no HEADER, STREAM or MIC
      {at(kHeader, 0, 16), at(kHeader, 16, 16), at(kData, 32, 8)},  // two HEADERs
      {at(kHeader, 0, 16)},                                         // no DATA
      {at(kHeader, 0, 15), at(kData, 16, 8)},                       // short HEADER
      {at(kHeader, 0, 0), at(kData, 16, 8)},                        // empty HEADER
      {{kHeader, {16, nullptr}}, at(kData, 16, 8)},                 // HEADER nowhere
      {at(kHeader, 0, 16), {kData, {8, nullptr}}},                  // DATA nowhere
      {at(kHeader, 0, 16), at(kData, 16, 8), at(kStream, 24, 30)},  // STREAM too
      {at(kHeader, 0, 16), at(kData, 16, 8), at(kMic, 24, 16)},     // MIC_TOKEN too
      {at(kHeader, 0, 16), at(kData, 16, 8), at(77, 24, 16)},       // unknown type
      {at(kStream, 0, 32), at(kStream, 32, 32), at(kData, 0, 0)},   // two STREAMs
      {at(kStream, 0, 32), at(kData, 0, 0), at(kData, 0, 0)},       // STREAM, two DATA
      {at(kStream, 0, 32)},                                         // STREAM, no DATA
      {at(kStream, 0, 15), at(kData, 0, 0)},                        // short STREAM
      {at(kMic, 0, 15), at(kData, 16, 8)},                          // short MIC_TOKEN
      {at(kMic, 0, 16), at(kMic, 16, 16)},                          // two MIC_TOKENs
      {{kMic, {16, nullptr}}},                                      // MIC_TOKEN nowhere
      {at(GSS_IOV_BUFFER_TYPE_PADDING, 0, 0), at(GSS_IOV_BUFFER_TYPE_PADDING, 0, 0),
       at(kHeader, 0, 16), at(kData, 16, 8)},  // two PADDINGs
  };
  for (std::size_t i = 0; i < for_all.size(); ++i) {
    CAPTURE(i);
    Iov iov = for_all[i];
    const auto count = static_cast<int>(iov.size());
    OM_uint32 minor = 0;
    const std::string before = room;
    CHECK(wrap_iov(p.initiator, iov).major == GSS_S_FAILURE);
    CHECK(GSS_ERROR(gss_get_mic_iov(&minor, p.initiator.context, 0, iov.data(), count)));
    CHECK(GSS_ERROR(unwrap_iov(p.acceptor, iov).major));
    CHECK(GSS_ERROR(gss_verify_mic_iov(&minor, p.acceptor.context, nullptr, iov.data(), count)));
    CHECK(room == before);
    p.check_alive();
  }
  OM_uint32 minor = 0;
  Iov good = {at(kHeader, 0, 16), at(kData, 16, 8)};
  CHECK(GSS_ERROR(gss_wrap_iov(&minor, p.initiator.context, 1, 0, nullptr, good.data(), 0)));
  CHECK(GSS_ERROR(gss_wrap_iov(&minor, p.initiator.context, 1, 0, nullptr, good.data(), -1)));
  CHECK(GSS_ERROR(gss_wrap_iov(&minor, p.initiator.context, 1, 7, nullptr, good.data(), 2)));
  // Filled PADDING would be bytes that nothing covers.
  REQUIRE(wrap_iov(p.initiator, good).ok());
  good.push_back(at(GSS_IOV_BUFFER_TYPE_PADDING, 24, 8));
  CHECK(unwrap_iov(p.acceptor, good).major == GSS_S_DEFECTIVE_TOKEN);
  good.pop_back();
  CHECK(unwrap_iov(p.acceptor, good).ok());
  p.check_alive();
}

TEST_CASE("iov: overlapping buffers damage no other message", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  std::string token;
  REQUIRE(wrap(p.initiator, kText, token).ok());
  const std::string sealed = token;
  // The associated data lies in the stream that is being opened.
  Iov iov = {{GSS_IOV_BUFFER_TYPE_STREAM, {token.size(), token.data()}},
             {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}},
             {GSS_IOV_BUFFER_TYPE_SIGN_ONLY, {20, token.data() + 10}}};
  CHECK(unwrap_iov(p.acceptor, iov).major == GSS_S_BAD_SIG);
  CHECK(token == sealed);
  // Two DATA that share bytes, and a HEADER inside one.
  Iov shared = {{GSS_IOV_BUFFER_TYPE_HEADER, {16, token.data()}},
                {GSS_IOV_BUFFER_TYPE_DATA, {30, token.data() + 8}},
                {GSS_IOV_BUFFER_TYPE_DATA, {30, token.data() + 20}}};
  CHECK(unwrap_iov(p.acceptor, shared).major == GSS_S_BAD_SIG);
  CHECK(token == sealed);
  std::string back;
  REQUIRE(unwrap(p.acceptor, token, back).ok());
  CHECK(back == kText);
  p.check_alive();
}

TEST_CASE("signatures of every length below 16 are refused by all that verify", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  std::string token;
  std::string back;
  REQUIRE(wrap(p.initiator, "", token).ok());
  for (std::size_t size = 0; size < 16; ++size) {
    CAPTURE(size);
    // On the heap and of that size exactly, so that a byte too many is seen by ASan.
    std::vector<char> cut(token.begin(), token.begin() + static_cast<std::ptrdiff_t>(size));
    const auto is_refused = [](OM_uint32 major) {
      return major == GSS_S_DEFECTIVE_TOKEN || GSS_CALLING_ERROR(major) != 0;
    };
    CHECK(is_refused(unwrap(p.acceptor, std::string(cut.data(), size), back).major));
    CHECK(is_refused(verify_mic(p.acceptor, "", std::string(cut.data(), size)).major));
    Iov list = {{GSS_IOV_BUFFER_TYPE_HEADER, {size, cut.data()}},
                {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}}};
    CHECK(is_refused(unwrap_iov(p.acceptor, list).major));
    Iov stream = {{GSS_IOV_BUFFER_TYPE_STREAM, {size, cut.data()}},
                  {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}}};
    CHECK(GSS_ERROR(unwrap_iov(p.acceptor, stream).major));
    Iov mic = {{GSS_IOV_BUFFER_TYPE_MIC_TOKEN, {size, cut.data()}}};
    OM_uint32 minor = 0;
    CHECK(GSS_ERROR(gss_verify_mic_iov(&minor, p.acceptor.context, nullptr, mic.data(), 1)));
  }
  CHECK(unwrap(p.acceptor, token, back).ok());
}

}  // namespace gssntlm::test
