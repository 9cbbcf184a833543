// Tokens of contexts, credentials and names that claim more than was proven.
#include "mech/crypto/primitives.h"
#include "test/spi/names.h"

namespace gssntlm::test {
namespace {

std::string le32_text(std::size_t v) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) {
    text.push_back(static_cast<char>(v >> shift & 0xFF));
  }
  return text;
}

// As an exported token writes an attribute.
std::string attribute_text(const std::string& name, const std::string& value, bool authenticated) {
  return le32_text(name.size()) + name + le32_text(value.size()) + value +
         (authenticated ? '\1' : '\0');
}

// The token with `text` for its last `old`, and the checksum that belongs to that.
std::string forged(std::string token, const std::string& old, const std::string& text) {
  const std::size_t at = token.rfind(old);
  REQUIRE(at != std::string::npos);
  token.replace(at, old.size(), text);
  const std::size_t start = token.rfind("ntlm-c");
  REQUIRE(start != std::string::npos);
  const std::size_t end = token.size() - 4;
  const std::uint32_t sum = crc32(as_bytes(std::string_view(token).substr(start, end - start)));
  return token.replace(end, 4, le32_text(sum));
}

// The source of the context behind a token; empty if it is not imported.
NameHandle imported_source(const std::string& token) {
  gss_buffer_desc in = buffer_of(token);
  OM_uint32 minor = 0;
  End end;
  NameHandle source;
  if (gss_import_sec_context(&minor, &in, &end.context) == 0) {
    REQUIRE(gss_inquire_context(&minor, end.context, source.out(), nullptr, nullptr, nullptr,
                                nullptr, nullptr, nullptr) == 0);
  }
  return source;
}

// The name of the credential behind a token; empty if it is not imported.
NameHandle imported_owner(const std::string& token) {
  gss_buffer_desc in = buffer_of(token);
  OM_uint32 minor = 0;
  CredHandle cred;
  NameHandle owner;
  if (gss_import_cred(&minor, &in, cred.out()) == 0) {
    REQUIRE(gss_inquire_cred(&minor, cred.get(), owner.out(), nullptr, nullptr, nullptr) == 0);
  }
  return owner;
}

}  // namespace

TEST_CASE("localname: a context's token that names the local user is not believed",
          "[spi][names]") {
  const std::string mic = attribute_text(GSS_NTLM_ATTR_MIC, "1", true);
  const std::string login = attribute_text("local-login-user", "root", true);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    End end;
    const NameHandle user = logged_in("CORP:alice:" + kPassword + "\n", "CORP\\alice", mech, &end);
    const Workshop workshop(kUsers, kOurs);
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    REQUIRE(gss_export_sec_context(&minor, &end.context, &out) == 0);
    const std::string token = take(out);
    const bool sent = token.find(mic) != std::string::npos;
    const std::string old = sent ? mic : attribute_text(GSS_NTLM_ATTR_MIC, "0", true);
    CHECK(imported_source(forged(token, old, login)).get() == nullptr);
    // What no export writes: an attribute twice, another user than the name's, a workstation that
    // was proven.
    const std::string bound = attribute_text(GSS_NTLM_ATTR_KEY_BITS, "128", true);
    CHECK(imported_source(forged(token, bound, old)).get() == nullptr);
    for (const auto& [part, other] :
         {std::pair(GSS_NTLM_ATTR_USER, "alice"), std::pair(GSS_NTLM_ATTR_DOMAIN, "CORP")}) {
      const std::string honest = attribute_text(part, other, true);
      CHECK(imported_source(forged(token, honest, attribute_text(part, "root", true))).get() ==
            nullptr);
    }
    const std::string station = attribute_text(
        GSS_NTLM_ATTR_WORKSTATION, attribute(user, GSS_NTLM_ATTR_WORKSTATION).value, false);
    std::string proven = station;
    proven.back() = 1;
    CHECK(imported_source(forged(token, station, proven)).get() == nullptr);
    // Last: a token that was imported once is no longer imported, whatever it says.
    const NameHandle source = imported_source(token);
    REQUIRE(source.get() != nullptr);
    CHECK(attribute(source, "local-login-user").major == GSS_S_UNAUTHORIZED);
  }
}

TEST_CASE("attributes: in an initiator's token none is authenticated", "[spi][names]") {
  const Workshop workshop(kUsers);
  const std::string none(2, '\0');
  const std::pair<std::string, std::string> names[] = {
      {'\1' + le32_text(5) + "alice" + le32_text(4) + "CORP", "source"},
      {'\2' + le32_text(4) + "HTTP" + le32_text(14) + "server.example", "target"}};
  for (const auto& [name, which] : names) {
    for (const bool authenticated : {false, true}) {
      CAPTURE(which, authenticated);
      // Of its own: a context is imported once.
      Exchange x;
      End i;
      End a;
      REQUIRE(run(x, i, a));
      gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
      OM_uint32 minor = 0;
      REQUIRE(gss_export_sec_context(&minor, &i.context, &out) == 0);
      const std::string token = take(out);
      const std::string one = std::string("\1\0", 2) + attribute_text("sid", "y", authenticated);
      const std::string edited = forged(token, name + none, name + one);
      CHECK((imported_source(edited).get() != nullptr) == !authenticated);
    }
  }
}

TEST_CASE("localname: a credential's token that names the local user is not believed",
          "[spi][names]") {
  End end;
  const NameHandle proven =
      logged_in("CORP:alice:" + kPassword + "\n", "CORP\\alice", &kNtlm, &end);
  const Workshop workshop(kUsers, kOurs);
  // As long as the forged one, so that no length changes.
  REQUIRE(set_attribute(proven, "local-login-xxxx", "root") == 0);
  gss_OID_set_desc mechs = {1, &kNtlm};
  CredHandle cred;
  OM_uint32 minor = 0;
  REQUIRE(gss_acquire_cred(&minor, proven.get(), GSS_C_INDEFINITE, &mechs, GSS_C_ACCEPT, cred.out(),
                           nullptr, nullptr) == 0);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_export_cred(&minor, cred.get(), &out) == 0);
  const std::string token = take(out);
  // What a logon proved is not proven by a token.
  const NameHandle owner = imported_owner(token);
  REQUIRE(owner.get() != nullptr);
  CHECK(attribute(owner, GSS_NTLM_ATTR_USER).value == "alice");
  CHECK(attribute(owner, GSS_NTLM_ATTR_USER).authenticated == 0);
  CHECK(attribute(owner, "local-login-user").major == GSS_S_UNAUTHORIZED);
  const std::string old = attribute_text("local-login-xxxx", "root", false);
  for (const bool authenticated : {false, true}) {
    CAPTURE(authenticated);
    const std::string login = attribute_text("local-login-user", "root", authenticated);
    CHECK(imported_owner(forged(token, old, login)).get() == nullptr);
  }
  const std::string honest = attribute_text(GSS_NTLM_ATTR_USER, "alice", false);
  CHECK(imported_owner(forged(token, honest, attribute_text(GSS_NTLM_ATTR_USER, "alice", true)))
            .get() == nullptr);
}

TEST_CASE("localname: a composite name's token that names the local user is not believed",
          "[spi][names]") {
  const Workshop workshop(kUsers, kOurs);
  const NameHandle name = canonical("root", GSS_C_NT_USER_NAME);
  // As long as the forged one, so that no length changes.
  REQUIRE(set_attribute(name, "local-login-xxxx", "root") == 0);
  std::string token = exported(name, true);
  const std::string login = attribute_text("local-login-user", "root", true);
  token.replace(token.size() - login.size(), login.size(), login);
  NameHandle moved;
  CHECK(GSS_ERROR(import_token(token, GSS_C_NT_COMPOSITE_EXPORT, moved)));
}

}  // namespace gssntlm::test
