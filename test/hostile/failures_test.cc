// Rejections, to be counted in instructions by secrets.py: an unknown user, a disabled and a denied
// account must cost what a wrong password costs, whatever their password is, and end in its status.
#include <cstdio>
#include <string>
#include <vector>

#include <valgrind/callgrind.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/gss.h"

using namespace gssntlm::test;

namespace {

constexpr int kRounds = 20;  // secrets.py knows it

constexpr const char* kEmpty = "31D6CFE0D16AE931B73C59D7E0C089C0";

// Names of one length. debby's password is "password", and so is the third of rotan. Harry has no
// hash, the last one that of the empty password.
constexpr const char* kUsers =
    "CORP:alice:Passw0rd\n"
    "CORP:rotan:NewPassw0rd\n"
    "CORP:rotan:Passw0rd\n"
    "CORP\\rotan:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[DU]:0:\n"
    "CORP:denny:Passw0rd\n"
    "CORP\\debby:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[DU]:0:\n"
    "CORP\\harry:1001:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:[U]:0:\n"
    "CORP\\empty:1002:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:31D6CFE0D16AE931B73C59D7E0C089C0:[U]:0:\n";

struct Attempt {
  End initiator;
  End acceptor;
  std::string token;
};

int measure(const char* what, const CredHandle& initiate, const CredHandle& accept,
            bool right = false) {
  Exchange x;
  x.initiator_cred = initiate.get();
  x.acceptor_cred = accept.get();
  std::vector<Attempt> attempts(kRounds + 1);
  for (Attempt& a : attempts) {
    a.token = init_step(x, a.initiator,
                        accept_step(x, a.acceptor, init_step(x, a.initiator, std::string())));
  }
  accept_step(x, attempts.back().acceptor, attempts.back().token);
  attempts.pop_back();
  CALLGRIND_ZERO_STATS;
  for (Attempt& a : attempts) {
    accept_step(x, a.acceptor, a.token);
  }
  CALLGRIND_DUMP_STATS_AT(what);
  for (const Attempt& a : attempts) {
    const Outcome& o = a.acceptor.last;
    if (right ? !o.ok() : o.major != GSS_S_FAILURE || o.minor != GSS_NTLM_S_LOGON_FAILURE) {
      std::printf("FAIL %s: %s\n", what, a.acceptor.last.text().c_str());
      return 1;
    }
  }
  return 0;
}

CredHandle client(const char* user, const char* key, const char* secret) {
  CredHandle cred;
  acquire_from(GSS_C_INITIATE, &kNtlm, std::string("CORP\\") + user, {{key, secret}}, cred);
  return cred;
}

}  // namespace

int main() {
  const Workshop workshop(kUsers, "[policy]\ndeny_users = CORP\\denny\n");
  CredHandle accept;
  const CredHandle right = client("alice", "ntlmssp_password", "Passw0rd");
  if (!acquire(GSS_C_ACCEPT, &kNtlm, accept).ok() || right.get() == GSS_C_NO_CREDENTIAL) {
    std::puts("FAIL no credentials: does GSS_MECH_CONFIG register the module?");
    return 1;
  }
  // Accepted as before, until the time of users_file_grace is over.
  const auto broken_file = [&] {
    std::string text;
    for (int i = 0; i < 5000; ++i) {
      text += "CORP:user" + std::to_string(i) + ":Passw0rd\n";
    }
    workshop.write("users", text + "nonsense\n");
    const int failed =
        measure("broken_file", client("alice", "ntlmssp_password", "passw0rd"), accept);
    workshop.write("users", kUsers);
    return failed;
  };
  const auto guess = [](const char* user) { return client(user, "ntlmssp_password", "passw0rd"); };
  // A client that guesses the stand-in for an unknown user's hash would learn it at once.
  const CredHandle nobody = client("nobdy", "ntlmssp_nthash", "00000000000000000000000000000000");
  return measure("wrong_password", guess("alice"), accept) +
         measure("unknown_user", guess("nobdy"), accept) +
         measure("several_passwords", guess("rotan"), accept) +
         measure("disabled_old_password", client("rotan", "ntlmssp_password", "password"), accept) +
         measure("hash_of_nobody", nobody, accept) +
         measure("disabled_account", guess("debby"), accept) +
         measure("disabled_right_password", client("debby", "ntlmssp_password", "password"),
                 accept) +
         measure("denied_account", guess("denny"), accept) +
         measure("denied_right_password", client("denny", "ntlmssp_password", "Passw0rd"), accept) +
         measure("account_without_hash", guess("harry"), accept) +
         measure("empty_password", client("empty", "ntlmssp_nthash", kEmpty), accept) +
         broken_file() + measure("right_password", right, accept, true);
}
