// The steps of a handshake.
#include <utility>

#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {
namespace {

void first_init(Trial& t, gss_cred_id_t cred, OM_uint32 flags) {
  Pair pair;
  Buffer out;
  OM_uint32 got = 77;
  t.call([&](OM_uint32* minor) {
    return spi().init_sec_context(minor, cred, &pair.initiator, g_target, &g_mech, flags, 0,
                                  nullptr, nullptr, nullptr, &out, &got, nullptr);
  });
  t.expect_empty(out);
  t.expect_none(pair.initiator.get());
  t.expect(t.ok() || got == 0, "flags are left");
  const bool connectionless = (flags & GSS_NTLM_DATAGRAM_FLAG) != 0;
  if (t.ok() && !connectionless) {
    pair.token = out.text();
    t.expect(pair.accept() == GSS_S_CONTINUE_NEEDED && pair.init(cred, flags) == GSS_S_COMPLETE &&
                 pair.accept() == GSS_S_COMPLETE,
             "the handshake does not go on");
  }
  t.expect(logs_in(g_alice), "the credential no longer logs in");
}

enum class Carried { kBare, kFramed, kInSpnego };

// As Java passes it on (RFC 2743 3.1).
std::string framed(const std::string& message) {
  gss_buffer_desc in = view(message);
  Buffer out;
  if (gss_encapsulate_token(&in, &g_mech, &out) != GSS_S_COMPLETE) {
    give_up("a framed token");
  }
  return out.text();
}

void second_init(Trial& t, Carried carried) {
  Pair pair;
  if (!pair.go(2)) {
    give_up("a challenge");
  }
  if (carried == Carried::kFramed) {
    pair.token = framed(pair.token);
  }
  if (carried == Carried::kInSpnego) {
    gss_OID_desc oid = {GSS_NTLM_OID_LENGTH,
                        const_cast<char*>(GSS_NTLM_SPNEGO_REQUIRE_MIC_OID_BYTES)};
    BufferSet set;
    OM_uint32 minor = 0;
    spi().inquire_sec_context_by_oid(&minor, pair.initiator, &oid, &set);
  }
  Buffer out;
  gss_buffer_desc in = view(pair.token);
  OM_uint32 got = 77;
  const gss_ctx_id_t before = pair.initiator.get();
  t.call([&](OM_uint32* minor) {
    return spi().init_sec_context(minor, g_alice, &pair.initiator, g_target, &g_mech, kProtected, 0,
                                  nullptr, &in, nullptr, &out, &got, nullptr);
  });
  t.expect_empty(out);
  t.expect(pair.initiator.get() == before, "the context was replaced");
  t.expect(t.ok() || got == 0, "flags are left");
  t.expect(t.ok() == is_open(pair.initiator), "open or not, and told otherwise");
  if (t.ok()) {
    pair.token = out.text();
    t.expect(pair.accept() == GSS_S_COMPLETE && works(pair), "the handshake does not go on");
  } else if (carried == Carried::kFramed && !GSS_ERROR(pair.init())) {
    // The token was not looked at yet.
    t.expect(pair.accept() == GSS_S_COMPLETE && works(pair), "the handshake does not go on");
  } else {
    t.expect(GSS_ERROR(pair.init()) != 0, "a failed handshake goes on");
  }
  t.expect(logs_in(g_alice), "the credential no longer logs in");
}

void first_accept(Trial& t, gss_cred_id_t cred) {
  Pair pair;
  if (!pair.go(1)) {
    give_up("a first token");
  }
  Buffer out;
  gss_buffer_desc in = view(pair.token);
  t.call([&](OM_uint32* minor) {
    return spi().accept_sec_context(minor, &pair.acceptor, cred, &in, nullptr, nullptr, nullptr,
                                    &out, nullptr, nullptr, nullptr);
  });
  t.expect_empty(out);
  t.expect_none(pair.acceptor.get());
  // A challenge of another time is answered, and the answer refused.
  if (t.ok() && t.failing() == Call::kClock) {
    pair.token = out.text();
    t.expect(pair.init() == GSS_S_COMPLETE && GSS_ERROR(pair.accept(cred)) != 0,
             "an answer from long ago is taken");
  } else if (t.ok()) {
    pair.token = out.text();
    t.expect(pair.init() == GSS_S_COMPLETE && pair.accept(cred) == GSS_S_COMPLETE && works(pair),
             "the handshake does not go on");
  }
  t.expect(logs_in(g_alice), "the credential no longer accepts");
}

}  // namespace

// The step that accepts the user.
void second_accept(Trial& t, gss_cred_id_t alice, gss_cred_id_t accepting) {
  Pair pair;
  if (!pair.go(3, alice, accepting)) {
    give_up("an answer");
  }
  Name source;
  Buffer out;
  gss_buffer_desc in = view(pair.token);
  OM_uint32 got = 77;
  const gss_ctx_id_t before = pair.acceptor.get();
  t.call([&](OM_uint32* minor) {
    return spi().accept_sec_context(minor, &pair.acceptor, accepting, &in, nullptr, &source,
                                    nullptr, &out, &got, nullptr, nullptr);
  });
  t.expect_empty(out);
  t.expect_none(source.get());
  t.expect(pair.acceptor.get() == before, "the context was replaced");
  t.expect(t.ok() || got == 0, "flags are left");
  t.expect(t.ok() == is_open(pair.acceptor), "open or not, and told otherwise");
  if (t.ok()) {
    t.expect(works(pair), "the established context does not work");
  } else {
    // The token was not looked at yet, or it never will be again.
    if (!GSS_ERROR(pair.accept(accepting))) {
      t.expect(works(pair), "the established context does not work");
      return;
    }
    // Servers keep the context of a connection for the next attempt.
    Pair again;
    again.acceptor = std::move(pair.acceptor);
    t.expect(again.go(4, alice, accepting) && works(again), "the context takes no next attempt");
  }
}

namespace {

const Operation kHandshakes[] = {
    {"gss_init_sec_context: first", [](Trial& t) { first_init(t, g_alice, kProtected); }},
    {"gss_init_sec_context: first, with the default credential",
     [](Trial& t) { first_init(t, GSS_C_NO_CREDENTIAL, kProtected); }},
    {"gss_init_sec_context: first, connectionless",
     [](Trial& t) { first_init(t, g_alice, kProtected | GSS_NTLM_DATAGRAM_FLAG); }},
    {"gss_init_sec_context: second", [](Trial& t) { second_init(t, Carried::kBare); }},
    {"gss_init_sec_context: second, framed", [](Trial& t) { second_init(t, Carried::kFramed); }},
    {"gss_init_sec_context: second, inside SPNEGO",
     [](Trial& t) { second_init(t, Carried::kInSpnego); }},
    {"gss_accept_sec_context: first", [](Trial& t) { first_accept(t, g_accept); }},
    {"gss_accept_sec_context: first, with the default credential",
     [](Trial& t) { first_accept(t, GSS_C_NO_CREDENTIAL); }},
    {"gss_accept_sec_context: second", [](Trial& t) { second_accept(t); }},
    {"gss_accept_sec_context: second, users file read again",
     [](Trial& t) {
       touch(g_shop->path("users"));
       second_accept(t);
     }},
    {"gss_accept_sec_context: a context kept after a failed attempt",
     [](Trial& t) {
       Pair pair;
       pair.go(2);
       pair.token = "nonsense";
       pair.accept();
       Pair next;
       next.acceptor = std::move(pair.acceptor);
       next.go(1);
       Buffer out;
       gss_buffer_desc in = view(next.token);
       t.call([&](OM_uint32* minor) {
         return spi().accept_sec_context(minor, &next.acceptor, g_accept, &in, nullptr, nullptr,
                                         nullptr, &out, nullptr, nullptr, nullptr);
       });
       t.expect_empty(out);
       Pair last;
       last.acceptor = std::move(next.acceptor);
       t.expect(t.ok() || (last.go(4) && works(last)), "the context takes no next attempt");
     }},
    {"gss_delete_sec_context",
     [](Trial& t) {
       Pair pair;
       pair.go(4);
       t.call([&](OM_uint32* minor) {
         return spi().delete_sec_context(minor, &pair.initiator, GSS_C_NO_BUFFER);
       });
       t.expect(pair.initiator.get() == GSS_C_NO_CONTEXT, "the handle is left");
     }},
};

}  // namespace

std::span<const Operation> handshake_operations() {
  return kHandshakes;
}

}  // namespace gssntlm::test::failure
