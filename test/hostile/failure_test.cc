// Every entry point of the module while memory, randomness, files, keyrings, winbind and the clock
// fail it: the status is right, outputs are empty, nothing is lost, and what was there goes on.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <fcntl.h>
#include <keyutils.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/hostile/failure_trial.h"
#include "test/hostile/wbclient_double.h"
#include "test/support/gss.h"

using namespace gssntlm::test;
using failing::Call;
using gssntlm::direct::Buffer;
using gssntlm::direct::BufferSet;
using gssntlm::direct::Context;
using gssntlm::direct::Cred;
using gssntlm::direct::g_mech;
using gssntlm::direct::Name;
using gssntlm::direct::OidSet;
using gssntlm::direct::spi;
using gssntlm::direct::view;

namespace {

constexpr const char* kUsers =
    "CORP:alice:Passw0rd\nCORP:bob:Secret1\nOURS:root:Passw0rd\n"
    "CORP\\carol:1:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:A87F3A337D73085C45F9416BE5787D86:[U]:LCT-0:\n";
constexpr OM_uint32 kProtected = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;

// Set once in main.
const Workshop* g_shop = nullptr;
gss_cred_id_t g_alice = GSS_C_NO_CREDENTIAL;
gss_cred_id_t g_accept = GSS_C_NO_CREDENTIAL;
gss_name_t g_target = GSS_C_NO_NAME;
gss_name_t g_proven = GSS_C_NO_NAME;  // of a user who logged in and is an account of this host

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "cannot begin: %s\n", what);
  std::exit(1);
}

// ---- contexts

struct Pair {
  Context initiator;
  Context acceptor;
  std::string token;

  OM_uint32 init(gss_cred_id_t cred = g_alice, OM_uint32 flags = kProtected) {
    Buffer out;
    gss_buffer_desc in = view(token);
    OM_uint32 minor = 0;
    const OM_uint32 major =
        spi().init_sec_context(&minor, cred, &initiator, g_target, &g_mech, flags, 0, nullptr, &in,
                               nullptr, &out, nullptr, nullptr);
    token = out.text();
    return major;
  }
  OM_uint32 accept(gss_cred_id_t cred = g_accept) {
    Buffer out;
    gss_buffer_desc in = view(token);
    OM_uint32 minor = 0;
    const OM_uint32 major = spi().accept_sec_context(&minor, &acceptor, cred, &in, nullptr, nullptr,
                                                     nullptr, &out, nullptr, nullptr, nullptr);
    token = out.text();
    return major;
  }
  // Both sides up to, and with, step `legs` of 4.
  bool go(int legs, gss_cred_id_t alice = g_alice, gss_cred_id_t accepting = g_accept,
          OM_uint32 flags = kProtected) {
    const OM_uint32 wanted[] = {GSS_S_CONTINUE_NEEDED, GSS_S_CONTINUE_NEEDED, GSS_S_COMPLETE,
                                GSS_S_COMPLETE};
    for (int leg = 0; leg < legs; ++leg) {
      if ((leg % 2 == 0 ? init(alice, flags) : accept(accepting)) != wanted[leg]) {
        return false;
      }
    }
    return true;
  }
};

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

bool logs_in(gss_cred_id_t cred, gss_cred_id_t accepting = g_accept) {
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

// An open pair, the same one in all trials of an operation: what is broken once stays broken.
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

// ---- credentials

struct Store {
  explicit Store(std::initializer_list<gss_key_value_element_desc> list) : elements(list) {
    set = {static_cast<OM_uint32>(elements.size()), elements.data()};
  }
  std::vector<gss_key_value_element_desc> elements;
  gss_key_value_set_desc set{};
};

void acquire(Trial& t, gss_cred_usage_t usage, gss_name_t name = GSS_C_NO_NAME) {
  Cred cred;
  OidSet mechs;
  OM_uint32 lifetime = 1;
  t.call([&](OM_uint32* minor) {
    return spi().acquire_cred(minor, name, 0, nullptr, usage, &cred, &mechs, &lifetime);
  });
  t.expect_none(cred.get());
  t.expect_none(mechs.get());
  t.expect(t.ok() || lifetime == 0, "a lifetime is left");
  if (t.ok()) {
    t.expect(usage == GSS_C_ACCEPT ? logs_in(g_alice, cred) : logs_in(cred),
             "the credential does not log in");
  }
  t.expect(logs_in(g_alice), "the other credentials no longer log in");
}

void acquire_from(Trial& t, std::initializer_list<gss_key_value_element_desc> elements,
                  gss_cred_usage_t usage = GSS_C_INITIATE) {
  const Name name = usage == GSS_C_INITIATE ? import("CORP\\alice", GSS_C_NT_USER_NAME) : Name();
  const Store store(elements);
  Cred cred;
  OidSet mechs;
  t.call([&](OM_uint32* minor) {
    return spi().acquire_cred_from(minor, name, 0, nullptr, usage, &store.set, &cred, &mechs,
                                   nullptr);
  });
  t.expect_none(cred.get());
  t.expect_none(mechs.get());
  if (t.ok()) {
    t.expect(usage == GSS_C_ACCEPT ? logs_in(g_alice, cred) : logs_in(cred),
             "the credential does not log in");
  }
}

// Makes the module read a file again: its times change.
void touch(const std::string& path) {
  static long second = 1'000'000'000;
  const timespec times[2] = {{++second, 0}, {second, 0}};
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

// Makes it read its settings again: a variable changes.
void change_settings() {
  static int count = 0;
  ::setenv("NTLMUSER", ++count % 2 == 0 ? "CORP\\alice" : "corp\\ALICE", 1);
}

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

bool has_leftovers() {
  for (const auto& entry : std::filesystem::directory_iterator(g_shop->path(""))) {
    if (entry.path().filename().string().find(".gss-ntlm.") != std::string::npos) {
      return true;
    }
  }
  return false;
}

void store_into_file(Trial& t, const char* old) {
  const std::string path = g_shop->path("kept");
  const std::string text = old != nullptr ? old : "";
  const std::string link = g_shop->path("link");
  ::unlink(path.c_str());
  ::unlink(link.c_str());
  if (old != nullptr) {
    g_shop->write("kept", text);
    if (::symlink(path.c_str(), link.c_str()) != 0) {
      give_up("a link");
    }
  }
  const std::string& named = old != nullptr ? link : path;
  const Store store({{GSS_NTLM_CS_KEYFILE, named.c_str()}});
  OidSet mechs;
  gss_cred_usage_t usage = 77;
  t.call([&](OM_uint32* minor) {
    return spi().store_cred_into(minor, g_alice, GSS_C_INITIATE, &g_mech, 1, 0, &store.set, &mechs,
                                 &usage);
  });
  t.expect_none(mechs.get());
  const std::string now = contents(path);
  if (t.ok()) {
    t.expect(now.compare(0, text.size(), text) == 0 && now.find("CORP\\alice:") == text.size() &&
                 now.back() == '\n',
             "the new file is not whole");
  } else {
    t.expect(now == text && std::filesystem::exists(path) == (old != nullptr),
             "the old file is not there as it was");
  }
  t.expect(old == nullptr || std::filesystem::is_symlink(link), "the link was replaced");
  t.expect(!has_leftovers(), "a temporary file is left");
  t.expect(logs_in(g_alice), "the credential no longer logs in");
}

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

bool has_keyrings() {
  static const bool has = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) > 0;
  return has;
}

const Operation kCredentials[] = {
    {"gss_acquire_cred: to accept", [](Trial& t) { acquire(t, GSS_C_ACCEPT); }},
    {"gss_acquire_cred: to initiate", [](Trial& t) { acquire(t, GSS_C_INITIATE); }},
    {"gss_acquire_cred: for both, by name",
     [](Trial& t) {
       const Name name = import("CORP\\bob", GSS_C_NT_USER_NAME);
       // One half is enough.
       Cred cred;
       t.call([&](OM_uint32* minor) {
         return spi().acquire_cred(minor, name, 0, nullptr, GSS_C_BOTH, &cred, nullptr, nullptr);
       });
       t.expect_none(cred.get());
       t.expect(!t.ok() || logs_in(cred) || logs_in(g_alice, cred),
                "the credential serves for nothing");
     }},
    {"gss_acquire_cred: users file read again",
     [](Trial& t) {
       touch(g_shop->path("users"));
       acquire(t, GSS_C_ACCEPT);
     }},
    {"gss_acquire_cred: settings read again",
     [](Trial& t) {
       change_settings();
       acquire(t, GSS_C_INITIATE);
     }},
    {"gss_acquire_cred_from: password",
     [](Trial& t) {
       acquire_from(t, {{GSS_NTLM_CS_PASSWORD, "Passw0rd"}});
     }},
    {"gss_acquire_cred_from: NT hash",
     [](Trial& t) {
       acquire_from(t, {{GSS_NTLM_CS_NTHASH, "a87f3a337d73085c45f9416be5787d86"}});
     }},
    {"gss_acquire_cred_from: UTF-16",
     [](Trial& t) {
       acquire_from(t, {{GSS_NTLM_CS_PASSWORD_UTF16LE, "50006100730073007700300072006400"}});
     }},
    {"gss_acquire_cred_from: users file",
     [](Trial& t) {
       acquire_from(t, {{GSS_NTLM_CS_KEYFILE, g_shop->path("users").c_str()}}, GSS_C_ACCEPT);
     }},
    {"gssspi_acquire_cred_with_password",
     [](Trial& t) {
       const Name name = import("alice@CORP", GSS_C_NT_USER_NAME);
       std::string password = "Passw0rd";
       gss_buffer_desc secret = view(password);
       Cred cred;
       OidSet mechs;
       t.call([&](OM_uint32* minor) {
         return spi().acquire_cred_with_password(minor, name, &secret, 0, nullptr, GSS_C_INITIATE,
                                                 &cred, &mechs, nullptr);
       });
       t.expect_none(cred.get());
       t.expect_none(mechs.get());
       t.expect(!t.ok() || logs_in(cred), "the credential does not log in");
     }},
    {"gss_inquire_cred",
     [](Trial& t) {
       Name name;
       OidSet mechs;
       OM_uint32 lifetime = 1;
       gss_cred_usage_t usage = 0;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_cred(minor, g_alice, &name, &lifetime, &usage, &mechs);
       });
       t.expect_none(name.get());
       t.expect_none(mechs.get());
       t.expect(logs_in(g_alice), "the credential no longer logs in");
     }},
    {"gss_inquire_cred: the default one",
     [](Trial& t) {
       Name name;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_cred(minor, GSS_C_NO_CREDENTIAL, &name, nullptr, nullptr, nullptr);
       });
       t.expect_none(name.get());
     }},
    {"gss_inquire_cred_by_mech",
     [](Trial& t) {
       Name name;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_cred_by_mech(minor, g_alice, &g_mech, &name, nullptr, nullptr,
                                           nullptr);
       });
       t.expect_none(name.get());
       t.expect(logs_in(g_alice), "the credential no longer logs in");
     }},
    {"gssspi_set_cred_option",
     [](Trial& t) {
       Cred cred;
       OM_uint32 minor_before = 0;
       spi().acquire_cred(&minor_before, GSS_C_NO_NAME, 0, nullptr, GSS_C_INITIATE, &cred, nullptr,
                          nullptr);
       const gss_cred_id_t before = cred.get();
       gss_OID_desc oid = {6, const_cast<char*>("\x2a\x85\x70\x2b\x0d\x1d")};
       t.call([&](OM_uint32* minor) { return spi().set_cred_option(minor, &cred, &oid, nullptr); });
       t.expect(t.ok() || cred.get() == before, "the credential was replaced");
       t.expect(logs_in(cred), "the credential no longer logs in");
     }},
    {"gss_inquire_cred_by_oid",
     [](Trial& t) {
       gss_OID_desc oid = {6, const_cast<char*>("\x2a\x85\x70\x2b\x0d\x1d")};
       BufferSet set;
       t.call(
           [&](OM_uint32* minor) { return spi().inquire_cred_by_oid(minor, g_alice, &oid, &set); });
       t.expect_none(set.get());
     }},
    {"gss_export_cred",
     [](Trial& t) {
       Buffer token;
       t.call([&](OM_uint32* minor) { return spi().export_cred(minor, g_alice, &token); });
       t.expect_empty(token);
       t.expect(logs_in(g_alice), "the credential no longer logs in");
     }},
    {"gss_import_cred",
     [](Trial& t) {
       Buffer token;
       OM_uint32 ignored = 0;
       spi().export_cred(&ignored, g_alice, &token);
       Cred cred;
       t.call([&](OM_uint32* minor) { return spi().import_cred(minor, &token, &cred); });
       t.expect_none(cred.get());
       t.expect(!t.ok() || logs_in(cred), "the imported credential does not log in");
     }},
    {"gss_release_cred",
     [](Trial& t) {
       Cred cred;
       OM_uint32 ignored = 0;
       spi().acquire_cred(&ignored, GSS_C_NO_NAME, 0, nullptr, GSS_C_BOTH, &cred, nullptr, nullptr);
       t.call([&](OM_uint32* minor) { return spi().release_cred(minor, &cred); });
       t.expect(cred.get() == GSS_C_NO_CREDENTIAL, "the handle is left");
     }},
    // Leftovers of an editor that was killed are looked for, if there is memory to do so.
    {"gss_store_cred_into: a new users file", [](Trial& t) { store_into_file(t, nullptr); }, true},
    {"gss_store_cred_into: a users file with others",
     [](Trial& t) { store_into_file(t, "# kept\nCORP:bob:Secret1\nCORP:dora:Secret2\n"); }, true},
};

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

// ---- handshakes

void first_init(Trial& t, gss_cred_id_t cred, OM_uint32 flags) {
  Pair pair;
  Buffer out;
  OM_uint32 got = 77;
  t.call([&](OM_uint32* minor) {
    return spi().init_sec_context(minor, cred, &pair.initiator, g_target, &g_mech, flags, 0,
                                  nullptr, nullptr, nullptr, &out, &got, nullptr);
  });
  t.expect_empty(out);
  t.expect_none(pair.initiator.get());
  t.expect(t.ok() || got == 0, "flags are left");
  const bool connectionless = (flags & GSS_NTLM_DATAGRAM_FLAG) != 0;
  if (t.ok() && !connectionless) {
    pair.token = out.text();
    t.expect(pair.accept() == GSS_S_CONTINUE_NEEDED && pair.init(cred, flags) == GSS_S_COMPLETE &&
                 pair.accept() == GSS_S_COMPLETE,
             "the handshake does not go on");
  }
  t.expect(logs_in(g_alice), "the credential no longer logs in");
}

void second_init(Trial& t, bool under_spnego = false) {
  Pair pair;
  if (!pair.go(2)) {
    give_up("a challenge");
  }
  if (under_spnego) {
    gss_OID_desc oid = {GSS_NTLM_OID_LENGTH,
                        const_cast<char*>(GSS_NTLM_SPNEGO_REQUIRE_MIC_OID_BYTES)};
    BufferSet set;
    OM_uint32 minor = 0;
    spi().inquire_sec_context_by_oid(&minor, pair.initiator, &oid, &set);
  }
  Buffer out;
  gss_buffer_desc in = view(pair.token);
  OM_uint32 got = 77;
  const gss_ctx_id_t before = pair.initiator.get();
  t.call([&](OM_uint32* minor) {
    return spi().init_sec_context(minor, g_alice, &pair.initiator, g_target, &g_mech, kProtected, 0,
                                  nullptr, &in, nullptr, &out, &got, nullptr);
  });
  t.expect_empty(out);
  t.expect(pair.initiator.get() == before, "the context was replaced");
  t.expect(t.ok() || got == 0, "flags are left");
  t.expect(t.ok() == is_open(pair.initiator), "open or not, and told otherwise");
  if (t.ok()) {
    pair.token = out.text();
    t.expect(pair.accept() == GSS_S_COMPLETE && works(pair), "the handshake does not go on");
  } else {
    t.expect(GSS_ERROR(pair.init()) != 0, "a failed handshake goes on");
  }
  t.expect(logs_in(g_alice), "the credential no longer logs in");
}

void first_accept(Trial& t, gss_cred_id_t cred) {
  Pair pair;
  if (!pair.go(1)) {
    give_up("a first token");
  }
  Buffer out;
  gss_buffer_desc in = view(pair.token);
  t.call([&](OM_uint32* minor) {
    return spi().accept_sec_context(minor, &pair.acceptor, cred, &in, nullptr, nullptr, nullptr,
                                    &out, nullptr, nullptr, nullptr);
  });
  t.expect_empty(out);
  t.expect_none(pair.acceptor.get());
  // A challenge of another time is answered, and the answer refused.
  if (t.ok() && t.failing() == Call::kClock) {
    pair.token = out.text();
    t.expect(pair.init() == GSS_S_COMPLETE && GSS_ERROR(pair.accept(cred)) != 0,
             "an answer from long ago is taken");
  } else if (t.ok()) {
    pair.token = out.text();
    t.expect(pair.init() == GSS_S_COMPLETE && pair.accept(cred) == GSS_S_COMPLETE && works(pair),
             "the handshake does not go on");
  }
  t.expect(logs_in(g_alice), "the credential no longer accepts");
}

// The step that accepts the user.
void second_accept(Trial& t, gss_cred_id_t alice = g_alice, gss_cred_id_t accepting = g_accept) {
  Pair pair;
  if (!pair.go(3, alice, accepting)) {
    give_up("an answer");
  }
  Name source;
  Buffer out;
  gss_buffer_desc in = view(pair.token);
  OM_uint32 got = 77;
  const gss_ctx_id_t before = pair.acceptor.get();
  t.call([&](OM_uint32* minor) {
    return spi().accept_sec_context(minor, &pair.acceptor, accepting, &in, nullptr, &source,
                                    nullptr, &out, &got, nullptr, nullptr);
  });
  t.expect_empty(out);
  t.expect_none(source.get());
  t.expect(pair.acceptor.get() == before, "the context was replaced");
  t.expect(t.ok() || got == 0, "flags are left");
  t.expect(t.ok() == is_open(pair.acceptor), "open or not, and told otherwise");
  if (t.ok()) {
    t.expect(works(pair), "the established context does not work");
  } else {
    // The token was not looked at yet, or it never will be again.
    if (!GSS_ERROR(pair.accept(accepting))) {
      t.expect(works(pair), "the established context does not work");
      return;
    }
    // Servers keep the context of a connection for the next attempt.
    Pair again;
    again.acceptor = std::move(pair.acceptor);
    t.expect(again.go(4, alice, accepting) && works(again), "the context takes no next attempt");
  }
}

// Takes the initiator out and imports it again, and once more if that failed.
void move_initiator(Trial& t, Pair& pair) {
  Buffer token;
  OM_uint32 ignored = 0;
  spi().export_sec_context(&ignored, &pair.initiator, &token);
  t.call(
      [&](OM_uint32* minor) { return spi().import_sec_context(minor, &token, &pair.initiator); });
  t.expect_none(pair.initiator.get());
  if (!t.ok()) {
    spi().import_sec_context(&ignored, &token, &pair.initiator);
  }
}

const Operation kHandshakes[] = {
    {"gss_init_sec_context: first", [](Trial& t) { first_init(t, g_alice, kProtected); }},
    {"gss_init_sec_context: first, with the default credential",
     [](Trial& t) { first_init(t, GSS_C_NO_CREDENTIAL, kProtected); }},
    {"gss_init_sec_context: first, connectionless",
     [](Trial& t) { first_init(t, g_alice, kProtected | GSS_NTLM_DATAGRAM_FLAG); }},
    {"gss_init_sec_context: second", [](Trial& t) { second_init(t); }},
    {"gss_init_sec_context: second, inside SPNEGO", [](Trial& t) { second_init(t, true); }},
    {"gss_accept_sec_context: first", [](Trial& t) { first_accept(t, g_accept); }},
    {"gss_accept_sec_context: first, with the default credential",
     [](Trial& t) { first_accept(t, GSS_C_NO_CREDENTIAL); }},
    {"gss_accept_sec_context: second", [](Trial& t) { second_accept(t); }},
    {"gss_accept_sec_context: second, users file read again",
     [](Trial& t) {
       touch(g_shop->path("users"));
       second_accept(t);
     }},
    {"gss_accept_sec_context: a context kept after a failed attempt",
     [](Trial& t) {
       Pair pair;
       pair.go(2);
       pair.token = "nonsense";
       pair.accept();
       Pair next;
       next.acceptor = std::move(pair.acceptor);
       next.go(1);
       Buffer out;
       gss_buffer_desc in = view(next.token);
       t.call([&](OM_uint32* minor) {
         return spi().accept_sec_context(minor, &next.acceptor, g_accept, &in, nullptr, nullptr,
                                         nullptr, &out, nullptr, nullptr, nullptr);
       });
       t.expect_empty(out);
       Pair last;
       last.acceptor = std::move(next.acceptor);
       t.expect(t.ok() || (last.go(4) && works(last)), "the context takes no next attempt");
     }},
    {"gss_delete_sec_context",
     [](Trial& t) {
       Pair pair;
       pair.go(4);
       t.call([&](OM_uint32* minor) {
         return spi().delete_sec_context(minor, &pair.initiator, GSS_C_NO_BUFFER);
       });
       t.expect(pair.initiator.get() == GSS_C_NO_CONTEXT, "the handle is left");
     }},
};

// ---- messages

// On a pair whose key streams are there, and on a fresh one.
template <typename Use>
void on_fresh_pair(Trial& t, Use use) {
  Pair pair;
  if (!pair.go(4)) {
    give_up("an established context");
  }
  use(pair);
  t.expect(works(pair), "the context no longer works");
}

template <typename Use>
void on_shared_pair(Trial& t, Use use) {
  Pair& pair = shared_pair();
  use(pair);
  t.expect(works(pair), "the context no longer works");
}

std::string wrapped(Pair& pair, const std::string& text) {
  gss_buffer_desc message = view(text);
  Buffer token;
  OM_uint32 minor = 0;
  spi().wrap(&minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, &message, nullptr, &token);
  return token.text();
}

void expect_received(Trial& t, Pair& pair, const std::string& token, const std::string& text) {
  gss_buffer_desc in = view(token);
  Buffer out;
  OM_uint32 minor = 0;
  t.expect(
      spi().unwrap(&minor, pair.acceptor, &in, &out, nullptr, nullptr) == 0 && out.text() == text,
      "the message does not arrive");
}

void wrap(Trial& t, Pair& pair) {
  const std::string text = "wrapped";
  gss_buffer_desc message = view(text);
  Buffer token;
  t.call([&](OM_uint32* minor) {
    return spi().wrap(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, &message, nullptr, &token);
  });
  t.expect_empty(token);
  if (t.ok()) {
    expect_received(t, pair, token.text(), text);
  }
}

void unwrap(Trial& t, Pair& pair) {
  const std::string token = wrapped(pair, "unwrapped");
  gss_buffer_desc in = view(token);
  Buffer out;
  t.call([&](OM_uint32* minor) {
    return spi().unwrap(minor, pair.acceptor, &in, &out, nullptr, nullptr);
  });
  t.expect_empty(out);
  if (!t.ok()) {
    expect_received(t, pair, token, "unwrapped");
  }
}

void get_mic(Trial& t, Pair& pair) {
  const std::string text = "signed";
  gss_buffer_desc message = view(text);
  Buffer token;
  t.call([&](OM_uint32* minor) {
    return spi().get_mic(minor, pair.initiator, GSS_C_QOP_DEFAULT, &message, &token);
  });
  t.expect_empty(token);
  OM_uint32 minor = 0;
  t.expect(!t.ok() || spi().verify_mic(&minor, pair.acceptor, &message, &token, nullptr) == 0,
           "the signature does not verify");
}

void verify_mic(Trial& t, Pair& pair) {
  const std::string text = "verified";
  gss_buffer_desc message = view(text);
  Buffer token;
  OM_uint32 ignored = 0;
  spi().get_mic(&ignored, pair.initiator, GSS_C_QOP_DEFAULT, &message, &token);
  t.call([&](OM_uint32* minor) {
    return spi().verify_mic(minor, pair.acceptor, &message, &token, nullptr);
  });
  t.expect(t.ok() || spi().verify_mic(&ignored, pair.acceptor, &message, &token, nullptr) == 0,
           "the signature no longer verifies");
}

// Many buffers: the module has room for sixteen without asking for memory.
struct List {
  static constexpr int kParts = 20;
  std::string text = std::string(kParts, 'x');
  gss_iov_buffer_desc iov[kParts + 1]{};
  OM_uint32 first;

  explicit List(OM_uint32 type) : first(type) {
    iov[0].type = type;
    for (int i = 0; i < kParts; ++i) {
      iov[i + 1].type = GSS_IOV_BUFFER_TYPE_DATA;
      iov[i + 1].buffer = {1, &text[static_cast<std::size_t>(i)]};
    }
  }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    OM_uint32 minor = 0;
    gss_release_iov_buffer(&minor, iov, 1);
  }
  [[nodiscard]] bool untouched() const {
    return text == std::string(kParts, 'x') && iov[0].type == first &&
           iov[0].buffer.value == nullptr;
  }
};

void wrap_iov(Trial& t, Pair& pair) {
  List list(GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE);
  t.call([&](OM_uint32* minor) {
    return spi().wrap_iov(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, nullptr, list.iov,
                          List::kParts + 1);
  });
  t.expect(t.ok() || list.untouched(), "the list was changed");
  if (t.ok()) {
    OM_uint32 minor = 0;
    t.expect(spi().unwrap_iov(&minor, pair.acceptor, nullptr, nullptr, list.iov,
                              List::kParts + 1) == 0 &&
                 list.text == std::string(List::kParts, 'x'),
             "the message does not arrive");
  }
}

void unwrap_iov(Trial& t, Pair& pair) {
  List list(GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE);
  OM_uint32 ignored = 0;
  spi().wrap_iov(&ignored, pair.initiator, 1, GSS_C_QOP_DEFAULT, nullptr, list.iov,
                 List::kParts + 1);
  const std::string sealed = list.text;
  t.call([&](OM_uint32* minor) {
    return spi().unwrap_iov(minor, pair.acceptor, nullptr, nullptr, list.iov, List::kParts + 1);
  });
  t.expect(t.ok() || list.text == sealed, "the message was changed");
  t.expect(t.ok() || spi().unwrap_iov(&ignored, pair.acceptor, nullptr, nullptr, list.iov,
                                      List::kParts + 1) == 0,
           "the message cannot be opened any more");
}

void unwrap_stream(Trial& t, Pair& pair) {
  const std::string token = wrapped(pair, "stream");
  std::string copy = token;
  gss_iov_buffer_desc iov[2] = {};
  iov[0].type = GSS_IOV_BUFFER_TYPE_STREAM;
  iov[0].buffer = view(copy);
  iov[1].type = GSS_IOV_BUFFER_TYPE_DATA | GSS_IOV_BUFFER_FLAG_ALLOCATE;
  t.call([&](OM_uint32* minor) {
    return spi().unwrap_iov(minor, pair.acceptor, nullptr, nullptr, iov, 2);
  });
  t.expect_empty(iov[1].buffer);
  OM_uint32 minor = 0;
  gss_release_iov_buffer(&minor, iov, 2);
  if (!t.ok()) {
    expect_received(t, pair, token, "stream");
  }
}

void get_mic_iov(Trial& t, Pair& pair) {
  List list(GSS_IOV_BUFFER_TYPE_MIC_TOKEN | GSS_IOV_BUFFER_FLAG_ALLOCATE);
  t.call([&](OM_uint32* minor) {
    return spi().get_mic_iov(minor, pair.initiator, GSS_C_QOP_DEFAULT, list.iov, List::kParts + 1);
  });
  t.expect(t.ok() || list.untouched(), "the list was changed");
  OM_uint32 minor = 0;
  t.expect(!t.ok() || spi().verify_mic_iov(&minor, pair.acceptor, nullptr, list.iov,
                                           List::kParts + 1) == 0,
           "the signature does not verify");
}

void verify_mic_iov(Trial& t, Pair& pair) {
  List list(GSS_IOV_BUFFER_TYPE_MIC_TOKEN | GSS_IOV_BUFFER_FLAG_ALLOCATE);
  OM_uint32 ignored = 0;
  spi().get_mic_iov(&ignored, pair.initiator, GSS_C_QOP_DEFAULT, list.iov, List::kParts + 1);
  t.call([&](OM_uint32* minor) {
    return spi().verify_mic_iov(minor, pair.acceptor, nullptr, list.iov, List::kParts + 1);
  });
  t.expect(t.ok() || spi().verify_mic_iov(&ignored, pair.acceptor, nullptr, list.iov,
                                          List::kParts + 1) == 0,
           "the signature no longer verifies");
}

void wrap_aead(Trial& t, Pair& pair) {
  const std::string text = "wrapped";
  gss_buffer_desc message = view(text);
  const std::string header = "associated";
  gss_buffer_desc associated = view(header);
  Buffer token;
  t.call([&](OM_uint32* minor) {
    return spi().wrap_aead(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, &associated, &message,
                           nullptr, &token);
  });
  t.expect_empty(token);
  Buffer out;
  OM_uint32 minor = 0;
  t.expect(!t.ok() || spi().unwrap_aead(&minor, pair.acceptor, &token, &associated, &out, nullptr,
                                        nullptr) == 0,
           "the message does not arrive");
}

void unwrap_aead(Trial& t, Pair& pair) {
  const std::string token = wrapped(pair, "unwrapped");
  gss_buffer_desc in = view(token);
  Buffer out;
  t.call([&](OM_uint32* minor) {
    return spi().unwrap_aead(minor, pair.acceptor, &in, nullptr, &out, nullptr, nullptr);
  });
  t.expect_empty(out);
  if (!t.ok()) {
    expect_received(t, pair, token, "unwrapped");
  }
}

// Key streams begin again; both ends agree about it.
void reset(Trial& t, Pair& pair) {
  gss_OID_desc oid = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_RESET_CRYPTO_OID_BYTES)};
  std::string sending(4, '\0');
  std::string receiving("\1\0\0\0", 4);
  gss_buffer_desc value = view(sending);
  t.call([&](OM_uint32* minor) {
    return spi().set_sec_context_option(minor, &pair.initiator, &oid, &value);
  });
  if (t.ok()) {
    value = view(receiving);
    OM_uint32 minor = 0;
    spi().set_sec_context_option(&minor, &pair.acceptor, &oid, &value);
  }
}

void inquire_by_oid(Trial& t, gss_ctx_id_t context, gss_OID_desc oid) {
  BufferSet set;
  t.call([&](OM_uint32* minor) {
    return spi().inquire_sec_context_by_oid(minor, context, &oid, &set);
  });
  t.expect_none(set.get());
}

const gss_OID_desc kSessionKey = {
    11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05")};
const gss_OID_desc kStrength = {11,
                                const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f")};

template <void (*kUse)(Trial&, Pair&)>
void fresh(Trial& t) {
  on_fresh_pair(t, [&](Pair& pair) { kUse(t, pair); });
}
template <void (*kUse)(Trial&, Pair&)>
void shared(Trial& t) {
  on_shared_pair(t, [&](Pair& pair) { kUse(t, pair); });
}

const Operation kMessages[] = {
    {"gss_wrap: first message", fresh<wrap>},
    {"gss_wrap", shared<wrap>},
    {"gss_unwrap: first message", fresh<unwrap>},
    {"gss_unwrap", shared<unwrap>},
    {"gss_get_mic: first message", fresh<get_mic>},
    {"gss_get_mic", shared<get_mic>},
    {"gss_verify_mic: first message", fresh<verify_mic>},
    {"gss_verify_mic", shared<verify_mic>},
    {"gss_wrap_iov: first message", fresh<wrap_iov>},
    {"gss_wrap_iov", shared<wrap_iov>},
    {"gss_unwrap_iov: first message", fresh<unwrap_iov>},
    {"gss_unwrap_iov", shared<unwrap_iov>},
    {"gss_unwrap_iov: stream", shared<unwrap_stream>},
    {"gss_get_mic_iov: first message", fresh<get_mic_iov>},
    {"gss_get_mic_iov", shared<get_mic_iov>},
    {"gss_verify_mic_iov: first message", fresh<verify_mic_iov>},
    {"gss_verify_mic_iov", shared<verify_mic_iov>},
    {"gss_wrap_aead", shared<wrap_aead>},
    {"gss_unwrap_aead", shared<unwrap_aead>},
    {"gss_set_sec_context_option: reset before the first message", fresh<reset>},
    {"gss_set_sec_context_option: reset", shared<reset>},
    {"gss_wrap_iov_length",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         List list(GSS_IOV_BUFFER_TYPE_HEADER);
         t.call([&](OM_uint32* minor) {
           return spi().wrap_iov_length(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, nullptr,
                                        list.iov, List::kParts + 1);
         });
       });
     }},
    {"gss_get_mic_iov_length",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         List list(GSS_IOV_BUFFER_TYPE_MIC_TOKEN);
         t.call([&](OM_uint32* minor) {
           return spi().get_mic_iov_length(minor, pair.initiator, GSS_C_QOP_DEFAULT, list.iov,
                                           List::kParts + 1);
         });
       });
     }},
    {"gss_wrap_size_limit",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         OM_uint32 size = 0;
         t.call([&](OM_uint32* minor) {
           return spi().wrap_size_limit(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, 100, &size);
         });
       });
     }},
    {"gss_context_time",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         OM_uint32 left = 0;
         t.call([&](OM_uint32* minor) { return spi().context_time(minor, pair.initiator, &left); });
       });
     }},
    {"gss_complete_auth_token",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         t.call([&](OM_uint32* minor) {
           return spi().complete_auth_token(minor, pair.initiator, GSS_C_NO_BUFFER);
         });
       });
     }},
    {"gss_inquire_context",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) {
         Name source;
         Name target;
         int open = 77;
         OM_uint32 flags = 77;
         t.call([&](OM_uint32* minor) {
           return spi().inquire_context(minor, pair.acceptor, &source, &target, nullptr, nullptr,
                                        &flags, nullptr, &open);
         });
         t.expect_none(source.get());
         t.expect_none(target.get());
       });
     }},
    {"gss_inquire_sec_context_by_oid: session key",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) { inquire_by_oid(t, pair.initiator, kSessionKey); });
     }},
    {"gss_inquire_sec_context_by_oid: strength",
     [](Trial& t) {
       on_shared_pair(t, [&](Pair& pair) { inquire_by_oid(t, pair.initiator, kStrength); });
     }},
    {"gss_export_sec_context",
     [](Trial& t) {
       Pair pair;
       pair.go(4);
       Buffer token;
       t.call([&](OM_uint32* minor) {
         return spi().export_sec_context(minor, &pair.initiator, &token);
       });
       t.expect_empty(token);
       if (t.ok()) {
         OM_uint32 minor = 0;
         t.expect(pair.initiator.get() == GSS_C_NO_CONTEXT, "the exported context is left");
         spi().import_sec_context(&minor, &token, &pair.initiator);
       }
       t.expect(works(pair), "the context no longer works");
     }},
    {"gss_export_sec_context: half-way",
     [](Trial& t) {
       Pair pair;
       pair.go(2);
       Buffer token;
       t.call([&](OM_uint32* minor) {
         return spi().export_sec_context(minor, &pair.acceptor, &token);
       });
       t.expect_empty(token);
       if (t.ok()) {
         OM_uint32 minor = 0;
         spi().import_sec_context(&minor, &token, &pair.acceptor);
       }
       t.expect(pair.init() == GSS_S_COMPLETE && pair.accept() == GSS_S_COMPLETE && works(pair),
                "the handshake does not go on");
     }},
    {"gss_import_sec_context",
     [](Trial& t) {
       Pair pair;
       pair.go(4);
       move_initiator(t, pair);
       t.expect(works(pair), "the context no longer works");
     }},
    {"gss_import_sec_context: half-way",
     [](Trial& t) {
       Pair pair;
       pair.go(2);
       move_initiator(t, pair);
       t.expect(pair.init() == GSS_S_COMPLETE && pair.accept() == GSS_S_COMPLETE && works(pair),
                "the handshake does not go on");
     }},
};

// ---- names

gss_OID_desc g_principal_name = {10, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01")};

void import_name(Trial& t, const std::string& text, gss_OID type) {
  gss_buffer_desc value = view(text);
  Name name;
  t.call([&](OM_uint32* minor) { return spi().import_name(minor, &value, type, &name); });
  t.expect_none(name.get());
}

std::string exported(gss_name_t name, bool composite) {
  Buffer token;
  OM_uint32 minor = 0;
  composite ? spi().export_name_composite(&minor, name, &token)
            : spi().export_name(&minor, name, &token);
  return token.text();
}

Name annotated() {
  Name name = import("CORP\\alice", GSS_C_NT_USER_NAME);
  std::string key = "urn:test:key";
  std::string text = "value";
  gss_buffer_desc attribute = view(key);
  gss_buffer_desc value = view(text);
  OM_uint32 minor = 0;
  spi().set_name_attribute(&minor, name, 1, &attribute, &value);
  return name;
}

std::string value_of(gss_name_t name, std::string key) {
  gss_buffer_desc attribute = view(key);
  Buffer value;
  int more = -1;
  OM_uint32 minor = 0;
  spi().get_name_attribute(&minor, name, &attribute, nullptr, nullptr, &value, nullptr, &more);
  return value.text();
}

const Operation kNames[] = {
    {"gss_import_name: user", [](Trial& t) { import_name(t, "CORP\\alice", GSS_C_NT_USER_NAME); }},
    {"gss_import_name: service",
     [](Trial& t) { import_name(t, "HTTP@server.example", GSS_C_NT_HOSTBASED_SERVICE); }},
    {"gss_import_name: anonymous", [](Trial& t) { import_name(t, "", GSS_C_NT_ANONYMOUS); }},
    {"gss_import_name: exported",
     [](Trial& t) { import_name(t, exported(g_target, false), GSS_C_NT_EXPORT_NAME); }},
    {"gss_import_name: composite",
     [](Trial& t) { import_name(t, exported(g_proven, true), GSS_C_NT_COMPOSITE_EXPORT); }},
    {"gss_import_name: principal",
     [](Trial& t) { import_name(t, "alice@REALM", &g_principal_name); }},
    {"gss_duplicate_name",
     [](Trial& t) {
       Name copy;
       t.call([&](OM_uint32* minor) { return spi().duplicate_name(minor, g_proven, &copy); });
       t.expect_none(copy.get());
     }},
    {"gss_release_name",
     [](Trial& t) {
       Name name = import("alice", GSS_C_NT_USER_NAME);
       t.call([&](OM_uint32* minor) { return spi().release_name(minor, &name); });
       t.expect(name.get() == GSS_C_NO_NAME, "the handle is left");
     }},
    {"gss_display_name",
     [](Trial& t) {
       Buffer text;
       gss_OID type = GSS_C_NO_OID;
       t.call([&](OM_uint32* minor) { return spi().display_name(minor, g_proven, &text, &type); });
       t.expect_empty(text);
       t.expect(t.ok() || type == GSS_C_NO_OID, "a type is left");
     }},
    {"gss_display_name_ext",
     [](Trial& t) {
       Buffer text;
       t.call([&](OM_uint32* minor) {
         return spi().display_name_ext(minor, g_proven, GSS_C_NT_USER_NAME, &text);
       });
       t.expect_empty(text);
     }},
    {"gss_compare_name",
     [](Trial& t) {
       int equal = 77;
       t.call(
           [&](OM_uint32* minor) { return spi().compare_name(minor, g_proven, g_target, &equal); });
       t.expect(equal == 0, "different names are the same");
     }},
    {"gss_export_name",
     [](Trial& t) {
       Buffer token;
       t.call([&](OM_uint32* minor) { return spi().export_name(minor, g_proven, &token); });
       t.expect_empty(token);
     }},
    {"gss_export_name_composite",
     [](Trial& t) {
       Buffer token;
       t.call(
           [&](OM_uint32* minor) { return spi().export_name_composite(minor, g_proven, &token); });
       t.expect_empty(token);
     }},
    {"gss_inquire_name",
     [](Trial& t) {
       BufferSet set;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_name(minor, g_proven, nullptr, nullptr, &set);
       });
       t.expect_none(set.get());
     },
     true},
    {"gss_get_name_attribute",
     [](Trial& t) {
       const Name name = annotated();
       std::string key = "urn:test:key";
       gss_buffer_desc attribute = view(key);
       Buffer value;
       Buffer shown;
       int more = -1;
       t.call([&](OM_uint32* minor) {
         return spi().get_name_attribute(minor, name, &attribute, nullptr, nullptr, &value, &shown,
                                         &more);
       });
       t.expect_empty(value);
       t.expect_empty(shown);
       t.expect(more == 0, "there is said to be more");
     }},
    // The mechglue's gss_authorize_localname takes every other error for leave to compare names.
    {"gss_get_name_attribute: local user",
     [](Trial& t) {
       std::string key = "local-login-user";
       gss_buffer_desc attribute = view(key);
       Buffer value;
       Buffer shown;
       int authenticated = -1;
       int more = -1;
       t.call([&](OM_uint32* minor) {
         return spi().get_name_attribute(minor, g_proven, &attribute, &authenticated, nullptr,
                                         &value, &shown, &more);
       });
       t.expect(!t.ok() || (value.text() == "root" && authenticated == 1), "it is another user");
       t.expect_empty(value);
       t.expect_empty(shown);
       t.expect(more == 0, "there is said to be more");
       t.expect(t.ok() || t.major == GSS_S_UNAUTHORIZED, "names would be compared");
       if (t.major == GSS_S_UNAUTHORIZED) {
         t.major = GSS_S_FAILURE;
       }
     },
     true},
    {"gss_set_name_attribute",
     [](Trial& t) {
       const Name name = annotated();
       std::string key = "urn:test:other";
       std::string text = "other value, too long to be kept without memory";
       gss_buffer_desc attribute = view(key);
       gss_buffer_desc value = view(text);
       t.call([&](OM_uint32* minor) {
         return spi().set_name_attribute(minor, name, 1, &attribute, &value);
       });
       t.expect(value_of(name, "urn:test:key") == "value", "an attribute is gone");
       t.expect(value_of(name, key) == (t.ok() ? text : ""), "set or not, and told otherwise");
       t.expect(display(name) == "CORP\\alice", "the name is another one");
     }},
    {"gss_delete_name_attribute",
     [](Trial& t) {
       const Name name = annotated();
       std::string key = "urn:test:key";
       gss_buffer_desc attribute = view(key);
       t.call(
           [&](OM_uint32* minor) { return spi().delete_name_attribute(minor, name, &attribute); });
       t.expect(value_of(name, key) == (t.ok() ? "" : "value"), "gone or not, and told otherwise");
     }},
    {"gss_localname",
     [](Trial& t) {
       Buffer user;
       t.call([&](OM_uint32* minor) { return spi().localname(minor, g_proven, &g_mech, &user); });
       t.expect_empty(user);
       t.expect(!t.ok() || user.text() == "root", "it is another user");
     },
     true},
    {"gssspi_authorize_localname",
     [](Trial& t) {
       std::string text = "root";
       gss_buffer_desc user = view(text);
       t.call([&](OM_uint32* minor) {
         return spi().authorize_localname(minor, g_proven, &user, GSS_C_NT_USER_NAME);
       });
     },
     true},
};

// ---- the mechanism itself

const Operation kMechanism[] = {
    {"gss_display_status",
     [](Trial& t) {
       Buffer text;
       OM_uint32 more = 0;
       t.call([&](OM_uint32* minor) {
         return spi().display_status(minor, GSS_NTLM_S_LOGON_FAILURE, GSS_C_MECH_CODE, &g_mech,
                                     &more, &text);
       });
       t.expect_empty(text);
     }},
    {"gss_indicate_mechs",
     [](Trial& t) {
       OidSet mechs;
       t.call([&](OM_uint32* minor) { return spi().indicate_mechs(minor, &mechs); });
       t.expect_none(mechs.get());
     }},
    {"gss_inquire_names_for_mech",
     [](Trial& t) {
       OidSet types;
       t.call(
           [&](OM_uint32* minor) { return spi().inquire_names_for_mech(minor, &g_mech, &types); });
       t.expect_none(types.get());
     }},
    {"gss_inquire_attrs_for_mech",
     [](Trial& t) {
       OidSet attributes;
       OidSet known;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_attrs_for_mech(minor, &g_mech, &attributes, &known);
       });
       t.expect_none(attributes.get());
       t.expect_none(known.get());
     }},
    {"gss_inquire_saslname_for_mech",
     [](Trial& t) {
       Buffer sasl;
       Buffer name;
       Buffer description;
       t.call([&](OM_uint32* minor) {
         return spi().inquire_saslname_for_mech(minor, &g_mech, &sasl, &name, &description);
       });
       t.expect_empty(sasl);
       t.expect_empty(name);
       t.expect_empty(description);
     }},
    {"gss_inquire_mech_for_saslname",
     [](Trial& t) {
       std::string text = "GS2-NTLM";
       gss_buffer_desc name = view(text);
       gss_OID mech = GSS_C_NO_OID;
       t.call(
           [&](OM_uint32* minor) { return spi().inquire_mech_for_saslname(minor, &name, &mech); });
     }},
    {"gss_internal_release_oid",
     [](Trial& t) {
       gss_OID mech = GSS_C_NO_OID;
       OM_uint32 ignored = 0;
       std::string text = "GS2-NTLM";
       gss_buffer_desc name = view(text);
       spi().inquire_mech_for_saslname(&ignored, &name, &mech);
       t.call([&](OM_uint32* minor) { return spi().internal_release_oid(minor, &mech); });
       t.expect(mech == GSS_C_NO_OID, "it is not recognised");
     }},
    {"gss_process_context_token",
     [](Trial& t) {
       std::string text = "token";
       gss_buffer_desc token = view(text);
       t.call([&](OM_uint32* minor) {
         const OM_uint32 major =
             spi().process_context_token(minor, shared_pair().initiator, &token);
         return major == GSS_S_DEFECTIVE_TOKEN ? GSS_S_COMPLETE : GSS_S_FAILURE;
       });
     }},
    {"gssspi_mech_invoke",
     [](Trial& t) {
       gss_OID_desc oid = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_DEBUG_OID_BYTES)};
       // Another path each time, of a few: each is kept for good.
       static int count = 0;
       std::string path = "/nonexistent/a-trace-that-is-nowhere-" + std::to_string(++count % 3);
       gss_buffer_desc value = view(path);
       t.call([&](OM_uint32* minor) { return spi().mech_invoke(minor, &g_mech, &oid, &value); });
       value = {0, nullptr};
       OM_uint32 minor = 0;
       spi().mech_invoke(&minor, &g_mech, &oid, &value);
     }},
};

// ---- what fails

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

template <typename Operations>
void try_all(Sweep& sweep, const Operations& operations, const std::string& where = {}) {
  for (const Operation& operation : operations) {
    sweep.allocations(operation);
    for (const Failure& failure : kFailures) {
      sweep.system_calls(operation, failure);
    }
    sweep.close(operation.name + where);
  }
}

// ---- a process that has not used the module yet

bool first_use(const failing::Plan& plan, int& seen) {
  // A step is one call; the plan goes through all of them.
  failing::Plan rest = plan;
  seen = 0;
  bool refused = false;
  const auto step = [&](const std::function<OM_uint32(OM_uint32*)>& call) {
    OM_uint32 minor = 0;
    failing::arm(rest);
    const OM_uint32 major = call(&minor);
    const int calls = failing::disarm();
    seen += calls;
    rest.at -= calls;
    if (GSS_ERROR(major)) {
      refused = true;
      return major == GSS_S_FAILURE && minor == GSS_NTLM_S_NO_MEMORY;
    }
    return true;
  };
  Cred initiate;
  Cred accept;
  std::string text = "HTTP@server.example";
  gss_buffer_desc value = view(text);
  Name target;
  bool good = step([&](OM_uint32* minor) {
    return spi().import_name(minor, &value, GSS_C_NT_HOSTBASED_SERVICE, &target);
  });
  good = good && (refused || step([&](OM_uint32* minor) {
                    return spi().acquire_cred(minor, nullptr, 0, nullptr, GSS_C_INITIATE, &initiate,
                                              nullptr, nullptr);
                  }));
  good = good && (refused || step([&](OM_uint32* minor) {
                    return spi().acquire_cred(minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &accept,
                                              nullptr, nullptr);
                  }));
  std::string token;
  Context i;
  Context a;
  for (int leg = 0; leg < 4 && good && !refused; ++leg) {
    Buffer out;
    gss_buffer_desc in = view(token);
    good = step([&](OM_uint32* minor) {
      return leg % 2 == 0 ? spi().init_sec_context(minor, initiate, &i, target, &g_mech, kProtected,
                                                   0, nullptr, &in, nullptr, &out, nullptr, nullptr)
                          : spi().accept_sec_context(minor, &a, accept, &in, nullptr, nullptr,
                                                     nullptr, &out, nullptr, nullptr, nullptr);
    });
    token = out.text();
  }
  return good && (refused || (is_open(i) && carries(i, a)));
}

// In a child for each point: what is kept from then on begins there.
long first_uses(Sweep& sweep, Tally& tally) {
  long points = 0;
  for (const bool on : {false, true}) {
    bool reached = true;
    for (int at = 1; reached; ++at) {
      std::fflush(stdout);
      const pid_t child = ::fork();
      if (child == 0) {
        int seen = 0;
        const bool good = first_use({Call::kAllocation, at, ENOMEM, on, false}, seen);
        int ignored = 0;
        const bool later = first_use({}, ignored);
        ::_exit(!good ? 2 : !later ? 3 : seen >= at ? 0 : 1);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      reached = status == 0;
      points += reached ? 1 : 0;
      if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
        std::printf("  first use, allocation %d%s fails: status %#x\n", at,
                    on ? " and all after it" : "", status);
        ++tally.failed;
      }
    }
  }
  sweep.close("first use");
  return points;
}

// ---- a users file that is replaced while it is read

// Replaces it with a file that an attacker with write access made up.
void plant() {
  g_shop->write("planted", "CORP:alice:planted\n", 0644);
  std::filesystem::rename(g_shop->path("planted"), g_shop->path("users"));
}

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

// ---- winbind

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
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
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
      ::_exit(major == GSS_S_COMPLETE || (failed && told) ? (failed ? 0 : 1) : 2);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    reached = status == 0;
    points += reached ? 1 : 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
      std::printf("  first question to winbind, allocation %d fails: status %#x\n", at, status);
      good = false;
    }
  }
  ++(good && points > 2 ? tally.passed : tally.failed);
  return points;
}

void try_winbind(Sweep& sweep, Tally& tally, const char* double_path) {
  const std::string pipes = g_shop->path("pipes");
  ::mkdir(pipes.c_str(), 0755);
  static std::string kept_pipes = pipes;
  failing::redirect("/run/samba/winbindd", kept_pipes.c_str());
  g_shop->write("settings",
                "[accounts]\ninitiator = users_file\nacceptor = winbind\n"
                "[policy]\nrefuse_reflection = no\n");
  change_settings();

  // First without the library, which is looked for once only: in a child.
  std::fflush(stdout);
  const auto in_child = [](const std::function<bool()>& good) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(good() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status == 0;
  };
  const auto domain_login = [](OM_uint32& minor) {
    Cred accept;
    spi().acquire_cred(&minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &accept, nullptr, nullptr);
    Pair pair;
    if (!pair.go(3, g_dora, accept)) {
      return OM_uint32{GSS_S_BAD_MECH};
    }
    gss_buffer_desc in = view(pair.token);
    Buffer out;
    return spi().accept_sec_context(&minor, &pair.acceptor, accept, &in, nullptr, nullptr, nullptr,
                                    &out, nullptr, nullptr, nullptr);
  };
  const Name dora = import("REALM\\dora", GSS_C_NT_USER_NAME);
  std::string password = "Passw0rd";
  gss_buffer_desc secret = view(password);
  OM_uint32 minor = 0;
  spi().acquire_cred_with_password(&minor, dora, &secret, 0, nullptr, GSS_C_INITIATE, &g_dora,
                                   nullptr, nullptr);
  Trial t({});
  const bool missing = in_child([&] {
    failing::redirect("libwbclient.so.0", "/nonexistent/libwbclient.so.0");
    OM_uint32 code = 0;
    return domain_login(code) == GSS_S_FAILURE && code == GSS_NTLM_S_DOMAIN;
  });
  if (!missing) {
    std::printf("FAIL winbind: libwbclient missing is not said\n");
    std::exit(1);
  }
  failing::redirect("libwbclient.so.0", double_path);
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
    OM_uint32 code = 0;
    const bool good = in_child([&] {
      mood(e.mood);
      OM_uint32 inner = 0;
      return domain_login(inner) == e.major && inner == e.minor;
    });
    (void)code;
    if (!good) {
      std::printf("FAIL a winbind that is %s\n", e.name);
      std::exit(1);
    }
  }
  spi().acquire_cred(&minor, nullptr, 0, nullptr, GSS_C_ACCEPT, &g_domain, nullptr, nullptr);
  tally.allocations += first_questions(tally);
  for (const Operation& operation : kWinbind) {
    for (const Failure& failure : kWinbindFailures) {
      sweep.system_calls(operation, failure);
    }
    sweep.close(operation.name);
  }
}

// Every exported function is tried.
void check_complete(Tally& tally,
                    std::initializer_list<std::pair<const Operation*, std::size_t>> all) {
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
    for (const auto& [operations, size] : all) {
      for (std::size_t i = 0; i < size; ++i) {
        const std::string_view of(operations[i].name);
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
  g_target = import("HTTP@server.example", GSS_C_NT_HOSTBASED_SERVICE).get();
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

}  // namespace

int main(int, char** argv) {
  const Workshop shop(kUsers,
                      "[names]\nnetbios_domain = OURS\n[policy]\nallow_system_users = root\n");
  g_shop = &shop;
  spi();
  Tally tally;
  Sweep sweep(tally);
  tally.allocations += first_uses(sweep, tally);
  acquire_shared();
  check_complete(tally, {{kCredentials, std::size(kCredentials)},
                         {kKeyring, std::size(kKeyring)},
                         {kHandshakes, std::size(kHandshakes)},
                         {kMessages, std::size(kMessages)},
                         {kNames, std::size(kNames)},
                         {kMechanism, std::size(kMechanism)}});
  try_all(sweep, kCredentials);
  replace_meanwhile(tally);
  try_all(sweep, kHandshakes);
  try_all(sweep, kMessages);
  try_all(sweep, kNames);
  try_all(sweep, kMechanism);
  if (has_keyrings()) {
    for (const Operation& operation : kKeyring) {
      sweep.allocations(operation);
      for (const Failure& failure : kKeyringFailures) {
        sweep.system_calls(operation, failure);
      }
      sweep.close(operation.name);
    }
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
  try_all(sweep, kHandshakes, ", traced and audited");
  try_winbind(sweep, tally, argv[1]);
  std::printf("%d passed, %d failed\n", tally.passed, tally.failed);
  std::printf("failure points: allocations %ld, system calls %ld\n", tally.allocations,
              tally.system_calls);
  return tally.failed == 0 ? 0 : 1;
}
