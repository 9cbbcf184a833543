// Credentials: acquired, inquired, exported, stored in a users file.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {

void acquire_from(Trial& t, std::initializer_list<gss_key_value_element_desc> elements,
                  gss_cred_usage_t usage) {
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

namespace {

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
    // Leftovers of an editor that was killed are looked for, if there is memory
    // to do so.
    {"gss_store_cred_into: a new users file", [](Trial& t) { store_into_file(t, nullptr); }, true},
    {"gss_store_cred_into: a users file with others",
     [](Trial& t) { store_into_file(t, "# kept\nCORP:bob:Secret1\nCORP:dora:Secret2\n"); }, true},
};

}  // namespace

std::span<const Operation> credential_operations() {
  return kCredentials;
}

}  // namespace gssntlm::test::failure
