// What a new account source gets from its directory and its line in the table: this program's table
// has a fourth one, and nothing else in the module knows of it.
#include <set>

#include "mech/config/settings.h"
#include "mech/credential/credential.h"
#include "mech/credential/local_user.h"
#include "mech/os/error_detail.h"
#include "test/support/catch.h"
#include "test/support/memory_backend.h"
#include "test/support/scratch.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

// Settings that ask the memory alone, unless a test says otherwise, and a memory with nothing in
// it.
class Source {
 public:
  explicit Source(const std::string& accounts = "initiator = memory\nacceptor = memory\n")
      : settings_("GSS_NTLM_SETTINGS",
                  scratch_.write("settings", "[accounts]\n" + accounts).c_str()) {
    memory() = {};
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source() { memory() = {}; }

  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    return scratch_.write(name, text);
  }

 private:
  ScratchDirectory scratch_;
  ScopedVariable settings_;
  ScopedVariable users_{"NTLM_USER_FILE", nullptr};
  ScopedVariable user_{"NTLMUSER", nullptr};
};

Result<Ref<const Credential>> acquire(Usage usage) {
  CredentialRequest request;
  request.usage = usage;
  return Credential::acquire(request);
}

Ref<const Credential> acquired(Usage usage) {
  Result<Ref<const Credential>> credential = acquire(usage);
  REQUIRE(credential);
  return *credential;
}

Result<Ref<const Credential>> for_target(const Credential& credential, const char* target) {
  const Result<Ref<const Name>> name = Name::service(target);
  REQUIRE(name);
  return credential.for_target(**name);
}

Result<Ref<const Credential>> reloaded(const Credential& credential) {
  Serializer out;
  credential.save(out);
  Deserializer in(out.view());
  return Credential::load(in);
}

// The error of an acceptor that asks `accounts` about a client of `account`; kNone: accepted.
std::optional<Error> rejection(const AccountSource& accounts, const Account& account) {
  Scene scene;
  Answer answer = scene.answer();
  answer.account = account;
  const Result<AcceptedLogon> logon =
      scene.acceptor.authenticate(scene.encode(answer).token, nullptr, accounts, scene.env);
  return logon ? std::nullopt : std::optional<Error>(logon.error());
}

TEST_CASE("sources: words and tags of the table are unique", "[sources]") {
  std::set<std::string_view> words;
  std::set<std::uint8_t> tags = {0};
  for (const Backend* source : backends()) {
    CHECK(words.insert(source->word()).second);
    CHECK(tags.insert(source->tag()).second);
    CHECK(backend_called(source->word()) == source);
    CHECK(backend_tagged(source->tag()) == source);
    CHECK_FALSE(source->title().empty());
  }
  CHECK(backend_called("") == nullptr);
  CHECK(backend_tagged(0) == nullptr);
}

TEST_CASE("sources: settings take their words from the table", "[sources]") {
  const Settings defaults;
  Settings settings;
  for (const SettingKey& key : setting_keys()) {
    if (key.section != "accounts" || (key.name != "initiator" && key.name != "acceptor")) {
      continue;
    }
    std::string all;
    std::string reversed;
    for (const Backend* source : backends()) {
      const std::string word(source->word());
      const bool fits = key.name == "initiator" ? source->has_logins() : source->has_accounts();
      CAPTURE(key.name, word);
      CHECK(key.set(settings, word) == fits);
      if (fits) {
        all += (all.empty() ? "" : ", ") + word;
        reversed = word + (reversed.empty() ? "" : ", ") + reversed;
      }
    }
    CHECK(all.ends_with(", memory"));
    CHECK(key.get(defaults) == all);
    CHECK(key.form() == "a list of: " + all);
    CHECK(key.set(settings, reversed));
    CHECK(key.get(settings) == reversed);
    CHECK_FALSE(key.set(settings, "memory, memory"));
    CHECK_FALSE(key.set(settings, "memories"));
  }
}

TEST_CASE("sources: an initiator finds its login, and another one for its target", "[sources]") {
  const Source source;
  memory().logins = {{.account = {"alice", "CORP", "a"}},
                     {.account = {"bob", "CORP", "b"}, .target = "HTTP/www"}};
  memory().logins.front().target = "HTTP/intranet";
  const Ref<const Credential> credential = acquired(Usage::kInitiate);
  CHECK(credential->name()->user_part() == "alice");
  CHECK(credential->source() == &memory_backend());
  CHECK(credential->is_ambient());
  const Result<Ref<const Credential>> chosen = for_target(*credential, "HTTP@www");
  REQUIRE(chosen);
  CHECK((*chosen)->name()->user_part() == "bob");
  CHECK_FALSE(for_target(*credential, "HTTP@elsewhere"));
  CHECK(memory_backend().login_origin({}, credential->settings()) == "the memory");
}

TEST_CASE("sources: without a login the error is the last source's", "[sources]") {
  const Source source("initiator = users_file, memory\n");
  const Result<Ref<const Credential>> none = acquire(Usage::kInitiate);
  REQUIRE_FALSE(none);
  CHECK(none.error().minor == Minor::kNoInitiatorCred);
  CHECK(error_text(none.error()).starts_with("the memory has no such login"));
  memory().here = false;
  forget_detail();
  const Result<Ref<const Credential>> nowhere = acquire(Usage::kInitiate);
  REQUIRE_FALSE(nowhere);
  CHECK(last_detail(static_cast<std::uint32_t>(Minor::kNoInitiatorCred)).empty());
}

TEST_CASE("sources: of several failures the most telling one is the error, the others are traced",
          "[sources]") {
  const ScratchDirectory scratch;
  const ScopedVariable trace("GSS_NTLM_TRACE", scratch.path("trace").c_str());
  const auto traced = [&](const char* words) {
    return scratch.read("trace").find(words) != std::string::npos;
  };
  const char* const kOrders[] = {"initiator = users_file, memory\n",
                                 "initiator = memory, users_file\n"};
  for (const char* order : kOrders) {
    CAPTURE(order);
    const Source source(order);
    const std::string broken = source.write("broken", "nonsense\n");
    const ScopedVariable users("NTLM_USER_FILE", broken.c_str());
    const Result<Ref<const Credential>> none = acquire(Usage::kInitiate);
    REQUIRE_FALSE(none);
    CHECK(none.error().minor == Minor::kUsersFileLine);
    CHECK(error_text(none.error()).find(broken) != std::string::npos);
    CHECK(traced("credentials: none from the memory: the memory has no such login\n"));
    CHECK(
        traced("credentials: none for an initiator to log in as the default account: users file"));
    std::filesystem::remove(scratch.path("trace"));
    // Another source has it.
    memory().logins = {{.account = {"alice", "CORP", "a"}}};
    CHECK(acquire(Usage::kInitiate));
    CHECK(traced("credentials: none from the users file: ") ==
          (order == std::string_view(kOrders[0])));
    std::filesystem::remove(scratch.path("trace"));
  }
}

TEST_CASE("sources: a login that depends on its target survives export", "[sources]") {
  const Source source;
  memory().logins = {{.account = {"alice", "CORP", "a"}},
                     {.account = {"bob", "CORP", "b"}, .target = "HTTP/www"}};
  const Result<Ref<const Credential>> loaded = reloaded(*acquired(Usage::kInitiate));
  REQUIRE(loaded);
  memory().logins.erase(memory().logins.begin());
  const Result<Ref<const Credential>> chosen = for_target(**loaded, "HTTP@www");
  REQUIRE(chosen);
  CHECK((*chosen)->name()->user_part() == "bob");
}

TEST_CASE("sources: a secret that stays with its source is exported as a reference", "[sources]") {
  const Source source;
  memory().logins = {{.account = {"alice", "CORP", "a"}, .secret_stays = true}};
  const Ref<const Credential> credential = acquired(Usage::kInitiate);
  REQUIRE(credential->identity()->agent() != nullptr);
  const Result<Ref<const Credential>> loaded = reloaded(*credential);
  REQUIRE(loaded);
  CHECK((*loaded)->source() == &memory_backend());
  CHECK((*loaded)->identity()->agent() != nullptr);
  CHECK(reloaded(**loaded));

  memory().logins.front().secret_stays = false;
  CHECK(reloaded(*credential).error().minor == Minor::kImport);
  memory().logins.clear();
  CHECK(reloaded(*credential).error().minor == Minor::kNoInitiatorCred);
  memory().here = false;
  CHECK(reloaded(*credential).error().minor == Minor::kNoInitiatorCred);
}

TEST_CASE("sources: each source decides about its accounts, and passes others on", "[sources]") {
  const Source source("acceptor = memory, users_file\n");
  const ScopedVariable users("NTLM_USER_FILE",
                             source.write("users", "CORP:bob:hidden\nCORP:alice:other\n").c_str());
  memory().accounts = {{"alice", "CORP", "secret"}};
  const Ref<const Credential> credential = acquired(Usage::kAccept);
  const AccountSource& accounts = credential->accounts();
  CHECK_FALSE(rejection(accounts, {"alice", "CORP", "secret"}));
  CHECK_FALSE(rejection(accounts, {"bob", "CORP", "hidden"}));
  CHECK(rejection(accounts, {"alice", "CORP", "other"})->minor == Minor::kLogonFailure);
  CHECK(rejection(accounts, {"carol", "CORP", "secret"})->minor == Minor::kLogonFailure);

  memory().reachable = false;
  CHECK_FALSE(rejection(accounts, {"bob", "CORP", "hidden"}));
  CHECK(rejection(accounts, {"bob", "CORP", "wrong"})->minor == Minor::kLogonFailure);
  CHECK(rejection(accounts, {"carol", "CORP", "secret"})->minor == Minor::kDomain);
}

TEST_CASE("sources: a source that does not exist here verifies no account", "[sources]") {
  const Source source;
  memory().here = false;
  const Result<Ref<const Credential>> none = acquire(Usage::kAccept);
  REQUIRE_FALSE(none);
  CHECK(none.error().minor == Minor::kNoAcceptorCred);
}

TEST_CASE("sources: a source can name this host", "[sources]") {
  const Source source("acceptor = users_file, memory\n");
  const ScopedVariable users("NTLM_USER_FILE", source.write("users", "CORP:bob:hidden\n").c_str());
  const Ref<const Credential> credential = acquired(Usage::kAccept);
  CHECK_FALSE(credential->domain_names());
  memory().computer = "MEMORY";
  REQUIRE(credential->domain_names());
  CHECK(narrow(credential->domain_names()->nb_computer) == "MEMORY");
}

TEST_CASE("sources: a source can name the local user", "[sources]") {
  const Source source("initiator = memory\n[policy]\nallow_system_users = local-alice\n");
  const Settings settings;
  const Ref<const Name> alice = Name::authenticated("alice", "", {}, {});
  const Result<std::string> none = local_user(*alice, settings);
  memory().host_users["alice"] = "local-alice";
  const Result<std::string> user = local_user(*alice, settings);
  REQUIRE(user);
  CHECK(*user == "local-alice");
  CHECK_FALSE(local_user(*Name::user("alice", ""), settings));

  memory().host_user_error = error_with_detail(Major::kUnauthorized, Minor::kBadName, "not here");
  const Result<std::string> refused = local_user(*alice, settings);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().minor == Minor::kNoLocalUser);
  CHECK(error_text(refused.error()).starts_with("not here"));
  memory().host_user_error = failure(Minor::kDomain);
  CHECK(local_user(*alice, settings).error().minor == Minor::kDomain);
}

TEST_CASE("sources: each one reports its health", "[sources]") {
  const Source source;
  memory().logins = {{.account = {"alice", "CORP", "a"}}};
  memory().health = HealthState::kNote;
  for (const Backend* backend : backends()) {
    const std::vector<Health> checks = backend->health(Settings());
    CHECK_FALSE(checks.empty());
    for (const Health& health : checks) {
      CHECK_FALSE(health.name.empty());
      CHECK_FALSE(health.text.empty());
    }
  }
  CHECK(memory_backend().health(Settings()).front().state == HealthState::kNote);
  CHECK(memory_backend().health(Settings()).front().text == "logins: 1");
}

}  // namespace
}  // namespace gssntlm
