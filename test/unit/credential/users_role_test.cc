// Which users file serves which role, and which account of it an initiator logs in as.
#include <unistd.h>

#include "mech/credential/credential.h"
#include "mech/os/error_detail.h"
#include "test/support/catch.h"
#include "test/support/scratch.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

class World {
 public:
  World() {
    scratch_.write("one", "CORP:one:x\n");
    scratch_.write("two", "CORP:alice:x\nCORP:bob:y\n");
    scratch_.write("other", "CORP:other:x\n");
  }

  /// The account that an initiator gets with `settings`, in which @ stands for the directory; or
  /// the detail of the error.
  std::string initiator(const std::string& settings, const char* ntlmuser = nullptr,
                        const CredentialRequest& request = {}) {
    const Result<Ref<const Credential>> credential =
        acquire(Usage::kInitiate, settings, ntlmuser, request);
    return credential
               ? (*credential)->name()->user_part()
               : std::string(last_detail(static_cast<std::uint32_t>(credential.error().minor)));
  }
  bool accepts(const std::string& settings, const CredentialRequest& request = {}) {
    return acquire(Usage::kAccept, settings, nullptr, request).ok();
  }
  [[nodiscard]] std::string path(const char* name) const { return scratch_.path(name); }

 private:
  Result<Ref<const Credential>> acquire(Usage usage, std::string settings, const char* ntlmuser,
                                        CredentialRequest request) {
    for (std::size_t at = settings.find('@'); at != std::string::npos; at = settings.find('@')) {
      settings.replace(at, 1, scratch_.path(""));
    }
    const std::string file =
        scratch_.write("settings" + std::to_string(++count_),
                       "[accounts]\ninitiator = users_file\nacceptor = users_file\n" + settings);
    const ScopedVariable where("GSS_NTLM_SETTINGS", file.c_str());
    const ScopedVariable user("NTLMUSER", ntlmuser);
    forget_detail();
    request.usage = usage;
    return Credential::acquire(request);
  }

  ScopedVariable users_{"NTLM_USER_FILE", nullptr};
  ScratchDirectory scratch_;
  int count_ = 0;
};

bool says(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE("users file: of several accounts none is an initiator's default", "[users]") {
  World world;
  CHECK(world.initiator("users_file = @one\n") == "one");
  const std::string why = world.initiator("users_file = @two\n");
  CAPTURE(why);
  CHECK(says(why, "2 accounts and none is selected"));
  CHECK(says(why, "set NTLMUSER or give a name"));
  CHECK(world.initiator("users_file = @two\n", "CORP\\bob") == "bob");
  CHECK(says(world.initiator("users_file = @two\n", "CORP\\carol"), "no account carol"));
  CredentialRequest request;
  const Result<Ref<const Name>> bob = Name::user("bob", "CORP");
  REQUIRE(bob);
  request.name = *bob;
  CHECK(world.initiator("users_file = @two\n", nullptr, request) == "bob");
  CHECK(world.accepts("users_file = @two\n"));
}

TEST_CASE("users file: one for acceptors has no default for initiators", "[users]") {
  World world;
  CHECK(world.initiator("acceptor_users_file = @one\n").empty());
  CHECK(world.accepts("acceptor_users_file = @one\n"));
  CHECK(world.initiator("acceptor_users_file = @one\n", "CORP\\one") == "one");
  CHECK(world.initiator("acceptor_users_file = @two\nusers_file = @one\n") == "one");
  CHECK(world.initiator("acceptor_users_file = @two\ninitiator_users_file = @one\n") == "one");
  // Where initiators have a file, no other one is asked.
  CHECK(says(world.initiator("acceptor_users_file = @two\nusers_file = @one\n", "CORP\\bob"),
             "no account bob"));
  CHECK(world.initiator("users_file = @two\ninitiator_users_file = @one\n") == "one");
  CHECK_FALSE(world.accepts("initiator_users_file = @one\n"));
}

TEST_CASE("users file: one for acceptors has no default under any name", "[users]") {
  World world;
  REQUIRE(::symlink("one", world.path("link").c_str()) == 0);
  REQUIRE(::link(world.path("one").c_str(), world.path("hard").c_str()) == 0);
  for (const char* name : {"one", "link", "hard"}) {
    for (const char* setting : {"users_file", "initiator_users_file"}) {
      const std::string settings =
          std::string("acceptor_users_file = @one\n").append(setting).append(" = @").append(name) +
          "\n";
      CAPTURE(settings);
      CHECK(says(world.initiator(settings), "it is named for acceptors"));
      CHECK(world.initiator(settings, "CORP\\one") == "one");
    }
    CredentialRequest store;
    const std::string path = world.path(name);
    store.initiator_key_file = path;
    CHECK(says(world.initiator("acceptor_users_file = @one\n", nullptr, store),
               "it is named for acceptors"));
    CHECK(world.initiator("acceptor_users_file = @other\n", nullptr, store) == "one");
    CredentialRequest acceptor;
    const std::string one = world.path("one");
    acceptor.acceptor_key_file = one;
    CHECK(says(world.initiator(std::string("users_file = @") + name + "\n", nullptr, acceptor),
               "it is named for acceptors"));
  }
  CHECK(world.initiator("acceptor_users_file = @other\nusers_file = @link\n") == "one");
  CHECK(world.initiator("acceptor_users_file = @absent\nusers_file = @one\n") == "one");
}

TEST_CASE("users file: a store names one for each role", "[users]") {
  World world;
  const std::string one = world.path("one");
  const std::string two = world.path("two");
  const std::string absent = world.path("absent");
  CredentialRequest both;
  both.key_file = two;
  CHECK(says(world.initiator("", nullptr, both), "2 accounts and none is selected"));
  both.initiator_key_file = one;
  CHECK(world.initiator("", nullptr, both) == "one");
  CHECK(world.accepts("", both));
  both.acceptor_key_file = absent;
  CHECK_FALSE(world.accepts("", both));

  CredentialRequest acceptor;
  acceptor.acceptor_key_file = one;
  CHECK(world.accepts("", acceptor));
  CHECK(world.initiator("", nullptr, acceptor).empty());
  CHECK(world.initiator("users_file = @other\n", nullptr, acceptor) == "other");
}

}  // namespace
}  // namespace gssntlm
