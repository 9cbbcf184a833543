// Credentials stored in a keyring.
#include <string>

#include <keyutils.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {
namespace {

long search_ring(int keyring) {
  const std::string name = "gss-ntlm." + std::to_string(::geteuid());
  return ::syscall(SYS_keyctl, KEYCTL_SEARCH, keyring, "keyring", name.c_str(), 0);
}

void empty_session_keyring() {
  if (const long ring = search_ring(KEY_SPEC_SESSION_KEYRING); ring > 0) {
    ::syscall(SYS_keyctl, KEYCTL_CLEAR, ring);
  }
}

// The user's keyring is not this test's alone.
void remove_from_user_keyring(const char* description) {
  const long ring = search_ring(KEY_SPEC_USER_KEYRING);
  const long key =
      ring > 0 ? ::syscall(SYS_keyctl, KEYCTL_SEARCH, ring, "user", description, 0) : -1;
  if (key > 0) {
    ::syscall(SYS_keyctl, KEYCTL_UNLINK, key, ring);
  }
}

gss_cred_id_t stored(const char* keyring, Cred& cred) {
  const Store store({{GSS_NTLM_CS_KEYRING, keyring}});
  OM_uint32 minor = 0;
  spi().acquire_cred_from(&minor, GSS_C_NO_NAME, 0, nullptr, GSS_C_INITIATE, &store.set, &cred,
                          nullptr, nullptr);
  return cred.get();
}

const Operation kKeyring[] = {
    {"gss_store_cred: into the session's keyring",
     [](Trial& t) {
       empty_session_keyring();
       OidSet mechs;
       t.call([&](OM_uint32* minor) {
         return spi().store_cred(minor, g_alice, GSS_C_INITIATE, &g_mech, 1, 0, &mechs, nullptr);
       });
       t.expect_none(mechs.get());
       Cred cred;
       stored("session", cred);
       t.expect(t.ok() == (cred.get() != GSS_C_NO_CREDENTIAL) || t.nothing_undone(),
                "stored or not, and told otherwise");
       t.expect(!t.ok() || logs_in(cred), "the stored login does not log in");
       t.expect(logs_in(g_alice), "the credential no longer logs in");
     }},
    {"gss_store_cred_into: the user's keyring",
     [](Trial& t) {
       const Store store({{GSS_NTLM_CS_KEYRING, "user:HTTP@failure"}});
       t.call([&](OM_uint32* minor) {
         return spi().store_cred_into(minor, g_alice, GSS_C_INITIATE, &g_mech, 1, 0, &store.set,
                                      nullptr, nullptr);
       });
       remove_from_user_keyring("ntlm;HTTP@failure;CORP\\alice");
       t.expect(logs_in(g_alice), "the credential no longer logs in");
     }},
    {"gss_acquire_cred_from: keyring",
     [](Trial& t) {
       OM_uint32 ignored = 0;
       spi().store_cred(&ignored, g_alice, GSS_C_INITIATE, &g_mech, 1, 0, nullptr, nullptr);
       acquire_from(t, {{GSS_NTLM_CS_KEYRING, "session"}});
     }},
    {"gss_init_sec_context: a login from the keyring",
     [](Trial& t) {
       OM_uint32 ignored = 0;
       spi().store_cred(&ignored, g_alice, GSS_C_INITIATE, &g_mech, 1, 0, nullptr, nullptr);
       Cred cred;
       stored("session", cred);
       Pair pair;
       Buffer out;
       t.call([&](OM_uint32* minor) {
         return spi().init_sec_context(minor, cred, &pair.initiator, g_target, &g_mech, kProtected,
                                       0, nullptr, nullptr, nullptr, &out, nullptr, nullptr);
       });
       t.expect_empty(out);
       t.expect_none(pair.initiator.get());
       t.expect(logs_in(cred), "the credential no longer logs in");
     }},
};

const Failure kKeyringFailures[] = {
    {"keyctl (quota)",
     Call::kKeyring,
     EDQUOT,
     Verdict::kMayFail,
     {GSS_NTLM_S_KEYRING, GSS_NTLM_S_NO_INITIATOR_CRED}},
    {"keyctl (memory)",
     Call::kKeyring,
     ENOMEM,
     Verdict::kMayFail,
     {GSS_NTLM_S_KEYRING, GSS_NTLM_S_NO_INITIATOR_CRED}},
    {"keyctl (forbidden)",
     Call::kKeyring,
     EACCES,
     Verdict::kMayFail,
     {GSS_NTLM_S_KEYRING, GSS_NTLM_S_NO_INITIATOR_CRED}},
    {"keyctl (expired)",
     Call::kKeyring,
     EKEYEXPIRED,
     Verdict::kMayFail,
     {GSS_NTLM_S_KEYRING, GSS_NTLM_S_NO_INITIATOR_CRED, GSS_NTLM_S_EXPIRED}},
    {"keyctl (no system call)",
     Call::kKeyring,
     ENOSYS,
     Verdict::kMayFail,
     {GSS_NTLM_S_KEYRING, GSS_NTLM_S_NO_INITIATOR_CRED}},
};

}  // namespace

bool has_keyrings() {
  static const bool has = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) > 0;
  return has;
}

std::span<const Operation> keyring_operations() {
  return kKeyring;
}

std::span<const Failure> keyring_failures() {
  return kKeyringFailures;
}

}  // namespace gssntlm::test::failure
