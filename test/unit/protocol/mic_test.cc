// The MIC and the downgrades it stops [MS-NLMP] 3.1.5.1.2, 3.2.5.1.2.
#include "mech/crypto/derive.h"
#include "mech/wire/authenticate.h"
#include "test/support/handshake.h"
#include "test/support/hex.h"
#include "test/support/refused.h"

namespace gssntlm {
namespace {

using namespace test;

TEST_CASE("MIC: every flipped bit of it is refused", "[mic]") {
  for (std::size_t bit = 0; bit < 8 * kMicSize; ++bit) {
    Scene scene;
    Sent sent = scene.encode(scene.answer());
    sent.token[kMicOffset + bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    CAPTURE(bit);
    check_refused(scene.judge(sent.token), Minor::kLogonFailure);
  }
}

TEST_CASE("MIC: one that is announced and zero is refused", "[mic]") {
  Scene scene;
  Answer answer = scene.answer();
  answer.mic = false;
  check_refused(scene.judge(answer), Minor::kLogonFailure);
}

TEST_CASE("MIC: one that is announced and for which there is no room is refused", "[mic]") {
  Scene scene;
  Answer answer = scene.answer();
  answer.mic = false;
  answer.room_for_mic = false;
  check_refused(scene.judge(answer), Minor::kTruncated, Major::kDefectiveToken);
}

// Takes the 16 bytes out of a message and lets all offsets point 16 bytes lower.
void cut_mic(Bytes& token) {
  token.erase(token.begin() + kMicOffset, token.begin() + kMicOffset + kMicSize);
  for (const std::size_t at : {12u, 20u, 28u, 36u, 44u, 52u}) {
    store_le32(&token[at + 4], load_le32(&token[at + 4]) - std::uint32_t{kMicSize});
  }
}

TEST_CASE("MIC: taking it out of the message does not make it unannounced", "[mic]") {
  Scene scene;
  Sent sent = scene.encode(scene.answer());
  cut_mic(sent.token);
  check_refused(scene.judge(sent.token), Minor::kTruncated, Major::kDefectiveToken);
}

TEST_CASE("MIC: taking it and Version out, and the VERSION flag away, is refused", "[mic]") {
  Scene scene;
  Sent sent = scene.encode(scene.answer());
  cut_mic(sent.token);
  store_le32(&sent.token[60], load_le32(&sent.token[60]) & ~flag::kVersion);
  check_refused(scene.judge(sent.token), Minor::kTruncated, Major::kDefectiveToken);
}

TEST_CASE("MIC: payload laid over its field is refused", "[mic]") {
  for (const std::size_t field : {12u, 20u, 28u, 36u, 44u, 52u}) {
    Scene scene;
    Sent sent = scene.encode(scene.answer());
    const std::size_t size = load_le16(&sent.token[field]);
    const Bytes moved(&sent.token[load_le32(&sent.token[field + 4])],
                      &sent.token[load_le32(&sent.token[field + 4])] + size);
    if (size <= kMicSize) {
      std::copy(moved.begin(), moved.end(), &sent.token[kMicOffset]);
    }
    store_le32(&sent.token[field + 4], kMicOffset);
    CAPTURE(field);
    CHECK_FALSE(scene.judge(sent.token));
  }
}

TEST_CASE("MIC: the announcement cannot be taken back", "[mic]") {
  // Bit 2 of MsvAvFlags, the pair's id, and its size: the proof covers all of them.
  for (const std::size_t offset : {0u, 2u, 4u}) {
    Scene scene;
    Answer answer = scene.answer();
    std::size_t at = kNtProofSize + kClientChallengeHeadSize;
    for (const Pair& pair : answer.pairs) {
      if (pair.id == AvId::kFlags) {
        break;
      }
      at += 4 + pair.value.size();
    }
    Sent sent = scene.encode(answer);
    std::uint8_t& byte = sent.token[sent.nt_at + at + offset];
    byte = offset == 0 ? 0xEE : 0;
    CAPTURE(offset);
    CHECK_FALSE(scene.judge(sent.token));
  }
}

TEST_CASE("MIC: MsvAvFlags given twice is refused, in either order", "[mic]") {
  for (const bool zero_first : {true, false}) {
    Scene scene;
    Answer answer = scene.answer();
    const Pair zero{AvId::kFlags, Bytes(4)};
    answer.pairs.insert(zero_first ? answer.pairs.begin() : answer.pairs.end(), zero);
    CAPTURE(zero_first);
    check_refused(scene.judge(answer), Minor::kBadAvPairs, Major::kDefectiveToken);
  }
}

TEST_CASE("MIC: a client without one is taken or refused as policy says", "[mic]") {
  for (const bool allowed : {true, false}) {
    for (const bool flags_pair : {true, false}) {
      Policy policy;
      policy.require_mic = !allowed;
      Scene scene(policy);
      Answer answer = scene.answer();
      answer.mic = false;
      answer.room_for_mic = false;
      answer.remove(AvId::kFlags);
      if (flags_pair) {
        answer.set(AvId::kFlags, Bytes(4));
      }
      const Result<AcceptedLogon> logon = scene.judge(answer);
      CAPTURE(allowed, flags_pair);
      if (allowed) {
        REQUIRE(logon);
        CHECK_FALSE(scene.acceptor.take_outcome().mic);
      } else {
        check_refused(logon, Minor::kLogonFailure);
      }
    }
  }
}

// The message with its MIC at `at`, computed over other bytes than its own if those are given.
Bytes with_mic(const Sent& sent, ByteView negotiate, ByteView challenge, std::size_t at) {
  Bytes token = sent.token;
  const SessionKey key(std::span<const std::uint8_t, 16>(sent.key.data(), 16));
  const Mic mic = compute_mic(key, negotiate, challenge, token, at);
  std::copy(mic.begin(), mic.end(), token.begin() + static_cast<std::ptrdiff_t>(at));
  return token;
}

TEST_CASE("MIC: a client that leaves Version out has it at 64", "[mic]") {
  for (const std::size_t fixed_part : {80u, 88u}) {
    Scene scene;
    Answer answer = scene.answer();
    answer.flags &= ~flag::kVersion;
    answer.mic = false;
    Sent sent = scene.encode(answer);
    std::fill_n(sent.token.begin() + 64, 24, std::uint8_t{0});
    sent.token.erase(sent.token.begin() + 64,
                     sent.token.begin() + 64 + static_cast<std::ptrdiff_t>(88 - fixed_part));
    for (const std::size_t at : {12u, 20u, 28u, 36u, 44u, 52u}) {
      const auto removed = static_cast<std::uint32_t>(88 - fixed_part);
      store_le32(&sent.token[at + 4], load_le32(&sent.token[at + 4]) - removed);
    }
    const Bytes token = with_mic(sent, scene.negotiate, scene.challenge, 64);
    Bytes wrong = token;
    wrong[64] ^= 1;
    CAPTURE(fixed_part);
    check_refused(Scene().judge(wrong), Minor::kLogonFailure);
    REQUIRE(scene.judge(token));
    CHECK(scene.acceptor.take_outcome().mic);
  }
}

TEST_CASE("MIC: any changed byte of AUTHENTICATE is refused", "[mic]") {
  const Scene honest;
  const Sent sent = honest.encode(honest.answer());
  REQUIRE(Scene().judge(sent.token));
  for (std::size_t at = 0; at < sent.token.size(); ++at) {
    Bytes token = sent.token;
    token[at] ^= 0x20;
    CAPTURE(at);
    CHECK_FALSE(Scene().judge(token));
  }
}

TEST_CASE("MIC: a NEGOTIATE or CHALLENGE that changed on its way is refused", "[mic]") {
  const Scene honest;
  Answer answer = honest.answer();
  answer.mic = false;
  const Sent sent = honest.encode(answer);
  REQUIRE(Scene().judge(with_mic(sent, honest.negotiate, honest.challenge, kMicOffset)));
  for (std::size_t at = 0; at < honest.negotiate.size(); ++at) {
    Bytes seen = honest.negotiate;
    seen[at] ^= 0x20;
    CAPTURE(at);
    check_refused(Scene().judge(with_mic(sent, seen, honest.challenge, kMicOffset)),
                  Minor::kLogonFailure);
  }
  for (std::size_t at = 0; at < honest.challenge.size(); ++at) {
    Bytes seen = honest.challenge;
    seen[at] ^= 0x20;
    CAPTURE(at);
    check_refused(Scene().judge(with_mic(sent, honest.negotiate, seen, kMicOffset)),
                  Minor::kLogonFailure);
  }
}

}  // namespace
}  // namespace gssntlm
