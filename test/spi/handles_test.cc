// Handles that are another mechanism's: the mechglue chooses the mechanism of an initiator's leg by
// the caller's OID, and hands it whatever object the context holds.
#include <new>
#include <string>

#include "mech/base/tag.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:secret\n";

// A whole exchange inside SPNEGO; before each leg of the initiator the same leg is tried with the
// OID of NTLM, which must neither work nor harm.
void exchange_with_wrong_oid(Exchange& x, End& initiator, End& acceptor) {
  std::string token;
  do {
    if (initiator.context != GSS_C_NO_CONTEXT) {
      x.mech = &kNtlm;
      CHECK(init_step(x, initiator, token).empty());
      CHECK(initiator.last.major == GSS_S_NO_CONTEXT);
      CHECK(initiator.last.text().find("not one of NTLM's") != std::string::npos);
      x.mech = &kSpnego;
    }
    token = init_step(x, initiator, token);
    REQUIRE(initiator.last.ok());
    if (!token.empty()) {
      token = accept_step(x, acceptor, token);
      REQUIRE(acceptor.last.ok());
    }
  } while (initiator.last.major != GSS_S_COMPLETE || acceptor.last.major != GSS_S_COMPLETE);
}

void move_context(End& end) {
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  REQUIRE(gss_export_sec_context(&minor, &end.context, &token) == GSS_S_COMPLETE);
  REQUIRE(gss_import_sec_context(&minor, &token, &end.context) == GSS_S_COMPLETE);
  gss_release_buffer(&minor, &token);
}

class Object : public Tagged<0x12345679> {};

}  // namespace

TEST_CASE("handles: an unfinished context of SPNEGO is rejected by NTLM and goes on with SPNEGO",
          "[spi][handles]") {
  const Workshop workshop(kUsers);
  Exchange x;
  x.mech = &kSpnego;
  End initiator;
  End acceptor;
  exchange_with_wrong_oid(x, initiator, acceptor);
  std::string token;
  std::string back;
  REQUIRE(wrap(initiator, "hello", token).ok());
  REQUIRE(unwrap(acceptor, token, back).ok());
  CHECK(back == "hello");
}

TEST_CASE("handles: an imported context of SPNEGO is rejected by NTLM", "[spi][handles]") {
  const Workshop workshop(kUsers);
  Exchange x;
  x.mech = &kSpnego;
  End initiator;
  End acceptor;
  REQUIRE(run(x, initiator, acceptor));
  move_context(initiator);
  x.mech = &kNtlm;
  for (const std::string& token : {std::string(), std::string("NTLMSSP\0\2\0\0\0", 12)}) {
    CHECK(init_step(x, initiator, token).empty());
    CHECK(initiator.last.major == GSS_S_NO_CONTEXT);
  }
}

TEST_CASE("handles: an object that was deleted is no longer one", "[spi][handles]") {
  alignas(Object) unsigned char place[sizeof(Object)] = {};
  // The compiler must not know that what is read afterwards was an object.
  unsigned char* volatile where = place;
  auto* object = new (where) Object;
  CHECK(Object::marks(where));
  object->~Object();
  CHECK_FALSE(Object::marks(where));
}

}  // namespace gssntlm::test
