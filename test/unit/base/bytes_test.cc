// Reader, Writer, Buffer and secrets: the promises their callers lean on.
#include "mech/base/bytes.h"

#include <cstdlib>
#include <limits>

#include "mech/base/secret.h"
#include "mech/crypto/primitives.h"
#include "test/support/catch.h"
#include "test/support/hex.h"

namespace gssntlm {
namespace {

using test::hex;
using test::unhex;

TEST_CASE("bytes: what fits cannot wrap around", "[bytes]") {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  CHECK(fits(10, 0, 10));
  CHECK(fits(10, 10, 0));
  CHECK(fits(0, 0, 0));
  CHECK_FALSE(fits(10, 1, 10));
  CHECK_FALSE(fits(10, 11, 0));
  CHECK_FALSE(fits(10, kMost, 1));
  CHECK_FALSE(fits(10, kMost - 4, 5));
  CHECK_FALSE(fits(10, 1, kMost));
  CHECK(fits(kMost, kMost, 0));
}

TEST_CASE("bytes: one bit that is set anywhere is not zero", "[bytes]") {
  CHECK(is_zero({}));
  Bytes bytes(5);
  CHECK(is_zero(bytes));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<std::uint8_t>(1U << (bit % 8));
    CHECK_FALSE(is_zero(bytes));
    bytes[bit / 8] = 0;
  }
}

TEST_CASE("reader: values are little-endian", "[bytes]") {
  const Bytes bytes = unhex(
      "01"
      "0203"
      "04050607"
      "08090a0b0c0d0e0f");
  Reader r(bytes);
  CHECK(r.u8() == 0x01);
  CHECK(r.u16() == 0x0302);
  CHECK(r.u32() == 0x07060504);
  CHECK(r.u64() == 0x0f0e0d0c0b0a0908);
  CHECK(r.at_end());
}

TEST_CASE("reader: a read past the end yields zeros, and nothing is read after it", "[bytes]") {
  const Bytes bytes = unhex("ffffff");
  Reader r(bytes);
  CHECK(r.u32() == 0);
  CHECK_FALSE(r.ok());
  CHECK(r.u8() == 0);
  CHECK(r.take(0).empty());
  std::array<std::uint8_t, 2> out = {7, 7};
  r.copy(out);
  CHECK(hex(out) == "0000");
  CHECK_FALSE(r.at_end());
}

TEST_CASE("reader: the end is reached only when all was read", "[bytes]") {
  const Bytes bytes = unhex("0102");
  Reader r(bytes);
  r.skip(1);
  CHECK_FALSE(r.at_end());
  CHECK(r.remaining() == 1);
  r.skip(1);
  CHECK(r.at_end());
  r.skip(std::numeric_limits<std::size_t>::max());
  CHECK_FALSE(r.ok());
}

TEST_CASE("writer: what was said is what is written", "[bytes]") {
  Writer w(18);
  w.u8(0x01);
  w.u16(0x0302);
  w.u32(0x07060504);
  w.u64(0x0f0e0d0c0b0a0908);
  w.put(unhex("10"));
  w.zeros(2);
  Buffer out;
  REQUIRE(w.finish(out));
  CHECK(hex(out.view()) == "0102030405060708090a0b0c0d0e0f100000");
}

TEST_CASE("writer: neither a byte too many nor a byte too few is handed out", "[bytes]") {
  Buffer out = Buffer::copy_of(unhex("aa"));
  Writer few(3);
  few.u16(1);
  CHECK_FALSE(few.finish(out));
  Writer many(3);
  many.u16(1);
  many.u16(1);
  CHECK_FALSE(many.finish(out));
  Writer latched(3);
  latched.u32(1);
  latched.u16(1);
  latched.u8(1);
  CHECK_FALSE(latched.finish(out));
  CHECK(hex(out.view()) == "aa");
}

TEST_CASE("writer: finishing yields the bytes once", "[bytes]") {
  Writer w(1);
  w.u8(9);
  Buffer first;
  Buffer second;
  CHECK(w.finish(first));
  CHECK_FALSE(w.finish(second));
  CHECK(second.size() == 0);
}

TEST_CASE("buffer: what is released belongs to the caller, who may free it", "[bytes]") {
  Buffer b = Buffer::copy_of(unhex("0102"));
  std::uint8_t* raw = b.release();
  CHECK(b.size() == 0);
  CHECK(b.data() == nullptr);
  CHECK(raw[1] == 2);
  std::free(raw);
  CHECK(Buffer(0).release() == nullptr);
}

TEST_CASE("buffer: moving leaves nothing behind", "[bytes]") {
  Buffer a = Buffer::copy_of(unhex("0102"));
  Buffer b = std::move(a);
  CHECK(hex(b.view()) == "0102");
  Buffer c = Buffer::copy_of(unhex("03"));
  c = std::move(b);
  CHECK(hex(c.view()) == "0102");
  CHECK(b.size() == 0);  // NOLINT: that is what is tested
}

TEST_CASE("secret: moving wipes the source, cloning does not", "[bytes]") {
  const auto bytes = unhex<16>("000102030405060708090a0b0c0d0e0f");
  SessionKey a{std::span<const std::uint8_t, 16>(bytes)};
  const SessionKey b = a.clone();
  const SessionKey c = std::move(a);
  CHECK(hex(a.view()) == std::string(32, '0'));  // NOLINT: that is what is tested
  CHECK(hex(b.view()) == hex(bytes));
  CHECK(hex(c.view()) == hex(bytes));
}

TEST_CASE("secret: its bytes are gone when it is", "[bytes]") {
  const auto bytes = unhex<16>("000102030405060708090a0b0c0d0e0f");
  void* volatile place = std::malloc(sizeof(SessionKey));  // volatile: nothing is known of it
  REQUIRE(place != nullptr);
  auto* key = new (place) SessionKey(std::span<const std::uint8_t, 16>(bytes));
  key->~SessionKey();
  const auto* seen = static_cast<const std::uint8_t*>(place);
  CHECK(hex({seen, sizeof(SessionKey)}) == std::string(32, '0'));
  std::free(place);
}

TEST_CASE("verify_equal: each byte counts, and so does the size", "[bytes]") {
  const Bytes a = unhex("000102030405060708090a0b0c0d0e0f");
  CHECK(verify_equal(a, a));
  CHECK(verify_equal({}, {}));
  for (std::size_t at = 0; at < a.size(); ++at) {
    Bytes b = a;
    b[at] ^= 0x80;
    CHECK_FALSE(verify_equal(a, b));
  }
  CHECK_FALSE(verify_equal(a, ByteView(a).first(15)));
  CHECK_FALSE(verify_equal({}, a));
}

}  // namespace
}  // namespace gssntlm
