// Every entry point of the module while memory, randomness, files, keyrings, winbind and the clock
// fail it: the status is right, outputs are empty, nothing is lost, and what was there goes on.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {
namespace {

constexpr int kLongAgo = -400 * 86400;

const Failure kFailures[] = {
    {"getrandom", Call::kRandom, EIO, Verdict::kMustFail, {GSS_NTLM_S_NO_RANDOM}},
    {"getrandom (EINTR)", Call::kRandom, EINTR, Verdict::kMustSucceed, {}},
    {"getrandom (short)", Call::kRandom, failing::kShort, Verdict::kMustSucceed, {}},
    {"open",
     Call::kOpen,
     EMFILE,
     Verdict::kMayFail,
     {GSS_NTLM_S_USERS_FILE_OPEN, GSS_NTLM_S_BAD_SETTING}},
    {"read",
     Call::kRead,
     EIO,
     Verdict::kMayFail,
     {GSS_NTLM_S_USERS_FILE_OPEN, GSS_NTLM_S_BAD_SETTING}},
    {"read (nothing)",
     Call::kRead,
     failing::kEndOfFile,
     Verdict::kMayFail,
     {GSS_NTLM_S_USERS_FILE_OPEN, GSS_NTLM_S_BAD_SETTING}},
    {"read (EINTR)", Call::kRead, EINTR, Verdict::kMustSucceed, {}},
    {"read (short)", Call::kRead, failing::kShort, Verdict::kMustSucceed, {}},
    {"stat",
     Call::kStat,
     EIO,
     Verdict::kMayFail,
     {GSS_NTLM_S_USERS_FILE_OPEN, GSS_NTLM_S_BAD_SETTING}},
    {"write (disk full)", Call::kWrite, ENOSPC, Verdict::kMayFail, {GSS_NTLM_S_USERS_FILE_OPEN}},
    {"write (EINTR)", Call::kWrite, EINTR, Verdict::kMustSucceed, {}},
    {"write (short)", Call::kWrite, failing::kShort, Verdict::kMustSucceed, {}},
    {"fsync", Call::kSync, EIO, Verdict::kMayFail, {GSS_NTLM_S_USERS_FILE_OPEN}},
    {"fsync (disk full)", Call::kSync, ENOSPC, Verdict::kMayFail, {GSS_NTLM_S_USERS_FILE_OPEN}},
    {"rename", Call::kRename, ENOSPC, Verdict::kMustFail, {GSS_NTLM_S_USERS_FILE_OPEN}},
    {"close", Call::kClose, EIO, Verdict::kMustSucceed, {}},
    {"fchown, fchmod", Call::kOwner, EPERM, Verdict::kMustFail, {GSS_NTLM_S_USERS_FILE_OPEN}},
    {"flock", Call::kLock, ENOLCK, Verdict::kMustFail, {GSS_NTLM_S_USERS_FILE_OPEN}},
    {"flock (EINTR)", Call::kLock, EINTR, Verdict::kMustSucceed, {}},
    {"a clock that jumps back",
     Call::kClock,
     kLongAgo,
     Verdict::kMayFail,
     {GSS_NTLM_S_LOGON_FAILURE, GSS_NTLM_S_EXPIRED}},
    {"dlopen", Call::kLibrary, EMFILE, Verdict::kMayFail, {}},
};

void try_all(Sweep& sweep, std::span<const Operation> operations, const std::string& where = {},
             std::span<const Failure> failures = kFailures) {
  for (const Operation& operation : operations) {
    sweep.allocations(operation);
    for (const Failure& failure : failures) {
      sweep.system_calls(operation, failure);
    }
    sweep.close(operation.name + where);
  }
}

// Every exported function is tried.
void check_complete(Tally& tally, std::initializer_list<std::span<const Operation>> all) {
  std::ifstream map(std::getenv("EXPORTS_MAP"));
  std::string line;
  int count = 0;
  while (std::getline(map, line)) {
    const std::size_t at = line.find("gss");
    const std::size_t end = line.find(';');
    if (at == std::string::npos || end == std::string::npos) {
      continue;
    }
    ++count;
    const std::string name = line.substr(at, end - at);
    bool tried = false;
    for (const std::span<const Operation> operations : all) {
      for (const Operation& operation : operations) {
        const std::string_view of(operation.name);
        tried = tried || of.substr(0, of.find(':')) == name;
      }
    }
    if (!tried) {
      std::printf("FAIL %s is exported, and not tried\n", name.c_str());
      ++tally.failed;
    }
  }
  if (count < 50) {
    give_up("EXPORTS_MAP");
  }
}

int run(const char* double_path) {
  const Workshop shop(kUsers,
                      "[names]\nnetbios_domain = OURS\n[policy]\nallow_system_users = root\n");
  g_shop = &shop;
  spi();
  Tally tally;
  Sweep sweep(tally);
  tally.allocations += first_uses(sweep, tally);
  acquire_shared();
  check_complete(tally, {credential_operations(), keyring_operations(), handshake_operations(),
                         message_operations(), context_operations(), name_operations(),
                         mechanism_operations()});
  try_all(sweep, credential_operations());
  replace_meanwhile(tally);
  try_all(sweep, handshake_operations());
  try_all(sweep, message_operations());
  try_all(sweep, context_operations());
  try_all(sweep, name_operations());
  try_all(sweep, mechanism_operations());
  if (has_keyrings()) {
    try_all(sweep, keyring_operations(), {}, keyring_failures());
  } else {
    std::puts("this kernel or container has no keyrings: their failures were not tried");
  }
  // With a trace of everything, and an audit.
  shop.write("settings",
             "[accounts]\ninitiator = users_file\n[policy]\nrefuse_reflection = no\n"
             "[trace]\nlevel = 2\nfile = " +
                 shop.path("trace") + "\n[audit]\nlog = file\nfile = " + shop.path("audit") + "\n");
  change_settings();
  acquire_shared();
  try_all(sweep, handshake_operations(), ", traced and audited");
  try_winbind(sweep, tally, double_path);
  std::printf("%d passed, %d failed\n", tally.passed, tally.failed);
  std::printf("failure points: allocations %ld, system calls %ld\n", tally.allocations,
              tally.system_calls);
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gssntlm::test::failure

int main(int, char** argv) {
  return gssntlm::test::failure::run(argv[1]);
}
