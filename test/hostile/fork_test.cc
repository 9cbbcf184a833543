// A process that forks while one of its threads holds a lock of the module: the child, in which
// that thread does not exist, does not wait for it.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "test/hostile/own_open.h"
#include "test/support/gss.h"

using namespace gssntlm::test;

namespace {

// The file in whose opening a thread stops for a while; settings are read under their lock.
std::string* g_slow = nullptr;
std::atomic<bool> g_inside{false};

bool is_ready_to_accept() {
  CredHandle cred;
  return acquire(GSS_C_ACCEPT, &kNtlm, cred).ok();
}

}  // namespace

void gssntlm::test::before_open(const char* path, int /*flags*/) {
  if (g_slow != nullptr && *g_slow == path) {
    g_inside = true;
    ::usleep(300'000);
  }
}

int main() {
  const Workshop workshop("CORP:alice:Passw0rd\n");
  if (!is_ready_to_accept()) {
    std::puts("FAIL a credential before the settings change");
    return 1;
  }
  std::string fresh = workshop.write("fresh", "[accounts]\ninitiator = users_file\n");
  ::setenv("GSS_NTLM_SETTINGS", fresh.c_str(), 1);
  g_slow = &fresh;
  std::thread reader([] { (void)is_ready_to_accept(); });
  for (int i = 0; i < 5000 && !g_inside; ++i) {
    ::usleep(1000);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);
    ::_exit(is_ready_to_accept() ? 0 : 1);
  }
  reader.join();
  int status = -1;
  ::waitpid(child, &status, 0);
  std::printf(
      "%s the settings are read slowly\n%s a child forked meanwhile acquires a credential: %d\n",
      g_inside ? "PASS" : "FAIL", status == 0 ? "PASS" : "FAIL", status);
  return g_inside && status == 0 ? 0 : 1;
}
