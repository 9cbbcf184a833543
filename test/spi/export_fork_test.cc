// Contexts that a fork copies.
#include <vector>

#include <sched.h>
#include <sys/wait.h>

#include "test/spi/halfway.h"
#include "test/support/forks.h"

namespace gssntlm::test {
namespace {

// What is wrong, bit by bit, when a child uses `mine` and opens what its peer sent before.
int misuse(End& mine, const std::string& from_peer) {
  const auto refuses = [](const Outcome& o) {
    return o.major == GSS_S_FAILURE && o.text().find("another process") != std::string::npos;
  };
  std::string token;
  std::string back;
  gss_iov_buffer_desc iov[] = {
      {GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, {0, nullptr}},
      {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}}};
  Outcome o;
  o.major = gss_wrap_iov(&o.minor, mine.context, 1, 0, nullptr, iov, 2);
  int wrong = refuses(o) ? 0 : 1;
  wrong += refuses(wrap(mine, "x", token)) ? 0 : 2;
  wrong += refuses(get_mic(mine, "x", token)) ? 0 : 4;
  wrong += export_context(mine, token).ok() ? 8 : 0;
  wrong += unwrap(mine, from_peer, back).ok() && back == "to the child" ? 0 : 16;
  return wrong;
}

}  // namespace

TEST_CASE("fork: a child sends nothing with its parent's context, and says why", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const bool initiator : {true, false}) {
      Exchange x;
      x.mech = mech;
      End i;
      End a;
      REQUIRE(run(x, i, a));
      End& mine = initiator ? i : a;
      End& peer = initiator ? a : i;
      talk(mine, peer, "before");
      std::string from_peer;
      REQUIRE(wrap(peer, "to the child", from_peer).ok());
      for (const Fork& way : kForks) {
        CAPTURE(initiator, way.name);
        CHECK(in_child(
                  [&] {
                    std::string token;
                    End fresh_i;
                    End fresh_a;
                    const bool works =
                        run(x, fresh_i, fresh_a) && wrap(fresh_i, "mine", token).ok();
                    return misuse(mine, from_peer) + (works ? 0 : 32);
                  },
                  way) == 0);
      }
      talk(mine, peer, "after");
    }
  }
}

TEST_CASE("fork: a child that shares the memory of its parent goes on with the same key stream",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  Exchange x;
  End i;
  End a;
  REQUIRE(run(x, i, a));
  struct Shared {
    End& end;
    std::string token;
    bool ran = false;
  } shared{i, {}};
  std::vector<char> stack(1 << 18);
  const pid_t child = ::clone(
      [](void* of) {
        auto& s = *static_cast<Shared*>(of);
        s.ran = true;
        return wrap(s.end, "from the child", s.token).ok() ? 0 : 1;
      },
      stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &shared);
  REQUIRE(child > 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  // valgrind gives such a child memory of its own.
  REQUIRE((WEXITSTATUS(status) == 0) == shared.ran);
  if (!shared.ran) {
    return;
  }
  std::string back;
  REQUIRE(unwrap(a, shared.token, back).ok());
  CHECK(back == "from the child");
  talk(i, a, "from the parent");
}

}  // namespace gssntlm::test
