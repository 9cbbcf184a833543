// Names of every size through whole handshakes.
#include "test/support/catch.h"
#include "test/support/handshake.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

constexpr std::size_t kSizes[] = {0,    1,    255,    256,    511,    512,
                                  1023, 1024, 16'000, 32'767, 32'768, 65'536};
// Characters of two bytes; a field holds 65535 bytes.
constexpr std::size_t kMostCharacters = 32'767;

struct Verdict {
  Minor client = Minor::kNone;
  Minor server = Minor::kNone;
  std::string user;
  std::string target;
};

Verdict shake_hands(InitiatorSetup setup, const Account& account) {
  FixedEnvironment env;
  Verdict verdict;
  Initiator initiator(std::move(setup));
  Acceptor acceptor{Policy()};
  const Result<Buffer> negotiate = initiator.negotiate();
  REQUIRE(negotiate);
  const Result<Buffer> challenge = acceptor.challenge(negotiate->view(), server_names(), env);
  REQUIRE(challenge);
  const Result<Buffer> answer = initiator.authenticate(challenge->view(), nullptr, env);
  if (!answer) {
    verdict.client = answer.error().minor;
    return verdict;
  }
  const Result<AcceptedLogon> logon =
      acceptor.authenticate(answer->view(), nullptr, OneAccount(account), env);
  if (!logon) {
    verdict.server = logon.error().minor;
    return verdict;
  }
  CHECK(hex(initiator.take_outcome().key.view()) == hex(acceptor.take_outcome().key.view()));
  verdict.user = narrow(logon->user);
  verdict.target = narrow(logon->facts.target_name);
  return verdict;
}

TEST_CASE("sizes: a user name of any size that fits logs in, a longer one is told so", "[sizes]") {
  for (const std::size_t size : kSizes) {
    const Account account{std::string(size, 'u'), "DOMAIN", "Password"};
    const Verdict verdict = shake_hands(setup_for(account), account);
    CAPTURE(size);
    if (size == 0) {
      CHECK(verdict.server == Minor::kAnonymous);
    } else if (size > kMostCharacters) {
      CHECK(verdict.client == Minor::kTooLong);
    } else {
      CHECK(verdict.user == account.user);
    }
  }
}

TEST_CASE("sizes: a domain of any size that fits logs in, a longer one is told so", "[sizes]") {
  for (const std::size_t size : kSizes) {
    const Account account{"User", std::string(size, 'd'), "Password"};
    const Verdict verdict = shake_hands(setup_for(account), account);
    CAPTURE(size);
    CHECK(verdict.client == (size > kMostCharacters ? Minor::kTooLong : Minor::kNone));
    CHECK(verdict.user == (size > kMostCharacters ? "" : "User"));
  }
}

TEST_CASE("sizes: a workstation of any size that fits is taken, a longer one is told so",
          "[sizes]") {
  for (const std::size_t size : kSizes) {
    InitiatorSetup setup = setup_for({});
    setup.workstation = wide(std::string(size, 'w'));
    const Verdict verdict = shake_hands(std::move(setup), {});
    CAPTURE(size);
    CHECK(verdict.client == (size > kMostCharacters ? Minor::kTooLong : Minor::kNone));
    CHECK(verdict.user == (size > kMostCharacters ? "" : "User"));
  }
}

TEST_CASE("sizes: a target name arrives whole or is told to be too long", "[sizes]") {
  for (const std::size_t size : kSizes) {
    InitiatorSetup setup = setup_for({});
    setup.target_name = wide(std::string(size, 't'));
    const Verdict verdict = shake_hands(std::move(setup), {});
    const bool fits = size <= 16'000;  // beside the other pairs in a response of 65535 bytes
    CAPTURE(size);
    CHECK(verdict.client == (fits ? Minor::kNone : Minor::kTooLong));
    CHECK(verdict.target == (fits ? std::string(size, 't') : ""));
  }
}

TEST_CASE("sizes: names that fit alone and not together are told so", "[sizes]") {
  const Account account{std::string(30'000, 'u'), std::string(30'000, 'd'), "Password"};
  CHECK(shake_hands(setup_for(account), account).client == Minor::kTooLong);
}

TEST_CASE("sizes: passwords of any size log in", "[sizes]") {
  for (const std::size_t size : kSizes) {
    const Account account{"User", "DOMAIN", std::string(size, 'p')};
    CAPTURE(size);
    CHECK(shake_hands(setup_for(account), account).user == "User");
  }
}

TEST_CASE("sizes: a server's names that do not fit make no challenge", "[sizes]") {
  for (const std::size_t size : kSizes) {
    FixedEnvironment env;
    Acceptor acceptor{Policy()};
    HostNames names = server_names();
    names.nb_computer = wide(std::string(size, 's'));
    const Result<Buffer> challenge = acceptor.challenge(make_negotiate(kUsualOffer), names, env);
    CAPTURE(size);
    CHECK(challenge.ok() == (size <= 16'000));
    CHECK((challenge || challenge.error().minor == Minor::kTooLong));
  }
}

}  // namespace
}  // namespace gssntlm
