// What an NTLMv2 response carries besides the proof [MS-NLMP] 2.2.2.7: names, bindings, time, and
// what the server is set to make of them [MS-NLMP] 3.2.1.1, 3.2.1.2.
#include "mech/crypto/derive.h"
#include "test/support/handshake.h"
#include "test/support/refused.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

TEST_CASE("echo: the server's NetBIOS names must come back", "[echo]") {
  for (const AvId id : {AvId::kNbComputerName, AvId::kNbDomainName}) {
    Scene scene;
    Answer answer = scene.answer();
    answer.remove(id);
    CAPTURE(static_cast<unsigned>(id));
    check_refused(scene.judge(answer), Minor::kLogonFailure);
  }
}

TEST_CASE("echo: names of another server are refused", "[echo]") {
  for (const AvId id : {AvId::kNbComputerName, AvId::kNbDomainName, AvId::kDnsComputerName,
                        AvId::kDnsDomainName, AvId::kDnsTreeName}) {
    for (const char* other : {"OTHER", "", "server", "SERVER.", "domain.example."}) {
      Scene scene;
      Answer answer = scene.answer();
      answer.set(id, wide(other));
      CAPTURE(static_cast<unsigned>(id), other);
      check_refused(scene.judge(answer), Minor::kLogonFailure);
    }
  }
}

TEST_CASE("echo: names given twice are refused", "[echo]") {
  for (const AvId id : {AvId::kNbComputerName, AvId::kNbDomainName, AvId::kDnsComputerName,
                        AvId::kDnsDomainName, AvId::kDnsTreeName, AvId::kTimestamp, AvId::kFlags}) {
    Scene scene;
    Answer answer = scene.answer();
    answer.pairs.push_back(*answer.find(id));
    CAPTURE(static_cast<unsigned>(id));
    check_refused(scene.judge(answer), Minor::kBadAvPairs, Major::kDefectiveToken);
  }
}

TEST_CASE("echo: a name that was not sent does not come back", "[echo]") {
  FixedEnvironment env;
  Acceptor acceptor((Policy()));
  HostNames names = server_names();
  names.dns_tree.clear();
  const Bytes negotiate = make_negotiate(kUsualOffer);
  const Result<Buffer> challenge = acceptor.challenge(negotiate, names, env);
  REQUIRE(challenge);
  Answer answer = answer_to(challenge->view());
  REQUIRE(answer.find(AvId::kDnsTreeName) == nullptr);
  answer.set(AvId::kDnsTreeName, wide("domain.example"));
  const Sent sent = encode(answer, negotiate, challenge->view());
  check_refused(acceptor.authenticate(sent.token, nullptr, OneAccount(), env),
                Minor::kLogonFailure);
}

TEST_CASE("echo: DNS names may stay away, unknown pairs may come", "[echo]") {
  Scene scene;
  Answer answer = scene.answer();
  for (const AvId id : {AvId::kDnsComputerName, AvId::kDnsDomainName, AvId::kDnsTreeName}) {
    answer.remove(id);
  }
  answer.pairs.push_back({static_cast<AvId>(0x7777), Bytes(5)});
  answer.set(AvId::kSingleHost, Bytes(48));
  CHECK(scene.judge(answer));
}

TEST_CASE("echo: an answer to a challenge without TargetInfo is refused", "[echo]") {
  Scene scene;
  Answer answer = scene.answer();
  answer.pairs.clear();
  answer.mic = false;
  answer.room_for_mic = false;
  check_refused(scene.judge(answer), Minor::kLogonFailure);
}

TEST_CASE("echo: bytes behind the list are hashed and not read", "[echo]") {
  Scene scene;
  Answer answer = scene.answer();
  answer.behind_pairs = Bytes{0, 0, 0, 0, 1, 0, 4, 0, 'X', 0, 'Y', 0, 9, 9, 9};
  CHECK(scene.judge(answer));
}

TEST_CASE("echo: a list without end is refused", "[echo]") {
  for (const Bytes& end : {Bytes(), Bytes{0, 0}, Bytes{0, 0, 1, 0, 7}, Bytes{2, 0, 4, 0, 'X', 0}}) {
    Scene scene;
    Answer answer = scene.answer();
    answer.behind_pairs = end;
    check_refused(scene.judge(answer), Minor::kBadAvPairs, Major::kDefectiveToken);
  }
}

// [MS-NLMP] 3.2.5.1.2: rows of what the client sent, columns of what the acceptor demands.
enum class Given { kEqual, kOther, kZero, kAbsent };
enum class Verdict { kBound, kTaken, kBadBindings };

// As a client without a MIC sends it: MsvAvFlags does not announce one either.
Answer without_mic_unless(bool mic, Answer answer) {
  if (!mic) {
    answer.remove(AvId::kFlags);
    answer.mic = false;
    answer.room_for_mic = false;
  }
  return answer;
}

Verdict judge_bindings(Given given, Demand demand, bool acceptor_has, bool mic = true) {
  Policy policy;
  policy.channel_bindings = demand;
  Scene scene(policy);
  ChannelBindingHash ours{};
  ours.fill(0x11);
  ChannelBindingHash theirs = ours;
  if (given == Given::kOther) {
    theirs[15] ^= 1;
  } else if (given == Given::kZero) {
    theirs.fill(0);
  }
  Answer answer = without_mic_unless(mic, scene.answer());
  if (given != Given::kAbsent) {
    answer.set(AvId::kChannelBindings, theirs);
  }
  const Result<AcceptedLogon> logon = scene.judge(answer, acceptor_has ? &ours : nullptr);
  if (logon) {
    return scene.acceptor.take_outcome().channel_bound ? Verdict::kBound : Verdict::kTaken;
  }
  CHECK(logon.error().major == Major::kBadBindings);
  CHECK(logon.error().minor == Minor::kBindings);
  return Verdict::kBadBindings;
}

TEST_CASE("bindings: equal ones are bound, others refused, none as demanded", "[bindings]") {
  using V = Verdict;
  CHECK(judge_bindings(Given::kEqual, Demand::kAccept, true) == V::kBound);
  CHECK(judge_bindings(Given::kEqual, Demand::kRequire, true) == V::kBound);
  CHECK(judge_bindings(Given::kOther, Demand::kAccept, true) == V::kBadBindings);
  CHECK(judge_bindings(Given::kOther, Demand::kRequire, true) == V::kBadBindings);
  for (const Given none : {Given::kZero, Given::kAbsent}) {
    CHECK(judge_bindings(none, Demand::kAccept, true) == V::kTaken);
    CHECK(judge_bindings(none, Demand::kRequire, true) == V::kBadBindings);
  }
  for (const Given any : {Given::kEqual, Given::kOther, Given::kZero, Given::kAbsent}) {
    CHECK(judge_bindings(any, Demand::kOff, true) == V::kTaken);
  }
}

TEST_CASE("bindings: an acceptor without any ignores the client's", "[bindings]") {
  for (const Given any : {Given::kEqual, Given::kOther, Given::kZero, Given::kAbsent}) {
    CHECK(judge_bindings(any, Demand::kAccept, false) == Verdict::kTaken);
    CHECK(judge_bindings(any, Demand::kOff, false) == Verdict::kTaken);
  }
}

TEST_CASE("bindings: a second pair is refused, but for zeros that a MIC covers", "[bindings]") {
  ChannelBindingHash ours{};
  ours.fill(0x11);
  const Bytes good(ours.begin(), ours.end());
  const Bytes zeros(16);
  const Bytes other(16, 0x22);
  for (const std::vector<Bytes>& given : std::vector<std::vector<Bytes>>{{good, zeros},
                                                                         {good, zeros, zeros},
                                                                         {good, good},
                                                                         {good, other},
                                                                         {zeros, good},
                                                                         {zeros, zeros},
                                                                         {other, good}}) {
    for (const bool mic : {true, false}) {
      Scene scene;
      Answer answer = without_mic_unless(mic, scene.answer());
      for (const Bytes& value : given) {
        answer.pairs.push_back({AvId::kChannelBindings, value});
      }
      // Samba 4.17's winbind appends a pair of zeros, which its MIC covers.
      if (mic && given == std::vector<Bytes>{good, zeros}) {
        CHECK(scene.judge(answer, &ours));
      } else {
        check_refused(scene.judge(answer, &ours), Minor::kBadAvPairs, Major::kDefectiveToken);
      }
    }
  }
}

// A man in the middle adds the pair to CHALLENGE, and a client that has no bindings copies it.
TEST_CASE("bindings: without a MIC the client's pair proves nothing", "[bindings]") {
  using V = Verdict;
  CHECK(judge_bindings(Given::kEqual, Demand::kAccept, true, false) == V::kTaken);
  CHECK(judge_bindings(Given::kEqual, Demand::kRequire, true, false) == V::kBadBindings);
  for (const Demand demand : {Demand::kAccept, Demand::kRequire}) {
    CHECK(judge_bindings(Given::kOther, demand, true, false) == V::kBadBindings);
  }
  for (const Given none : {Given::kZero, Given::kAbsent}) {
    CHECK(judge_bindings(none, Demand::kAccept, true, false) == V::kTaken);
    CHECK(judge_bindings(none, Demand::kRequire, true, false) == V::kBadBindings);
  }
}

TEST_CASE("target: without a MIC the client's pair names nothing", "[bindings]") {
  for (const bool mic : {true, false}) {
    Scene scene;
    Answer answer = without_mic_unless(mic, scene.answer());
    answer.set(AvId::kTargetName, wide("HTTP/server"));
    const Result<AcceptedLogon> logon = scene.judge(answer);
    REQUIRE(logon);
    CHECK(logon->facts.target_name == (mic ? wide("HTTP/server") : Bytes()));
  }
}

TEST_CASE("bindings: equal ones do not excuse a wrong password", "[bindings]") {
  ChannelBindingHash ours{};
  ours.fill(0x11);
  Scene scene;
  Answer answer = scene.answer();
  answer.set(AvId::kChannelBindings, ours);
  answer.account.password = "password";
  check_refused(scene.judge(answer, &ours), Minor::kLogonFailure);
}

constexpr std::uint64_t kLimit = Policy().max_skew_seconds * kFiletimePerSecond;

Result<AcceptedLogon> judge_time(std::uint64_t time, std::uint64_t max_skew_seconds,
                                 bool keep_pair = false) {
  Policy policy;
  policy.max_skew_seconds = max_skew_seconds;
  Scene scene(policy);
  Answer answer = scene.answer();
  answer.time = time;
  if (!keep_pair) {
    answer.remove(AvId::kTimestamp);
  }
  return scene.judge(answer);
}

TEST_CASE("clock: a skew up to the limit is taken, a tick more is refused", "[clock]") {
  constexpr std::uint64_t kDefault = Policy().max_skew_seconds;
  CHECK(judge_time(kNoon, kDefault));
  CHECK(judge_time(kNoon - kLimit, kDefault));
  CHECK(judge_time(kNoon + kLimit, kDefault));
  check_refused(judge_time(kNoon - kLimit - 1, kDefault), Minor::kLogonFailure);
  check_refused(judge_time(kNoon + kLimit + 1, kDefault), Minor::kLogonFailure);
}

TEST_CASE("clock: the ends of time are refused", "[clock]") {
  for (const std::uint64_t time : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0},
                                   ~std::uint64_t{0} - 1, std::uint64_t{1} << 63}) {
    CAPTURE(time);
    check_refused(judge_time(time, Policy().max_skew_seconds), Minor::kLogonFailure);
    check_refused(judge_time(time, Policy().max_skew_seconds, true), Minor::kLogonFailure);
  }
}

TEST_CASE("clock: the limit is a setting, from exact to none", "[clock]") {
  CHECK(judge_time(kNoon, 0));
  check_refused(judge_time(kNoon + 1, 0), Minor::kLogonFailure);
  check_refused(judge_time(kNoon - 1, 0), Minor::kLogonFailure);
  CHECK(judge_time(kNoon + kFiletimePerSecond, 1));
  check_refused(judge_time(kNoon + kFiletimePerSecond + 1, 1), Minor::kLogonFailure);
  constexpr std::uint64_t kForever = ~std::uint64_t{0};
  CHECK(judge_time(0, kForever));
  CHECK(judge_time(~std::uint64_t{0}, kForever));
  CHECK(judge_time(0, kForever / kFiletimePerSecond));
}

TEST_CASE("clock: an answer that comes too late is refused though it echoes our time", "[clock]") {
  Scene scene;
  const Answer answer = scene.answer();
  scene.env.time += kLimit + 1;
  check_refused(scene.judge(answer), Minor::kLogonFailure);
}

TEST_CASE("clock: the timestamp pair must be the one that was sent", "[clock]") {
  Scene scene;
  Answer answer = scene.answer();
  std::array<std::uint8_t, 8> other;
  store_le64(other.data(), kNoon + 1);
  answer.set(AvId::kTimestamp, other);
  check_refused(scene.judge(answer), Minor::kLogonFailure);
}

}  // namespace
}  // namespace gssntlm
