// Contexts in parallel on shared credentials while the users file and the settings change under
// them, from the module's first use on. Meant for ThreadSanitizer; asserts without it too.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "test/support/gss.h"

using namespace gssntlm::test;

namespace {

constexpr int kThreads = 16;
constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\nCORP:bob:Passw0rd-bob\n";

std::atomic<int> g_wrong{0};
std::atomic<long> g_done{0};

void expect(bool truth, const char* what) {
  if (!truth) {
    ++g_wrong;
    std::fprintf(stderr, "wrong: %s\n", what);
  }
}

void exchange(gss_cred_id_t initiate, gss_cred_id_t accept, const char* user) {
  Exchange x;
  x.initiator_cred = initiate;
  x.acceptor_cred = accept;
  End initiator;
  End acceptor;
  const bool open = run(x, initiator, acceptor);
  expect(open, "an honest exchange failed");
  if (!open) {
    std::fprintf(stderr, "  %s / %s\n", initiator.last.text().c_str(),
                 acceptor.last.text().c_str());
    return;
  }
  expect(acceptor.source.display() == user, "another user was named");
  std::string token;
  std::string text;
  expect(wrap(initiator, "message", token).ok() && unwrap(acceptor, token, text).ok() &&
             text == "message",
         "a message was lost");
  std::string forged = token;
  forged.back() = static_cast<char>(forged.back() ^ 1);
  expect(!unwrap(acceptor, forged, text).ok(), "a forged message was opened");
  ++g_done;
}

void refuse(gss_cred_id_t accept) {
  CredHandle cred;
  acquire_password("CORP\\alice", "guess", &kNtlm, cred);
  Exchange x;
  x.initiator_cred = cred.get();
  x.acceptor_cred = accept;
  End initiator;
  End acceptor;
  expect(!run(x, initiator, acceptor), "a wrong password was accepted");
}

void work(gss_cred_id_t alice, gss_cred_id_t bob, gss_cred_id_t accept, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    exchange(i % 2 == 0 ? alice : bob, accept, i % 2 == 0 ? "CORP\\alice" : "CORP\\bob");
    if (i % 10 == 0) {
      refuse(accept);
      CredHandle own;
      expect(acquire(GSS_C_BOTH, &kNtlm, own).ok(), "no credential of its own");
      exchange(own.get(), own.get(), "CORP\\alice");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 200;
  const Workshop workshop(kUsers);

  // The very first calls into the module, all at once.
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&go] {
      while (!go) {
      }
      CredHandle both;
      expect(acquire(GSS_C_BOTH, &kNtlm, both).ok(), "first use");
      exchange(both.get(), both.get(), "CORP\\alice");
    });
  }
  go = true;
  for (std::thread& t : threads) {
    t.join();
  }
  threads.clear();

  CredHandle alice;
  CredHandle bob;
  CredHandle accept;
  acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, alice);
  acquire_password("CORP\\bob", "Passw0rd-bob", &kNtlm, bob);
  acquire(GSS_C_ACCEPT, &kNtlm, accept);
  std::atomic<bool> stop{false};
  std::thread changer([&] {
    for (int i = 0; !stop; ++i) {
      const std::string more = i % 3 == 0 ? "" : "CORP:user" + std::to_string(i) + ":x\n";
      const std::string path = workshop.write("new", kUsers + more);
      std::filesystem::rename(path, workshop.path("users"));
      workshop.write("settings", i % 2 == 0 ? "[policy]\nmin_key_bits = 128\n"
                                            : "[policy]\nmax_clock_skew = 35h\n");
      ::usleep(2000);
    }
  });
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(work, alice.get(), bob.get(), accept.get(), rounds);
  }
  for (std::thread& t : threads) {
    t.join();
  }
  stop = true;
  changer.join();
  std::printf("%ld exchanges, %d wrong\n", g_done.load(), g_wrong.load());
  return g_wrong == 0 ? 0 : 1;
}
