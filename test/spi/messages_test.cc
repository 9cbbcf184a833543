// Messages between the ends of a handshake: signed, sealed, and wrong ones.
#include "test/spi/handshake.h"

namespace gssntlm::test {

TEST_CASE("messages: both directions, raw and inside SPNEGO", "[spi]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    Exchange x;
    x.mech = mech;
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    check_messages(initiator, acceptor);
  }
}

TEST_CASE("messages: whatever protection was asked for, they are sealed", "[spi]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const OM_uint32 flags : {OM_uint32{0}, OM_uint32{GSS_C_INTEG_FLAG},
                                  OM_uint32{GSS_C_REPLAY_FLAG}, OM_uint32{GSS_C_SEQUENCE_FLAG}}) {
      CAPTURE(mech == &kSpnego, flags);
      Exchange x;
      x.mech = mech;
      x.flags = flags;
      End initiator;
      End acceptor;
      REQUIRE(run(x, initiator, acceptor));
      check_messages(initiator, acceptor);
      std::string token;
      REQUIRE(wrap(initiator, "a message", token).ok());
      CHECK(token.find("a message") == std::string::npos);
    }
  }
}

TEST_CASE("messages: a bad token is refused and the context goes on", "[spi]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    Exchange x;
    x.mech = mech;
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    std::string token;
    std::string mic;
    std::string message;
    REQUIRE(wrap(initiator, "hello", token).ok());
    for (std::size_t size = 1; size <= 16; ++size) {
      CHECK_FALSE(unwrap(acceptor, token.substr(0, size), message).ok());
      CHECK_FALSE(verify_mic(acceptor, "hello", token.substr(0, size)).ok());
    }
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string forged = token;
      forged[i] = static_cast<char>(forged[i] ^ 1);
      CHECK(GSS_ROUTINE_ERROR(unwrap(acceptor, forged, message).major) == GSS_S_BAD_SIG);
      CHECK(message.empty());
    }
    REQUIRE(unwrap(acceptor, token, message).ok());
    CHECK(message == "hello");
    CHECK(unwrap(acceptor, token, message).major != GSS_S_COMPLETE);  // replayed
    REQUIRE(get_mic(initiator, "hello", mic).ok());
    CHECK(verify_mic(acceptor, "hullo", mic).major == GSS_S_BAD_SIG);
    CHECK(verify_mic(acceptor, "hello", mic).ok());
    check_messages(initiator, acceptor);
  }
}

TEST_CASE("size limit: 16 bytes less than the token, never below zero", "[spi]") {
  const Workshop workshop(kUsers);
  const Exchange x;
  End initiator;
  End acceptor;
  REQUIRE(run(x, initiator, acceptor));
  OM_uint32 minor = 0;
  for (const auto& [token, message] :
       {std::pair<OM_uint32, OM_uint32>{0, 0}, {16, 0}, {17, 1}, {0xFFFFFFFF, 0xFFFFFFEF}}) {
    OM_uint32 limit = 99;
    CHECK(gss_wrap_size_limit(&minor, initiator.context, 1, 0, token, &limit) == GSS_S_COMPLETE);
    CHECK(limit == message);
  }
}

}  // namespace gssntlm::test
