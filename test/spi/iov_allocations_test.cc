// Lists of buffers cost no allocation.
#include <cstddef>

#include "test/spi/iov.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

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

namespace gssntlm::test {

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

}  // namespace gssntlm::test

#endif
