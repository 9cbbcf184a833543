// What the mechanism says of itself and of credentials; credentials kept, moved and given options.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:secret\nCORP:bob:hidden\n";

// GSS_KRB5_CRED_NO_CI_FLAGS_X.
gss_OID_desc kNoCiFlags = {6, const_cast<char*>("\x2a\x85\x70\x2b\x0d\x1d")};
gss_OID_desc kNegotiateFlags = {GSS_NTLM_OID_LENGTH,
                                const_cast<char*>(GSS_NTLM_NEG_FLAGS_OID_BYTES)};

bool has(gss_OID_set set, gss_const_OID oid) {
  int present = 0;
  OM_uint32 minor = 0;
  return gss_test_oid_set_member(&minor, const_cast<gss_OID>(oid), set, &present) == 0 &&
         present == 1;
}

std::string text_of(gss_buffer_desc& buffer) {
  std::string text(static_cast<const char*>(buffer.value), buffer.length);
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &buffer);
  return text;
}

// The one answer to an inquiry; nothing when it failed, whose status is in `major`.
std::string answer(gss_cred_id_t cred, gss_OID oid, OM_uint32& major) {
  OM_uint32 minor = 0;
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  major = gss_inquire_cred_by_oid(&minor, cred, oid, &set);
  if (GSS_ERROR(major)) {
    return {};
  }
  REQUIRE(set->count == 1);
  std::string value(static_cast<const char*>(set->elements[0].value), set->elements[0].length);
  gss_release_buffer_set(&minor, &set);
  return value;
}

OM_uint32 set_option(CredHandle& cred, gss_OID oid, const std::string& value) {
  OM_uint32 minor = 0;
  gss_buffer_desc buffer{value.size(), const_cast<char*>(value.data())};
  return gss_set_cred_option(&minor, cred.handle(), oid, &buffer);
}

std::string owner(gss_cred_id_t cred, OM_uint32* lifetime = nullptr, int* usage = nullptr) {
  OM_uint32 minor = 0;
  NameHandle name;
  REQUIRE(gss_inquire_cred(&minor, cred, name.out(), lifetime, usage, nullptr) == 0);
  return name.display();
}

OM_uint32 store_into(gss_cred_id_t cred, const std::string& path, bool overwrite) {
  gss_key_value_element_desc element{GSS_NTLM_CS_KEYFILE, path.c_str()};
  gss_key_value_set_desc keys{1, &element};
  gss_OID_set stored = GSS_C_NO_OID_SET;
  gss_cred_usage_t usage = GSS_C_BOTH;
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_store_cred_into(&minor, cred, GSS_C_INITIATE, &kNtlm, overwrite, 0,
                                              &keys, &stored, &usage);
  if (!GSS_ERROR(major)) {
    CHECK(has(stored, &kNtlm));
    CHECK(usage == GSS_C_INITIATE);
    gss_release_oid_set(&minor, &stored);
  }
  return major;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool logs_in(gss_cred_id_t initiator, gss_cred_id_t acceptor, const std::string& as) {
  Exchange x;
  x.initiator_cred = initiator;
  x.acceptor_cred = acceptor;
  End i;
  End a;
  return run(x, i, a) && a.source.display() == as;
}

}  // namespace

TEST_CASE("mechanism: its attributes are what is implemented", "[spi][inquiries]") {
  OM_uint32 minor = 0;
  gss_OID_set attributes = GSS_C_NO_OID_SET;
  gss_OID_set known = GSS_C_NO_OID_SET;
  REQUIRE(gss_inquire_attrs_for_mech(&minor, &kNtlm, &attributes, &known) == 0);
  for (gss_const_OID there :
       {GSS_C_MA_MECH_CONCRETE, GSS_C_MA_AUTH_INIT, GSS_C_MA_AUTH_INIT_ANON, GSS_C_MA_INTEG_PROT,
        GSS_C_MA_CONF_PROT, GSS_C_MA_MIC, GSS_C_MA_WRAP, GSS_C_MA_REPLAY_DET, GSS_C_MA_OOS_DET,
        GSS_C_MA_CBINDINGS, GSS_C_MA_CTX_TRANS}) {
    CHECK(has(attributes, there));
  }
  // NTLM proves no server, delegates nothing and has no PRF; and is no mechanism that negotiates.
  for (gss_const_OID absent : {GSS_C_MA_AUTH_TARG, GSS_C_MA_DELEG_CRED, GSS_C_MA_PFS,
                               GSS_C_MA_MECH_NEGO, GSS_C_MA_NOT_DFLT_MECH}) {
    CHECK_FALSE(has(attributes, absent));
  }
  gss_release_oid_set(&minor, &attributes);
  gss_release_oid_set(&minor, &known);
}

TEST_CASE("mechanism: its name in SASL, both ways, and the types of its names",
          "[spi][inquiries]") {
  OM_uint32 minor = 0;
  gss_buffer_desc sasl{};
  gss_buffer_desc name{};
  gss_buffer_desc description{};
  REQUIRE(gss_inquire_saslname_for_mech(&minor, &kNtlm, &sasl, &name, &description) == 0);
  CHECK(text_of(name) == "NTLM");
  CHECK_FALSE(text_of(description).empty());
  gss_OID found = GSS_C_NO_OID;
  REQUIRE(gss_inquire_mech_for_saslname(&minor, &sasl, &found) == 0);
  CHECK(text_of(sasl) == "GS2-NTLM");
  CHECK(found->length == kNtlm.length);
  CHECK(std::memcmp(found->elements, kNtlm.elements, kNtlm.length) == 0);

  gss_OID_set types = GSS_C_NO_OID_SET;
  REQUIRE(gss_inquire_names_for_mech(&minor, &kNtlm, &types) == 0);
  for (gss_const_OID type : {GSS_C_NT_USER_NAME, GSS_C_NT_HOSTBASED_SERVICE, GSS_C_NT_ANONYMOUS,
                             GSS_C_NT_EXPORT_NAME, GSS_C_NT_COMPOSITE_EXPORT}) {
    CHECK(has(types, type));
  }
  gss_release_oid_set(&minor, &types);
  gss_OID_set mechs = GSS_C_NO_OID_SET;
  REQUIRE(gss_indicate_mechs(&minor, &mechs) == 0);
  CHECK(has(mechs, &kNtlm));
  gss_release_oid_set(&minor, &mechs);
}

TEST_CASE("context: its time, and tokens there are none of", "[spi][inquiries]") {
  const Workshop workshop(kUsers);
  const Exchange x;
  End initiator;
  End acceptor;
  init_step(x, initiator, "");
  OM_uint32 minor = 0;
  OM_uint32 seconds = 7;
  CHECK(gss_context_time(&minor, initiator.context, &seconds) == GSS_S_NO_CONTEXT);
  End other;
  REQUIRE(run(x, other, acceptor));
  CHECK(gss_context_time(&minor, other.context, &seconds) == 0);
  CHECK(seconds == GSS_C_INDEFINITE);
  gss_buffer_desc token{4, const_cast<char*>("none")};
  CHECK(gss_process_context_token(&minor, other.context, &token) == GSS_S_DEFECTIVE_TOKEN);
  CHECK(gss_complete_auth_token(&minor, other.context, &token) == 0);
  std::string sealed;
  std::string back;
  CHECK(wrap(other, "still there", sealed).ok());
  CHECK(unwrap(acceptor, sealed, back).ok());
}

TEST_CASE("credentials: whose, for what and how long", "[spi][inquiries]") {
  const Workshop workshop(kUsers);
  CredHandle initiator;
  CredHandle acceptor;
  REQUIRE(acquire_password("CORP\\carol", "x", &kNtlm, initiator).ok());
  REQUIRE(acquire(GSS_C_ACCEPT, &kNtlm, acceptor).ok());
  OM_uint32 lifetime = 0;
  int usage = -1;
  CHECK(owner(initiator.get(), &lifetime, &usage) == "CORP\\carol");
  CHECK(lifetime == GSS_C_INDEFINITE);
  CHECK(usage == GSS_C_INITIATE);
  owner(acceptor.get(), &lifetime, &usage);
  CHECK(usage == GSS_C_ACCEPT);

  OM_uint32 minor = 0;
  NameHandle name;
  OM_uint32 to_initiate = 7;
  OM_uint32 to_accept = 7;
  REQUIRE(gss_inquire_cred_by_mech(&minor, initiator.get(), &kNtlm, name.out(), &to_initiate,
                                   &to_accept, &usage) == 0);
  CHECK(name.display() == "CORP\\carol");
  CHECK(to_initiate == GSS_C_INDEFINITE);
  CHECK(to_accept == 0);
}

TEST_CASE("credentials: options are set in a copy, and told", "[spi][inquiries]") {
  const Workshop workshop(kUsers);
  CredHandle cred;
  REQUIRE(acquire_password("CORP\\alice", "secret", &kNtlm, cred).ok());
  OM_uint32 major = 0;
  CHECK(answer(cred.get(), &kNoCiFlags, major) == std::string(1, '\0'));
  CHECK(answer(cred.get(), &kNegotiateFlags, major).empty());
  CHECK(major == GSS_S_UNAVAILABLE);
  REQUIRE(set_option(cred, &kNoCiFlags, "") == 0);
  CHECK(answer(cred.get(), &kNoCiFlags, major) == std::string(1, '\1'));

  const OM_uint32 flags = 0xE2088297;
  const std::string value(reinterpret_cast<const char*>(&flags), sizeof flags);
  CHECK(GSS_ERROR(set_option(cred, &kNegotiateFlags, "abc")));
  REQUIRE(set_option(cred, &kNegotiateFlags, value) == 0);
  CHECK(answer(cred.get(), &kNegotiateFlags, major) == value);
  REQUIRE(set_option(cred, &kNegotiateFlags, "") == 0);
  answer(cred.get(), &kNegotiateFlags, major);
  CHECK(major == GSS_S_UNAVAILABLE);
  CHECK(logs_in(cred.get(), GSS_C_NO_CREDENTIAL, "CORP\\alice"));
}

TEST_CASE("credentials: kept in a users file as a hash, found there, not overwritten unasked",
          "[spi][inquiries]") {
  const Workshop workshop(kUsers);
  const std::string path = workshop.path("kept");
  CredHandle cred;
  REQUIRE(acquire_password("CORP\\alice", "secret", &kNtlm, cred).ok());
  REQUIRE(store_into(cred.get(), path, false) == 0);
  CHECK(contents(path).find("secret") == std::string::npos);
  CHECK(contents(path).find("878D8014606CDA29677A44EFA1353FC7") != std::string::npos);
  const std::string before = contents(path);
  CHECK(store_into(cred.get(), path, false) == GSS_S_DUPLICATE_ELEMENT);
  CHECK(contents(path) == before);
  CHECK(store_into(cred.get(), path, true) == 0);

  CredHandle found;
  REQUIRE(acquire_from(GSS_C_INITIATE, &kNtlm, "", {{GSS_NTLM_CS_KEYFILE, path}}, found).ok());
  CHECK(owner(found.get()) == "CORP\\alice");
  CHECK(logs_in(found.get(), GSS_C_NO_CREDENTIAL, "CORP\\alice"));
}

TEST_CASE("credentials: what left a process logs in where it arrives, and damaged is refused",
          "[spi][inquiries]") {
  const Workshop workshop(kUsers);
  CredHandle initiator;
  CredHandle acceptor;
  REQUIRE(acquire_password("CORP\\bob", "hidden", &kNtlm, initiator).ok());
  REQUIRE(acquire(GSS_C_ACCEPT, &kNtlm, acceptor).ok());
  OM_uint32 minor = 0;
  gss_buffer_desc token{};
  REQUIRE(gss_export_cred(&minor, initiator.get(), &token) == 0);
  const std::string saved = text_of(token);
  CHECK(saved.find("hidden") == std::string::npos);
  REQUIRE(gss_export_cred(&minor, acceptor.get(), &token) == 0);
  const std::string saved_acceptor = text_of(token);

  const auto import = [&](std::string text, CredHandle& into) {
    gss_buffer_desc from{text.size(), text.data()};
    return gss_import_cred(&minor, &from, into.out());
  };
  CredHandle a;
  CredHandle b;
  REQUIRE(import(saved, a) == 0);
  REQUIRE(import(saved_acceptor, b) == 0);
  CHECK(owner(a.get()) == "CORP\\bob");
  CHECK(logs_in(a.get(), b.get(), "CORP\\bob"));
  for (std::size_t size = 0; size < saved.size(); ++size) {
    CredHandle none;
    CHECK(GSS_ERROR(import(saved.substr(0, size), none)));
  }
  for (std::size_t bit = 0; bit < 8 * saved.size(); ++bit) {
    std::string damaged = saved;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    CredHandle none;
    CHECK(GSS_ERROR(import(damaged, none)));
  }
}

}  // namespace gssntlm::test
