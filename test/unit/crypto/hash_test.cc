// MD5 and HMAC-MD5 against Nettle's.
#include "test/support/catch.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>

#include "mech/crypto/primitives.h"

using namespace gssntlm;

namespace {

Bytes message_of(std::size_t size) {
  Bytes message(size);
  std::uint32_t x = 1;
  for (std::uint8_t& byte : message) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(x >> 24);
  }
  return message;
}

Digest md5_by_nettle(ByteView data) {
  Digest digest;
  md5_ctx ctx;
  md5_init(&ctx);
  md5_update(&ctx, data.size(), data.data());
  md5_digest(&ctx, digest.size(), digest.data());
  return digest;
}

Digest hmac_by_nettle(ByteView key, ByteView data) {
  Digest digest;
  hmac_md5_ctx ctx;
  hmac_md5_set_key(&ctx, key.size(), key.data());
  hmac_md5_update(&ctx, data.size(), data.data());
  hmac_md5_digest(&ctx, digest.size(), digest.data());
  return digest;
}

// Every length up to seventeen blocks and a bit, then lengths of all remainders.
template <typename Check>
void for_lengths(const Bytes& message, Check check) {
  constexpr std::size_t kEach = 1100;
  constexpr std::size_t kStep = 61;
  for (std::size_t size = 0; size <= message.size(); size += size < kEach ? 1 : kStep) {
    CAPTURE(size);
    check(ByteView(message).first(size));
  }
}

}  // namespace

TEST_CASE("hash: MD5 equals Nettle's for all lengths") {
  for_lengths(message_of(70'000), [](ByteView data) {
    Digest digest;
    hash_md5({data}, digest);
    REQUIRE(digest == md5_by_nettle(data));
  });
}

TEST_CASE("hash: HMAC-MD5 equals Nettle's for all lengths, with one key for many messages") {
  const Bytes key = message_of(16);
  const HmacMd5 hmac(std::span<const std::uint8_t, 16>(key.data(), 16));
  for_lengths(message_of(70'000), [&](ByteView data) {
    Digest digest;
    hmac.mac({data}, digest);
    REQUIRE(digest == hmac_by_nettle(key, data));
  });
}

TEST_CASE("hash: pieces of a message, empty ones too, hash as the whole") {
  const Bytes message = message_of(200);
  const Digest whole = md5_by_nettle(message);
  for (std::size_t first = 0; first <= message.size(); ++first) {
    for (std::size_t second = first; second <= message.size(); second += 7) {
      CAPTURE(first, second);
      const ByteView view(message);
      Digest digest;
      hash_md5({view.first(first), view.subspan(first, second - first), {}, view.subspan(second)},
               digest);
      REQUIRE(digest == whole);
    }
  }
}

TEST_CASE("hash: an HMAC that was moved has no key left") {
  const Bytes key = message_of(16);
  HmacMd5 from(std::span<const std::uint8_t, 16>(key.data(), 16));
  const HmacMd5 to(std::move(from));
  Digest digest;
  to.mac({ByteView(key)}, digest);
  CHECK(digest == hmac_by_nettle(key, key));
  Digest left;
  from.mac({ByteView(key)}, left);  // NOLINT: what is left is what is looked at
  CHECK(left != digest);
}
