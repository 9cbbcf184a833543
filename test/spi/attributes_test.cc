// Attributes of names: what a logon proved, and what the holder of a name adds.
#include "test/spi/names.h"

namespace gssntlm::test {
namespace {

std::vector<std::string> attributes_of(const NameHandle& name) {
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  OM_uint32 minor = 0;
  int is_mn = 0;
  REQUIRE(gss_inquire_name(&minor, name.get(), &is_mn, nullptr, &set) == 0);
  CHECK(is_mn == 1);
  std::vector<std::string> names;
  for (std::size_t i = 0; set != GSS_C_NO_BUFFER_SET && i < set->count; ++i) {
    names.emplace_back(static_cast<const char*>(set->elements[i].value), set->elements[i].length);
  }
  gss_release_buffer_set(&minor, &set);
  return names;
}

OM_uint32 delete_attribute(const NameHandle& name, const std::string& which) {
  gss_buffer_desc in = buffer_of(which);
  OM_uint32 minor = 0;
  return gss_delete_name_attribute(&minor, name.get(), &in);
}

// "1" where the initiator sent a MIC: under a SPNEGO that cannot carry what follows from it, none.
std::string mic_sent(const End& initiator, gss_const_OID mech) {
  if (mech == &kNtlm) {
    return "1";
  }
  gss_OID_desc which{GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_SPNEGO_REQUIRE_MIC_OID_BYTES)};
  OM_uint32 minor = 0;
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  REQUIRE(gss_inquire_sec_context_by_oid(&minor, initiator.context, &which, &set) == 0);
  REQUIRE(set->count == 1);
  const bool sent = *static_cast<const char*>(set->elements[0].value) == 1;
  gss_release_buffer_set(&minor, &set);
  return sent ? "1" : "0";
}

}  // namespace

TEST_CASE("attributes: what the logon proved, through context and name export", "[spi][names]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const bool moved : {false, true}) {
      Exchange x;
      x.mech = mech;
      x.initiator_bindings = x.acceptor_bindings = "tls";
      End i;
      End a;
      REQUIRE(run(x, i, a));
      const std::string mic = mic_sent(i, mech);
      NameHandle user = std::move(a.source);
      OM_uint32 minor = 0;
      if (moved) {
        gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
        REQUIRE(gss_export_sec_context(&minor, &a.context, &token) == 0);
        REQUIRE(gss_import_sec_context(&minor, &token, &a.context) == 0);
        gss_release_buffer(&minor, &token);
        NameHandle again;
        REQUIRE(gss_inquire_context(&minor, a.context, again.out(), nullptr, nullptr, nullptr,
                                    nullptr, nullptr, nullptr) == 0);
        user = std::move(again);
      }
      const std::pair<const char*, std::string> expected[] = {
          {GSS_NTLM_ATTR_USER, "alice"},
          {GSS_NTLM_ATTR_DOMAIN, "CORP"},
          {GSS_NTLM_ATTR_VERSION, "NTLMv2"},
          {GSS_NTLM_ATTR_MIC, mic},
          {GSS_NTLM_ATTR_CHANNEL_BOUND, mic},
          {GSS_NTLM_ATTR_KEY_BITS, "128"},
          {GSS_NTLM_ATTR_TARGET, mic == "1" ? "HTTP/server.example" : ""},
      };
      const std::vector<std::string> listed = attributes_of(user);
      for (const auto& [which, value] : expected) {
        CAPTURE(which);
        const Attribute found = attribute(user, which);
        CHECK(found.major == 0);
        CHECK(found.value == value);
        CHECK(found.display == value);
        CHECK(found.authenticated == 1);
        CHECK(found.complete == 1);
        CHECK(std::count(listed.begin(), listed.end(), which) == 1);
        CHECK(set_attribute(user, which, "forged") == GSS_S_UNAUTHORIZED);
        CHECK(delete_attribute(user, which) == GSS_S_UNAUTHORIZED);
      }
      // The client chooses it freely.
      CHECK_FALSE(attribute(user, GSS_NTLM_ATTR_WORKSTATION).value.empty());
      CHECK(attribute(user, GSS_NTLM_ATTR_WORKSTATION).authenticated == 0);
      CHECK(set_attribute(user, GSS_NTLM_ATTR_WORKSTATION, "forged") == GSS_S_UNAUTHORIZED);
      CHECK(delete_attribute(user, GSS_NTLM_ATTR_WORKSTATION) == GSS_S_UNAUTHORIZED);
      // A composite name carries them, but the maker of the token may have made them up.
      NameHandle copy;
      REQUIRE(import_token(exported(user, true), GSS_C_NT_COMPOSITE_EXPORT, copy) == 0);
      CHECK(attribute(copy, GSS_NTLM_ATTR_USER).value == "alice");
      CHECK(attribute(copy, GSS_NTLM_ATTR_USER).authenticated == 0);
      // A plain one carries none. SPNEGO's own form of a name is the library's business.
      if (mech == &kNtlm) {
        NameHandle plain;
        REQUIRE(import_token(exported(user), GSS_C_NT_EXPORT_NAME, plain) == 0);
        CHECK(attributes_of(plain).empty());
      }
    }
  }
}

TEST_CASE("attributes: a name's holder adds, changes and deletes its own, in one handle alone",
          "[spi][names]") {
  const NameHandle name = canonical("CORP\\alice", GSS_C_NT_USER_NAME);
  NameHandle other;
  OM_uint32 minor = 0;
  REQUIRE(gss_duplicate_name(&minor, name.get(), other.out()) == 0);
  CHECK(attributes_of(name).empty());
  CHECK(attribute(name, "mail").major == GSS_S_UNAVAILABLE);
  REQUIRE(set_attribute(name, "mail", "alice@corp.example") == 0);
  REQUIRE(set_attribute(name, "mail", std::string("\0\xff", 2)) == 0);
  CHECK(attribute(name, "mail").value == std::string("\0\xff", 2));
  CHECK(attribute(name, "mail").authenticated == 0);
  CHECK(attributes_of(name) == std::vector<std::string>{"mail"});
  CHECK(attribute(other, "mail").major == GSS_S_UNAVAILABLE);
  for (const char* computed :
       {"local-login-user", GSS_NTLM_ATTR_USER, GSS_NTLM_ATTR_DOMAIN, GSS_NTLM_ATTR_WORKSTATION,
        GSS_NTLM_ATTR_TARGET, GSS_NTLM_ATTR_VERSION, GSS_NTLM_ATTR_MIC, GSS_NTLM_ATTR_CHANNEL_BOUND,
        GSS_NTLM_ATTR_KEY_BITS}) {
    CAPTURE(computed);
    CHECK(set_attribute(name, computed, "root") == GSS_S_UNAUTHORIZED);
    CHECK(delete_attribute(name, computed) == GSS_S_UNAUTHORIZED);
  }
  CHECK(GSS_ERROR(set_attribute(name, std::string(2000, 'n'), "v")));
  CHECK(delete_attribute(name, "mail") == 0);
  CHECK(delete_attribute(name, "mail") == GSS_S_UNAVAILABLE);
  CHECK(attributes_of(name).empty());
  int i = 0;
  while (set_attribute(name, "n" + std::to_string(i), "v") == 0) {
    REQUIRE(++i < 10000);
  }
}

}  // namespace gssntlm::test
