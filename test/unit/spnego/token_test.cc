// SPNEGO tokens as any peer may send them.
#include <algorithm>
#include <vector>

#include "spnego/token.h"
#include "test/support/catch.h"
#include "test/support/hex.h"

namespace gssntlm {
namespace {

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    append(all, part);
  }
  return all;
}

Bytes octets(std::size_t size, std::uint8_t value) {
  return der(0x04, Bytes(size, value));
}

Bytes init_with(const Bytes& oid, const Bytes& behind_list = {}) {
  const Bytes list = der(0xA0, der(0x30, join({der(0x06, kNtlmOid), behind_list})));
  const Bytes token = der(0xA2, octets(200, 0x55));
  const Bytes mic = der(0xA3, octets(16, 0x66));
  return der(0x60, join({der(0x06, oid), der(0xA0, der(0x30, join({list, token, mic})))}));
}

Bytes init() {
  return init_with(Bytes(std::begin(kSpnegoOid), std::end(kSpnegoOid)));
}

Bytes init_of(std::initializer_list<Bytes> fields) {
  return der(0x60, join({der(0x06, kSpnegoOid), der(0xA0, der(0x30, join(fields)))}));
}

Bytes response_of(std::initializer_list<Bytes> fields) {
  return der(0xA1, der(0x30, join(fields)));
}

Bytes response() {
  return response_of({der(0xA0, der(0x0A, Bytes{1})), der(0xA1, der(0x06, kNtlmOid)),
                      der(0xA2, octets(100, 0x77))});
}

TokenFault fault_of(const Bytes& token) {
  // A memory block of exactly that size, so that a read beyond it is noticed.
  const Bytes exact(token);
  TokenProblem problem;
  const bool read = read_token(exact, &problem).has_value();
  CHECK(read == (problem.fault == TokenFault::kNone));
  CHECK(problem.where <= exact.size());
  return problem.fault;
}

const Bytes kList = der(0xA0, der(0x30, der(0x06, kNtlmOid)));

TEST_CASE("spnego: a whole token is read", "[spnego]") {
  const Bytes first = init();
  const std::optional<SpnegoToken> n = read_token(first);
  REQUIRE(n);
  CHECK(n->kind == SpnegoToken::Kind::kInit);
  const std::vector<ByteView> mechanisms = mechanisms_of(*n);
  REQUIRE(mechanisms.size() == 1);
  CHECK(same_bytes(mechanisms[0], kNtlmOid));
  CHECK(n->token->size() == 200);
  CHECK(n->mic->size() == 16);
  const Bytes second = response();
  const std::optional<SpnegoToken> r = read_token(second);
  REQUIRE(r);
  CHECK(r->kind == SpnegoToken::Kind::kResponse);
  CHECK(r->state == SpnegoToken::State::kIncomplete);
  CHECK(r->token->size() == 100);
  CHECK(r->mic_field.empty());
}

TEST_CASE("spnego: the field of mechListMIC is found in NegTokenResp, framed or not", "[spnego]") {
  const Bytes mic = der(0xA3, octets(16, 0x66));
  const Bytes bare = response_of({der(0xA2, octets(3, 1)), mic});
  const Bytes framed = der(0x60, join({der(0x06, kSpnegoOid), bare}));
  for (const Bytes& token : {bare, framed}) {
    const std::optional<SpnegoToken> t = read_token(token);
    REQUIRE(t);
    CHECK(same_bytes(t->mic_field, mic));
    CHECK(t->mic_field.data() + t->mic_field.size() == token.data() + token.size());
  }
}

TEST_CASE("spnego: a token cut anywhere is rejected, with its place", "[spnego]") {
  for (const Bytes& whole : {init(), response()}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK(fault_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))) !=
            TokenFault::kNone);
    }
  }
}

TEST_CASE("spnego: bytes after a token, a choice, a sequence or a field's element are rejected",
          "[spnego]") {
  for (Bytes token : {init(), response()}) {
    token.push_back(0);
    CHECK(fault_of(token) == TokenFault::kTrailing);
  }
  const Bytes fields = der(0x30, kList);
  CHECK(fault_of(der(0xA0, join({fields, Bytes{5, 0}}))) == TokenFault::kTrailing);
  CHECK(fault_of(der(0x60, join({der(0x06, kSpnegoOid), der(0xA0, fields), Bytes{5, 0}}))) ==
        TokenFault::kTrailing);
  const Bytes two = join({der(0x06, kNtlmOid), der(0x06, kNtlmOid)});
  CHECK(fault_of(response_of({der(0xA1, two)})) == TokenFault::kFieldType);
  CHECK(fault_of(response_of({der(0xA1, der(0x06, kNtlmOid))})) == TokenFault::kNone);
}

TEST_CASE("spnego: the framing of another mechanism is not SPNEGO", "[spnego]") {
  CHECK(fault_of(init_with(Bytes(std::begin(kNtlmOid), std::end(kNtlmOid)))) ==
        TokenFault::kNotSpnego);
  CHECK(fault_of(test::unhex("4e544c4d5353500001000000")) == TokenFault::kNotSpnego);
  CHECK(fault_of({}) == TokenFault::kNotSpnego);
}

TEST_CASE("spnego: lengths that are indefinite, too long or too large are rejected", "[spnego]") {
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
    CHECK(fault_of(join({Bytes{0xA1}, length, Bytes{0x30, 0}})) == TokenFault::kMalformed);
  }
  CHECK(fault_of({0xA1, 2, 0x30, 0}) == TokenFault::kNone);
  CHECK(fault_of({0xA1, 0x84, 0, 0, 0, 2, 0x30, 0}) == TokenFault::kNone);
}

TEST_CASE("spnego: the tokens that crash krb5 are rejected (ticket 9213)", "[spnego]") {
  // A responseToken, then [4] that is not an OCTET STRING; with and without SEQUENCE.
  for (const char* token :
       {"a106a2020400a400", "a107a2020400a40130", "a108a2020400a4020500", "a1083006a2020400a400",
        "a1093007a2020400a40130", "a10a3008a2020400a4020500", "a1083006a2020400a300",
        "a10a3008a2020400a3020500", "a10a3008a2020400a4020401",
        "a1123010a2020400a306040401020304a4020500"}) {
    CAPTURE(token);
    CHECK(fault_of(test::unhex(token)) != TokenFault::kNone);
  }
  CHECK(fault_of(test::unhex("a10a3008a2020400a4020400")) == TokenFault::kNone);
  CHECK(fault_of(test::unhex("a10a3008a2020400a3020400")) == TokenFault::kNone);
}

TEST_CASE("spnego: the tokens beyond whose end krb5 1.20.1 reads are rejected", "[spnego]") {
  for (const char* token : {"a180", "a100", "600a06062b0601050502a000", "600a06062b0601050502a080",
                            "600c06062b0601050502a0023080", "600e06062b0601050502a0043002a000"}) {
    CAPTURE(token);
    CHECK(fault_of(test::unhex(token)) != TokenFault::kNone);
  }
}

TEST_CASE("spnego: a field of another type, twice or out of order is rejected", "[spnego]") {
  const Bytes token = der(0xA2, octets(1, 1));
  const Bytes mic = der(0xA3, octets(16, 2));
  CHECK(fault_of(response_of({token, mic})) == TokenFault::kNone);
  CHECK(fault_of(response_of({mic, token})) == TokenFault::kFieldOrder);
  CHECK(fault_of(response_of({token, token})) == TokenFault::kFieldOrder);
  CHECK(fault_of(response_of({token, Bytes{0x04, 0}})) == TokenFault::kFieldOrder);
  CHECK(fault_of(init_of({token, kList})) == TokenFault::kFieldOrder);
  CHECK(fault_of(response_of({der(0xA2, der(0x06, kNtlmOid))})) == TokenFault::kFieldType);
  CHECK(fault_of(response_of({der(0xA2, Bytes{})})) == TokenFault::kFieldType);
  CHECK(fault_of(response_of({der(0xA1, octets(3, 1))})) == TokenFault::kFieldType);
  CHECK(fault_of(init_of({der(0xA0, octets(3, 1))})) == TokenFault::kFieldType);
  CHECK(fault_of(init_of({kList, der(0xA3, der(0x0A, Bytes{1}))})) == TokenFault::kFieldType);
}

TEST_CASE("spnego: what a later version of SPNEGO may add is passed over when it is whole",
          "[spnego]") {
  const Bytes five = der(0xA5, Bytes{1, 2, 3});
  const Bytes nine = der(0xA9, Bytes{});
  for (const Bytes& token : {response_of({five, nine}), init_of({kList, five, nine})}) {
    CHECK(fault_of(token) == TokenFault::kNone);
  }
  CHECK(fault_of(response_of({nine, five})) == TokenFault::kFieldOrder);
  CHECK(fault_of(response_of({five, five})) == TokenFault::kFieldOrder);
  CHECK(fault_of(response_of({Bytes{0xA5, 1}})) == TokenFault::kMalformed);
  CHECK(fault_of(response_of({Bytes{0xBF, 0x20, 0}})) == TokenFault::kFieldOrder);
}

TEST_CASE("spnego: a state that does not exist is rejected", "[spnego]") {
  for (int state = 0; state < 256; ++state) {
    const Bytes one{static_cast<std::uint8_t>(state)};
    CHECK((fault_of(response_of({der(0xA0, der(0x0A, one))})) == TokenFault::kNone) ==
          (state <= 3));
  }
  CHECK(fault_of(response_of({der(0xA0, der(0x0A, Bytes{}))})) == TokenFault::kFieldType);
  CHECK(fault_of(response_of({der(0xA0, der(0x0A, Bytes{0, 1}))})) == TokenFault::kFieldType);
}

TEST_CASE("spnego: only object identifiers are in the list of mechanisms", "[spnego]") {
  const Bytes oid(std::begin(kSpnegoOid), std::end(kSpnegoOid));
  CHECK(fault_of(init_with(oid, der(0x06, kSpnegoOid))) == TokenFault::kNone);
  CHECK(fault_of(init_with(oid, der(0x04, kSpnegoOid))) == TokenFault::kFieldType);
  CHECK(fault_of(init_with(oid, Bytes{0x06})) == TokenFault::kFieldType);
  CHECK(fault_of(init_with(oid, Bytes{0x06, 0})) == TokenFault::kFieldType);
  CHECK(fault_of(init_with(oid, Bytes{0x06, 1, 0x80})) == TokenFault::kFieldType);
}

TEST_CASE("spnego: a list of more mechanisms than a peer can have is rejected", "[spnego]") {
  Bytes list;
  for (std::size_t i = 0; i < kMostMechTypes; ++i) {
    append_der(list, 0x06, kNtlmOid);
  }
  CHECK(fault_of(init_of({der(0xA0, der(0x30, list))})) == TokenFault::kNone);
  append_der(list, 0x06, kNtlmOid);
  CHECK(fault_of(init_of({der(0xA0, der(0x30, list))})) == TokenFault::kTooManyMechs);
}

TEST_CASE("spnego: reqFlags are a bit string of any size", "[spnego]") {
  const auto with = [](const Bytes& flags) {
    return fault_of(init_of({kList, der(0xA1, der(0x03, flags))}));
  };
  CHECK(with({1, 2}) == TokenFault::kNone);
  CHECK(with({0}) == TokenFault::kNone);
  CHECK(with({0, 0, 0, 0, 0x7E}) == TokenFault::kNone);
  CHECK(with({}) == TokenFault::kFieldType);
  CHECK(with({1}) == TokenFault::kFieldType);
  CHECK(with({8, 2}) == TokenFault::kFieldType);
}

TEST_CASE("spnego: negHints are read, and mechListMIC after them [MS-SPNG] 2.2.1", "[spnego]") {
  const Bytes name = der(0xA0, der(0x1B, Bytes{'n', 'o'}));
  const Bytes address = der(0xA1, octets(4, 1));
  const Bytes mic = der(0xA4, octets(16, 2));
  const auto with = [&](const Bytes& hints) {
    return init_of({kList, der(0xA3, der(0x30, hints)), mic});
  };
  const Bytes whole = with(join({name, address}));
  const std::optional<SpnegoToken> t = read_token(whole);
  REQUIRE(t);
  CHECK(as_text(*t->hint_name) == "no");
  CHECK(t->mic->size() == 16);
  for (const Bytes& hints : {Bytes{}, name, address}) {
    CHECK(fault_of(with(hints)) == TokenFault::kNone);
  }
  CHECK(fault_of(with(join({address, name}))) == TokenFault::kFieldType);
  CHECK(fault_of(with(der(0xA0, octets(2, 1)))) == TokenFault::kFieldType);
  CHECK(fault_of(with(join({name, Bytes{0xA1}}))) == TokenFault::kFieldType);
}

TEST_CASE("spnego: Windows 2000's second copy of its token in place of a MIC is read", "[spnego]") {
  const Bytes token = octets(20, 7);
  const Bytes whole =
      response_of({der(0xA0, der(0x0A, Bytes{0})), der(0xA2, token), der(0xA3, token)});
  const std::optional<SpnegoToken> t = read_token(whole);
  REQUIRE(t);
  CHECK(same_bytes(*t->token, *t->mic));
}

TEST_CASE("spnego: what is inside is any mechanism's, or nothing", "[spnego]") {
  for (const char* inner : {"", "4e544c4d5353500001000000", "6e8204", "4e45474f45585453"}) {
    CHECK(fault_of(init_of({kList, der(0xA2, der(0x04, test::unhex(inner)))})) ==
          TokenFault::kNone);
    CHECK(fault_of(response_of({der(0xA2, der(0x04, test::unhex(inner)))})) == TokenFault::kNone);
  }
  CHECK(fault_of(init_of({kList})) == TokenFault::kNone);
  CHECK(fault_of(init_of({})) == TokenFault::kNone);
  CHECK(fault_of(response_of({})) == TokenFault::kNone);
}

TEST_CASE("der: lengths are written as short as possible and read again", "[spnego]") {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 65535u, 65536u}) {
    const Bytes element = der(0x04, Bytes(size, 9));
    const std::size_t head = size < 128 ? 2 : size < 256 ? 3 : size < 65536 ? 4 : 5;
    CHECK(element.size() == head + size);
    DerReader reader(element);
    CHECK(reader.next(0x04).content.size() == size);
    CHECK(reader.ok());
    CHECK(reader.at_end());
  }
}

TEST_CASE("spnego: object identifiers are written out, malformed ones are not", "[spnego]") {
  CHECK(oid_text(kNtlmOid) == "1.3.6.1.4.1.311.2.2.10");
  CHECK(oid_text(kSpnegoOid) == "1.3.6.1.5.5.2");
  CHECK(oid_text({}).empty());
  CHECK(oid_text(Bytes{0x2B, 0x86}).empty());
  // 64 bits overflow, and so would the number.
  CHECK(oid_text(Bytes{0x2B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}).empty());
}

}  // namespace
}  // namespace gssntlm
