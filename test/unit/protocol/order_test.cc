// Messages in the wrong order, twice, after completion and after failure.
#include "test/support/catch.h"
#include "test/support/handshake.h"

namespace gssntlm {
namespace {

using namespace test;

struct Exchange {
  Bytes negotiate;
  Bytes challenge;
  Bytes authenticate;
};

const Exchange& honest() {
  static const Exchange exchange = [] {
    const Scene scene;
    return Exchange{scene.negotiate, scene.challenge, scene.encode(scene.answer()).token};
  }();
  return exchange;
}

// What an end may be in.
enum class Acceptance { kFresh, kChallenged, kDone, kFailedEarly, kFailedLate };

struct AcceptorIn {
  explicit AcceptorIn(Acceptance state) {
    if (state == Acceptance::kFailedEarly) {
      REQUIRE_FALSE(acceptor.challenge(Bytes(), server_names(), env));
    } else if (state != Acceptance::kFresh) {
      REQUIRE(acceptor.challenge(honest().negotiate, server_names(), env));
    }
    if (state == Acceptance::kDone) {
      REQUIRE(acceptor.authenticate(honest().authenticate, nullptr, accounts, env));
    } else if (state == Acceptance::kFailedLate) {
      REQUIRE_FALSE(acceptor.authenticate(Bytes(), nullptr, accounts, env));
    }
  }
  Minor challenge(ByteView token) {
    const Result<Buffer> answer = acceptor.challenge(token, server_names(), env);
    return answer ? Minor::kNone : answer.error().minor;
  }
  Minor authenticate(ByteView token) {
    const Result<AcceptedLogon> logon = acceptor.authenticate(token, nullptr, accounts, env);
    return logon ? Minor::kNone : logon.error().minor;
  }

  FixedEnvironment env;
  OneAccount accounts;
  Acceptor acceptor{Policy()};
};

TEST_CASE("order: an acceptor takes each message in its turn only", "[order]") {
  const Exchange& x = honest();
  for (const Bytes* token : {&x.negotiate, &x.challenge, &x.authenticate}) {
    const bool first = token == &x.negotiate;
    const bool last = token == &x.authenticate;
    CHECK(AcceptorIn(Acceptance::kFresh).challenge(*token) ==
          (first ? Minor::kNone : Minor::kWrongMessage));
    CHECK(AcceptorIn(Acceptance::kFresh).authenticate(*token) == Minor::kBadState);
    CHECK(AcceptorIn(Acceptance::kChallenged).challenge(*token) == Minor::kBadState);
    CHECK(AcceptorIn(Acceptance::kChallenged).authenticate(*token) ==
          (last ? Minor::kNone : Minor::kWrongMessage));
    for (const Acceptance over :
         {Acceptance::kDone, Acceptance::kFailedEarly, Acceptance::kFailedLate}) {
      CHECK(AcceptorIn(over).challenge(*token) == Minor::kBadState);
      CHECK(AcceptorIn(over).authenticate(*token) == Minor::kBadState);
    }
  }
}

TEST_CASE("order: an acceptor asks no account when it is not AUTHENTICATE's turn", "[order]") {
  AcceptorIn fresh(Acceptance::kFresh);
  CHECK(fresh.authenticate(honest().authenticate) == Minor::kBadState);
  CHECK(fresh.accounts.questions() == 0);
  AcceptorIn done(Acceptance::kDone);
  CHECK(done.authenticate(honest().authenticate) == Minor::kBadState);
  CHECK(done.accounts.questions() == 1);
}

TEST_CASE("order: an AUTHENTICATE that was refused is no second attempt's", "[order]") {
  Scene scene;
  Answer answer = scene.answer();
  const Sent good = scene.encode(answer);
  answer.account.password = "password";
  REQUIRE_FALSE(scene.judge(answer));
  const Result<AcceptedLogon> again = scene.judge(good.token);
  REQUIRE_FALSE(again);
  CHECK(again.error().minor == Minor::kBadState);
  CHECK(scene.accounts.questions() == 1);
}

TEST_CASE("order: an AUTHENTICATE is worth nothing on another context", "[order]") {
  const Bytes replayed = honest().authenticate;
  FixedEnvironment env;
  env.next_random = Bytes(8, 0xAB);
  OneAccount accounts;
  Acceptor other{Policy()};
  REQUIRE(other.challenge(honest().negotiate, server_names(), env));
  const Result<AcceptedLogon> logon = other.authenticate(replayed, nullptr, accounts, env);
  REQUIRE_FALSE(logon);
  CHECK(logon.error().minor == Minor::kLogonFailure);
}

enum class Initiation { kFresh, kOffered, kDone, kFailed };

struct InitiatorIn {
  explicit InitiatorIn(Initiation state) {
    if (state != Initiation::kFresh) {
      REQUIRE(initiator.negotiate());
    }
    if (state == Initiation::kDone) {
      REQUIRE(initiator.authenticate(honest().challenge, nullptr, env));
    } else if (state == Initiation::kFailed) {
      REQUIRE_FALSE(initiator.authenticate(Bytes(), nullptr, env));
    }
  }
  Minor negotiate() {
    const Result<Buffer> token = initiator.negotiate();
    return token ? Minor::kNone : token.error().minor;
  }
  Minor authenticate(ByteView token) {
    const Result<Buffer> answer = initiator.authenticate(token, nullptr, env);
    return answer ? Minor::kNone : answer.error().minor;
  }

  FixedEnvironment env;
  Initiator initiator{setup_for({})};
};

TEST_CASE("order: an initiator takes each step in its turn only", "[order]") {
  const Exchange& x = honest();
  CHECK(InitiatorIn(Initiation::kFresh).negotiate() == Minor::kNone);
  for (const Initiation later : {Initiation::kOffered, Initiation::kDone, Initiation::kFailed}) {
    CHECK(InitiatorIn(later).negotiate() == Minor::kBadState);
  }
  for (const Bytes* token : {&x.negotiate, &x.challenge, &x.authenticate}) {
    const bool right = token == &x.challenge;
    CHECK(InitiatorIn(Initiation::kOffered).authenticate(*token) ==
          (right ? Minor::kNone : Minor::kWrongMessage));
    for (const Initiation wrong : {Initiation::kFresh, Initiation::kDone, Initiation::kFailed}) {
      CHECK(InitiatorIn(wrong).authenticate(*token) == Minor::kBadState);
    }
  }
}

}  // namespace
}  // namespace gssntlm
