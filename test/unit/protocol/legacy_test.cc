// Messages of older systems, whose fixed part ends earlier: NEGOTIATE of 16, 32 and 40 bytes
// [MS-NLMP] 2.2.1.1, CHALLENGE of 32, 48 and 56 [MS-NLMP] 2.2.1.2, AUTHENTICATE of 52, 64, 72, 80
// and 88 [MS-NLMP] 2.2.1.3.
#include "mech/crypto/derive.h"
#include "mech/wire/challenge.h"
#include "test/support/catch.h"
#include "test/support/duel.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

// Takes `size` bytes of the fixed part out at `at`; fields below `fields_end` then point to where
// their payload went.
Bytes without(const Bytes& token, std::size_t at, std::uint32_t size, std::size_t first_field,
              std::size_t fields_end) {
  Bytes cut = token;
  const auto from = cut.begin() + static_cast<std::ptrdiff_t>(at);
  cut.erase(from, from + size);
  for (std::size_t field = first_field; field < fields_end; field += 8) {
    store_le32(&cut[field + 4], load_le32(&cut[field + 4]) - size);
  }
  return cut;
}

TEST_CASE("legacy: NEGOTIATE of 16, 32 and 40 bytes is answered, and its bytes are under the MIC",
          "[legacy]") {
  for (const std::size_t size : {16u, 32u, 40u}) {
    FixedEnvironment env;
    Acceptor acceptor((Policy()));
    Bytes negotiate = make_negotiate(kUsualOffer & ~(size < 40 ? flag::kVersion : 0));
    negotiate.resize(size);
    CAPTURE(size);
    const Result<Buffer> challenge = acceptor.challenge(negotiate, server_names(), env);
    REQUIRE(challenge);
    const Sent sent = encode(answer_to(challenge->view()), negotiate, challenge->view());
    REQUIRE(acceptor.authenticate(sent.token, nullptr, OneAccount(), env));
    CHECK(acceptor.take_outcome().mic);
  }
}

TEST_CASE("legacy: NEGOTIATE that ends inside its flags is refused", "[legacy]") {
  for (std::size_t size = 0; size < 16; ++size) {
    FixedEnvironment env;
    Acceptor acceptor((Policy()));
    Bytes negotiate = make_negotiate(kUsualOffer);
    negotiate.resize(size);
    CHECK_FALSE(acceptor.challenge(negotiate, server_names(), env));
  }
}

// The initiator's answer to a CHALLENGE of another shape.
struct Answered {
  AuthenticateMessage message;
  Bytes token;
  Outcome outcome;
};

Answered answer(Duel& duel, const Bytes& challenge) {
  const Result<Buffer> token = duel.initiator.authenticate(challenge, nullptr, duel.client_env);
  REQUIRE(token);
  Answered answered;
  answered.token.assign(token->view().begin(), token->view().end());
  answered.message = *decode_authenticate(answered.token);
  answered.outcome = duel.initiator.take_outcome();
  return answered;
}

bool proves_the_password(const AuthenticateMessage& message, const Bytes& challenge) {
  const ResponseKey key =
      derive_response_key(derive_nt_hash(wide("Password")), wide("User"), wide("DOMAIN"));
  const V2Proof proof = compute_v2_proof(key, decode_challenge(challenge)->server_challenge,
                                         message.nt_response.subspan(16));
  return hex(proof.nt_proof) == hex(message.nt_response.first(16));
}

TEST_CASE("legacy: CHALLENGE without Version, of 48 bytes, is answered like one of 56",
          "[legacy]") {
  for (const bool version : {true, false}) {
    Duel duel((DuelSetup()));
    REQUIRE(duel.negotiate());
    REQUIRE(duel.challenge());
    Bytes challenge = duel.challenge_token;
    if (!version) {
      challenge = without(challenge, 48, 8, 40, 48);
      store_le32(&challenge[16], load_le32(&challenge[16]) - 8);  // TargetName
      store_le32(&challenge[20], load_le32(&challenge[20]) & ~flag::kVersion);
    }
    CAPTURE(version);
    CHECK(load_le32(&challenge[16]) == (version ? 56 : 48));
    const Answered answered = answer(duel, challenge);
    CHECK(proves_the_password(answered.message, challenge));
    REQUIRE(answered.message.v2->target_info.nb_computer);
    CHECK(narrow(*answered.message.v2->target_info.nb_computer) == "SERVER");
    const Mic mic = compute_mic(answered.outcome.key, duel.negotiate_token, challenge,
                                answered.token, kMicOffset);
    CHECK(hex(mic) == hex(ByteView(answered.token).subspan(kMicOffset, kMicSize)));
  }
}

// As Windows NT 4 says it: nothing behind the challenge, and a name or none.
Bytes short_challenge(Flags flags, const Bytes& name) {
  Bytes token = unhex(
      "4e544c4d53535000"
      "02000000");
  token.resize(32);
  store_le16(&token[12], static_cast<std::uint16_t>(name.size()));
  store_le16(&token[14], static_cast<std::uint16_t>(name.size()));
  store_le32(&token[16], 32);
  store_le32(&token[20], flags);
  std::fill(token.begin() + 24, token.end(), std::uint8_t{0xC5});
  append(token, name);
  return token;
}

TEST_CASE("legacy: CHALLENGE of 32 bytes is refused, and answered where policy says so",
          "[legacy]") {
  const Flags flags = kUsualOffer & ~flag::kVersion;
  // The longer name lies where others have the field of TargetInfo.
  for (const Bytes& name : {Bytes(), wide("SERVER"), wide("SERVER-0123456789")}) {
    Duel strict((DuelSetup()));
    REQUIRE(strict.negotiate());
    CHECK_FALSE(
        strict.initiator.authenticate(short_challenge(flags, name), nullptr, strict.client_env));
    CHECK(strict.traced("no target information"));

    DuelSetup setup;
    setup.initiator.require_target_info = false;
    Duel loose(setup);
    REQUIRE(loose.negotiate());
    const Answered answered = answer(loose, short_challenge(flags, name));
    CHECK(proves_the_password(answered.message, short_challenge(flags, name)));
    CHECK_FALSE(answered.outcome.mic);
    CHECK_FALSE(answered.message.mic_at);
  }
}

TEST_CASE("legacy: NTLMv1 in AUTHENTICATE of 64, 72 and 88 bytes logs in, protected", "[legacy]") {
  const struct {
    std::uint32_t header;
    std::size_t at;
    std::uint32_t cut;
  } shapes[] = {{64, 64, 24}, {72, 72, 16}, {88, 88, 0}};
  for (const auto& shape : shapes) {
    DuelSetup setup;
    setup.initiator.initiator_level = 1;
    setup.acceptor.acceptor_level = 1;
    Duel duel(setup);
    REQUIRE(duel.negotiate());
    REQUIRE(duel.challenge());
    REQUIRE(duel.authenticate());
    duel.authenticate_token = without(duel.authenticate_token, shape.at, shape.cut, 12, 60);
    if (shape.header == 64) {
      store_le32(&duel.authenticate_token[60],
                 load_le32(&duel.authenticate_token[60]) & ~flag::kVersion);
    }
    CAPTURE(shape.header);
    CHECK(load_le32(&duel.authenticate_token[32]) == shape.header);
    REQUIRE(duel.judge());
    Session client = duel.client_session();
    Session server = duel.server_session();
    CHECK(converse(client, server, 5));
  }
}

// NTLMv2 with a MIC that lies where other clients have Version.
TEST_CASE("legacy: a MIC at 64, in AUTHENTICATE of 80 bytes, is found and verified", "[legacy]") {
  for (const bool honest : {true, false}) {
    Duel duel((DuelSetup()));
    REQUIRE(duel.negotiate());
    REQUIRE(duel.challenge());
    REQUIRE(duel.authenticate());
    Bytes token = without(duel.authenticate_token, 64, 8, 12, 60);
    store_le32(&token[60], load_le32(&token[60]) & ~flag::kVersion);
    std::fill_n(token.begin() + 64, 16, std::uint8_t{0});
    const Mic mic =
        compute_mic(duel.client.key, duel.negotiate_token, duel.challenge_token, token, 64);
    std::copy(mic.begin(), mic.end(), token.begin() + 64);
    token[70] = static_cast<std::uint8_t>(token[70] ^ (honest ? 0 : 1));
    duel.authenticate_token = token;
    CAPTURE(honest);
    CHECK(duel.judge() == honest);
  }
}

}  // namespace
}  // namespace gssntlm
