// Contexts in parallel on shared credentials while the users file and the settings change under
// them, the trace is written and logins of a keyring are read, from the module's first use on.
// Meant for ThreadSanitizer (test/tsan.sh); asserts without it too.
//
// Usage: hostile_threads [ROUNDS]; with 0 rounds it ends after the first use. `hostile_threads
// race` has a race, which ThreadSanitizer must notice.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <linux/keyctl.h>
#include <sys/syscall.h>
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

void exchange(gss_cred_id_t initiate, gss_cred_id_t accept, const char* user,
              gss_OID mech = &kNtlm) {
  Exchange x;
  x.mech = mech;
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

void work(gss_cred_id_t alice, gss_cred_id_t bob, gss_cred_id_t accept, int rounds, bool keyring) {
  for (int i = 0; i < rounds; ++i) {
    exchange(i % 2 == 0 ? alice : bob, accept, i % 2 == 0 ? "CORP\\alice" : "CORP\\bob");
    if (i % 10 == 0) {
      refuse(accept);
      CredHandle own;
      expect(acquire(GSS_C_BOTH, &kNtlm, own).ok(), "no credential of its own");
      exchange(own.get(), own.get(), "CORP\\alice");
    }
    if (keyring && i % 10 == 5) {
      CredHandle kept;
      expect(acquire_from(GSS_C_INITIATE, &kNtlm, "", {{"ntlmssp_keyring", "session"}}, kept).ok(),
             "no login of the keyring");
      exchange(kept.get(), accept, "CORP\\alice");
    }
  }
}

// The very first calls into the module, all at once.
void first_use() {
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&go, i] {
      while (!go) {
      }
      gss_OID mech = i % 4 == 3 ? &kSpnego : &kNtlm;
      CredHandle both;
      expect(acquire(GSS_C_BOTH, mech, both).ok(), "first use");
      exchange(both.get(), both.get(), "CORP\\alice", mech);
    });
  }
  go = true;
  for (std::thread& t : threads) {
    t.join();
  }
}

// A session keyring of this process, with a login; false where there are no keyrings.
bool keep_login() {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) <= 0) {
    return false;
  }
  CredHandle alice;
  acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, alice);
  gss_key_value_element_desc element = {"ntlmssp_keyring", "session"};
  const gss_key_value_set_desc store = {1, &element};
  OM_uint32 minor = 0;
  return gss_store_cred_into(&minor, alice.get(), GSS_C_INITIATE, &kNtlm, 1, 0, &store, nullptr,
                             nullptr) == GSS_S_COMPLETE;
}

std::string settings_number(int i, const Workshop& workshop) {
  std::string text = "[accounts]\ninitiator = users_file\n[policy]\nrefuse_reflection = no\n";
  text += i % 2 == 0 ? "min_key_bits = 128\n" : "max_clock_skew = 35h\n";
  if (i % 4 < 2) {
    text += "[trace]\nlevel = 2\nfile = " + workshop.path("trace") + "\n";
  }
  return i % 8 < 4 ? text : text + "[audit]\nlog = file\nfile = " + workshop.path("audit") + "\n";
}

// Changes users file and settings until told to stop.
void change(const Workshop& workshop, const std::atomic<bool>& stop) {
  for (int i = 0; !stop; ++i) {
    const std::string more = i % 3 == 0 ? "" : "CORP:user" + std::to_string(i) + ":x\n";
    std::filesystem::rename(workshop.write("new", kUsers + more), workshop.path("users"));
    std::filesystem::rename(workshop.write("new", settings_number(i, workshop)),
                            workshop.path("settings"));
    ::usleep(2000);
  }
}

void race() {
  long counter = 0;
  const auto count = [&counter] {
    for (int i = 0; i < 1000; ++i) {
      ++counter;
    }
  };
  std::thread other(count);
  count();
  other.join();
  std::printf("%ld\n", counter);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "race") {
    race();
    return 0;
  }
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 200;
  const Workshop workshop(kUsers);
  first_use();
  if (rounds != 0) {
    const bool keyring = keep_login();
    std::puts(keyring ? "with a keyring" : "without a keyring: there is none here");
    CredHandle alice;
    CredHandle bob;
    CredHandle accept;
    acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, alice);
    acquire_password("CORP\\bob", "Passw0rd-bob", &kNtlm, bob);
    acquire(GSS_C_ACCEPT, &kNtlm, accept);
    std::atomic<bool> stop{false};
    std::thread changer(change, std::cref(workshop), std::cref(stop));
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back(work, alice.get(), bob.get(), accept.get(), rounds, keyring);
    }
    for (std::thread& t : threads) {
      t.join();
    }
    stop = true;
    changer.join();
  }
  std::printf("%ld exchanges, %d wrong\n", g_done.load(), g_wrong.load());
  return g_wrong == 0 ? 0 : 1;
}
