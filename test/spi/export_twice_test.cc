// An exported context that is imported more than once: one import is completed.
#include <functional>
#include <utility>

#include "test/spi/halfway.h"
#include "test/support/forks.h"

namespace gssntlm::test {
namespace {

// What a child says of a step.
int outcome_in_child(const std::function<OM_uint32()>& step, const Fork& way = kForks[0]) {
  return in_child(
      [&] {
        const OM_uint32 minor = step();
        return minor == 0                      ? 0
               : minor == GSS_NTLM_S_FORKED    ? 1
               : minor == GSS_NTLM_S_BAD_STATE ? 2
                                               : 3;
      },
      way);
}
constexpr int kChildCompleted = 0;
constexpr int kChildForked = 1;
constexpr int kChildOutOfTurn = 2;

}  // namespace

TEST_CASE("twice: of two imports of a handshake one is completed", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    CAPTURE(role);
    Halfway h(role);
    const std::string token = export_halfway(h);
    End first;
    End second;
    REQUIRE(import_context(first, token).ok());
    REQUIRE(import_context(second, token).ok());
    CHECK(h.complete(first).major == GSS_S_COMPLETE);
    const Outcome again = h.complete(second);
    CHECK(again.minor == GSS_NTLM_S_BAD_STATE);
    CHECK(again.text().find("imported twice") != std::string::npos);
    CHECK(session_key(second).empty());
    // A later import is no better.
    End third;
    REQUIRE(import_context(third, token).ok());
    CHECK(h.complete(third).minor == GSS_NTLM_S_BAD_STATE);
  }
}

TEST_CASE("twice: another export does not renew a handshake", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    CAPTURE(role);
    Halfway h(role);
    const std::string token = export_halfway(h);
    End first;
    End second;
    REQUIRE(import_context(first, token).ok());
    REQUIRE(import_context(second, token).ok());
    move_context(second);
    CHECK(h.complete(first).ok());
    CHECK(h.complete(second).minor == GSS_NTLM_S_BAD_STATE);
  }
}

TEST_CASE("twice: messages that prove nothing claim nothing, and many leave room for honest ones",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    CAPTURE(role);
    Halfway h(role);
    const std::string token = export_halfway(h);
    const auto fail = [&](const std::string& of, const std::string& message) {
      End end;
      REQUIRE(import_context(end, of).ok());
      const std::string good = std::exchange(h.token, message);
      CHECK_FALSE(h.complete(end).ok());
      h.token = good;
    };
    std::string forged = h.token;
    forged.back() = static_cast<char>(forged.back() ^ 1);
    for (int n = 0; n < 200; ++n) {
      const std::string other = with_identifier(token, static_cast<std::uint8_t>(n + 1));
      fail(other, "no message of NTLM");
      // The answer to another challenge; an initiator's CHALLENGE cut short.
      fail(other, role == Halfway::kAcceptor ? h.token : h.token.substr(0, h.token.size() - 1));
    }
    fail(token, "no message of NTLM");
    if (role == Halfway::kAcceptor) {
      fail(token, forged);
    }
    End honest;
    REQUIRE(import_context(honest, token).ok());
    CHECK(h.complete(honest).ok());
    End again;
    REQUIRE(import_context(again, token).ok());
    CHECK(h.complete(again).minor == GSS_NTLM_S_BAD_STATE);
  }
}

TEST_CASE("twice: an acceptor's handshake has the name of its challenge", "[spi][export]") {
  const Workshop workshop(kUsers);
  Halfway h(Halfway::kAcceptor);
  std::string token = export_halfway(h);
  set_number(token, kIdentifier, number_at(token, kIdentifier) ^ 1);
  repair_checksum(token);
  End end;
  CHECK(import_context(end, token).major == GSS_S_DEFECTIVE_TOKEN);
}

TEST_CASE("twice: an established context is imported once", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const bool initiator : {true, false}) {
      CAPTURE(initiator);
      Exchange x;
      x.mech = mech;
      End i;
      End a;
      REQUIRE(run(x, i, a));
      End& mine = initiator ? i : a;
      std::string token;
      REQUIRE(export_context(mine, token).ok());
      End none;
      CHECK_FALSE(import_context(none, token.substr(0, token.size() - 1)).ok());
      REQUIRE(import_context(mine, token).ok());
      const auto reject = [&] {
        End second;
        const Outcome o = import_context(second, token);
        CHECK(o.major == GSS_S_FAILURE);
        CHECK(second.context == GSS_C_NO_CONTEXT);
        // SPNEGO replaces the minor status.
        CHECK((mech == &kSpnego || o.minor == GSS_NTLM_S_BAD_STATE));
        CHECK((mech == &kSpnego || o.text().find("imported twice") != std::string::npos));
      };
      reject();
      CHECK(outcome_in_child([&] {
              End second;
              return import_context(second, token).ok() ? 0 : GSS_NTLM_S_BAD_STATE;
            }) == kChildOutOfTurn);
      talk(i, a, "once");
      reject();
      // What was exported again is another token; the first one stays used.
      move_context(mine);
      reject();
      talk(a, i, "moved");
      OM_uint32 minor = 0;
      gss_delete_sec_context(&minor, &mine.context, GSS_C_NO_BUFFER);
      reject();
    }
  }
}

TEST_CASE("twice: a handshake is completed by the process that began or imported it",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    for (const bool imported : {false, true}) {
      Halfway h(role);
      if (imported) {
        move_context(h.waiting());
      }
      for (const Fork& way : kForks) {
        CAPTURE(role, imported, way.name);
        CHECK(outcome_in_child([&] { return h.complete(h.waiting()).minor; }, way) == kChildForked);
        std::string token;
        // The mechglue keeps the minor status of a failed export to itself.
        CHECK(outcome_in_child(
                  [&] { return export_context(h.waiting(), token).ok() ? 0 : GSS_NTLM_S_FORKED; },
                  way) == kChildForked);
      }
      CHECK(h.complete(h.waiting()).major == GSS_S_COMPLETE);
    }
  }
}

TEST_CASE("twice: a child may import a handshake, unless its parent completed it before",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    for (const bool completed : {false, true}) {
      CAPTURE(role, completed);
      Halfway h(role);
      const std::string token = export_halfway(h);
      End end;
      if (completed) {
        REQUIRE(import_context(end, token).ok());
        REQUIRE(h.complete(end).ok());
      }
      CHECK(outcome_in_child([&] {
              End imported;
              const Outcome o = import_context(imported, token);
              return o.ok() ? h.complete(imported).minor : o.minor;
            }) == (completed ? kChildOutOfTurn : kChildCompleted));
    }
  }
}

TEST_CASE(
    "twice: when no more can be remembered the next handshake is rejected, not an old one taken",
    "[spi][export]") {
  const Workshop workshop(kUsers);
  Halfway h(Halfway::kInitiator);
  const std::string token = export_halfway(h);
  int completed = 0;
  Outcome last;
  const auto attempt = [&](int n) {
    End end;
    REQUIRE(import_context(end, with_identifier(token, static_cast<std::uint8_t>(n + 1))).ok());
    last = h.complete(end);
    return last.ok();
  };
  while (completed < 200 && attempt(completed)) {
    ++completed;
  }
  // There may be others of this process in the same set.
  CHECK(completed <= 64);
  CHECK(completed > 50);
  CHECK(last.major == GSS_S_FAILURE);
  CHECK(last.minor == GSS_NTLM_S_NOT_AVAILABLE);
  CHECK(last.text().find("too many imported handshakes") != std::string::npos);
  for (int n = 0; n < completed; ++n) {
    CHECK_FALSE(attempt(n));
    CHECK(last.minor == GSS_NTLM_S_BAD_STATE);
  }
}

}  // namespace gssntlm::test
