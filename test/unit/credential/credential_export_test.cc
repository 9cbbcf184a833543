// What Credential::load() is given by the maker of the token.
#include "mech/backends/keyring/login_store.h"
#include "mech/credential/credential.h"
#include "test/support/catch.h"

namespace gssntlm {
namespace {

// As Credential::save() writes an anonymous initiator that is looked for in a keyring.
struct Written {
  std::uint8_t only_if_asked = 0;
  std::uint8_t replaced = 0;
  Flags flags = 0;
  std::uint8_t chosen = 0;
  std::uint8_t keyring = static_cast<std::uint8_t>(KeyringKind::kSession);
};

Result<Ref<const Credential>> load(const Written& written) {
  constexpr std::uint8_t kNowhere = 0;
  constexpr std::uint8_t kNobody = 1;
  Serializer out;
  out.u8(static_cast<std::uint8_t>(Usage::kInitiate));
  out.u8(written.only_if_asked);
  out.u8(written.replaced);
  out.u32(written.flags);
  Name::anonymous()->save(out);
  out.u8(kNowhere);
  out.text("");
  out.u8(kNobody);
  out.flag(true);
  out.u8(written.chosen);
  out.u8(written.keyring);
  out.text("user");
  out.text("DOMAIN");
  out.u64(0);
  out.flag(false);
  Deserializer in(out.view());
  return Credential::load(in);
}

// As Credential::save() writes an initiator with a hash.
Bytes written_with_hash(bool ambient) {
  constexpr std::uint8_t kNowhere = 0;
  constexpr std::uint8_t kHash = 2;
  const Bytes user = {'u', 0};
  Serializer out;
  out.u8(static_cast<std::uint8_t>(Usage::kInitiate));
  out.flag(false);
  out.flag(false);
  out.u32(0);
  Name::user("u", "")->save(out);
  out.u8(kNowhere);
  out.text("");
  out.u8(kHash);
  out.block(user);
  out.block({});
  out.put(Bytes(16, 0x42));
  out.flag(false);
  out.flag(false);
  out.u64(0);
  out.flag(ambient);
  return Bytes(out.view().begin(), out.view().end());
}

void check_refused(const Written& written) {
  const Result<Ref<const Credential>> loaded = load(written);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().major == Major::kDefectiveCredential);
  CHECK(loaded.error().minor == Minor::kImport);
}

TEST_CASE("credential state: what could have been saved is loaded", "[credential]") {
  CHECK(load({}));
  CHECK(load({.only_if_asked = 1, .replaced = 1, .flags = flag::kEss}));
  CHECK(load({.chosen = 1, .keyring = static_cast<std::uint8_t>(KeyringKind::kPersistent)}));
}

TEST_CASE("credential state: an imported one stays a stored or a supplied one", "[credential]") {
  for (const bool ambient : {false, true}) {
    const Bytes token = written_with_hash(ambient);
    Deserializer in(token);
    const Result<Ref<const Credential>> loaded = Credential::load(in);
    REQUIRE(loaded);
    CHECK((*loaded)->is_ambient() == ambient);
    CHECK_FALSE((*loaded)->anonymous()->is_ambient());
    Serializer again;
    (*loaded)->save(again);
    CHECK(same_bytes(again.view(), token));
  }
}

TEST_CASE("credential state: flags that are unknown, or replace nothing, are refused",
          "[credential]") {
  check_refused({.only_if_asked = 2});
  check_refused({.replaced = 2, .flags = flag::kEss});
  check_refused({.flags = flag::kEss});
}

TEST_CASE("credential state: a keyring that is unknown, or was not chosen, is refused",
          "[credential]") {
  check_refused({.chosen = 1, .keyring = 3});
  check_refused({.chosen = 2});
  check_refused({.keyring = static_cast<std::uint8_t>(KeyringKind::kUser)});
}

}  // namespace
}  // namespace gssntlm
