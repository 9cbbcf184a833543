// Whether SPNEGO carries the mechListMIC is found out once per process. What fails meanwhile must
// not decide it: later logins carry a MIC as if nothing had failed.
#include <dlfcn.h>
#include <execinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/hostile/failing.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr int kWithMic = 1;
constexpr int kWithoutMic = 2;
constexpr int kNoLogin = 3;
constexpr int kLibraryDied = 4;
constexpr int kDied = -1;
constexpr int kMostCalls = 4000;

int undisturbed(const Exchange& x) {
  End initiator;
  End acceptor;
  if (!run(x, initiator, acceptor)) {
    return kNoLogin;
  }
  return has_mic(acceptor) ? kWithMic : kWithoutMic;
}

void* g_library = nullptr;  // where libgssapi is loaded

void find_library() {
  Dl_info where{};
  if (::dladdr(::dlsym(RTLD_DEFAULT, "gss_acquire_cred"), &where) != 0) {
    g_library = where.dli_fbase;
  }
  // Loads what it needs now, while memory can be had.
  std::array<void*, 1> frame{};
  ::backtrace(frame.data(), 1);
}

// Tells a crash of the library from one of ours: the third frame is where the signal came.
void on_crash(int) {
  failing::disarm();
  std::array<void*, 3> frames{};
  Dl_info where{};
  const bool library = ::backtrace(frames.data(), 3) == 3 && ::dladdr(frames[2], &where) != 0 &&
                       where.dli_fbase == g_library;
  ::signal(SIGSEGV, SIG_DFL);
  if (library) {
    ::_exit(kLibraryDied);
  }
  ::raise(SIGSEGV);
}

// In a process of its own: the initiator's leg that probes meets the failure, and then there is
// another login. `reached`: the call that was to fail was made.
int in_child(const Exchange& x, const failing::Plan& plan, bool& reached) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGSEGV, on_crash);
    int seen = 0;
    {
      End initiator;
      End acceptor;
      const std::string challenge = accept_step(x, acceptor, init_step(x, initiator, ""));
      failing::arm(plan);
      try {
        init_step(x, initiator, challenge);
      } catch (const std::exception&) {
        // What this program itself allocates for the step may fail as well.
      }
      seen = failing::disarm();
    }
    ::_exit(undisturbed(x) + (seen >= plan.at ? 8 : 0));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  reached = WIFEXITED(status) && (WEXITSTATUS(status) & (8 | kLibraryDied)) != 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) & 7 : kDied;
}

int count_defects(const Exchange& x, failing::Call call, const char* what, bool on, int expected) {
  int defects = 0;
  int died = 0;
  bool reached = true;
  int at = 1;
  for (; reached && at < kMostCalls; ++at) {
    const int later = in_child(x, {call, at, ENOMEM, on, false, nullptr}, reached);
    if (later == kLibraryDied && call == failing::Call::kAllocation) {
      // SPNEGO's gss_acquire_cred() of krb5 1.20 reads the set of mechanisms that it got no memory
      // for.
      ++died;
    } else if (later != expected) {
      std::printf("FAIL probe: after failed %s %d%s later logins are %d, not %d\n", what, at,
                  on ? " and all that followed" : "", later, expected);
      ++defects;
    }
  }
  const int tried = at - 2 - died;
  std::printf(
      "%s probe: %d failures of %s%s leave later logins as they are, %d crash the library\n",
      defects == 0 && tried > 0 ? "PASS" : "FAIL", tried, what, on ? " and on" : "", died);
  return defects + (tried > 0 ? 0 : 1);
}

}  // namespace
}  // namespace gssntlm::test

int main() {
  using namespace gssntlm::test;
  find_library();
  const Workshop workshop("CORP:alice:secret\n");
  CredHandle alice;
  if (!acquire_password("CORP\\alice", "secret", &kSpnego, alice).ok()) {
    return 1;
  }
  Exchange x;
  x.mech = &kSpnego;
  x.initiator_cred = alice.get();
  bool reached = false;
  const int expected = in_child(x, {}, reached);
  if (expected != kWithMic && expected != kWithoutMic) {
    std::printf("FAIL probe: no login without failures\n");
    return 1;
  }
  int defects = 0;
  for (const bool on : {false, true}) {
    defects += count_defects(x, failing::Call::kRandom, "getrandom", on, expected);
    defects += count_defects(x, failing::Call::kAllocation, "allocation", on, expected);
  }
  return defects == 0 ? 0 : 1;
}
