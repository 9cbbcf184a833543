// What stops a login although its messages are in order, without GSSAPI.
#include "mech/login/access.h"

#include "test/support/catch.h"
#include "test/support/runtime.h"

namespace gssntlm {
namespace {

using test::FixedEnvironment;

Ref<const Name> logged_in(const char* user, const char* spn) {
  LoginFacts facts;
  Result<Bytes> target = utf16le_from_utf8(spn);
  REQUIRE(target);
  facts.target_name = std::move(*target);
  return Name::authenticated(user, "CORP", {}, std::move(facts));
}

TEST_CASE("access: lists and target stop an account, and audit_only reports it alone", "[login]") {
  struct Row {
    const char* deny;
    TargetCheck check;
    bool refused;
    const char* trace;  // nullptr: nothing
  };
  for (const Row& row : {Row{"CORP\\bob", TargetCheck::kOff, false, nullptr},
                         {"CORP\\alice", TargetCheck::kOff, true, "deny_users has user"},
                         {"CORP\\bob", TargetCheck::kLog, false, "target"},
                         {"CORP\\bob", TargetCheck::kRequire, true, "target"}}) {
    for (const bool audit_only : {false, true}) {
      Settings settings;
      settings.deny_users = {row.deny};
      settings.target_check = row.check;
      settings.target_names = {"HTTP@this.example"};
      settings.audit_only = audit_only;
      const FixedEnvironment env;
      std::vector<std::string> would_reject;
      const Status status =
          check_access(*logged_in("alice", "HTTP/other.example"), settings, env, would_reject);
      CAPTURE(row.deny, static_cast<int>(row.check), audit_only);
      CHECK(status.ok() == (audit_only || !row.refused));
      CHECK((status.ok() || status.error().minor == Minor::kLogonFailure));
      CHECK(env.events().empty() == (row.trace == nullptr));
      CHECK((row.trace == nullptr || env.traced(row.trace)));
      REQUIRE(would_reject.size() == (status.ok() && row.trace != nullptr ? 1 : 0));
      // The cause alone.
      CHECK((would_reject.empty() || would_reject[0].starts_with("deny_users has user alice") ||
             would_reject[0].starts_with("target_names lacks the client's target")));
    }
  }
}

Ref<const Credential> supplied(const Settings& settings) {
  const Bytes user = {'u', 0};
  const auto identity = Ref<const Identity>::adopt(
      new Identity(user, Bytes(), derive_nt_hash(ByteView(user)), std::nullopt));
  return Credential::of(identity, Name::user("u", ""), Ref<const Settings>::share(&settings));
}

TEST_CASE("access: a supplied secret may answer a challenge of its own process", "[login]") {
  const Ref<const Settings> settings = Ref<const Settings>::adopt(new Settings);
  REQUIRE(settings->policy.refuse_reflection);
  const FixedEnvironment env;
  CHECK(check_reflection(*supplied(*settings), *Name::user("t", ""), {}, true, env));
  CHECK(env.events().empty());
}

}  // namespace
}  // namespace gssntlm
