// AUTHENTICATE_MESSAGE [MS-NLMP] 2.2.1.3.
#include "mech/wire/authenticate.h"

#include "mech/wire/challenge.h"
#include "test/support/catch.h"
#include "test/support/hex.h"

namespace gssntlm {
namespace {

using test::hex;
using test::unhex;

// A message with 88 bytes of fixed part, DES-era responses and one-letter names.
Bytes sample(AuthenticateFields fields = {}) {
  static const Bytes lm(24, 1);
  static const Bytes nt(24, 2);
  static const Bytes name = {'A', 0};
  fields.flags = flag::kUnicode;
  fields.lm_response = fields.lm_response.data() == nullptr ? ByteView(lm) : fields.lm_response;
  fields.nt_response = fields.nt_response.data() == nullptr ? ByteView(nt) : fields.nt_response;
  fields.domain = fields.user = fields.workstation = name;
  fields.mic = true;
  const Result<Buffer> token = encode_authenticate(fields);
  REQUIRE(token);
  return Bytes(token->view().begin(), token->view().end());
}

Minor refusal(ByteView token, bool oem = false) {
  const Buffer exact = Buffer::copy_of(token);
  const Result<AuthenticateMessage> m = decode_authenticate(exact.view(), oem);
  CHECK((m || m.error().major == Major::kDefectiveToken));
  return m ? Minor::kNone : m.error().minor;
}

TEST_CASE("authenticate: responses of impossible sizes are refused", "[wire]") {
  for (std::size_t size = 0; size <= 60; ++size) {
    const Bytes response(size + 1);  // never without an address
    AuthenticateFields lm;
    lm.lm_response = ByteView(response).first(size);
    CAPTURE(size);
    const bool lm_fits = size == 0 || size == 1 || size == 24;
    CHECK(refusal(sample(lm)) == (lm_fits ? Minor::kNone : Minor::kBadResponse));
    AuthenticateFields nt;
    nt.nt_response = ByteView(response).first(size);
    const Minor expected = size == 0 || size == 24 ? Minor::kNone
                           : size < 16 + 28 + 4    ? Minor::kBadResponse
                                                   : Minor::kResponseVersion;  // zeros
    CHECK(refusal(sample(nt)) == expected);
  }
}

TEST_CASE("authenticate: an NTLMv2 response needs versions 1 and 1, and a list", "[wire]") {
  Bytes response(16 + 28 + 4);
  response[16] = response[17] = 1;
  AuthenticateFields fields;
  fields.nt_response = response;
  CHECK(refusal(sample(fields)) == Minor::kNone);
  for (const std::size_t at : {16u, 17u}) {
    for (const unsigned version : {0u, 2u, 255u}) {
      Bytes wrong = response;
      wrong[at] = static_cast<std::uint8_t>(version);
      fields.nt_response = wrong;
      CHECK(refusal(sample(fields)) == Minor::kResponseVersion);
    }
  }
  fields.nt_response = ByteView(response).first(response.size() - 1);
  CHECK(refusal(sample(fields)) == Minor::kBadResponse);
  Bytes endless = response;
  endless[16 + 28] = 2;
  fields.nt_response = endless;
  CHECK(refusal(sample(fields)) == Minor::kBadAvPairs);
}

TEST_CASE("authenticate: Unicode names of odd size are refused unless OEM was agreed", "[wire]") {
  for (const std::size_t field : {28u, 36u, 44u}) {
    Bytes token = sample();
    store_le16(&token[field], 1);
    CAPTURE(field);
    CHECK(refusal(token) == Minor::kBadString);
    CHECK(refusal(token, true) == Minor::kNone);
    store_le32(&token[60], flag::kOem);
    CHECK(refusal(token) == Minor::kNone);
  }
}

TEST_CASE("authenticate: payload over the header is refused", "[wire]") {
  for (const std::size_t field : {12u, 20u, 28u, 36u, 44u, 52u}) {
    for (const std::uint32_t offset : {0u, 12u, 51u}) {
      Bytes token = sample();
      const std::uint16_t size = field == 12 || field == 20 ? 24 : 2;
      store_le16(&token[field], size);
      store_le32(&token[field + 4], offset);
      CAPTURE(field, offset);
      CHECK(refusal(token) == Minor::kFieldOutOfBounds);
    }
  }
}

TEST_CASE("authenticate: sizes and offsets that wrap around are refused", "[wire]") {
  for (const std::size_t field : {12u, 20u, 28u, 36u, 44u, 52u}) {
    for (const std::uint32_t offset : {0xFFFFFFFFu, 0xFFFFFFFEu, 0xFFFFFFE8u, 0xFFFF0000u}) {
      for (const std::uint16_t size : {std::uint16_t{24}, std::uint16_t{0xFFFF}}) {
        Bytes token = sample();
        store_le16(&token[field], size);
        store_le32(&token[field + 4], offset);
        CAPTURE(field, offset, size);
        CHECK(refusal(token) == Minor::kFieldOutOfBounds);
      }
    }
  }
}

TEST_CASE("authenticate: empty fields may point anywhere", "[wire]") {
  for (const std::size_t field : {12u, 20u, 28u, 36u, 44u, 52u}) {
    Bytes token = sample();
    store_le16(&token[field], 0);
    store_le32(&token[field + 4], 0xFFFFFFFF);
    CAPTURE(field);
    CHECK(refusal(token) == Minor::kNone);
  }
}

TEST_CASE("authenticate: nothing longer than a field can say is encoded", "[wire]") {
  for (const std::size_t size : {65535u, 65536u, 70000u, 98304u}) {
    const Bytes name(size);
    AuthenticateFields fields;
    fields.flags = flag::kOem;
    fields.user = name;
    const Result<Buffer> token = encode_authenticate(fields);
    CAPTURE(size);
    CHECK(token.ok() == (size <= 65535));
    if (!token) {
      CHECK(token.error().minor == Minor::kTooLong);
    }
  }
}

TEST_CASE("authenticate: no message longer than a token may be is encoded or decoded", "[wire]") {
  const Bytes name(50'000);
  AuthenticateFields fields;
  fields.flags = flag::kUnicode;
  fields.user = fields.domain = name;
  CHECK(encode_authenticate(fields).error().minor == Minor::kTooLong);
  Bytes token = sample();
  token.resize(kMaxTokenSize);
  CHECK(refusal(token) == Minor::kNone);
  token.resize(kMaxTokenSize + 1);
  CHECK(refusal(token) == Minor::kTooLong);
}

TEST_CASE("authenticate: an odd offset is no reason to refuse", "[wire]") {
  Bytes token = sample();
  token.push_back('B');
  token.push_back(0);
  if (token.size() % 2 == 0) {
    token.insert(token.end() - 2, std::uint8_t{0});
  }
  store_le32(&token[36 + 4], static_cast<std::uint32_t>(token.size() - 2));
  const Result<AuthenticateMessage> m = decode_authenticate(token);
  REQUIRE(m);
  CHECK(hex(m->user) == "4200");
}

TEST_CASE("challenge: TargetInfo is checked, and taken whatever the flags say", "[wire]") {
  const Bytes info = unhex("02000200410000000000");
  ChallengeMessage message;
  message.flags = flag::kUnicode;
  message.target_info = info;
  const Result<Buffer> token = encode_challenge(message);
  REQUIRE(token);
  const Result<ChallengeMessage> back = decode_challenge(token->view());
  REQUIRE(back);
  CHECK(hex(back->target_info) == hex(info));
  const Bytes cut(info.begin(), info.end() - 1);
  message.target_info = cut;
  const Result<Buffer> bad = encode_challenge(message);
  REQUIRE(bad);
  CHECK(decode_challenge(bad->view()).error().minor == Minor::kBadAvPairs);
}

TEST_CASE("challenge: a Unicode target name of odd size is refused, an OEM one is not", "[wire]") {
  const Bytes name = {'A', 'B', 'C'};
  ChallengeMessage message;
  message.target_name = name;
  for (const Flags flags : {flag::kUnicode, flag::kOem, flag::kUnicode | flag::kOem}) {
    message.flags = flags;
    const Result<Buffer> token = encode_challenge(message);
    REQUIRE(token);
    const Result<ChallengeMessage> back = decode_challenge(token->view());
    CHECK(back.ok() == (flags == flag::kOem));
    CHECK((back || back.error().minor == Minor::kBadString));
  }
}

}  // namespace
}  // namespace gssntlm
