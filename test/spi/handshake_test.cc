// Handshakes and messages through the real mechglue [MS-NLMP] 1.3.1, 1.3.1.1, by object identifier
// [MS-NLMP] 1.9, with whatever applications ask for [MS-NLMP] 3.1.4, 3.2.4.
#include <cstdlib>

#include "test/spi/handshake.h"

namespace gssntlm::test {

TEST_CASE("handshake: every combination of flags gives what it says", "[spi]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (OM_uint32 bits = 0; bits < 64; ++bits) {
      Exchange x;
      x.mech = mech;
      x.flags = ((bits & 1) ? GSS_C_INTEG_FLAG : 0) | ((bits & 2) ? GSS_C_CONF_FLAG : 0) |
                ((bits & 4) ? GSS_C_MUTUAL_FLAG : 0) |
                ((bits & 8) ? GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG : 0) |
                ((bits & 16) ? GSS_C_DELEG_FLAG : 0) | ((bits & 32) ? GSS_C_IDENTIFY_FLAG : 0);
      CAPTURE(x.flags, mech == &kSpnego);
      End initiator;
      End acceptor;
      REQUIRE(run(x, initiator, acceptor));
      // A caller that asks for no protection may protect messages all the same; one that asks for
      // integrity gets no more. SPNEGO asks for it by itself.
      const bool asks_for_none = (bits & (1 | 2 | 8)) == 0 && mech == &kNtlm;
      const OM_uint32 sealing = (bits & 2) != 0 || asks_for_none ? GSS_C_CONF_FLAG : 0;
      const OM_uint32 expected = GSS_C_INTEG_FLAG | sealing | GSS_C_REPLAY_FLAG |
                                 GSS_C_SEQUENCE_FLAG | (x.flags & GSS_C_IDENTIFY_FLAG);
      const OM_uint32 looked_at = expected | GSS_C_CONF_FLAG | GSS_C_MUTUAL_FLAG |
                                  GSS_C_DELEG_FLAG | GSS_C_IDENTIFY_FLAG | GSS_C_ANON_FLAG;
      CHECK((initiator.flags & looked_at) == expected);
      CHECK((acceptor.flags & looked_at) == expected);
      CHECK(acceptor.source.display() == "CORP\\alice");
    }
  }
}

TEST_CASE("credential option NO_CI_FLAGS keeps SIGN and SEAL off unless asked for", "[spi]") {
  const Workshop workshop(kUsers);
  gss_OID_desc no_ci = {6, const_cast<char*>("\x2a\x85\x70\x2b\x0d\x1d")};
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    CredHandle cred;
    REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", mech, cred).ok());
    gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    REQUIRE(gss_set_cred_option(&minor, cred.handle(), &no_ci, &empty) == GSS_S_COMPLETE);
    Exchange x;
    x.mech = mech;
    x.flags = GSS_C_SEQUENCE_FLAG;
    x.initiator_cred = cred.get();
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    CHECK((acceptor.flags & (GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)) == 0);
    std::string token;
    CHECK(wrap(initiator, "m", token).major == GSS_S_UNAVAILABLE);
    CHECK(get_mic(initiator, "m", token).major == GSS_S_UNAVAILABLE);
    End signing;
    End peer;
    x.flags = GSS_C_INTEG_FLAG;
    REQUIRE(run(x, signing, peer));
    CHECK((peer.flags & (GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)) == GSS_C_INTEG_FLAG);
    check_messages(signing, peer);
  }
}

TEST_CASE("acceptor: a failed context starts again with a fresh NEGOTIATE", "[spi]") {
  const Workshop workshop(kUsers);
  CredHandle wrong;
  REQUIRE(acquire_password("CORP\\alice", "wrong", &kNtlm, wrong).ok());
  Exchange x;
  x.initiator_cred = wrong.get();
  End first;
  End acceptor;
  const std::string negotiate = init_step(x, first, "");
  const std::string challenge = accept_step(x, acceptor, negotiate);
  const std::string authenticate = init_step(x, first, challenge);
  accept_step(x, acceptor, authenticate);
  REQUIRE_FALSE(acceptor.last.ok());
  REQUIRE(acceptor.context != GSS_C_NO_CONTEXT);
  accept_step(x, acceptor, authenticate);
  CHECK_FALSE(acceptor.last.ok());

  CredHandle right;
  REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, right).ok());
  x.initiator_cred = right.get();
  End second;
  const std::string again = accept_step(x, acceptor, init_step(x, second, ""));
  REQUIRE(acceptor.last.major == GSS_S_CONTINUE_NEEDED);
  CHECK(again.substr(24, 8) != challenge.substr(24, 8));
  accept_step(x, acceptor, init_step(x, second, again));
  CHECK(acceptor.last.major == GSS_S_COMPLETE);
  CHECK(acceptor.source.display() == "CORP\\alice");
}

TEST_CASE("steps out of turn fail and leave a context that can be deleted", "[spi]") {
  const Workshop workshop(kUsers);
  const Exchange x;
  End initiator;
  End acceptor;
  const std::string negotiate = init_step(x, initiator, "");
  const std::string challenge = accept_step(x, acceptor, negotiate);
  const std::string authenticate = init_step(x, initiator, challenge);
  REQUIRE(initiator.last.major == GSS_S_COMPLETE);

  SECTION("an acceptor given CHALLENGE, NEGOTIATE twice, or nothing") {
    for (const std::string& bad : {challenge, negotiate, std::string()}) {
      End other;
      accept_step(x, other, negotiate);
      accept_step(x, other, bad);
      CHECK_FALSE(other.last.ok());
      CHECK(other.context != GSS_C_NO_CONTEXT);
      accept_step(x, other, authenticate);
      CHECK_FALSE(other.last.ok());
    }
  }
  SECTION("an initiator given anything but CHALLENGE") {
    for (const std::string& bad : {negotiate, authenticate, std::string(), std::string("x")}) {
      End other;
      init_step(x, other, "");
      init_step(x, other, bad);
      CHECK_FALSE(other.last.ok());
      init_step(x, other, challenge);
      CHECK_FALSE(other.last.ok());
      CHECK(other.context != GSS_C_NO_CONTEXT);
    }
  }
  SECTION("either after completion, which stays open") {
    accept_step(x, acceptor, authenticate);
    REQUIRE(acceptor.last.major == GSS_S_COMPLETE);
    accept_step(x, acceptor, authenticate);
    CHECK_FALSE(acceptor.last.ok());
    accept_step(x, acceptor, negotiate);
    CHECK_FALSE(acceptor.last.ok());
    init_step(x, initiator, challenge);
    CHECK_FALSE(initiator.last.ok());
    check_messages(initiator, acceptor);
  }
  SECTION("AUTHENTICATE on a context of another challenge") {
    End other;
    accept_step(x, other, negotiate);
    accept_step(x, other, authenticate);
    CHECK(other.last.major == GSS_S_FAILURE);
  }
  SECTION("messages before completion") {
    std::string token;
    CHECK(wrap(acceptor, "m", token).major == GSS_S_NO_CONTEXT);
    CHECK(verify_mic(acceptor, "m", std::string(16, 'x')).major == GSS_S_NO_CONTEXT);
  }
}

TEST_CASE("channel bindings: the table of [MS-NLMP] 3.2.5.1.2 with policy accept", "[spi]") {
  const Workshop workshop(kUsers);
  const std::optional<std::string> none;
  const struct {
    std::optional<std::string> client;
    std::optional<std::string> server;
    OM_uint32 major;
    bool bound;
  } cases[] = {
      {"tls-server-end-point:a", "tls-server-end-point:a", GSS_S_COMPLETE, true},
      {"tls-server-end-point:a", "tls-server-end-point:b", GSS_S_BAD_BINDINGS, false},
      {none, "tls-server-end-point:a", GSS_S_COMPLETE, false},
      {"tls-server-end-point:a", none, GSS_S_COMPLETE, false},
      {none, none, GSS_S_COMPLETE, false},
  };
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const auto& c : cases) {
      CAPTURE(c.client.value_or("-"), c.server.value_or("-"));
      Exchange x;
      x.mech = mech;
      x.initiator_bindings = c.client;
      x.acceptor_bindings = c.server;
      End initiator;
      End acceptor;
      CHECK(run(x, initiator, acceptor) == (c.major == GSS_S_COMPLETE));
      CHECK(acceptor.last.major == c.major);
      if (c.major == GSS_S_COMPLETE) {
        // Bindings that no MIC covers are no evidence.
        CHECK(((acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG) != 0) == (c.bound && has_mic(acceptor)));
        CHECK((mech == &kSpnego || has_mic(acceptor)));
      }
    }
  }
}

TEST_CASE("inquiries answer in every state", "[spi]") {
  const Workshop workshop(kUsers);
  const Exchange x;
  End initiator;
  End acceptor;
  gss_OID_desc ssf_oid = {11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f")};
  OM_uint32 minor = 0;
  gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
  const std::string negotiate = init_step(x, initiator, "");
  CHECK(gss_inquire_sec_context_by_oid(&minor, initiator.context, &kSessionKeyOid, &set) ==
        GSS_S_UNAVAILABLE);
  CHECK(minor == GSS_NTLM_S_NOT_AVAILABLE);
  int open = 1;
  CHECK(gss_inquire_context(&minor, initiator.context, nullptr, nullptr, nullptr, nullptr, nullptr,
                            nullptr, &open) == GSS_S_COMPLETE);
  CHECK(open == 0);
  accept_step(x, acceptor, init_step(x, initiator, accept_step(x, acceptor, negotiate)));
  REQUIRE(acceptor.last.major == GSS_S_COMPLETE);

  std::string keys[2];
  for (End* end : {&initiator, &acceptor}) {
    REQUIRE(gss_inquire_sec_context_by_oid(&minor, end->context, &kSessionKeyOid, &set) ==
            GSS_S_COMPLETE);
    REQUIRE(set->count == 2);
    keys[end == &acceptor].assign(static_cast<char*>(set->elements[0].value),
                                  set->elements[0].length);
    gss_release_buffer_set(&minor, &set);
    REQUIRE(gss_inquire_sec_context_by_oid(&minor, end->context, &ssf_oid, &set) == GSS_S_COMPLETE);
    CHECK(std::string(static_cast<char*>(set->elements[0].value), set->elements[0].length) ==
          std::string("\0\0\0\x40", 4));
    gss_release_buffer_set(&minor, &set);
    NameHandle source;
    NameHandle target;
    int local = -1;
    REQUIRE(gss_inquire_context(&minor, end->context, source.out(), target.out(), nullptr, nullptr,
                                nullptr, &local, &open) == GSS_S_COMPLETE);
    CHECK(source.display() == "CORP\\alice");
    CHECK_FALSE(target.display().empty());
    CHECK(local == (end == &initiator));
    CHECK(open == 1);
  }
  CHECK(keys[0].size() == 16);
  CHECK(keys[0] == keys[1]);
}

TEST_CASE("names: a counted terminator is forgiven, a NUL inside is not", "[spi]") {
  const NameHandle counted(std::string("host@server\0", 12), GSS_C_NT_HOSTBASED_SERVICE);
  const NameHandle inside(std::string("CORP\\al\0ice", 11), GSS_C_NT_USER_NAME);
  OM_uint32 minor = 0;
  NameHandle canonical;
  CHECK(gss_canonicalize_name(&minor, inside.get(), &kNtlm, canonical.out()) == GSS_S_BAD_NAME);
  REQUIRE(gss_canonicalize_name(&minor, counted.get(), &kNtlm, canonical.out()) == GSS_S_COMPLETE);
  CHECK(canonical.display() == "host@server");
}

}  // namespace gssntlm::test
