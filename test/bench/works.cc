#include "test/bench/works.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

namespace gssntlm::bench {
namespace {

gss_OID_desc ntlm_oid = {10, const_cast<char*>("\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a")};
gss_OID_desc spnego_oid = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

gss_OID oid_of(Mech mech) noexcept {
  return mech == Mech::kSpnego ? &spnego_oid : &ntlm_oid;
}

void need(const char* what, OM_uint32 major, OM_uint32 minor) {
  if (GSS_ERROR(major) == 0) {
    return;
  }
  OM_uint32 ignored = 0;
  OM_uint32 more = 0;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  gss_display_status(&ignored, minor, GSS_C_MECH_CODE, &ntlm_oid, &more, &text);
  std::fprintf(stderr, "%s: major 0x%x, minor %u: %.*s\n", what, major, minor,
               static_cast<int>(text.length), static_cast<const char*>(text.value));
  std::exit(1);
}

gss_buffer_desc buffer_of(const std::string& s) noexcept {
  return {s.size(), const_cast<char*>(s.data())};
}

std::array<gss_iov_buffer_desc, 4> vectors_of(std::string& message, std::string& header) {
  std::array<gss_iov_buffer_desc, 4> v{};
  v[0].type = GSS_IOV_BUFFER_TYPE_HEADER;
  v[0].buffer = buffer_of(header);
  v[1].type = GSS_IOV_BUFFER_TYPE_DATA;
  v[1].buffer = buffer_of(message);
  v[2].type = GSS_IOV_BUFFER_TYPE_PADDING;
  v[3].type = GSS_IOV_BUFFER_TYPE_TRAILER;
  return v;
}

}  // namespace

double now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Pair::Pair(Pair&& other) noexcept
    : initiator(std::exchange(other.initiator, GSS_C_NO_CONTEXT)),
      acceptor(std::exchange(other.acceptor, GSS_C_NO_CONTEXT)) {}

void Pair::close() noexcept {
  OM_uint32 minor = 0;
  gss_delete_sec_context(&minor, &initiator, GSS_C_NO_BUFFER);
  gss_delete_sec_context(&minor, &acceptor, GSS_C_NO_BUFFER);
}

Token::Token(Token&& other) noexcept
    : buffer_(std::exchange(other.buffer_, gss_buffer_desc(GSS_C_EMPTY_BUFFER))) {}

Token::~Token() {
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &buffer_);
}

Imported::Imported(const char* text, gss_OID type) {
  OM_uint32 minor = 0;
  gss_buffer_desc buffer = {std::strlen(text), const_cast<char*>(text)};
  need("gss_import_name", gss_import_name(&minor, &buffer, type, &name_), minor);
}

Imported::~Imported() {
  OM_uint32 minor = 0;
  gss_release_name(&minor, &name_);
}

gss_cred_id_t acquire(Mech mech, gss_cred_usage_t usage, gss_name_t user, const char* password) {
  OM_uint32 minor = 0;
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  gss_OID_set_desc set = {1, oid_of(mech)};
  if (password != nullptr) {
    gss_buffer_desc secret = {std::strlen(password), const_cast<char*>(password)};
    need("gss_acquire_cred_with_password",
         gss_acquire_cred_with_password(&minor, user, &secret, GSS_C_INDEFINITE, &set, usage, &cred,
                                        nullptr, nullptr),
         minor);
  } else {
    need("gss_acquire_cred",
         gss_acquire_cred(&minor, user, GSS_C_INDEFINITE, &set, usage, &cred, nullptr, nullptr),
         minor);
  }
  if (mech == Mech::kSpnego) {
    gss_OID_set_desc ntlm = {1, &ntlm_oid};
    need("gss_set_neg_mechs", gss_set_neg_mechs(&minor, cred, &ntlm), minor);
  }
  return cred;
}

void release(gss_cred_id_t cred) noexcept {
  OM_uint32 minor = 0;
  gss_release_cred(&minor, &cred);
}

Works::Works(Mech mech, const char* user, const char* password)
    : mech_(mech),
      target_("HTTP@server.example", GSS_C_NT_HOSTBASED_SERVICE),
      initiate_(acquire(mech, GSS_C_INITIATE, Imported(user, GSS_C_NT_USER_NAME).get(), password)),
      accept_(acquire(mech, GSS_C_ACCEPT)) {}

Works::~Works() {
  OM_uint32 minor = 0;
  gss_release_cred(&minor, &initiate_);
  gss_release_cred(&minor, &accept_);
}

void Works::handshake(Pair& pair, double* acceptor_seconds) const {
  constexpr OM_uint32 kFlags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG |
                               GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
  gss_buffer_desc to_initiator = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc to_acceptor = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  OM_uint32 ignored = 0;
  OM_uint32 initiator = GSS_S_CONTINUE_NEEDED;
  OM_uint32 acceptor = GSS_S_CONTINUE_NEEDED;
  while (initiator == GSS_S_CONTINUE_NEEDED || acceptor == GSS_S_CONTINUE_NEEDED) {
    if (initiator == GSS_S_CONTINUE_NEEDED) {
      initiator = gss_init_sec_context(&minor, initiate_, &pair.initiator, target_.get(),
                                       oid_of(mech_), kFlags, 0, GSS_C_NO_CHANNEL_BINDINGS,
                                       &to_initiator, nullptr, &to_acceptor, nullptr, nullptr);
      gss_release_buffer(&ignored, &to_initiator);
      need("gss_init_sec_context", initiator, minor);
    }
    if (acceptor == GSS_S_CONTINUE_NEEDED && to_acceptor.length != 0) {
      gss_name_t source = GSS_C_NO_NAME;
      const double begin = acceptor_seconds != nullptr ? now() : 0;
      acceptor = gss_accept_sec_context(&minor, &pair.acceptor, accept_, &to_acceptor,
                                        GSS_C_NO_CHANNEL_BINDINGS, &source, nullptr, &to_initiator,
                                        nullptr, nullptr, nullptr);
      if (acceptor_seconds != nullptr) {
        *acceptor_seconds += now() - begin;
      }
      gss_release_buffer(&ignored, &to_acceptor);
      gss_release_name(&ignored, &source);
      need("gss_accept_sec_context", acceptor, minor);
    }
  }
}

void wrap(gss_ctx_id_t from, const std::string& message, Token& token) {
  OM_uint32 minor = 0;
  gss_buffer_desc in = buffer_of(message);
  need("gss_wrap", gss_wrap(&minor, from, 1, GSS_C_QOP_DEFAULT, &in, nullptr, token.get()), minor);
}

void unwrap(gss_ctx_id_t to, Token& token, Token& message) {
  OM_uint32 minor = 0;
  need("gss_unwrap", gss_unwrap(&minor, to, token.get(), message.get(), nullptr, nullptr), minor);
}

void get_mic(gss_ctx_id_t from, const std::string& message, Token& token) {
  OM_uint32 minor = 0;
  gss_buffer_desc in = buffer_of(message);
  need("gss_get_mic", gss_get_mic(&minor, from, GSS_C_QOP_DEFAULT, &in, token.get()), minor);
}

void verify_mic(gss_ctx_id_t to, const std::string& message, Token& token) {
  OM_uint32 minor = 0;
  gss_buffer_desc in = buffer_of(message);
  need("gss_verify_mic", gss_verify_mic(&minor, to, &in, token.get(), nullptr), minor);
}

bool wrap_iov(gss_ctx_id_t from, std::string& message, std::string& header) {
  OM_uint32 minor = 0;
  int sealed = 0;
  auto v = vectors_of(message, header);
  const OM_uint32 major = gss_wrap_iov(&minor, from, 1, GSS_C_QOP_DEFAULT, &sealed, v.data(),
                                       static_cast<int>(v.size()));
  if (GSS_ROUTINE_ERROR(major) == GSS_S_UNAVAILABLE) {
    return false;
  }
  need("gss_wrap_iov", major, minor);
  return true;
}

void unwrap_iov(gss_ctx_id_t to, std::string& message, std::string& header) {
  OM_uint32 minor = 0;
  int sealed = 0;
  auto v = vectors_of(message, header);
  need("gss_unwrap_iov",
       gss_unwrap_iov(&minor, to, &sealed, nullptr, v.data(), static_cast<int>(v.size())), minor);
}

}  // namespace gssntlm::bench
