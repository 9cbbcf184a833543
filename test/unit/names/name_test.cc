// Names as callers write them.
#include "mech/names/name.h"

#include "include/gssapi/gssapi_ntlm.h"

#include "test/support/catch.h"

namespace gssntlm {
namespace {

struct Parts {
  std::string user;
  std::string domain;
  friend bool operator==(const Parts&, const Parts&) = default;
};

Parts split(std::string_view text) {
  const Result<Ref<const Name>> name = Name::user(text);
  REQUIRE(name);
  return {(*name)->user_part(), (*name)->domain_part()};
}

Minor refusal(const Result<Ref<const Name>>& name) {
  CHECK((name || name.error().major == Major::kBadName));
  return name ? Minor::kNone : name.error().minor;
}

TEST_CASE("name: each way to write a user has its parts", "[name]") {
  CHECK(split("user") == Parts{"user", ""});
  CHECK(split("DOM\\user") == Parts{"user", "DOM"});
  CHECK(split("user@dom.example") == Parts{"user", "dom.example"});
  CHECK(split("\\user@dom.example") == Parts{"user@dom.example", ""});
  CHECK(split("user\\@dom.example") == Parts{"user@dom.example", ""});
  CHECK(split("DOM\\user@realm") == Parts{"user@realm", "DOM"});
  CHECK(split("a@b@c") == Parts{"a@b", "c"});
  CHECK(split(".\\user") == Parts{"user", ""});
  CHECK(split("..\\user") == Parts{"user", ".."});
  CHECK(split("user@.") == Parts{"user@.", ""});
  CHECK(split("@user") == Parts{"@user", ""});
  CHECK(split("J\xc3\xb6rg") == Parts{"J\xc3\xb6rg", ""});
}

TEST_CASE("name: a text that is a UPN is told from the same account of a domain", "[name]") {
  for (const char* text : {"user@dom.example", "a@b@dom.example"}) {
    CAPTURE(text);
    const Ref<const Name> name = *Name::user(text);
    CHECK(name->is_upn());
    CHECK((*Name::untyped(text))->is_upn());
    CHECK((*Name::principal(text))->is_upn());
    CHECK(name->with({})->is_upn());
    const Ref<const Name> parts = Name::user(name->user_part(), name->domain_part());
    CHECK_FALSE(parts->is_upn());
    CHECK(parts->equals(*name));
    CHECK(parts->display() == name->display());
  }
  for (const char* text :
       {"user", "DOM\\user", ".\\user", "\\user@dom", "DOM\\user@realm", "user@"}) {
    CAPTURE(text);
    CHECK_FALSE((*Name::user(text))->is_upn());
  }
}

TEST_CASE("name: a domain that means this host is none", "[name]") {
  CHECK(Name::user("alice", ".")->equals(**Name::user(".\\alice")));
  CHECK(Name::user("alice", ".")->display() == "alice");
  CHECK(Name::authenticated("alice", ".", {}, {})->domain_part().empty());
}

TEST_CASE("name: what a name shows imports to an equal name", "[name]") {
  for (const char* text : {"user", "DOM\\user", "user@dom.example", "\\user@dom.example",
                           "user\\@dom.example", "DOM\\user@realm", "@user@dom", "\\user@realm@",
                           ".\\user", ".\\user@dom", "user@.", "@."}) {
    const Result<Ref<const Name>> name = Name::user(text);
    REQUIRE(name);
    const Result<Ref<const Name>> again = Name::user((*name)->display());
    CAPTURE(text, (*name)->display());
    REQUIRE(again);
    CHECK((*again)->equals(**name));
  }
}

TEST_CASE("name: a backslash in the user is refused", "[name]") {
  for (const char* text : {"DOM\\us\\er", "\\user\\", "\\us\\er", "DOM\\user\\@realm"}) {
    CAPTURE(text);
    CHECK(refusal(Name::user(text)) == Minor::kBadName);
  }
}

TEST_CASE("name: NUL and control characters are refused wherever they are", "[name]") {
  for (unsigned c = 0; c < 0x100; ++c) {
    if (c >= 0x20 && c != 0x7F && (c < 0x80 || c >= 0xA0)) {
      continue;
    }
    std::string bad;
    if (c >= 0x80) {
      bad = "\xc2";
    }
    bad += static_cast<char>(c);
    for (const std::string& text : {bad, "user" + bad, bad + "user", "us" + bad + "er",
                                    "DOM" + bad + "\\user", "user@dom" + bad}) {
      CAPTURE(c);
      CHECK(refusal(Name::user(text)) == Minor::kBadName);
      CHECK(refusal(Name::service(text)) == Minor::kBadName);
    }
  }
}

TEST_CASE("name: a text that names no user is rejected", "[name]") {
  CHECK(refusal(Name::user("")) == Minor::kBadName);
  CHECK(refusal(Name::user("DOM\\")) == Minor::kBadName);
  CHECK(refusal(Name::user("\\")) == Minor::kBadName);
  CHECK(refusal(Name::service("")) == Minor::kBadName);
  CHECK(refusal(Name::service("@host")) == Minor::kBadName);
  CHECK(refusal(Name::service("/host")) == Minor::kBadName);
  CHECK(refusal(Name::user("user\xff")) == Minor::kBadText);
  CHECK(refusal(Name::service("\xed\xa0\x80@host")) == Minor::kBadText);
}

TEST_CASE("name: sizes up to 32767 bytes are taken, longer ones refused", "[name]") {
  for (const std::size_t size : {1u, 255u, 256u, 511u, 512u, 1023u, 1024u, 32767u}) {
    const std::string text(size, 'x');
    CAPTURE(size);
    REQUIRE(refusal(Name::user(text)) == Minor::kNone);
    CHECK((*Name::user(text))->display() == text);
    CHECK(refusal(Name::service(text)) == Minor::kNone);
  }
  for (const std::size_t size : {32768u, 65534u, 65535u, 65536u, 1000000u}) {
    const std::string text(size, 'x');
    CAPTURE(size);
    CHECK(refusal(Name::user(text)) == Minor::kTooLong);
    CHECK(refusal(Name::service(text)) == Minor::kTooLong);
  }
}

bool equal(const char* a, const char* b) {
  const Result<Ref<const Name>> one = Name::user(a);
  const Result<Ref<const Name>> two = Name::user(b);
  REQUIRE(one);
  REQUIRE(two);
  CHECK((*one)->equals(**two) == (*two)->equals(**one));
  return (*one)->equals(**two);
}

TEST_CASE("name: names are equal by NTLM's case rules", "[name]") {
  CHECK(equal("DOM\\user", "dom\\USER"));
  CHECK(equal("DOM\\user", "user@dom"));
  CHECK(equal("\\user@dom", "\\USER@DOM"));
  CHECK_FALSE(equal("\\user@dom", "user@dom"));
  CHECK_FALSE(equal("\\user@dom", "DOM\\user"));
  CHECK(equal("J\xc3\xb6rg", "J\xc3\x96RG"));
  CHECK_FALSE(equal("DOM\\user", "user"));
  CHECK_FALSE(equal("DOM\\user", "DOM2\\user"));
  CHECK_FALSE(
      equal("stra\xc3\x9f"
            "e",
            "strasse"));
  CHECK_FALSE(equal("\xc4\xb1", "i"));  // dotless
  const Ref<const Name> nobody = Name::anonymous();
  CHECK_FALSE(nobody->equals(*nobody));
  const Result<Ref<const Name>> user = Name::user("HTTP@host");
  const Result<Ref<const Name>> service = Name::service("HTTP@host");
  REQUIRE(user);
  REQUIRE(service);
  CHECK_FALSE((*user)->equals(**service));
}

TEST_CASE("name: equal names have one canonical spelling, others have another", "[name]") {
  const char* const texts[] = {"DOM\\user",  "dom\\USER",   "user@dom",
                               "\\user@dom", "\\USER@dom",  "OTHER\\user",
                               "user",       "J\xc3\xb6rg", "J\xc3\x96RG"};
  for (const char* a : texts) {
    for (const char* b : texts) {
      CAPTURE(a, b);
      const Ref<const Name> one = *Name::user(a);
      const Ref<const Name> two = *Name::user(b);
      const bool same = one->canonical().first == two->canonical().first &&
                        one->canonical().second == two->canonical().second;
      CHECK(one->equals(*two) == same);
    }
  }
}

TEST_CASE("name: only a logon makes a proven name, and no copy that left the process is one",
          "[name]") {
  const Ref<const Name> proven = Name::authenticated("alice", "CORP", {{"sid", "S-1-5"}}, {});
  CHECK(proven->is_proven());
  CHECK(proven->with({})->is_proven());
  CHECK_FALSE((*Name::user("CORP\\alice"))->is_proven());
  const Ref<const Name> claimed = proven->unproven();
  CHECK_FALSE(claimed->is_proven());
  CHECK(claimed->facts() == nullptr);
  REQUIRE_FALSE(claimed->attributes().empty());
  for (const LogonAttribute& attribute : claimed->attributes()) {
    CAPTURE(attribute.name);
    CHECK_FALSE(attribute.authenticated);
  }
  Serializer out;
  proven->save(out);
  Deserializer in(out.view());
  const Result<Ref<const Name>> loaded = Name::load(in);
  REQUIRE(loaded);
  CHECK((*loaded)->equals(*proven));
  CHECK_FALSE((*loaded)->is_proven());
}

TEST_CASE("name: a loaded name holds nothing that this mechanism computes otherwise", "[name]") {
  const auto load = [](const std::vector<LogonAttribute>& attributes) {
    Serializer out;
    Name::user("alice", "CORP")->with(attributes)->save(out);
    Deserializer in(out.view());
    return Name::load(in);
  };
  CHECK(load({{"sid", "S-1-5"}, {"mail", "x", false}}));
  CHECK_FALSE(load({{"sid", "S-1-5"}, {std::string(kLocalLoginAttribute), "root"}}));
  CHECK_FALSE(load({{std::string(kLocalLoginAttribute), "root", false}}));
  CHECK(load({{GSS_NTLM_ATTR_USER, "alice"}, {GSS_NTLM_ATTR_DOMAIN, "CORP"}}));
  CHECK(load({{GSS_NTLM_ATTR_WORKSTATION, "BOX", false}}));
  CHECK_FALSE(load({{GSS_NTLM_ATTR_USER, "root"}}));
  CHECK_FALSE(load({{GSS_NTLM_ATTR_DOMAIN, "OTHER"}}));
  CHECK_FALSE(load({{GSS_NTLM_ATTR_WORKSTATION, "BOX", true}}));
  CHECK_FALSE(load({{"sid", "S-1-5", false}, {"mail", "x"}, {"sid", "S-1-6"}}));
}

TEST_CASE("name: what a login adds to a name is computed, and each fact of it is shown", "[name]") {
  const Ref<const Name> name = Name::authenticated("alice", "CORP", {}, {});
  std::vector<std::string> shown;
  for (const LogonAttribute& attribute : name->attributes()) {
    CAPTURE(attribute.name);
    CHECK(Name::is_computed(attribute.name));
    shown.push_back(attribute.name);
  }
  const std::vector<std::string> facts = {
      GSS_NTLM_ATTR_USER,
      GSS_NTLM_ATTR_DOMAIN,
#define X(attribute, type, member, source) GSS_NTLM_ATTR_##attribute,
#include "mech/protocol/login_facts.inc"
#undef X
  };
  CHECK(shown == facts);
  CHECK(Name::is_computed(kLocalLoginAttribute));
  CHECK_FALSE(Name::is_computed(GSS_NTLM_ATTR_SIDS));
}

TEST_CASE("name: where no logon proved a name, no attribute of it is authenticated", "[name]") {
  for (const bool authenticated : {false, true}) {
    Serializer out;
    Name::user("alice", "CORP")
        ->with({{"mail", "x", false}, {"sid", "y", authenticated}})
        ->save(out);
    Deserializer in(out.view());
    CHECK(Name::load_unproven(in).ok() == !authenticated);
  }
}

TEST_CASE("name: the parts of a principal make it again, or are no principal's", "[name]") {
  for (const char* text : {"alice", "alice@REALM", "\\alice@corp", "a/b/c@REALM", "a@b@REALM",
                           "CORP\\alice", "d@e\\alice", "alice@a/b"}) {
    CAPTURE(text);
    const Result<Ref<const Name>> name = Name::principal(text);
    REQUIRE(name);
    REQUIRE((*name)->kind() == NameKind::kPrincipal);
    CHECK((*name)->display() == text);
    const Result<Ref<const Name>> again =
        Name::of_parts(NameKind::kPrincipal, (*name)->user_part(), (*name)->domain_part());
    REQUIRE(again);
    CHECK((*again)->equals(**name));
    CHECK((*Name::principal((*again)->display()))->equals(**name));
    CHECK_FALSE((*name)->equals(*Name::user((*name)->user_part(), (*name)->domain_part())));
  }
  CHECK((*Name::principal("HTTP/host@REALM"))->kind() == NameKind::kService);
  for (const auto& [user, domain] :
       {std::pair("", ""), std::pair("a/b", "REALM"), std::pair("a\\b", ""), std::pair("", "R")}) {
    CAPTURE(user, domain);
    CHECK_FALSE(Name::of_parts(NameKind::kPrincipal, user, domain));
  }
}

TEST_CASE("name: services name their target with a slash", "[name]") {
  for (const char* text : {"HTTP@host.example", "HTTP/host.example"}) {
    const Result<Ref<const Name>> name = Name::service(text);
    REQUIRE(name);
    CHECK((*name)->target_spn() == "HTTP/host.example");
    CHECK((*name)->display() == "HTTP@host.example");
  }
  CHECK((*Name::service("cifs"))->target_spn() == "cifs");
  CHECK((*Name::service("HTTP@host:8080"))->target_spn() == "HTTP/host:8080");
  CHECK(Name::anonymous()->target_spn().empty());
}

TEST_CASE("name: a text of a service is one as a target, and a user elsewhere", "[name]") {
  struct Row {
    const char* text;
    const char* untyped;  // as a target
    const char* typed;    // the same, imported as a user's
  };
  const Row rows[] = {
      {"DNS/ns.example.com@REALM", "DNS/ns.example.com", "DNS/ns.example.com"},
      {"HTTP/h:8080", "HTTP/h:8080", "HTTP/h:8080"},
      {"ldap/dc.example/example@REALM", "ldap/dc.example/example", "ldap/dc.example/example"},
      {"HTTP@h", "HTTP/h", nullptr},
      {"HTTP@h:8080", "HTTP/h:8080", nullptr},
      {"host", "host", "host"},
      {"DOM\\user", "DOM\\user", "DOM\\user"},
      {"DOM\\a/b", "DOM\\a/b", "DOM\\a/b"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Result<Ref<const Name>> untyped = Name::untyped(row.text);
    const Result<Ref<const Name>> typed = Name::user(row.text);
    REQUIRE(untyped);
    REQUIRE(typed);
    CHECK((*untyped)->as_target().target_spn() == row.untyped);
    CHECK((*typed)->as_target().target_spn() == (row.typed ? row.typed : (*typed)->target_spn()));
    // Everywhere else they are one and the same user.
    CHECK((*untyped)->kind() == NameKind::kUser);
    CHECK((*untyped)->equals(**typed));
    CHECK((*untyped)->display() == (*typed)->display());
    CHECK((*untyped)->with({})->as_target().target_spn() == row.untyped);
  }
  const Result<Ref<const Name>> principal = Name::principal("ldap/dc.example/example@REALM");
  REQUIRE(principal);
  CHECK((*principal)->as_target().target_spn() == "ldap/dc.example/example");
}

TEST_CASE("name: the target in UTF-16 is the target in UTF-8", "[name]") {
  std::vector<Ref<const Name>> names = {Name::anonymous(), *Name::user("user@realm"),
                                        *Name::user("DOM\\user")};
  for (const char* text :
       {"HTTP@host.example", "HTTP/host@again", "cifs", "h\xc3\xb6st@h\xc3\xb6st"}) {
    names.push_back(*Name::service(text));
  }
  for (const Ref<const Name>& name : names) {
    CAPTURE(name->display());
    const Result<Bytes> wide = name->wide_target_spn();
    REQUIRE(wide);
    CHECK(*wide == *utf16le_from_utf8(name->target_spn()));
  }
}

TEST_CASE("name: a saved service whose first part would be split again is refused", "[name]") {
  constexpr std::uint8_t kService = static_cast<std::uint8_t>(NameKind::kService);
  const auto load = [](std::string_view service, std::string_view host) {
    Serializer out;
    out.u8(kService);
    out.text(service);
    out.text(host);
    out.u16(0);
    Deserializer in(out.view());
    return Name::load(in);
  };
  REQUIRE(load("HTTP", "host"));
  REQUIRE(load("HTTP", "host/again@host"));
  for (const char* host : {"", "host"}) {
    for (const char* service : {"HTTP/other", "HTTP@other", "HTTP/", "HTTP@", "/HTTP", "@HTTP"}) {
      CAPTURE(service, host);
      const Result<Ref<const Name>> name = load(service, host);
      REQUIRE_FALSE(name);
      CHECK(name.error().major == Major::kBadName);
    }
  }
}

}  // namespace
}  // namespace gssntlm
