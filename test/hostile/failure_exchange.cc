#include "test/hostile/failure_exchange.h"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>

namespace gssntlm::test::failure {

const Workshop* g_shop = nullptr;
gss_cred_id_t g_alice = GSS_C_NO_CREDENTIAL;
gss_cred_id_t g_accept = GSS_C_NO_CREDENTIAL;
gss_name_t g_target = GSS_C_NO_NAME;
gss_name_t g_proven = GSS_C_NO_NAME;

void give_up(const char* what) {
  std::fprintf(stderr, "cannot begin: %s\n", what);
  std::exit(1);
}

void acquire_shared() {
  OM_uint32 minor = 0;
  const Name alice = import("CORP\\alice", GSS_C_NT_USER_NAME);
  std::string password = "Passw0rd";
  gss_buffer_desc secret = view(password);
  if (spi().acquire_cred_with_password(&minor, alice, &secret, 0, nullptr, GSS_C_INITIATE, &g_alice,
                                       nullptr, nullptr) != 0 ||
      spi().acquire_cred(&minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &g_accept, nullptr, nullptr) !=
          0) {
    give_up("credentials");
  }
  std::string text = "HTTP@server.example";
  gss_buffer_desc value = view(text);
  spi().import_name(&minor, &value, GSS_C_NT_HOSTBASED_SERVICE, &g_target);
  const Name root = import("OURS\\root", GSS_C_NT_USER_NAME);
  Cred local;
  spi().acquire_cred_with_password(&minor, root, &secret, 0, nullptr, GSS_C_INITIATE, &local,
                                   nullptr, nullptr);
  Pair pair;
  pair.go(3, local);
  gss_buffer_desc in = view(pair.token);
  Buffer out;
  if (spi().accept_sec_context(&minor, &pair.acceptor, g_accept, &in, nullptr, &g_proven, nullptr,
                               &out, nullptr, nullptr, nullptr) != 0) {
    give_up("a login");
  }
}

OM_uint32 Pair::init(gss_cred_id_t cred, OM_uint32 flags) {
  Buffer out;
  gss_buffer_desc in = view(token);
  OM_uint32 minor = 0;
  const OM_uint32 major = spi().init_sec_context(&minor, cred, &initiator, g_target, &g_mech, flags,
                                                 0, nullptr, &in, nullptr, &out, nullptr, nullptr);
  token = out.text();
  return major;
}

OM_uint32 Pair::accept(gss_cred_id_t cred) {
  Buffer out;
  gss_buffer_desc in = view(token);
  OM_uint32 minor = 0;
  const OM_uint32 major = spi().accept_sec_context(&minor, &acceptor, cred, &in, nullptr, nullptr,
                                                   nullptr, &out, nullptr, nullptr, nullptr);
  token = out.text();
  return major;
}

bool Pair::go(int legs, gss_cred_id_t alice, gss_cred_id_t accepting, OM_uint32 flags) {
  const OM_uint32 wanted[] = {GSS_S_CONTINUE_NEEDED, GSS_S_CONTINUE_NEEDED, GSS_S_COMPLETE,
                              GSS_S_COMPLETE};
  for (int leg = 0; leg < legs; ++leg) {
    if ((leg % 2 == 0 ? init(alice, flags) : accept(accepting)) != wanted[leg]) {
      return false;
    }
  }
  return true;
}

bool carries(gss_ctx_id_t from, gss_ctx_id_t to) {
  const std::string text = "a message of no importance";
  gss_buffer_desc message = view(text);
  Buffer token;
  Buffer out;
  Buffer mic;
  OM_uint32 minor = 0;
  int sealed = 0;
  return spi().wrap(&minor, from, 1, GSS_C_QOP_DEFAULT, &message, nullptr, &token) == 0 &&
         spi().unwrap(&minor, to, &token, &out, &sealed, nullptr) == 0 && out.text() == text &&
         sealed == 1 && spi().get_mic(&minor, from, GSS_C_QOP_DEFAULT, &message, &mic) == 0 &&
         spi().verify_mic(&minor, to, &message, &mic, nullptr) == 0;
}

bool works(Pair& pair) {
  return carries(pair.initiator, pair.acceptor) && carries(pair.acceptor, pair.initiator);
}

bool logs_in(gss_cred_id_t cred, gss_cred_id_t accepting) {
  Pair pair;
  return pair.go(4, cred, accepting) && works(pair);
}

bool is_open(gss_ctx_id_t context) {
  OM_uint32 minor = 0;
  int open = 0;
  return context != GSS_C_NO_CONTEXT &&
         spi().inquire_context(&minor, context, nullptr, nullptr, nullptr, nullptr, nullptr,
                               nullptr, &open) == 0 &&
         open == 1;
}

Pair& shared_pair() {
  static Pair* pair = nullptr;
  if (pair == nullptr) {
    pair = new Pair;
    if (!pair->go(4) || !works(*pair)) {
      give_up("an established context");
    }
  }
  return *pair;
}

Name import(const char* text, gss_OID type) {
  Name name;
  OM_uint32 minor = 0;
  std::string copy(text);
  gss_buffer_desc buffer = view(copy);
  spi().import_name(&minor, &buffer, type, &name);
  return name;
}

std::string display(gss_name_t name) {
  Buffer text;
  OM_uint32 minor = 0;
  spi().display_name(&minor, name, &text, nullptr);
  return text.text();
}

void touch(const std::string& path) {
  static long second = 1'000'000'000;
  const timespec times[2] = {{++second, 0}, {second, 0}};
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

void change_settings() {
  static int count = 0;
  ::setenv("NTLMUSER", ++count % 2 == 0 ? "CORP\\alice" : "corp\\ALICE", 1);
}

}  // namespace gssntlm::test::failure
