// What Java's native GSSAPI needs: tokens in the framing of RFC 2743 3.1, and the acceptor's name
// after every step.
#include <string>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "spnego/der.h"
#include "test/support/catch.h"
#include "test/support/connectionless.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";

std::string text_of(ByteView bytes) {
  return std::string(as_text(bytes));
}

std::string oid_of(const gss_OID_desc& oid) {
  return text_of(der(der_tag::kOid, {static_cast<const std::uint8_t*>(oid.elements), oid.length}));
}

// Not gss_encapsulate_token: that of krb5 1.21 aborts for some sizes (docs/upstream.md).
std::string framed(const std::string& message, gss_OID_desc mech = kNtlm) {
  return text_of(der(der_tag::kFraming, as_bytes(oid_of(mech) + message)));
}

std::string unframed(const std::string& token) {
  gss_buffer_desc in = buffer_of(token);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_decapsulate_token(&in, &kNtlm, &out) == GSS_S_COMPLETE);
  return take(out);
}

bool is_bare(const std::string& token) {
  return token.starts_with("NTLMSSP");
}

void check_established(End& initiator, End& acceptor) {
  REQUIRE(initiator.last.major == GSS_S_COMPLETE);
  INFO(acceptor.last.text());
  REQUIRE(acceptor.last.major == GSS_S_COMPLETE);
  CHECK(acceptor.source.display() == "CORP\\alice");
  CHECK(session_key(initiator) == session_key(acceptor));
  std::string token;
  std::string message;
  REQUIRE(wrap(initiator, "sealed", token).ok());
  CHECK(unwrap(acceptor, token, message).ok());
  CHECK(message == "sealed");
}

struct Raw {
  Exchange x;
  End initiator;
  End acceptor;
};

TEST_CASE("framing: each message may be framed, and the answer is framed like it", "[framing]") {
  const Workshop workshop(kUsers, "[policy]\nrequire_mic = yes\n");
  for (unsigned legs = 0; legs < 8; ++legs) {
    CAPTURE(legs);
    const auto sent = [&](unsigned leg, const std::string& bare) {
      return (legs & leg) != 0 ? framed(bare) : bare;
    };
    const auto received = [&](unsigned leg, const std::string& token) {
      CHECK(is_bare(token) == ((legs & leg) == 0));
      return is_bare(token) ? token : unframed(token);
    };
    Raw r;
    const std::string negotiate = init_step(r.x, r.initiator, "");
    REQUIRE(is_bare(negotiate));
    const std::string challenge = received(1, accept_step(r.x, r.acceptor, sent(1, negotiate)));
    const std::string authenticate = received(2, init_step(r.x, r.initiator, sent(2, challenge)));
    accept_step(r.x, r.acceptor, sent(4, authenticate));
    check_established(r.initiator, r.acceptor);
  }
}

// A field of a SPNEGO token, with its content in an element of its own.
Bytes field(unsigned number, std::uint8_t type, const std::string& content) {
  return der(static_cast<std::uint8_t>(der_tag::kContext + number), der(type, as_bytes(content)));
}

TEST_CASE("framing: framed messages inside SPNEGO", "[framing]") {
  const Workshop workshop(kUsers);
  Raw r;
  const std::string mechanisms = text_of(der(der_tag::kSequence, as_bytes(oid_of(kNtlm))));
  std::string fields =
      text_of(der(der_tag::kContext, as_bytes(mechanisms))) +
      text_of(field(2, der_tag::kOctetString, framed(init_step(r.x, r.initiator, ""))));
  const std::string first =
      accept_step(r.x, r.acceptor, framed(text_of(field(0, der_tag::kSequence, fields)), kSpnego));
  REQUIRE(r.acceptor.last.major == GSS_S_CONTINUE_NEEDED);
  // The answer's last field is the mechanism's token, and that is framed.
  const std::size_t message = first.find("NTLMSSP");
  REQUIRE(message != std::string::npos);
  REQUIRE(first.compare(message - kNtlm.length, kNtlm.length, GSS_NTLM_MECH_OID_BYTES,
                        kNtlm.length) == 0);
  const std::string authenticate = init_step(r.x, r.initiator, framed(first.substr(message)));
  REQUIRE(r.initiator.last.major == GSS_S_COMPLETE);
  std::string mic;
  REQUIRE(get_mic(r.initiator, mechanisms, mic).ok());
  fields = text_of(field(2, der_tag::kOctetString, authenticate)) +
           text_of(field(3, der_tag::kOctetString, mic));
  accept_step(r.x, r.acceptor, text_of(field(1, der_tag::kSequence, fields)));
  INFO(r.acceptor.last.text());
  CHECK(r.acceptor.last.ok());
}

struct BadFraming {
  const char* name;
  std::string token;
  const char* detail;
};

std::vector<BadFraming> bad_framings(const std::string& message) {
  const std::string right = framed(message);
  std::string other = right;
  other[other.find(std::string(GSS_NTLM_MECH_OID_BYTES, 10)) + 9] = '\x0b';
  const std::string oid = oid_of(kNtlm);
  const char* lengths = "lengths of its framing";
  return {
      {"another mechanism", framed(message, kSpnego),
       "framed (RFC 2743 3.1) for mechanism 1.3.6.1.5.5.2"},
      {"nearly NTLM", other, "for mechanism 1.3.6.1.4.1.311.2.2.11, not for NTLM"},
      {"no mechanism", text_of(der(der_tag::kFraming, as_bytes(message))), lengths},
      {"an empty mechanism",
       text_of(der(der_tag::kFraming, as_bytes(std::string("\6\0", 2) + message))), "malformed"},
      {"cut", right.substr(0, right.size() - 1), lengths},
      {"a byte more", right + "x", lengths},
      {"the mechanism longer than the token", std::string("\x60\x02\x06\x0a", 4), lengths},
      {"an indefinite length", "\x60\x80" + oid + message, lengths},
      {"a length of five octets", std::string("\x60\x85\0\0\0\0\x0c", 7) + oid, lengths},
      {"the tag alone", "\x60", lengths},
      {"framed twice", framed(right), "not an NTLM message"},
  };
}

void check_defective(const Outcome& last, const char* detail) {
  CHECK(last.major == GSS_S_DEFECTIVE_TOKEN);
  CHECK(last.minor == GSS_NTLM_S_NOT_NTLM);
  INFO(last.text());
  CHECK(last.text().find(detail) != std::string::npos);
}

TEST_CASE("framing: a bad one ends the handshake with an error that says what is wrong",
          "[framing]") {
  const Workshop workshop(kUsers);
  const std::size_t count = bad_framings("a message").size();
  for (std::size_t i = 0; i < count; ++i) {
    Raw r;
    const std::string challenge = accept_step(r.x, r.acceptor, init_step(r.x, r.initiator, ""));
    End stranger;
    init_step(r.x, stranger, "");
    const BadFraming bad = bad_framings(challenge)[i];
    CAPTURE(bad.name);
    CHECK(init_step(r.x, stranger, bad.token).empty());
    check_defective(stranger.last, bad.detail);
    init_step(r.x, stranger, challenge);
    CHECK(stranger.last.minor == GSS_NTLM_S_BAD_STATE);

    const std::string authenticate = init_step(r.x, r.initiator, challenge);
    const BadFraming bad_answer = bad_framings(authenticate)[i];
    CHECK(accept_step(r.x, r.acceptor, bad_answer.token).empty());
    check_defective(r.acceptor.last, bad_answer.detail);
    accept_step(r.x, r.acceptor, authenticate);
    CHECK(r.acceptor.last.minor == GSS_NTLM_S_BAD_STATE);
  }
}

TEST_CASE("framing: nothing, framed, is no message of a connection", "[framing]") {
  for (const char* settings : {"", "[policy]\nallow_connectionless = yes\n"}) {
    const Workshop workshop(kUsers, settings);
    Raw r;
    init_step(r.x, r.initiator, framed_nothing());
    CHECK(r.initiator.last.major == GSS_S_DEFECTIVE_TOKEN);
    const std::string negotiate = init_step(r.x, r.initiator, "");
    accept_step(r.x, r.acceptor, framed(negotiate));
    CHECK(init_step(r.x, r.initiator, framed_nothing()).empty());
    CHECK(r.initiator.last.major == GSS_S_DEFECTIVE_TOKEN);
    CHECK(accept_step(r.x, r.acceptor, framed_nothing()).empty());
    CHECK(r.acceptor.last.major == GSS_S_DEFECTIVE_TOKEN);
    // Neither is it after a failed attempt; a framed NEGOTIATE begins the next one.
    CHECK(accept_step(r.x, r.acceptor, framed_nothing()).empty());
    CHECK(r.acceptor.last.minor == GSS_NTLM_S_WRONG_MESSAGE);
    End again;
    const std::string challenge = accept_step(r.x, r.acceptor, framed(init_step(r.x, again, "")));
    accept_step(r.x, r.acceptor, init_step(r.x, again, challenge));
    check_established(again, r.acceptor);
    CHECK((r.acceptor.flags & GSS_NTLM_DATAGRAM_FLAG) == 0);
  }
}

TEST_CASE("framing: a connectionless challenge is bare, and an initiator accepts it framed",
          "[framing]") {
  const Workshop workshop(kUsers, "[policy]\nallow_connectionless = yes\n");
  Raw r;
  r.x.flags |= GSS_NTLM_DATAGRAM_FLAG;
  init_step(r.x, r.initiator, "");
  const std::string challenge = accept_step(r.x, r.acceptor, framed_nothing());
  CHECK(is_bare(challenge));
  accept_step(r.x, r.acceptor, init_step(r.x, r.initiator, framed(challenge)));
  check_established(r.initiator, r.acceptor);
}

// Names of a context as gss_inquire_context gives them: "SOURCE to TARGET", empty for none.
std::string names_of(const End& end, int expected_open) {
  NameHandle source;
  NameHandle target;
  OM_uint32 minor = 0;
  int open = -1;
  REQUIRE(gss_inquire_context(&minor, end.context, source.out(), target.out(), nullptr, nullptr,
                              nullptr, nullptr, &open) == GSS_S_COMPLETE);
  CHECK(open == expected_open);
  return source.display() + " to " + target.display();
}

TEST_CASE("unfinished: both roles know their own name and the target, raw and inside SPNEGO",
          "[framing]") {
  const Workshop workshop(kUsers);
  for (const gss_OID mech : {&kNtlm, &kSpnego}) {
    CAPTURE(mech == &kSpnego);
    const NameHandle service("HTTP@server.example", GSS_C_NT_HOSTBASED_SERVICE);
    gss_OID_set_desc mechs = {1, mech};
    OM_uint32 minor = 0;
    CredHandle cred;
    REQUIRE(gss_acquire_cred(&minor, service.get(), 0, &mechs, GSS_C_ACCEPT, cred.out(), nullptr,
                             nullptr) == GSS_S_COMPLETE);
    Raw r;
    r.x.mech = mech;
    const std::string negotiate = init_step(r.x, r.initiator, "");
    CHECK(names_of(r.initiator, 0) == "CORP\\alice to HTTP@server.example");

    // Without a credential: the host's name.
    accept_step(r.x, r.acceptor, negotiate);
    REQUIRE(r.acceptor.last.major == GSS_S_CONTINUE_NEEDED);
    CHECK(names_of(r.acceptor, 0).starts_with(" to host@"));

    End named;
    r.x.acceptor_cred = cred.get();
    accept_step(r.x, named, negotiate);
    REQUIRE(named.last.major == GSS_S_CONTINUE_NEEDED);
    CHECK(names_of(named, 0) == " to HTTP@server.example");
    if (mech == &kNtlm) {
      std::string token;
      REQUIRE(export_context(named, token).ok());
      REQUIRE(import_context(named, token).ok());
      CHECK(names_of(named, 0) == " to HTTP@server.example");
      // A logon that failed names no client.
      accept_step(r.x, named, "NTLMSSP");
      REQUIRE_FALSE(named.last.ok());
      CHECK(names_of(named, 0) == " to HTTP@server.example");
    }
  }
}

}  // namespace
}  // namespace gssntlm::test
