// Messages in lists of buffers, and with associated data [MS-NLMP] 3.4.6, 3.4.7, 3.4.8, 3.4.9.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 1
namespace {
std::size_t g_allocations = 0;
}
extern "C" {
void* __libc_malloc(std::size_t size);
void* malloc(std::size_t size) {
  ++g_allocations;
  return __libc_malloc(size);
}
}
#endif

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";

// A list of buffers that owns its bytes.
class List {
 public:
  List& add(OM_uint32 type, std::string bytes) {
    bytes_.push_back(std::move(bytes));
    types_.push_back(type);
    return *this;
  }
  List& header() { return add(GSS_IOV_BUFFER_TYPE_HEADER, std::string(16, '?')); }
  List& data(std::string bytes) { return add(GSS_IOV_BUFFER_TYPE_DATA, std::move(bytes)); }
  List& signs(std::string bytes) { return add(GSS_IOV_BUFFER_TYPE_SIGN_ONLY, std::move(bytes)); }
  List& mic() { return add(GSS_IOV_BUFFER_TYPE_MIC_TOKEN, std::string(16, '?')); }
  std::vector<gss_iov_buffer_desc> iov() {
    std::vector<gss_iov_buffer_desc> out;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      out.push_back({types_[i], {bytes_[i].size(), bytes_[i].data()}});
    }
    return out;
  }
  [[nodiscard]] std::string all(OM_uint32 type) const {
    std::string out;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      out += types_[i] == type ? bytes_[i] : std::string();
    }
    return out;
  }
  std::string& at(std::size_t i) { return bytes_[i]; }

 private:
  std::vector<std::string> bytes_;
  std::vector<OM_uint32> types_;
};

using Iov = std::vector<gss_iov_buffer_desc>;

Outcome wrap_iov(End& end, Iov& iov, int conf = 1, int* state = nullptr) {
  Outcome o;
  o.major = gss_wrap_iov(&o.minor, end.context, conf, GSS_C_QOP_DEFAULT, state, iov.data(),
                         static_cast<int>(iov.size()));
  return o;
}
Outcome unwrap_iov(End& end, Iov& iov, int* state = nullptr) {
  Outcome o;
  o.major = gss_unwrap_iov(&o.minor, end.context, state, nullptr, iov.data(),
                           static_cast<int>(iov.size()));
  return o;
}

struct Pair {
  explicit Pair(gss_OID mech, OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG) {
    Exchange x;
    x.mech = mech;
    x.flags = flags;
    REQUIRE(run(x, initiator, acceptor));
  }
  // Neither side lost its place.
  void check_alive() {
    std::string token;
    std::string back;
    REQUIRE(wrap(initiator, "still here", token).ok());
    REQUIRE(unwrap(acceptor, token, back).ok());
    CHECK(back == "still here");
  }
  End initiator;
  End acceptor;
};

std::string tail(const List& list) {
  return list.all(GSS_IOV_BUFFER_TYPE_HEADER) + list.all(GSS_IOV_BUFFER_TYPE_DATA);
}

const std::string kText =
    "The quick brown fox jumps over the lazy dog, twice in a row: 0123456789.";

}  // namespace

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

#ifdef COUNTS_ALLOCATIONS
TEST_CASE("iov: up to 16 buffers are protected and opened without an allocation", "[spi][iov]") {
  const Workshop workshop(kUsers);
  Pair p(&kNtlm);
  p.check_alive();
  List list;
  list.header();
  for (int i = 0; i < 8; ++i) {
    list.data(kText).signs(kText);
  }
  Iov iov = list.iov();
  Iov stream = {{GSS_IOV_BUFFER_TYPE_STREAM, {0, nullptr}}, {GSS_IOV_BUFFER_TYPE_DATA, {}}};
  Iov mic = {{GSS_IOV_BUFFER_TYPE_DATA, iov[1].buffer},
             {GSS_IOV_BUFFER_TYPE_MIC_TOKEN, iov[0].buffer}};
  OM_uint32 minor = 0;
  std::string token;
  REQUIRE(wrap(p.initiator, kText, token).ok());
  stream[0].buffer = {token.size(), token.data()};
  const std::size_t before = g_allocations;
  bool good = unwrap_iov(p.acceptor, stream).ok();
  for (int i = 0; i < 10; ++i) {
    good = good && wrap_iov(p.initiator, iov).ok() && unwrap_iov(p.acceptor, iov).ok() &&
           gss_get_mic_iov(&minor, p.initiator.context, 0, mic.data(), 2) == 0 &&
           gss_verify_mic_iov(&minor, p.acceptor.context, nullptr, mic.data(), 2) == 0;
  }
  const std::size_t after = g_allocations;
  CHECK(good);
  CHECK(after == before);
  CHECK(list.all(GSS_IOV_BUFFER_TYPE_DATA).substr(0, kText.size()) == kText);
}
#endif

}  // namespace gssntlm::test
