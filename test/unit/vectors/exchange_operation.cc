// Whole handshakes from their raw inputs, composed of the code's parts.
#include "mech/crypto/derive.h"
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/support/hex.h"
#include "test/unit/vectors/operations.h"

namespace gssntlm::test {
namespace {

std::string text(const Json& in, const char* name) {
  return in.at(name).get<std::string>();
}
Flags flags(const Json& in, const char* name) {
  return in.at(name).get<Flags>();
}
Version version(const Json& in, const char* name) {
  return wire_detail::read_version(unhex(text(in, name)), 0);
}

Bytes finished(const Result<Buffer>& message) {
  if (!message) {
    throw Mismatch("an encoder refused");
  }
  return Bytes(message->view().begin(), message->view().end());
}

void append_u32(Bytes& list, AvId id, std::uint32_t value) {
  std::array<std::uint8_t, 4> bytes;
  store_le32(bytes.data(), value);
  append_av_pair(list, id, bytes);
}

// The server's pairs without EOL.
Bytes server_pairs(const Json& in) {
  Bytes list;
  for (const Json& pair : in.at("server_av")) {
    const auto value = pair.at(2).get<std::string>();
    append_av_pair(list, static_cast<AvId>(pair.at(0).get<std::uint16_t>()),
                   pair.at(1).get<std::string>() == "text" ? utf16(value) : unhex(value));
  }
  return list;
}

Bytes client_pairs(const Json& in) {
  Bytes list = server_pairs(in);
  if (!in.at("av_flags").is_null()) {
    append_u32(list, AvId::kFlags, flags(in, "av_flags"));
  }
  if (!in.at("single_host").is_null()) {
    append_av_pair(list, AvId::kSingleHost, unhex(text(in, "single_host")));
  }
  if (!in.at("channel_bindings").is_null()) {
    ChannelBindingHash hash{};
    if (text(in, "channel_bindings") != "absent") {
      const Bytes application = unhex(text(in, "channel_bindings"));
      ChannelBindings bindings;
      bindings.application_data = application;
      hash = compute_binding_hash(bindings);
    }
    append_av_pair(list, AvId::kChannelBindings, hash);
  }
  if (!in.at("spn").is_null()) {
    append_av_pair(list, AvId::kTargetName, utf16(text(in, "spn")));
  }
  append_av_pair(list, AvId::kEol, {});
  return list;
}

Bytes make_negotiate(const Json& in) {
  if (has(flags(in, "challenge_flags"), flag::kDatagram)) {
    return {};
  }
  NegotiateMessage message;
  message.flags = flags(in, "negotiate_flags");
  message.version = version(in, "client_version");
  return finished(encode_negotiate(message));
}

Bytes make_challenge(const Json& in) {
  Bytes info;
  if (has(flags(in, "challenge_flags"), flag::kTargetInfo)) {
    info = server_pairs(in);
    append_av_pair(info, AvId::kEol, {});
  }
  const Bytes name = utf16(text(in, "target_name"));
  ChallengeMessage message;
  message.flags = flags(in, "challenge_flags");
  message.server_challenge = unhex<8>(text(in, "server_challenge"));
  message.target_name = name;
  message.target_info = info;
  message.version = version(in, "server_version");
  return finished(encode_challenge(message));
}

struct Responses {
  Bytes lm;
  Bytes nt;
  KeyExchangeKey key;
};

Responses respond_v1(const Json& in) {
  const Flags agreed = flags(in, "authenticate_flags");
  const Nonce server = unhex<8>(text(in, "server_challenge"));
  const NtHash hash = derive_nt_hash(utf16(text(in, "password")));
  Response24 nt = compute_v1_response(hash.view(), server);
  Response24 lm = nt;
  const auto lm_bytes = unhex<16>(in.value("lm_hash", std::string(32, '0')));
  const LmHash lm_hash{std::span<const std::uint8_t, 16>(lm_bytes)};
  if (has(agreed, flag::kEss)) {
    const Nonce client = unhex<8>(text(in, "client_challenge"));
    nt = compute_v1_ess_response(hash, server, client);
    lm = {};
    std::copy(client.begin(), client.end(), lm.begin());
  } else if (!in.value("no_lm_response", true)) {
    lm = compute_v1_response(lm_hash.view(), server);
  }
  return {Bytes(lm.begin(), lm.end()), Bytes(nt.begin(), nt.end()),
          derive_v1_key_exchange_key(agreed, derive_v1_base_key(hash), &lm_hash, lm, server)};
}

Responses respond_v2(const Json& in, Json& out) {
  const Nonce server = unhex<8>(text(in, "server_challenge"));
  const Nonce client = unhex<8>(text(in, "client_challenge"));
  const ResponseKey key = derive_response_key(derive_nt_hash(utf16(text(in, "password"))),
                                              utf16(text(in, "user")), utf16(text(in, "domain")));
  Bytes time = unhex(text(in, "client_time"));
  bool from_server = false;
  for (const Json& pair : in.at("server_av")) {
    if (pair.at(0) == 7) {
      time = unhex(pair.at(2).get<std::string>());
      from_server = true;
    }
  }
  Bytes temp = unhex("0101000000000000");
  append(temp, time);
  append(temp, client);
  append(temp, unhex("00000000"));
  append(temp, client_pairs(in));
  append(temp, unhex("00000000"));
  const V2Proof proof = compute_v2_proof(key, server, temp);
  out["response_key"] = hex(key.view());
  out["nt_proof"] = hex(proof.nt_proof);
  Responses r;
  append(r.nt, proof.nt_proof);
  append(r.nt, temp);
  if (from_server) {
    r.lm.resize(24);
  } else {
    append(r.lm, compute_lmv2_response(key, server, client));
  }
  if (in.value("omit_lm_response", false)) {
    r.lm.clear();
  }
  r.key = KeyExchangeKey(proof.base.view());
  return r;
}

Responses respond(const Json& in, Json& out) {
  const std::string method = text(in, "method");
  if (method == "anonymous") {
    return {unhex("00"), {}, KeyExchangeKey()};
  }
  return method == "v1" ? respond_v1(in) : respond_v2(in, out);
}

Json run_exchange(const Json& in) {
  const Bytes negotiate = make_negotiate(in);
  const Bytes challenge = make_challenge(in);
  Json out = {{"negotiate", hex(negotiate)}, {"challenge", hex(challenge)}};
  const Responses responses = respond(in, out);
  const Flags agreed = flags(in, "authenticate_flags");
  SessionKey exported(responses.key.view());
  std::array<std::uint8_t, 16> wrapped{};
  const bool exchange = has(agreed, flag::kKeyExchange) && has_any(agreed, flag::kProtection);
  if (exchange) {
    const auto random = unhex<16>(text(in, "random_session_key"));
    exported = SessionKey(std::span<const std::uint8_t, 16>(random));
    rc4k(responses.key.view(), exported.view(), wrapped);
  }
  const Bytes domain = utf16(text(in, "domain"));
  const Bytes user = utf16(text(in, "user"));
  const Bytes workstation = utf16(text(in, "workstation"));
  AuthenticateFields fields;
  fields.flags = agreed;
  fields.lm_response = responses.lm;
  fields.nt_response = responses.nt;
  fields.domain = domain;
  fields.user = user;
  fields.workstation = workstation;
  fields.session_key = exchange ? ByteView(wrapped) : ByteView();
  fields.version = version(in, "client_version");
  fields.mic = true;
  Bytes message = finished(encode_authenticate(fields));
  if (in.at("mic").get<bool>()) {
    const Mic mic = compute_mic(exported, negotiate, challenge, message, kMicOffset);
    std::copy(mic.begin(), mic.end(), message.begin() + kMicOffset);
    out["mic"] = hex(mic);
  }
  out["authenticate"] = hex(message);
  out["key_exchange_key"] = hex(responses.key.view());
  out["exported_session_key"] = hex(exported.view());
  out["encrypted_session_key"] = exchange ? hex(wrapped) : "";
  return out;
}

}  // namespace

const Operations& exchange_operations() {
  static const Operations operations = {{"exchange", run_exchange}};
  return operations;
}

}  // namespace gssntlm::test
