// What hosts do with their processes and threads while the module is at work: threads are
// cancelled, servers fork before, amid and after a handshake.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/hostile/direct.h"
#include "test/support/gss.h"

using namespace gssntlm::test;
namespace direct = gssntlm::direct;
using direct::spi;

namespace {

int g_passed = 0;
int g_failed = 0;

void close_case(bool good, const char* name) {
  ++(good ? g_passed : g_failed);
  std::printf("%s %s\n", good ? "PASS" : "FAIL", name);
}

// ---- threads that are cancelled

gss_cred_id_t g_initiate = GSS_C_NO_CREDENTIAL;
gss_cred_id_t g_accept = GSS_C_NO_CREDENTIAL;
gss_name_t g_target = GSS_C_NO_NAME;
const Workshop* g_shop = nullptr;

// A credential read from files, a handshake and a message, at the module itself. `before` runs
// before each call. True when all was well.
template <typename Before>
bool login(Before before) {
  OM_uint32 minor = 0;
  direct::Cred accept;
  before();
  bool good = spi().acquire_cred(&minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &accept, nullptr,
                                 nullptr) == GSS_S_COMPLETE;
  direct::Context initiator;
  direct::Context acceptor;
  std::string token;
  for (int leg = 0; leg < 4 && good; ++leg) {
    direct::Buffer out;
    gss_buffer_desc in = direct::view(token);
    before();
    const OM_uint32 major =
        leg % 2 == 0 ? spi().init_sec_context(&minor, g_initiate, &initiator, g_target,
                                              &direct::g_mech, GSS_C_INTEG_FLAG, 0, nullptr, &in,
                                              nullptr, &out, nullptr, nullptr)
                     : spi().accept_sec_context(&minor, &acceptor, accept, &in, nullptr, nullptr,
                                                nullptr, &out, nullptr, nullptr, nullptr);
    good = !GSS_ERROR(major);
    token = out.text();
  }
  std::string text = "message";
  gss_buffer_desc message = direct::view(text);
  direct::Buffer sealed;
  direct::Buffer opened;
  before();
  return good &&
         spi().wrap(&minor, initiator, 1, 0, &message, nullptr, &sealed) == GSS_S_COMPLETE &&
         spi().unwrap(&minor, acceptor, &sealed, &opened, nullptr, nullptr) == GSS_S_COMPLETE &&
         opened.text() == text;
}

// Cancelled before it begins: each call has a cancellation that waits for it.
bool pending_cancellation() {
  static std::atomic<bool> well{false};
  well = false;
  std::thread thread([] {
    ::pthread_cancel(::pthread_self());
    well = login([] {
      // Read again in each call: opening and reading files are where threads are cancelled, but
      // not yet by this.
      int state = 0;
      ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
      g_shop->write("users", "CORP:alice:Passw0rd\n");
      ::pthread_setcancelstate(state, nullptr);
    });
    // Now it may happen.
    ::pthread_testcancel();
    well = false;
  });
  thread.join();
  return well;
}

struct Worker {
  pthread_t thread{};
  bool disabled = false;  // asynchronous, and disabled while the module is called
};

std::atomic<long> g_logins{0};
std::atomic<long> g_wrong{0};

void* work(void* argument) {
  const auto* worker = static_cast<const Worker*>(argument);
  int before = 0;
  if (worker->disabled) {
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    ::pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
  }
  while (true) {
    ++(login([] {}) ? g_logins : g_wrong);
    if (worker->disabled) {
      int state = 0;
      ::pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
      g_wrong += state == PTHREAD_CANCEL_DISABLE ? 0 : 1;
      ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    } else {
      ::pthread_testcancel();
    }
  }
}

bool random_cancellation(bool disabled) {
  constexpr int kRounds = 60;
  constexpr int kThreads = 4;
  g_wrong = 0;
  unsigned random = 12345;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Worker> workers(kThreads);
    for (Worker& worker : workers) {
      worker.disabled = disabled;
      if (::pthread_create(&worker.thread, nullptr, work, &worker) != 0) {
        return false;
      }
    }
    for (Worker& worker : workers) {
      random = random * 1103515245 + 12345;
      ::usleep(random >> 16 & 0x1FF);
      ::pthread_cancel(worker.thread);
    }
    for (Worker& worker : workers) {
      void* outcome = nullptr;
      ::pthread_join(worker.thread, &outcome);
      g_wrong += outcome == PTHREAD_CANCELED ? 0 : 1;
    }
  }
  return g_wrong == 0 && login([] {});
}

// Blocked in the module: it waits for the lock that another editor of a users file holds.
bool cancelled_while_it_waits() {
  const std::string lock = g_shop->path(".kept.gss-ntlm-lock");
  const int held = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (held < 0 || ::flock(held, LOCK_EX) != 0) {
    return false;
  }
  static std::atomic<int> at{0};
  static OM_uint32 major = 0;
  at = 0;
  pthread_t thread;
  const auto body = [](void*) -> void* {
    const std::string path = g_shop->path("kept");
    gss_key_value_element_desc element = {GSS_NTLM_CS_KEYFILE, path.c_str()};
    gss_key_value_set_desc store = {1, &element};
    OM_uint32 minor = 0;
    at = 1;
    major = spi().store_cred_into(&minor, g_initiate, GSS_C_INITIATE, &direct::g_mech, 1, 0, &store,
                                  nullptr, nullptr);
    at = 2;
    ::pthread_testcancel();
    at = 3;
    return nullptr;
  };
  if (::pthread_create(&thread, nullptr, body, nullptr) != 0) {
    return false;
  }
  while (at == 0) {
    ::usleep(1000);
  }
  ::usleep(50'000);
  ::pthread_cancel(thread);
  ::usleep(50'000);
  const bool waited = at == 1;
  ::close(held);
  ::pthread_join(thread, nullptr);
  return waited && at == 2 && major == GSS_S_COMPLETE;
}

// ---- processes that fork

template <typename Body>
pid_t child(Body body) {
  std::fflush(stdout);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(120);
    ::_exit(body() ? 0 : 1);
  }
  return pid;
}

bool all_well(const std::vector<pid_t>& children) {
  bool well = true;
  for (const pid_t pid : children) {
    int status = -1;
    well = pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0 && well;
  }
  return well;
}

std::string random_part(const std::string& challenge) {
  return challenge.size() >= 32 ? challenge.substr(24, 8) : std::string();
}

// The parent has the credential, and has used it; children accept with it, all at once.
bool prefork(gss_OID mech) {
  CredHandle initiate;
  CredHandle accept;
  if (!acquire_password("CORP\\alice", "Passw0rd", mech, initiate).ok() ||
      !acquire(GSS_C_ACCEPT, mech, accept).ok()) {
    return false;
  }
  Exchange x;
  x.mech = mech;
  x.initiator_cred = initiate.get();
  x.acceptor_cred = accept.get();
  const auto logs_in = [&] {
    End initiator;
    End acceptor;
    std::string token;
    std::string text;
    return run(x, initiator, acceptor) && wrap(initiator, "text", token).ok() &&
           unwrap(acceptor, token, text).ok() && text == "text";
  };
  if (!logs_in()) {
    return false;
  }
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(child([&] {
      for (int n = 0; n < 50; ++n) {
        if (!logs_in()) {
          return false;
        }
      }
      return true;
    }));
  }
  const bool parent = logs_in();
  return all_well(children) && parent && logs_in();
}

// No two children send the same challenge.
bool children_differ() {
  CredHandle initiate;
  CredHandle accept;
  acquire_password("CORP\\alice", "Passw0rd", &kNtlm, initiate);
  acquire(GSS_C_ACCEPT, &kNtlm, accept);
  Exchange x;
  x.initiator_cred = initiate.get();
  x.acceptor_cred = accept.get();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return false;
  }
  std::vector<pid_t> children;
  constexpr int kChildren = 8;
  for (int i = 0; i < kChildren; ++i) {
    children.push_back(child([&] {
      End initiator;
      End acceptor;
      const std::string nonce =
          random_part(accept_step(x, acceptor, init_step(x, initiator, std::string())));
      return ::write(ends[1], nonce.data(), nonce.size()) == 8;
    }));
  }
  const bool well = all_well(children);
  ::close(ends[1]);
  std::set<std::string> nonces;
  std::string nonce(8, '\0');
  while (::read(ends[0], nonce.data(), nonce.size()) == 8) {
    nonces.insert(nonce);
  }
  ::close(ends[0]);
  return well && nonces.size() == kChildren;
}

// Threads log in while the users file changes, and while children are forked that log in too: no
// child waits for a lock that a thread of its parent held.
bool fork_while_the_file_changes() {
  std::string large;
  for (int i = 0; i < 3000; ++i) {
    large += "CORP:user" + std::to_string(i) + ":x\n";
  }
  large += "CORP:alice:Passw0rd\n";
  static std::atomic<bool> over{false};
  over = false;
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        wrong += login([] {}) ? 0 : 1;
      }
    });
  }
  threads.emplace_back([&] {
    while (!over) {
      wrong += ::rename(g_shop->write("fresh", large).c_str(), g_shop->path("users").c_str());
      ::usleep(1000);
    }
  });
  bool well = true;
  for (int round = 0; round < 40; ++round) {
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
      children.push_back(child([] {
        ::alarm(30);
        return login([] {});
      }));
    }
    well = all_well(children) && well;
  }
  over = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  g_shop->write("users", "CORP:alice:Passw0rd\n");
  return well && wrong == 0;
}

// Forked after `legs` steps: both processes bring it to its end.
bool fork_amid(int legs) {
  CredHandle initiate;
  CredHandle accept;
  acquire_password("CORP\\alice", "Passw0rd", &kNtlm, initiate);
  acquire(GSS_C_ACCEPT, &kNtlm, accept);
  Exchange x;
  x.initiator_cred = initiate.get();
  x.acceptor_cred = accept.get();
  End initiator;
  End acceptor;
  std::string token;
  for (int leg = 0; leg < legs; ++leg) {
    token = leg % 2 == 0 ? init_step(x, initiator, token) : accept_step(x, acceptor, token);
  }
  const auto finish = [&] {
    for (int leg = legs; leg < 4; ++leg) {
      token = leg % 2 == 0 ? init_step(x, initiator, token) : accept_step(x, acceptor, token);
    }
    std::string sealed;
    std::string text;
    return initiator.last.major == GSS_S_COMPLETE && acceptor.last.major == GSS_S_COMPLETE &&
           wrap(initiator, "text", sealed).ok() && unwrap(acceptor, sealed, text).ok();
  };
  // A challenge is answered once: by the process that began the handshake.
  const auto cannot_finish = [&] { return !finish(); };
  const std::vector<pid_t> children = {child(cannot_finish), child(cannot_finish)};
  return all_well(children) && finish();
}

}  // namespace

int main() {
  const Workshop shop("CORP:alice:Passw0rd\n");
  g_shop = &shop;
  std::string password = "Passw0rd";
  gss_buffer_desc secret = direct::view(password);
  std::string text = "CORP\\alice";
  gss_buffer_desc value = direct::view(text);
  OM_uint32 minor = 0;
  direct::Name alice;
  spi().import_name(&minor, &value, GSS_C_NT_USER_NAME, &alice);
  std::string service = "HTTP@server.example";
  value = direct::view(service);
  spi().import_name(&minor, &value, GSS_C_NT_HOSTBASED_SERVICE, &g_target);
  spi().acquire_cred_with_password(&minor, alice, &secret, 0, nullptr, GSS_C_INITIATE, &g_initiate,
                                   nullptr, nullptr);
  spi().acquire_cred(&minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &g_accept, nullptr, nullptr);

  close_case(prefork(&kNtlm), "the parent initialises, children accept");
  close_case(prefork(&kSpnego), "the parent initialises, children accept inside SPNEGO");
  close_case(children_differ(), "no two children send the same challenge");
  for (int legs = 1; legs < 3; ++legs) {
    close_case(fork_amid(legs),
               legs == 1 ? "a fork after the first token" : "a fork after the challenge");
  }
  close_case(fork_while_the_file_changes(), "forks under load while the users file changes");
  close_case(pending_cancellation(), "a cancellation that waits for every call");
  close_case(random_cancellation(false), "threads cancelled at random moments");
  close_case(random_cancellation(true), "asynchronous cancellation, disabled meanwhile");
  close_case(cancelled_while_it_waits(), "a thread cancelled while it waits for a lock");
  std::printf("%ld logins of threads that were cancelled\n", g_logins.load());
  std::printf("%d passed, %d failed\n", g_passed, g_failed);
  return g_failed == 0 ? 0 : 1;
}
