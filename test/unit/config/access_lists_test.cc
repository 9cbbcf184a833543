// Patterns, and the lists of users and targets.
#include "mech/config/access_lists.h"

#include "mech/base/text.h"
#include "mech/config/glob.h"
#include "mech/config/settings.h"
#include "support/catch.h"

using namespace gssntlm;

TEST_CASE("patterns match names without regard to case") {
  CHECK(matches_pattern("*", ""));
  CHECK(matches_pattern("a?c*", "ABCDEF"));
  CHECK(matches_pattern("*.corp.example", "www.CORP.example"));
  CHECK(matches_pattern("\xc3\xa4*", "\xc3\x84pfel"));
  CHECK_FALSE(matches_pattern("*.corp.example", "corp.example"));
  CHECK_FALSE(matches_pattern("", "a"));
  CHECK_FALSE(matches_pattern("a", ""));
  CHECK_FALSE(matches_pattern("\xff", "\xff"));
  CHECK(matches_pattern(std::string(200, '*') + "b", std::string(2000, 'a') + "b"));
}

TEST_CASE("target patterns know services, hosts and ports") {
  CHECK(matches_target("HTTP@*.corp.example", "http/www.corp.example"));
  CHECK(matches_target("HTTP/www", "HTTP/www:8080"));
  CHECK(matches_target("HTTP@www:8080", "HTTP/www:8080"));
  CHECK(matches_target("*", "LDAP/dc1"));
  CHECK(matches_target("dc1", "LDAP/dc1"));
  CHECK_FALSE(matches_target("HTTP@www:80", "HTTP/www:8080"));
  CHECK_FALSE(matches_target("LDAP@*", "HTTP/www"));
  CHECK_FALSE(matches_target("HTTP@www", "HTTP/www2"));
  CHECK(matches_target("MSSQLSvc/db", "MSSQLSvc/db:INSTANCE"));
  CHECK(matches_target("MSSQLSvc/db:inst*", "MSSQLSvc/db:INSTANCE"));
  CHECK(matches_target("ldap/dc1", "ldap/dc1/corp.example"));
  CHECK(matches_target("ldap/*/corp.example", "ldap/dc1:389/corp.example"));
  CHECK(matches_target("HTTP/www@REALM", "HTTP/www:80@realm"));
  CHECK_FALSE(matches_target("ldap/dc1/other.example", "ldap/dc1/corp.example"));
  CHECK_FALSE(matches_target("ldap/dc1/corp.example", "ldap/dc1"));
}

TEST_CASE("target patterns: the host is the target's host, and nothing behind it") {
  for (const char* target :
       {"HTTP/evil.example/x.corp.example", "HTTP@evil.example/x.corp.example",
        "HTTP/evil.example@x.corp.example", "HTTP/evil.example:80/x.corp.example",
        "MSSQLSvc/evil.example:x.corp.example", "MSSQLSvc/evil.example:1:x.corp.example",
        "HTTP/[::1]:80/x.corp.example", "evil.example:x.corp.example", "HTTP//x.corp.example"}) {
    CAPTURE(target);
    CHECK_FALSE(matches_target("*.corp.example", target));
    CHECK_FALSE(matches_target("HTTP/*.corp.example", target));
    CHECK_FALSE(matches_target("MSSQLSvc/*.corp.example", target));
  }
  // What is behind the host does not hide it from a list of those denied.
  for (const char* target :
       {"HTTP/evil.example", "HTTP/evil.example/x", "HTTP/evil.example:80/x", "HTTP/evil.example@X",
        "HTTP/evil.example:x", "evil.example:8080", "X/evil.example:1:x"}) {
    CAPTURE(target);
    CHECK(matches_target("evil.example", target));
  }
  for (const char* address : {"::1", "[::1]", "fe80::1", "[fe80::1]"}) {
    CAPTURE(address);
    CHECK(matches_target(address, std::string("HTTP/") + address));
    CHECK(matches_target(std::string("HTTP/") + address, std::string("HTTP@") + address));
  }
  // Letters of hexadecimal numbers.
  CHECK(matches_target("dc1", "LDAP/dc1:389"));
  CHECK(matches_target("[::1]", "HTTP/[::1]:80"));
  CHECK(matches_target("[::1]:80", "HTTP/[::1]:80"));
  CHECK(matches_target("fe80::*", "HTTP/fe80::1"));
  CHECK_FALSE(matches_target("[::1]:80", "HTTP/[::1]:81"));
  CHECK_FALSE(matches_target("fe80", "HTTP/fe80::1"));
  CHECK_FALSE(matches_target("[::1]", "HTTP/[::1].evil.example"));
}

TEST_CASE("deny_users: an account is denied under every name that it may log in with") {
  struct Row {
    const char* pattern;
    AccountSpelling account;
    bool denied;
  };
  const Row rows[] = {
      {"*\\administrator", {"administrator", "CORP"}, true},
      {"*\\administrator", {"Administrator", ""}, true},
      {"*\\administrator", {"administrator@corp.example", ""}, true},
      {"*\\administrator", {"admin", "CORP", "administrator@corp.example"}, true},
      {"*\\administrator", {"administrators", ""}, false},
      {"CORP\\mallory", {"mallory", ""}, true},
      {"CORP\\mallory", {"mallory", "corp"}, true},
      {"CORP\\mallory", {"mallory", "OTHER"}, false},
      {"CORP\\mallory", {"mallory@corp.example", ""}, true},
      {"CORP\\mallory", {"mallory@CORP", ""}, true},
      {"CORP\\mallory", {"mallory@other.example", ""}, false},
      {"CORP\\mallory", {"mallory", "corp.example"}, true},
      {"corp.example\\mallory", {"mallory", "CORP"}, true},
      {"corp.example\\mallory", {"mallory", "CORP.EXAMPLE."}, true},
      {"corp.example\\mallory", {"mallory", "corp.test"}, false},
      {"ad.example\\mallory", {"mallory", "CORP", "", "ad.example"}, true},
      {"house.example\\mallory", {"mallory", "OURS"}, true},
      {"OURS\\mallory", {"mallory@house.example", ""}, true},
      {"mallory@corp.example", {"mallory", "CORP"}, true},
      {"mallory@corp.example", {"mallory", ""}, true},
      {"mallory@corp.example", {"mallory@corp.example", ""}, true},
      {"mallory@corp.example", {"mallory", "OTHER"}, false},
      {"\\mallory@corp.example", {"mallory@corp.example", ""}, true},
      {"m.allory@corp.example", {"mallory", "CORP", "m.allory@corp.example"}, true},
      {"mallory", {"mallory", "ANY"}, true},
      {"mallory", {"mallory@any.example", ""}, true},
      {"*", {"", ""}, true},
  };
  Settings s;
  s.names.nb_domain = *utf16le_from_utf8("OURS");
  s.names.dns_domain = *utf16le_from_utf8("house.example");
  for (const Row& row : rows) {
    CAPTURE(row.pattern, row.account.user, row.account.domain, row.account.principal);
    s.deny_users = {row.pattern};
    CHECK(user_refusal(row.account, s).has_value() == row.denied);
  }
}

TEST_CASE("allow_users: the exact account is allowed, and no other of that name") {
  struct Row {
    const char* pattern;
    AccountSpelling account;
    bool allowed;
  };
  const Row rows[] = {
      {"alice", {"Alice", ""}, true},
      {"alice", {"alice", "EVIL"}, false},
      {"alice", {"alice@evil.example", ""}, false},
      {"CORP\\alice", {"alice", "corp"}, true},
      {"CORP\\alice", {"alice", ""}, false},
      {"CORP\\alice", {"alice@corp", ""}, false},
      {"CORP\\alice", {"alice", "corp.example"}, false},
      {"CORP\\alice", {"al", "EVIL", "alice@corp", "corp"}, false},
      {"alice@corp.example", {"alice@corp.example", ""}, true},
      {"alice@corp.example", {"alice", "corp.example"}, false},
      {"CORP\\*", {"bob", "CORP"}, true},
      {"*\\alice", {"alice", "ANY"}, true},
      {"*\\alice", {"alice", ""}, false},
      {"*\\alice", {"x\\alice", "CORP"}, false},
      {"*", {"alice", "CORP"}, true},
      {"*", {"alice", ""}, true},
  };
  Settings s;
  for (const Row& row : rows) {
    CAPTURE(row.pattern, row.account.user, row.account.domain);
    s.allow_users = {row.pattern};
    CHECK(user_refusal(row.account, s).has_value() != row.allowed);
  }
}

TEST_CASE("the lists refuse whom they name, and say it only under audit_only") {
  Settings s;
  CHECK_FALSE(outgoing_refusal("HTTP/www", s));
  s.deny_targets = {"HTTP@www"};
  CHECK(outgoing_refusal("HTTP/www", s)->starts_with("rejected"));
  CHECK_FALSE(outgoing_refusal("HTTP/www2", s));
  s.allow_targets = {"*.corp.example"};
  CHECK(outgoing_refusal("HTTP/www2", s));
  CHECK_FALSE(outgoing_refusal("HTTP/a.corp.example", s));
  s.audit_only = true;
  CHECK(outgoing_refusal("HTTP/www", s)->starts_with("would be rejected"));

  s.deny_users = {"CORP\\guest", "root"};
  CHECK(user_refusal({"GUEST", "corp"}, s));
  CHECK_FALSE(user_refusal({"guest", "other"}, s));
  CHECK(user_refusal({"Root", "other"}, s));
  s.allow_users = {"CORP\\*"};
  CHECK_FALSE(user_refusal({"bob", "CORP"}, s));
  CHECK(user_refusal({"bob", ""}, s));

  s.target_names = {"HTTP@www.corp.example"};
  CHECK(target_refusal("", s));
  CHECK(target_refusal("HTTP/other", s));
  CHECK_FALSE(target_refusal("HTTP/www.corp.example", s));
}
