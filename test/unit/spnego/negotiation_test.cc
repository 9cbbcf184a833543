// SPNEGO tokens as anybody may make them.
#include <algorithm>
#include <vector>

#include "spnego/negotiation.h"
#include "test/support/catch.h"

namespace gssntlm {
namespace {

constexpr std::uint8_t kSpnego[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x02};

Bytes der(std::uint8_t tag, ByteView content) {
  Bytes out{tag};
  if (content.size() < 0x80) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(content.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(content.size()));
  }
  append(out, content);
  return out;
}

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    append(all, part);
  }
  return all;
}

// A memory block of exactly that size, so that a read beyond it is noticed.
Result<Negotiation> decode(const Bytes& token, std::size_t* where = nullptr) {
  return decode_negotiation(token, where);
}

Bytes init_with(const Bytes& oid, const Bytes& behind_list = {}) {
  const Bytes list = der(0xA0, der(0x30, join({der(0x06, kNtlmOid), behind_list})));
  const Bytes token = der(0xA2, der(0x04, Bytes(200, 0x55)));
  const Bytes mic = der(0xA3, der(0x04, Bytes(16, 0x66)));
  return der(0x60, join({der(0x06, oid), der(0xA0, der(0x30, join({list, token, mic})))}));
}

Bytes init() {
  return init_with(Bytes(std::begin(kSpnego), std::end(kSpnego)));
}

Bytes response() {
  return der(0xA1, der(0x30, join({der(0xA0, der(0x0A, Bytes{1})), der(0xA1, der(0x06, kNtlmOid)),
                                   der(0xA2, der(0x04, Bytes(100, 0x77)))})));
}

TEST_CASE("spnego: a whole token is read", "[spnego]") {
  const Bytes first = init();
  const Result<Negotiation> n = decode(first);
  REQUIRE(n.ok());
  CHECK(n->kind == Negotiation::Kind::kInit);
  REQUIRE(n->mechanisms.size() == 1);
  CHECK(same_bytes(n->mechanisms[0], kNtlmOid));
  CHECK(n->token->size() == 200);
  CHECK(n->mic->size() == 16);
  const Bytes second = response();
  const Result<Negotiation> r = decode(second);
  REQUIRE(r.ok());
  CHECK(r->kind == Negotiation::Kind::kResponse);
  CHECK(r->state == Negotiation::State::kIncomplete);
  CHECK(r->token->size() == 100);
}

TEST_CASE("spnego: a token cut anywhere is refused, and said where", "[spnego]") {
  for (const Bytes& whole : {init(), response()}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      std::size_t where = ~std::size_t{0};
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      CHECK_FALSE(decode(cut, &where).ok());
      CHECK(where <= size);
    }
  }
}

TEST_CASE("spnego: bytes behind a token, or behind an element's only one, are refused",
          "[spnego]") {
  for (Bytes token : {init(), response()}) {
    token.push_back(0);
    CHECK_FALSE(decode(token).ok());
  }
  const Bytes oid = join({der(0x06, kNtlmOid), der(0x06, kNtlmOid)});
  CHECK_FALSE(decode(der(0xA1, der(0x30, der(0xA1, oid)))).ok());
  CHECK(decode(der(0xA1, der(0x30, der(0xA1, der(0x06, kNtlmOid))))).ok());
}

TEST_CASE("spnego: the framing of another mechanism is not SPNEGO", "[spnego]") {
  const Result<Negotiation> n = decode(init_with(Bytes(std::begin(kNtlmOid), std::end(kNtlmOid))));
  REQUIRE_FALSE(n.ok());
  CHECK(n.error().minor == Minor::kNotNtlm);
}

TEST_CASE("spnego: lengths that are indefinite, too long or too large are refused", "[spnego]") {
  const std::vector<Bytes> lengths = {{0x80},
                                      {0x85, 0, 0, 0, 0, 2},
                                      {0x89, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                                      {0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE},
                                      {0x84, 0xFF, 0xFF, 0xFF, 0xFF},
                                      {0x84, 0x7F, 0xFF, 0xFF, 0xFF},
                                      {0xFF},
                                      {0x7F},
                                      {3}};
  for (const Bytes& length : lengths) {
    CHECK_FALSE(decode(join({Bytes{0xA1}, length, Bytes{0x30, 0}})).ok());
  }
  CHECK(decode({0xA1, 2, 0x30, 0}).ok());
  CHECK(decode({0xA1, 0x84, 0, 0, 0, 2, 0x30, 0}).ok());
}

TEST_CASE("spnego: a state that there is not is refused", "[spnego]") {
  for (int state = 0; state < 256; ++state) {
    const Bytes one{static_cast<std::uint8_t>(state)};
    CHECK(decode(der(0xA1, der(0x30, der(0xA0, der(0x0A, one))))).ok() == (state <= 3));
  }
  CHECK_FALSE(decode(der(0xA1, der(0x30, der(0xA0, der(0x0A, Bytes{}))))).ok());
  CHECK_FALSE(decode(der(0xA1, der(0x30, der(0xA0, der(0x0A, Bytes{0, 1}))))).ok());
}

TEST_CASE("spnego: what is no mechanism does not stand in their list", "[spnego]") {
  const Bytes oid(std::begin(kSpnego), std::end(kSpnego));
  CHECK(decode(init_with(oid, der(0x06, kSpnego))).ok());
  CHECK_FALSE(decode(init_with(oid, der(0x04, kSpnego))).ok());
  CHECK_FALSE(decode(init_with(oid, Bytes{0x06})).ok());
}

TEST_CASE("spnego: object identifiers are written out, malformed ones are not", "[spnego]") {
  CHECK(oid_text(kNtlmOid) == "1.3.6.1.4.1.311.2.2.10");
  CHECK(oid_text(kSpnego) == "1.3.6.1.5.5.2");
  CHECK(oid_text({}).empty());
  CHECK(oid_text(Bytes{0x2B, 0x86}).empty());
  // 64 bits overflow, and so would the number.
  CHECK(oid_text(Bytes{0x2B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}).empty());
}

}  // namespace
}  // namespace gssntlm
