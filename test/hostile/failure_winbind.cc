// Accounts of a domain, where winbind or its library fails.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <dlfcn.h>
#include <sys/stat.h>

#include "test/hostile/failure_operations.h"
#include "test/hostile/wbclient_double.h"
#include "test/support/forks.h"

namespace gssntlm::test::failure {
namespace {

using SetMood = void(Mood);

gss_cred_id_t g_domain = GSS_C_NO_CREDENTIAL;
gss_cred_id_t g_dora = GSS_C_NO_CREDENTIAL;

const Operation kWinbind[] = {
    {"gss_accept_sec_context: second, an account of the domain",
     [](Trial& t) { second_accept(t, g_dora, g_domain); }},
};

const Failure kWinbindFailures[] = {
    {"allocation in any thread",
     Call::kAllocation,
     ENOMEM,
     Verdict::kMayFail,
     {GSS_NTLM_S_NO_MEMORY, GSS_NTLM_S_DOMAIN, GSS_NTLM_S_LOGON_FAILURE},
     true},
    {"pthread_create", Call::kThread, EAGAIN, Verdict::kMayFail, {GSS_NTLM_S_DOMAIN}, true},
};

// The first question of a process makes the threads that ask: in a child for each point.
long first_questions(Tally& tally) {
  long points = 0;
  bool good = true;
  for (bool reached = true; reached;) {
    const int at = static_cast<int>(points) + 1;
    const int left = in_child([&] {
      Pair pair;
      pair.go(3, g_dora, g_domain);
      Buffer out;
      gss_buffer_desc in = view(pair.token);
      OM_uint32 minor = 0;
      failing::arm({Call::kAllocation, at, ENOMEM, false, true});
      const OM_uint32 major =
          spi().accept_sec_context(&minor, &pair.acceptor, g_domain, &in, nullptr, nullptr, nullptr,
                                   &out, nullptr, nullptr, nullptr);
      const bool failed = failing::disarm() >= at;
      const bool told =
          major == GSS_S_FAILURE && (minor == GSS_NTLM_S_NO_MEMORY || minor == GSS_NTLM_S_DOMAIN ||
                                     minor == GSS_NTLM_S_LOGON_FAILURE);
      return major == GSS_S_COMPLETE || (failed && told) ? (failed ? 0 : 1) : 2;
    });
    reached = left == 0;
    points += reached ? 1 : 0;
    if (left != 0 && left != 1) {
      std::printf("  first question to winbind, allocation %d fails: status %d\n", at, left);
      good = false;
    }
  }
  ++(good && points > 2 ? tally.passed : tally.failed);
  return points;
}

OM_uint32 domain_login(OM_uint32& minor) {
  Cred accept;
  spi().acquire_cred(&minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &accept, nullptr, nullptr);
  Pair pair;
  if (!pair.go(3, g_dora, accept)) {
    return GSS_S_BAD_MECH;
  }
  gss_buffer_desc in = view(pair.token);
  Buffer out;
  return spi().accept_sec_context(&minor, &pair.acceptor, accept, &in, nullptr, nullptr, nullptr,
                                  &out, nullptr, nullptr, nullptr);
}

void use_winbind() {
  static const std::string pipes = g_shop->path("pipes");
  ::mkdir(pipes.c_str(), 0755);
  failing::redirect("/run/samba/winbindd", pipes.c_str());
  g_shop->write("settings",
                "[accounts]\ninitiator = users_file\nacceptor = winbind\n"
                "[policy]\nrefuse_reflection = no\n");
  change_settings();
  const Name dora = import("REALM\\dora", GSS_C_NT_USER_NAME);
  std::string password = "Passw0rd";
  gss_buffer_desc secret = view(password);
  OM_uint32 minor = 0;
  spi().acquire_cred_with_password(&minor, dora, &secret, 0, nullptr, GSS_C_INITIATE, &g_dora,
                                   nullptr, nullptr);
}

void expect(bool truth, const char* what) {
  if (!truth) {
    std::printf("FAIL winbind: %s\n", what);
    std::exit(1);
  }
}

// In a child: a library is looked for once only in a process.
void try_without_library() {
  expect(holds_in_child([] {
           failing::redirect("libwbclient.so.0", "/nonexistent/libwbclient.so.0");
           OM_uint32 minor = 0;
           return domain_login(minor) == GSS_S_FAILURE && minor == GSS_NTLM_S_DOMAIN;
         }),
         "the error does not name a missing libwbclient");
}

// Every answer that the double of libwbclient can give.
void try_moods(const char* double_path) {
  void* library = ::dlopen(double_path, RTLD_NOW | RTLD_LOCAL);
  auto* mood =
      library != nullptr ? reinterpret_cast<SetMood*>(::dlsym(library, "double_mood")) : nullptr;
  if (mood == nullptr) {
    give_up("the double of libwbclient");
  }
  struct Expected {
    Mood mood;
    OM_uint32 major;
    OM_uint32 minor;
    const char* name;
  };
  for (const Expected& e :
       {Expected{Mood::kWell, GSS_S_COMPLETE, 0, "well"},
        Expected{Mood::kGone, GSS_S_FAILURE, GSS_NTLM_S_DOMAIN, "gone"},
        Expected{Mood::kRefusing, GSS_S_FAILURE, GSS_NTLM_S_LOGON_FAILURE, "refusing"},
        Expected{Mood::kSilent, GSS_S_FAILURE, GSS_NTLM_S_LOGON_FAILURE, "silent"},
        Expected{Mood::kNulls, GSS_S_FAILURE, GSS_NTLM_S_LOGON_FAILURE, "nothing but NULLs"}}) {
    expect(holds_in_child([&] {
             mood(e.mood);
             OM_uint32 minor = 0;
             return domain_login(minor) == e.major && minor == e.minor;
           }),
           e.name);
  }
}

}  // namespace

void try_winbind(Sweep& sweep, Tally& tally, const char* double_path) {
  use_winbind();
  try_without_library();
  failing::redirect("libwbclient.so.0", double_path);
  try_moods(double_path);
  OM_uint32 minor = 0;
  spi().acquire_cred(&minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &g_domain, nullptr, nullptr);
  tally.allocations += first_questions(tally);
  for (const Operation& operation : kWinbind) {
    for (const Failure& failure : kWinbindFailures) {
      sweep.system_calls(operation, failure);
    }
    sweep.close(operation.name);
  }
}

}  // namespace gssntlm::test::failure
