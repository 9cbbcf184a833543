// Connectionless contexts through the real mechglue.
#include <cstdint>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "spnego/der.h"
#include "test/support/catch.h"
#include "test/support/connectionless.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

static_assert(GSS_C_DATAGRAM_FLAG == GSS_NTLM_DATAGRAM_FLAG);

constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";
constexpr const char* kAllowed = "[policy]\nallow_connectionless = yes\n";

struct Datagrams {
  explicit Datagrams(OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG) {
    x.flags = flags | GSS_NTLM_DATAGRAM_FLAG;
  }
  void open() {
    CHECK(init_step(x, initiator, "").empty());
    REQUIRE(initiator.last.major == GSS_S_CONTINUE_NEEDED);
    const std::string challenge = accept_step(x, acceptor, framed_nothing());
    REQUIRE(acceptor.last.major == GSS_S_CONTINUE_NEEDED);
    const std::string authenticate = init_step(x, initiator, challenge);
    REQUIRE(initiator.last.major == GSS_S_COMPLETE);
    CHECK(accept_step(x, acceptor, authenticate).empty());
    REQUIRE(acceptor.last.major == GSS_S_COMPLETE);
  }
  Exchange x;
  End initiator;
  End acceptor;
};

TEST_CASE("connectionless: [MS-NLMP] 1.3.1.2 the context opens without NEGOTIATE",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  d.open();
  const OM_uint32 expected =
      GSS_NTLM_DATAGRAM_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG;
  const OM_uint32 looked_at = expected | GSS_C_SEQUENCE_FLAG | GSS_C_ANON_FLAG;
  CHECK((d.initiator.flags & looked_at) == expected);
  CHECK((d.acceptor.flags & looked_at) == expected);
  CHECK(d.acceptor.source.display() == "CORP\\alice");
}

TEST_CASE("connectionless: an initiator may begin with the CHALLENGE", "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  const std::string challenge = accept_step(d.x, d.acceptor, framed_nothing());
  const std::string authenticate = init_step(d.x, d.initiator, challenge);
  REQUIRE(d.initiator.last.major == GSS_S_COMPLETE);
  accept_step(d.x, d.acceptor, authenticate);
  CHECK(d.acceptor.last.major == GSS_S_COMPLETE);

  // Not so on a connection, nor with anything else.
  End connection;
  Exchange plain;
  init_step(plain, connection, challenge);
  CHECK(connection.last.major == GSS_S_DEFECTIVE_TOKEN);
  End other;
  init_step(d.x, other, "NTLMSSP");
  CHECK(other.last.major == GSS_S_DEFECTIVE_TOKEN);
  CHECK(other.context == GSS_C_NO_CONTEXT);
}

TEST_CASE("connectionless: messages may be lost and reordered; a second copy is called so",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  d.open();
  std::vector<std::string> tokens(5);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    REQUIRE(wrap(d.initiator, "message " + std::to_string(i), tokens[i]).ok());
  }
  for (const std::size_t i : {4u, 0u, 2u}) {
    std::string message;
    CHECK(unwrap(d.acceptor, tokens[i], message).major == GSS_S_COMPLETE);
    CHECK(message == "message " + std::to_string(i));
  }
  std::string again;
  const Outcome duplicate = unwrap(d.acceptor, tokens[2], again);
  CHECK(duplicate.major == GSS_S_DUPLICATE_TOKEN);
  CHECK(duplicate.minor == GSS_NTLM_S_DUPLICATE_TOKEN);
  CHECK(unwrap(d.acceptor, tokens[1], again).major == GSS_S_COMPLETE);

  std::string mic;
  REQUIRE(get_mic(d.acceptor, "signed", mic).ok());
  CHECK(verify_mic(d.initiator, "signed", mic).major == GSS_S_COMPLETE);
  CHECK(verify_mic(d.initiator, "signed", mic).major == GSS_S_DUPLICATE_TOKEN);
  CHECK(GSS_ROUTINE_ERROR(verify_mic(d.initiator, "other", mic).major) == GSS_S_BAD_SIG);

  REQUIRE(set_sequence(d.initiator, 5000).ok());
  std::string far;
  REQUIRE(wrap(d.initiator, "far", far).ok());
  CHECK(unwrap(d.acceptor, far, again).major == GSS_S_COMPLETE);
  const Outcome old = unwrap(d.acceptor, tokens[3], again);
  CHECK(old.major == GSS_S_OLD_TOKEN);
  CHECK(old.minor == GSS_NTLM_S_OLD_TOKEN);
}

TEST_CASE("connectionless: without REPLAY an initiator takes a number any number of times",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d(GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG);
  d.open();
  CHECK((d.initiator.flags & GSS_C_REPLAY_FLAG) == 0);
  CHECK((d.acceptor.flags & GSS_C_REPLAY_FLAG) != 0);
  std::string token;
  std::string message;
  REQUIRE(wrap(d.acceptor, "m", token).ok());
  CHECK(unwrap(d.initiator, token, message).major == GSS_S_COMPLETE);
  CHECK(unwrap(d.initiator, token, message).major == GSS_S_COMPLETE);
}

TEST_CASE("connectionless: numbers that the program names, at both ends of their range",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  d.open();
  std::string token;
  std::string message;
  for (const std::uint32_t number : {0u, 7u, 0xFFFFFFFFu}) {
    REQUIRE(set_sequence(d.initiator, number).ok());
    REQUIRE(wrap(d.initiator, "numbered", token).ok());
    REQUIRE(set_sequence(d.acceptor, number ^ 1).ok());
    const Outcome other = unwrap(d.acceptor, token, message);
    CHECK(other.major == GSS_S_BAD_SIG);
    CHECK(other.minor == GSS_NTLM_S_SEQUENCE);
    REQUIRE(set_sequence(d.acceptor, number).ok());
    CHECK(unwrap(d.acceptor, token, message).major == GSS_S_COMPLETE);
  }
  // The numbers have come to their end.
  const Outcome end = wrap(d.initiator, "one more", token);
  CHECK(end.major == GSS_S_CONTEXT_EXPIRED);
  CHECK(end.minor == GSS_NTLM_S_SEQUENCE_END);
}

TEST_CASE("connectionless: the number option has its size, and its contexts", "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  init_step(d.x, d.initiator, "");
  CHECK_FALSE(set_sequence(d.initiator, 1).ok());
  End a;
  End b;
  REQUIRE(run(Exchange(), a, b));
  const Outcome connection = set_sequence(a, 1);
  CHECK(connection.major == GSS_S_FAILURE);
  CHECK(connection.minor == GSS_NTLM_S_BAD_OPTION);
  Datagrams open;
  open.open();
  for (const std::size_t size : {0u, 3u, 5u}) {
    std::string bytes(size, '\1');
    gss_buffer_desc value = {bytes.size(), bytes.data()};
    OM_uint32 minor = 0;
    CHECK(GSS_ERROR(
        gss_set_sec_context_option(&minor, &open.initiator.context, &kSetSequence, &value)));
  }
}

TEST_CASE("connectionless: IOV messages in place, and their repetition", "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  d.open();
  std::string body = "the body";
  std::string aside = "the head";
  std::string header(16, '\0');
  gss_iov_buffer_desc iov[] = {{GSS_IOV_BUFFER_TYPE_HEADER, {header.size(), header.data()}},
                               {GSS_IOV_BUFFER_TYPE_SIGN_ONLY, {aside.size(), aside.data()}},
                               {GSS_IOV_BUFFER_TYPE_DATA, {body.size(), body.data()}}};
  OM_uint32 minor = 0;
  int conf = 0;
  REQUIRE(gss_wrap_iov(&minor, d.initiator.context, 1, 0, &conf, iov, 3) == GSS_S_COMPLETE);
  CHECK(conf == 1);
  CHECK(body != "the body");
  const std::string sealed = body;
  CHECK(gss_unwrap_iov(&minor, d.acceptor.context, &conf, nullptr, iov, 3) == GSS_S_COMPLETE);
  CHECK(body == "the body");
  body = sealed;
  iov[2].buffer.value = body.data();
  CHECK(gss_unwrap_iov(&minor, d.acceptor.context, &conf, nullptr, iov, 3) ==
        GSS_S_DUPLICATE_TOKEN);
  body[0] = static_cast<char>(body[0] ^ 1);
  CHECK(GSS_ROUTINE_ERROR(gss_unwrap_iov(&minor, d.acceptor.context, &conf, nullptr, iov, 3)) ==
        GSS_S_BAD_SIG);
}

// MICs of scattered buffers, an associated text, and a stream.
TEST_CASE("connectionless: MIC buffers, AEAD and streams, and their repetition",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  d.open();
  OM_uint32 minor = 0;
  std::string one = "one ";
  std::string two = "two";
  std::string mic(16, '\0');
  gss_iov_buffer_desc iov[] = {{GSS_IOV_BUFFER_TYPE_DATA, {one.size(), one.data()}},
                               {GSS_IOV_BUFFER_TYPE_SIGN_ONLY, {two.size(), two.data()}},
                               {GSS_IOV_BUFFER_TYPE_MIC_TOKEN, {mic.size(), mic.data()}}};
  REQUIRE(gss_get_mic_iov(&minor, d.initiator.context, 0, iov, 3) == GSS_S_COMPLETE);
  CHECK(gss_verify_mic_iov(&minor, d.acceptor.context, nullptr, iov, 3) == GSS_S_COMPLETE);
  CHECK(gss_verify_mic_iov(&minor, d.acceptor.context, nullptr, iov, 3) == GSS_S_DUPLICATE_TOKEN);
  CHECK(verify_mic(d.acceptor, "one two", mic).major == GSS_S_DUPLICATE_TOKEN);
  two[0] = 'T';
  CHECK(GSS_ROUTINE_ERROR(gss_verify_mic_iov(&minor, d.acceptor.context, nullptr, iov, 3)) ==
        GSS_S_BAD_SIG);

  int conf = 0;
  gss_buffer_desc aside = {two.size(), two.data()};
  gss_buffer_desc text = {one.size(), one.data()};
  gss_buffer_desc sealed = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc opened = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_wrap_aead(&minor, d.acceptor.context, 1, 0, &aside, &text, &conf, &sealed) ==
          GSS_S_COMPLETE);
  for (const OM_uint32 expected : {OM_uint32{GSS_S_COMPLETE}, OM_uint32{GSS_S_DUPLICATE_TOKEN}}) {
    CHECK(gss_unwrap_aead(&minor, d.initiator.context, &sealed, &aside, &opened, &conf, nullptr) ==
          expected);
    CHECK(std::string(static_cast<const char*>(opened.value), opened.length) == one);
    gss_release_buffer(&minor, &opened);
  }
  gss_release_buffer(&minor, &sealed);

  std::string token;
  REQUIRE(wrap(d.initiator, "a stream", token).ok());
  for (const OM_uint32 expected : {OM_uint32{GSS_S_COMPLETE}, OM_uint32{GSS_S_DUPLICATE_TOKEN}}) {
    std::string copy = token;
    gss_iov_buffer_desc stream[] = {{GSS_IOV_BUFFER_TYPE_STREAM, {copy.size(), copy.data()}},
                                    {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}}};
    CHECK(gss_unwrap_iov(&minor, d.acceptor.context, &conf, nullptr, stream, 2) == expected);
    CHECK(std::string(static_cast<const char*>(stream[1].buffer.value), stream[1].buffer.length) ==
          "a stream");
  }
}

TEST_CASE("connectionless: what was taken before an export is a repetition after the import",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  d.open();
  std::vector<std::string> tokens(3);
  for (std::string& token : tokens) {
    REQUIRE(wrap(d.initiator, "m", token).ok());
  }
  std::string message;
  REQUIRE(unwrap(d.acceptor, tokens[1], message).major == GSS_S_COMPLETE);
  OM_uint32 minor = 0;
  gss_buffer_desc exported = GSS_C_EMPTY_BUFFER;
  REQUIRE(gss_export_sec_context(&minor, &d.acceptor.context, &exported) == GSS_S_COMPLETE);
  REQUIRE(gss_import_sec_context(&minor, &exported, &d.acceptor.context) == GSS_S_COMPLETE);
  gss_release_buffer(&minor, &exported);
  CHECK(unwrap(d.acceptor, tokens[1], message).major == GSS_S_DUPLICATE_TOKEN);
  CHECK(unwrap(d.acceptor, tokens[2], message).major == GSS_S_COMPLETE);
  CHECK(unwrap(d.acceptor, tokens[0], message).major == GSS_S_COMPLETE);
  std::string back;
  REQUIRE(wrap(d.acceptor, "back", back).ok());
  CHECK(unwrap(d.initiator, back, message).major == GSS_S_COMPLETE);
}

TEST_CASE("connectionless: truncated, forged and foreign messages are refused",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  d.open();
  Datagrams other;
  other.open();
  std::string token;
  std::string message;
  REQUIRE(wrap(d.initiator, "a message", token).ok());
  for (std::size_t size = 0; size < token.size(); ++size) {
    CHECK_FALSE(unwrap(d.acceptor, token.substr(0, size), message).ok());
  }
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = static_cast<char>(forged[i] ^ 0x20);
    CHECK_FALSE(unwrap(d.acceptor, forged, message).ok());
  }
  CHECK_FALSE(unwrap(other.acceptor, token, message).ok());
  CHECK_FALSE(unwrap(d.initiator, token, message).ok());
  CHECK(unwrap(d.acceptor, token, message).major == GSS_S_COMPLETE);
}

TEST_CASE("connectionless: nearly the opening token is refused", "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  const std::string right = framed_nothing();
  for (std::size_t i = 0; i < right.size(); ++i) {
    std::string token = right;
    token[i] = static_cast<char>(token[i] ^ 1);
    End end;
    accept_step(Exchange(), end, token);
    CHECK_FALSE(end.last.ok());
  }
  for (const std::string& token : {right + "x", right.substr(0, right.size() - 1)}) {
    End end;
    accept_step(Exchange(), end, token);
    CHECK_FALSE(end.last.ok());
  }
}

TEST_CASE("connectionless: an acceptor whose last attempt failed starts again",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Datagrams d;
  accept_step(d.x, d.acceptor, framed_nothing());
  accept_step(d.x, d.acceptor, "nonsense");
  REQUIRE_FALSE(d.acceptor.last.ok());
  d.open();
  CHECK(d.acceptor.source.display() == "CORP\\alice");
}

TEST_CASE("connectionless: SPNEGO, which needs a connection, fails and harms nothing",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  Exchange x;
  x.mech = &kSpnego;
  x.flags = GSS_C_INTEG_FLAG | GSS_NTLM_DATAGRAM_FLAG;
  End initiator;
  End acceptor;
  CHECK_FALSE(run(x, initiator, acceptor));
}

// NegTokenInit (RFC 4178 4.2.1) that offers NTLM alone, with `inner` as its mechToken.
std::string negotiated(const std::string& inner) {
  const auto oid = [](const gss_OID_desc& of) {
    return der(der_tag::kOid, {static_cast<const std::uint8_t*>(of.elements), of.length});
  };
  Bytes fields = der(der_tag::kContext, der(der_tag::kSequence, oid(kNtlm)));
  append_der(fields, der_tag::kContext + 2, der(der_tag::kOctetString, as_bytes(inner)));
  Bytes framed = oid(kSpnego);
  append_der(framed, der_tag::kContext, der(der_tag::kSequence, fields));
  return std::string(as_text(der(der_tag::kFraming, framed)));
}

TEST_CASE("connectionless: off unless settings say otherwise", "[connectionless]") {
  for (const char* settings : {"", "[policy]\nallow_connectionless = no\n"}) {
    const Workshop workshop(kUsers, settings);
    for (const char* level : {"", "0", "3"}) {
      CAPTURE(settings, level);
      if (*level != '\0') {
        ::setenv("LM_COMPAT_LEVEL", level, 1);
      }
      End end;
      CHECK(accept_step(Exchange(), end, framed_nothing()).empty());
      CHECK(end.last.major == GSS_S_FAILURE);
      CHECK(end.last.minor == GSS_NTLM_S_POLICY_BLOCKED);
      CHECK(end.last.text().find("allow_connectionless") != std::string::npos);
      CHECK(end.context == GSS_C_NO_CONTEXT);
      End inside;
      accept_step(Exchange(), inside, negotiated(framed_nothing()));
      CHECK_FALSE(inside.last.ok());
      ::unsetenv("LM_COMPAT_LEVEL");
    }
    // An initiator answers the servers that it asks all the same.
    Datagrams d;
    CHECK(init_step(d.x, d.initiator, "").empty());
    CHECK(d.initiator.last.major == GSS_S_CONTINUE_NEEDED);
  }
}

// Leaves the acceptor with an attempt that `opening` began and that failed, after an import if
// `moved`.
void fail_attempt(Datagrams& d, const std::string& opening, bool moved) {
  accept_step(d.x, d.acceptor, opening);
  REQUIRE(d.acceptor.last.major == GSS_S_CONTINUE_NEEDED);
  if (moved) {
    OM_uint32 minor = 0;
    gss_buffer_desc exported = GSS_C_EMPTY_BUFFER;
    REQUIRE(gss_export_sec_context(&minor, &d.acceptor.context, &exported) == GSS_S_COMPLETE);
    REQUIRE(gss_import_sec_context(&minor, &exported, &d.acceptor.context) == GSS_S_COMPLETE);
    gss_release_buffer(&minor, &exported);
  }
  accept_step(d.x, d.acceptor, "nonsense");
  REQUIRE_FALSE(d.acceptor.last.ok());
}

TEST_CASE("connectionless: a failed attempt is followed by one of its own kind only",
          "[connectionless]") {
  const Workshop workshop(kUsers, kAllowed);
  for (const bool moved : {false, true}) {
    CAPTURE(moved);
    Exchange plain;
    End client;
    const std::string negotiate = init_step(plain, client, "");

    Datagrams connection;
    fail_attempt(connection, negotiate, moved);
    CHECK(accept_step(plain, connection.acceptor, framed_nothing()).empty());
    CHECK(connection.acceptor.last.major == GSS_S_DEFECTIVE_TOKEN);
    CHECK(connection.acceptor.last.minor == GSS_NTLM_S_WRONG_MESSAGE);
    CHECK(connection.acceptor.last.text().find("NEGOTIATE only") != std::string::npos);
    const std::string challenge = accept_step(plain, connection.acceptor, negotiate);
    accept_step(plain, connection.acceptor, init_step(plain, client, challenge));
    REQUIRE(connection.acceptor.last.major == GSS_S_COMPLETE);
    CHECK((connection.acceptor.flags & GSS_NTLM_DATAGRAM_FLAG) == 0);

    Datagrams datagrams;
    fail_attempt(datagrams, framed_nothing(), moved);
    CHECK(accept_step(plain, datagrams.acceptor, negotiate).empty());
    CHECK(datagrams.acceptor.last.major == GSS_S_DEFECTIVE_TOKEN);
    CHECK(datagrams.acceptor.last.minor == GSS_NTLM_S_WRONG_MESSAGE);
    datagrams.open();
    CHECK((datagrams.acceptor.flags & GSS_NTLM_DATAGRAM_FLAG) != 0);
  }
}

}  // namespace
}  // namespace gssntlm::test
