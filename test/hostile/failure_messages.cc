// Messages of an established context.
#include "test/hostile/failure_list.h"
#include "test/hostile/failure_operations.h"

namespace gssntlm::test::failure {
namespace {

// On a pair whose key streams have not begun; on_shared_pair() has one where they have.
template <typename Use>
void on_fresh_pair(Trial& t, Use use) {
  Pair pair;
  if (!pair.go(4)) {
    give_up("an established context");
  }
  use(pair);
  t.expect(works(pair), "the context no longer works");
}

std::string wrapped(Pair& pair, const std::string& text) {
  gss_buffer_desc message = view(text);
  Buffer token;
  OM_uint32 minor = 0;
  spi().wrap(&minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, &message, nullptr, &token);
  return token.text();
}

void expect_received(Trial& t, Pair& pair, const std::string& token, const std::string& text) {
  gss_buffer_desc in = view(token);
  Buffer out;
  OM_uint32 minor = 0;
  t.expect(
      spi().unwrap(&minor, pair.acceptor, &in, &out, nullptr, nullptr) == 0 && out.text() == text,
      "the message does not arrive");
}

void wrap(Trial& t, Pair& pair) {
  const std::string text = "wrapped";
  gss_buffer_desc message = view(text);
  Buffer token;
  t.call([&](OM_uint32* minor) {
    return spi().wrap(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, &message, nullptr, &token);
  });
  t.expect_empty(token);
  if (t.ok()) {
    expect_received(t, pair, token.text(), text);
  }
}

void unwrap(Trial& t, Pair& pair) {
  const std::string token = wrapped(pair, "unwrapped");
  gss_buffer_desc in = view(token);
  Buffer out;
  t.call([&](OM_uint32* minor) {
    return spi().unwrap(minor, pair.acceptor, &in, &out, nullptr, nullptr);
  });
  t.expect_empty(out);
  if (!t.ok()) {
    expect_received(t, pair, token, "unwrapped");
  }
}

void get_mic(Trial& t, Pair& pair) {
  const std::string text = "signed";
  gss_buffer_desc message = view(text);
  Buffer token;
  t.call([&](OM_uint32* minor) {
    return spi().get_mic(minor, pair.initiator, GSS_C_QOP_DEFAULT, &message, &token);
  });
  t.expect_empty(token);
  OM_uint32 minor = 0;
  t.expect(!t.ok() || spi().verify_mic(&minor, pair.acceptor, &message, &token, nullptr) == 0,
           "the signature does not verify");
}

void verify_mic(Trial& t, Pair& pair) {
  const std::string text = "verified";
  gss_buffer_desc message = view(text);
  Buffer token;
  OM_uint32 ignored = 0;
  spi().get_mic(&ignored, pair.initiator, GSS_C_QOP_DEFAULT, &message, &token);
  t.call([&](OM_uint32* minor) {
    return spi().verify_mic(minor, pair.acceptor, &message, &token, nullptr);
  });
  t.expect(t.ok() || spi().verify_mic(&ignored, pair.acceptor, &message, &token, nullptr) == 0,
           "the signature no longer verifies");
}

void wrap_iov(Trial& t, Pair& pair) {
  List list(GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE);
  t.call([&](OM_uint32* minor) {
    return spi().wrap_iov(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, nullptr, list.iov,
                          List::kParts + 1);
  });
  t.expect(t.ok() || list.untouched(), "the list was changed");
  if (t.ok()) {
    OM_uint32 minor = 0;
    t.expect(spi().unwrap_iov(&minor, pair.acceptor, nullptr, nullptr, list.iov,
                              List::kParts + 1) == 0 &&
                 list.text == std::string(List::kParts, 'x'),
             "the message does not arrive");
  }
}

void unwrap_iov(Trial& t, Pair& pair) {
  List list(GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE);
  OM_uint32 ignored = 0;
  spi().wrap_iov(&ignored, pair.initiator, 1, GSS_C_QOP_DEFAULT, nullptr, list.iov,
                 List::kParts + 1);
  const std::string sealed = list.text;
  t.call([&](OM_uint32* minor) {
    return spi().unwrap_iov(minor, pair.acceptor, nullptr, nullptr, list.iov, List::kParts + 1);
  });
  t.expect(t.ok() || list.text == sealed, "the message was changed");
  t.expect(t.ok() || spi().unwrap_iov(&ignored, pair.acceptor, nullptr, nullptr, list.iov,
                                      List::kParts + 1) == 0,
           "the message cannot be opened any more");
}

void unwrap_stream(Trial& t, Pair& pair) {
  const std::string token = wrapped(pair, "stream");
  std::string copy = token;
  gss_iov_buffer_desc iov[2] = {};
  iov[0].type = GSS_IOV_BUFFER_TYPE_STREAM;
  iov[0].buffer = view(copy);
  iov[1].type = GSS_IOV_BUFFER_TYPE_DATA | GSS_IOV_BUFFER_FLAG_ALLOCATE;
  t.call([&](OM_uint32* minor) {
    return spi().unwrap_iov(minor, pair.acceptor, nullptr, nullptr, iov, 2);
  });
  t.expect_empty(iov[1].buffer);
  OM_uint32 minor = 0;
  gss_release_iov_buffer(&minor, iov, 2);
  if (!t.ok()) {
    expect_received(t, pair, token, "stream");
  }
}

void get_mic_iov(Trial& t, Pair& pair) {
  List list(GSS_IOV_BUFFER_TYPE_MIC_TOKEN | GSS_IOV_BUFFER_FLAG_ALLOCATE);
  t.call([&](OM_uint32* minor) {
    return spi().get_mic_iov(minor, pair.initiator, GSS_C_QOP_DEFAULT, list.iov, List::kParts + 1);
  });
  t.expect(t.ok() || list.untouched(), "the list was changed");
  OM_uint32 minor = 0;
  t.expect(!t.ok() || spi().verify_mic_iov(&minor, pair.acceptor, nullptr, list.iov,
                                           List::kParts + 1) == 0,
           "the signature does not verify");
}

void verify_mic_iov(Trial& t, Pair& pair) {
  List list(GSS_IOV_BUFFER_TYPE_MIC_TOKEN | GSS_IOV_BUFFER_FLAG_ALLOCATE);
  OM_uint32 ignored = 0;
  spi().get_mic_iov(&ignored, pair.initiator, GSS_C_QOP_DEFAULT, list.iov, List::kParts + 1);
  t.call([&](OM_uint32* minor) {
    return spi().verify_mic_iov(minor, pair.acceptor, nullptr, list.iov, List::kParts + 1);
  });
  t.expect(t.ok() || spi().verify_mic_iov(&ignored, pair.acceptor, nullptr, list.iov,
                                          List::kParts + 1) == 0,
           "the signature no longer verifies");
}

void wrap_aead(Trial& t, Pair& pair) {
  const std::string text = "wrapped";
  gss_buffer_desc message = view(text);
  const std::string header = "associated";
  gss_buffer_desc associated = view(header);
  Buffer token;
  t.call([&](OM_uint32* minor) {
    return spi().wrap_aead(minor, pair.initiator, 1, GSS_C_QOP_DEFAULT, &associated, &message,
                           nullptr, &token);
  });
  t.expect_empty(token);
  Buffer out;
  OM_uint32 minor = 0;
  t.expect(!t.ok() || spi().unwrap_aead(&minor, pair.acceptor, &token, &associated, &out, nullptr,
                                        nullptr) == 0,
           "the message does not arrive");
}

void unwrap_aead(Trial& t, Pair& pair) {
  const std::string token = wrapped(pair, "unwrapped");
  gss_buffer_desc in = view(token);
  Buffer out;
  t.call([&](OM_uint32* minor) {
    return spi().unwrap_aead(minor, pair.acceptor, &in, nullptr, &out, nullptr, nullptr);
  });
  t.expect_empty(out);
  if (!t.ok()) {
    expect_received(t, pair, token, "unwrapped");
  }
}

// Key streams begin again; both ends agree about it.
void reset(Trial& t, Pair& pair) {
  gss_OID_desc oid = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_RESET_CRYPTO_OID_BYTES)};
  std::string sending(4, '\0');
  std::string receiving("\1\0\0\0", 4);
  gss_buffer_desc value = view(sending);
  t.call([&](OM_uint32* minor) {
    return spi().set_sec_context_option(minor, &pair.initiator, &oid, &value);
  });
  if (t.ok()) {
    value = view(receiving);
    OM_uint32 minor = 0;
    spi().set_sec_context_option(&minor, &pair.acceptor, &oid, &value);
  }
}

template <void (*kUse)(Trial&, Pair&)>
void fresh(Trial& t) {
  on_fresh_pair(t, [&](Pair& pair) { kUse(t, pair); });
}
template <void (*kUse)(Trial&, Pair&)>
void shared(Trial& t) {
  on_shared_pair(t, [&](Pair& pair) { kUse(t, pair); });
}

const Operation kMessages[] = {
    {"gss_wrap: first message", fresh<wrap>},
    {"gss_wrap", shared<wrap>},
    {"gss_unwrap: first message", fresh<unwrap>},
    {"gss_unwrap", shared<unwrap>},
    {"gss_get_mic: first message", fresh<get_mic>},
    {"gss_get_mic", shared<get_mic>},
    {"gss_verify_mic: first message", fresh<verify_mic>},
    {"gss_verify_mic", shared<verify_mic>},
    {"gss_wrap_iov: first message", fresh<wrap_iov>},
    {"gss_wrap_iov", shared<wrap_iov>},
    {"gss_unwrap_iov: first message", fresh<unwrap_iov>},
    {"gss_unwrap_iov", shared<unwrap_iov>},
    {"gss_unwrap_iov: stream", shared<unwrap_stream>},
    {"gss_get_mic_iov: first message", fresh<get_mic_iov>},
    {"gss_get_mic_iov", shared<get_mic_iov>},
    {"gss_verify_mic_iov: first message", fresh<verify_mic_iov>},
    {"gss_verify_mic_iov", shared<verify_mic_iov>},
    {"gss_wrap_aead", shared<wrap_aead>},
    {"gss_unwrap_aead", shared<unwrap_aead>},
    {"gss_set_sec_context_option: reset before the first message", fresh<reset>},
    {"gss_set_sec_context_option: reset", shared<reset>},
};

}  // namespace

std::span<const Operation> message_operations() {
  return kMessages;
}

}  // namespace gssntlm::test::failure
