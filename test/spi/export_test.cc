// Contexts that leave a process and go on in another.
#include "test/spi/halfway.h"

namespace gssntlm::test {
namespace {

struct Facts {
  std::string source;
  std::string target;
  OM_uint32 flags = 0;
  int local = -1;
  int open = -1;
  std::string key;
  bool operator==(const Facts& o) const {
    return source == o.source && target == o.target && flags == o.flags && local == o.local &&
           open == o.open && key == o.key;
  }
};

Facts facts_of(End& end) {
  Facts f;
  NameHandle source;
  NameHandle target;
  OM_uint32 minor = 0;
  REQUIRE(gss_inquire_context(&minor, end.context, source.out(), target.out(), nullptr, nullptr,
                              &f.flags, &f.local, &f.open) == 0);
  f.source = source.display();
  f.target = target.display();
  f.key = session_key(end);
  return f;
}

}  // namespace

TEST_CASE("export: an established context goes on where it was, in both directions",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const OM_uint32 more : {0U, OM_uint32{GSS_C_CONF_FLAG}, OM_uint32{GSS_C_DCE_STYLE}}) {
      Exchange x;
      x.mech = mech;
      x.flags = GSS_C_INTEG_FLAG | more;
      x.initiator_bindings = x.acceptor_bindings = "tls-unique:1234";
      End i;
      End a;
      REQUIRE(run(x, i, a));
      const Facts fi = facts_of(i);
      const Facts fa = facts_of(a);
      CHECK((fi.flags & GSS_C_TRANS_FLAG) != 0);
      CHECK(fa.source == "CORP\\alice");
      CHECK(fi.open == 1);
      for (int round = 0; round < 3; ++round) {
        move_context(i);
        CHECK(facts_of(i) == fi);
        talk(i, a, "after the initiator moved");
        talk(a, i, "and back");
        move_context(a);
        CHECK(facts_of(a) == fa);
        talk(a, i, "after the acceptor moved");
        talk(i, a, "and back");
        talk(i, a, "ahead in one direction only");
      }
    }
  }
}

TEST_CASE("export: what was counted before counts after: a replay is still one", "[spi][export]") {
  const Workshop workshop(kUsers);
  Exchange x;
  End i;
  End a;
  REQUIRE(run(x, i, a));
  std::string first;
  std::string second;
  std::string back;
  REQUIRE(wrap(i, "first", first).ok());
  REQUIRE(unwrap(a, first, back).ok());
  move_context(a);
  CHECK_FALSE(unwrap(a, first, back).ok());
  REQUIRE(wrap(i, "second", second).ok());
  CHECK(unwrap(a, second, back).ok());
}

TEST_CASE("export: either half of a handshake is finished after it moved", "[spi][export]") {
  const Workshop workshop(kUsers, "[policy]\nallow_connectionless = yes\n");
  for (const OM_uint32 flags : {OM_uint32{GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG},
                                OM_uint32{GSS_NTLM_DATAGRAM_FLAG | GSS_C_INTEG_FLAG}}) {
    for (const int moved : {1, 2, 3}) {
      CAPTURE(flags, moved);
      Exchange x;
      x.flags = flags;
      End i;
      End a;
      std::string token = init_step(x, i, "");
      if ((moved & 1) != 0) {
        move_context(i);
        CHECK(facts_of(i).open == 0);
        CHECK(facts_of(i).local == 1);
      }
      if (token.empty()) {
        token = std::string("\x60\x0c\x06\x0a", 4) + std::string(GSS_NTLM_MECH_OID_BYTES, 10);
      }
      token = accept_step(x, a, token);
      REQUIRE(a.last.major == GSS_S_CONTINUE_NEEDED);
      if ((moved & 2) != 0) {
        move_context(a);
        CHECK(facts_of(a).open == 0);
        CHECK(facts_of(a).local == 0);
        CHECK(session_key(a).empty());
      }
      token = init_step(x, i, token);
      REQUIRE(i.last.major == GSS_S_COMPLETE);
      accept_step(x, a, token);
      REQUIRE(a.last.major == GSS_S_COMPLETE);
      CHECK(a.source.display() == "CORP\\alice");
      talk(i, a, "hello");
      talk(a, i, "hello");
    }
  }
}

TEST_CASE("export: the other process' credential must be the account the handshake began with",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  CredHandle bob;
  REQUIRE(acquire_password("CORP\\bob", "b:o:b", &kNtlm, bob).ok());
  Exchange x;
  x.initiator_cred = bob.get();
  End i;
  End a;
  std::string token = init_step(x, i, "");
  CHECK(token.find("bob") == std::string::npos);
  move_context(i);
  token = accept_step(x, a, token);
  CredHandle alice;
  REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, alice).ok());
  x.initiator_cred = alice.get();
  init_step(x, i, token);
  CHECK(i.last.major == GSS_S_NO_CRED);
  // Without one bob's is looked for, not that of the first user.
  x.initiator_cred = GSS_C_NO_CREDENTIAL;
  token = init_step(x, i, token);
  REQUIRE(i.last.major == GSS_S_COMPLETE);
  accept_step(x, a, token);
  CHECK(a.source.display() == "CORP\\bob");
}

TEST_CASE("export: a token holds neither password nor hash of the credential", "[spi][export]") {
  const Workshop workshop(kUsers);
  CredHandle alice;
  const std::string digits = "8846F7EAEE8FB117AD06BDD830B7586C";
  REQUIRE(acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\alice", {{"ntlmssp_nthash", digits}}, alice)
              .ok());
  const std::string hash("\x88\x46\xF7\xEA\xEE\x8F\xB1\x17\xAD\x06\xBD\xD8\x30\xB7\x58\x6C", 16);
  Exchange x;
  x.initiator_cred = alice.get();
  End i;
  std::string token = init_step(x, i, "");
  REQUIRE(export_context(i, token).ok());
  CHECK(token.find(hash) == std::string::npos);
}

TEST_CASE("export: a context that failed, or has left, cannot leave", "[spi][export]") {
  const Workshop workshop(kUsers);
  Exchange x;
  End i;
  End a;
  std::string token;
  CHECK(export_context(i, token).major == (GSS_S_CALL_INACCESSIBLE_READ | GSS_S_NO_CONTEXT));
  token = init_step(x, i, "");
  init_step(x, i, "garbage, not a challenge");
  REQUIRE_FALSE(i.last.ok());
  CHECK(export_context(i, token).major == GSS_S_NO_CONTEXT);
  CHECK(i.context != GSS_C_NO_CONTEXT);
}

TEST_CASE("wrap_iov makes byte for byte the token of wrap", "[spi][export][iov]") {
  const Workshop workshop(kUsers);
  Exchange x;
  End i;
  End a;
  REQUIRE(run(x, i, a));
  std::string token;
  REQUIRE(export_context(i, token).ok());
  for (const int conf : {0, 1}) {
    End one;
    End two;
    REQUIRE(import_context(one, exported_again(token)).ok());
    REQUIRE(import_context(two, exported_again(token)).ok());
    std::string message = "the same message";
    std::string wrapped;
    REQUIRE(wrap(one, message, wrapped, conf).ok());
    std::string header(16, '?');
    gss_iov_buffer_desc iov[] = {{GSS_IOV_BUFFER_TYPE_HEADER, {16, header.data()}},
                                 {GSS_IOV_BUFFER_TYPE_DATA, {message.size(), message.data()}}};
    OM_uint32 minor = 0;
    REQUIRE(gss_wrap_iov(&minor, two.context, conf, 0, nullptr, iov, 2) == 0);
    CHECK(wrapped == header + message);
  }
}

}  // namespace gssntlm::test
