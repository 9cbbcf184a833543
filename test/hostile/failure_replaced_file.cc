// A users file that is replaced while it is read.
#include <cstdio>
#include <filesystem>

#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {
namespace {

// Replaces it with a file that an attacker with write access made up.
void plant() {
  g_shop->write("planted", "CORP:alice:planted\n", 0644);
  std::filesystem::rename(g_shop->path("planted"), g_shop->path("users"));
}

}  // namespace

void replace_meanwhile(Tally& tally) {
  const Name alice = import("CORP\\alice", GSS_C_NT_USER_NAME);
  std::string password = "planted";
  gss_buffer_desc secret = view(password);
  OM_uint32 minor = 0;
  Cred planted;
  spi().acquire_cred_with_password(&minor, alice, &secret, 0, nullptr, GSS_C_INITIATE, &planted,
                                   nullptr, nullptr);
  bool good = true;
  int points = 0;
  for (const Call call : {Call::kStat, Call::kOpen, Call::kRead, Call::kClose}) {
    bool reached = true;
    for (int at = 1; reached; ++at) {
      g_shop->write("users", kUsers);
      touch(g_shop->path("users"));
      Cred cred;
      failing::arm({call, at, 0, false, false, plant});
      const OM_uint32 major =
          spi().acquire_cred(&minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &cred, nullptr, nullptr);
      reached = failing::disarm() >= at;
      points += reached ? 1 : 0;
      // Refused as it should be, or read before.
      good = good && !logs_in(planted) &&
             (major == GSS_S_COMPLETE ? logs_in(g_alice, cred) && !logs_in(planted, cred)
                                      : minor == GSS_NTLM_S_USERS_FILE_MODE);
    }
  }
  g_shop->write("users", kUsers);
  ++(good && points >= 6 ? tally.passed : tally.failed);
  if (!good || points < 6) {
    std::printf("FAIL a users file replaced while it is read: %d points\n", points);
  }
}

}  // namespace gssntlm::test::failure
