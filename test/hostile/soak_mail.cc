#include "test/hostile/soak_mail.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace gssntlm::test {
namespace {

using Triple = std::array<gss_iov_buffer_desc, 3>;

Triple list(std::string& header, std::string& aside, std::string& data) {
  return {{{GSS_IOV_BUFFER_TYPE_HEADER, buffer_of(header)},
           {GSS_IOV_BUFFER_TYPE_SIGN_ONLY, buffer_of(aside)},
           {GSS_IOV_BUFFER_TYPE_DATA, buffer_of(data)}}};
}

// A message in two parts, and its MIC.
Triple signed_list(std::string& one, std::string& two, std::string& mic) {
  return {{{GSS_IOV_BUFFER_TYPE_DATA, buffer_of(one)},
           {GSS_IOV_BUFFER_TYPE_SIGN_ONLY, buffer_of(two)},
           {GSS_IOV_BUFFER_TYPE_MIC_TOKEN, buffer_of(mic)}}};
}

Outcome send_iov(End& from, Packet& p, bool seal) {
  std::string header(kSignature, '?');
  std::string data = p.plain;
  Triple iov = list(header, p.aside, data);
  Outcome o;
  o.major = gss_wrap_iov(&o.minor, from.context, seal, GSS_C_QOP_DEFAULT, nullptr, iov.data(), 3);
  p.token = header + data;
  return o;
}

Outcome receive_iov(End& to, const Packet& p, std::string& text) {
  std::string header = p.token.substr(0, kSignature);
  std::string data = p.token.substr(header.size());
  std::string aside = p.aside;
  Triple iov = list(header, aside, data);
  Outcome o;
  o.major = gss_unwrap_iov(&o.minor, to.context, nullptr, nullptr, iov.data(), 3);
  if (!o.ok() && header + data != p.token) {
    throw std::runtime_error("a refused message was changed in place");
  }
  text = data;
  return o;
}

Outcome receive_stream(End& to, const Packet& p, std::string& text) {
  std::string token = p.token;
  std::array<gss_iov_buffer_desc, 2> iov = {
      {{GSS_IOV_BUFFER_TYPE_STREAM, buffer_of(token)}, {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}}}};
  Outcome o;
  o.major = gss_unwrap_iov(&o.minor, to.context, nullptr, nullptr, iov.data(), 2);
  if (o.ok()) {
    text.assign(static_cast<const char*>(iov[1].buffer.value), iov[1].buffer.length);
  }
  return o;
}

Outcome send_aead(End& from, Packet& p, bool seal) {
  gss_buffer_desc aside = buffer_of(p.aside);
  gss_buffer_desc in = buffer_of(p.plain);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  Outcome o;
  o.major =
      gss_wrap_aead(&o.minor, from.context, seal, GSS_C_QOP_DEFAULT, &aside, &in, nullptr, &out);
  p.token = take(out);
  return o;
}

Outcome receive_aead(End& to, const Packet& p, std::string& text) {
  std::string token = p.token;
  std::string beside = p.aside;
  gss_buffer_desc aside = buffer_of(beside);
  gss_buffer_desc in = buffer_of(token);
  gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
  Outcome o;
  o.major = gss_unwrap_aead(&o.minor, to.context, &in, &aside, &out, nullptr, nullptr);
  text = take(out);
  return o;
}

Outcome sign_iov(End& from, Packet& p) {
  std::string one = p.plain.substr(0, p.plain.size() / 2);
  std::string two = p.plain.substr(one.size());
  p.token.assign(kSignature, '?');
  p.aside = p.plain;
  Triple iov = signed_list(one, two, p.token);
  Outcome o;
  o.major = gss_get_mic_iov(&o.minor, from.context, GSS_C_QOP_DEFAULT, iov.data(), 3);
  return o;
}

Outcome verify_iov(End& to, const Packet& p) {
  std::string one = p.aside.substr(0, p.aside.size() / 3);
  std::string two = p.aside.substr(one.size());
  std::string mic = p.token;
  Triple iov = signed_list(one, two, mic);
  Outcome o;
  o.major = gss_verify_mic_iov(&o.minor, to.context, nullptr, iov.data(), 3);
  return o;
}

}  // namespace

Outcome send(End& from, Packet& p, bool seal) {
  switch (p.form) {
    case Form::kIov:
      return send_iov(from, p, seal);
    case Form::kAead:
      return send_aead(from, p, seal);
    case Form::kMic:
      p.aside = p.plain;
      return get_mic(from, p.plain, p.token);
    case Form::kMicIov:
      return sign_iov(from, p);
    case Form::kIovToUnwrap:
      p.aside.clear();
      return send_iov(from, p, seal);
    case Form::kWrap:
    case Form::kStream:
      p.aside.clear();
      break;
  }
  return wrap(from, p.plain, p.token, seal ? 1 : 0);
}

Outcome receive(End& to, const Packet& p, std::string& text) {
  switch (p.form) {
    case Form::kIov:
      return receive_iov(to, p, text);
    case Form::kStream:
      return receive_stream(to, p, text);
    case Form::kAead:
      return receive_aead(to, p, text);
    case Form::kMic:
      text = p.aside;
      return verify_mic(to, p.aside, p.token);
    case Form::kMicIov:
      text = p.aside;
      return verify_iov(to, p);
    case Form::kWrap:
    case Form::kIovToUnwrap:
      break;
  }
  return unwrap(to, p.token, text);
}

}  // namespace gssntlm::test
