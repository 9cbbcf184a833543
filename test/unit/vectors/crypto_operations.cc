#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/crypto/seal.h"
#include "mech/protocol/signature.h"
#include "test/support/hex.h"
#include "test/unit/vectors/operations.h"

namespace gssntlm::test {
namespace {

Bytes bytes(const Json& in, const char* name) {
  return unhex(in.at(name).get<std::string>());
}
template <std::size_t N>
std::array<std::uint8_t, N> bytes(const Json& in, const char* name) {
  return unhex<N>(in.at(name).get<std::string>());
}
Bytes text(const Json& in, const char* name) {
  return utf16(in.at(name).get<std::string>());
}
template <typename T>
T secret(const Json& in, const char* name) {
  return T(std::span<const std::uint8_t, T::kSize>(bytes<T::kSize>(in, name)));
}
Flags flags(const Json& in) {
  return in.at("flags").get<Flags>();
}

Json run_md4(const Json& in) {
  Digest out;
  hash_md4(bytes(in, "msg"), out);
  return {{"digest", hex(out)}};
}

Json run_md5(const Json& in) {
  Digest out;
  hash_md5({bytes(in, "msg")}, out);
  return {{"digest", hex(out)}};
}

// RFC 2104: a shorter key counts as filled up with zeros, one longer than a block as its MD5.
Json run_hmac_md5(const Json& in) {
  Bytes given = bytes(in, "key");
  Digest key{};
  if (given.size() > 64) {
    hash_md5({given}, key);
  } else {
    std::copy_n(given.begin(), std::min(given.size(), key.size()), key.begin());
  }
  Digest out;
  HmacMd5(key).mac({bytes(in, "msg")}, out);
  return {{"mac", hex(out)}};
}

Json run_crc32(const Json& in) {
  const std::uint32_t value = crc32(bytes(in, "msg"));
  std::array<std::uint8_t, 4> wire;
  store_le32(wire.data(), value);
  const std::array<std::uint8_t, 4> number = {wire[3], wire[2], wire[1], wire[0]};
  return {{"value", hex(number)}, {"wire", hex(wire)}};
}

Json run_rc4(const Json& in) {
  Arcfour stream(bytes(in, "key"));
  Bytes skipped(in.value("skip", std::size_t{0}));
  stream.crypt(skipped.data(), skipped.data(), skipped.size());
  Bytes out = bytes(in, "msg");
  stream.crypt(out.data(), out.data(), out.size());
  return {{"out", hex(out)}};
}

Json run_des56(const Json& in) {
  std::array<std::uint8_t, 8> out;
  des56(bytes<7>(in, "key7"), bytes<8>(in, "block"), out);
  return {{"out", hex(out)}};
}

Json run_desl(const Json& in) {
  Response24 out;
  desl(bytes<16>(in, "key"), bytes<8>(in, "block"), out);
  return {{"out", hex(out)}};
}

Json run_upcase(const Json& in) {
  Bytes upper = text(in, "text");
  const std::string plain = hex(upper);
  upcase_utf16le(upper);
  return {{"utf16le", plain}, {"upper_utf16le", hex(upper)}};
}

Json run_ntowfv1(const Json& in) {
  return {{"key", hex(derive_nt_hash(text(in, "password")).view())}};
}

Json run_lmowfv1(const Json& in) {
  const LmHash hash = derive_lm_hash(bytes(in, "oem_upper"));
  const auto key = hash.view();
  return {{"first", hex(key.first(8))}, {"second", hex(key.last(8))}, {"key", hex(key)}};
}

Json run_ntowfv2(const Json& in) {
  const NtHash hash = derive_nt_hash(text(in, "password"));
  const Bytes user = text(in, "user");
  const Bytes domain = text(in, "domain");
  Bytes hashed = user;
  upcase_utf16le(hashed);
  append(hashed, domain);
  return {{"hashed_name", hex(hashed)},
          {"key", hex(derive_response_key(hash, user, domain).view())}};
}

Json run_session_base_key_v1(const Json& in) {
  return {{"key", hex(derive_v1_base_key(secret<NtHash>(in, "nt_hash")).view())}};
}

Json run_response_v1(const Json& in) {
  const NtHash hash = secret<NtHash>(in, "nt_hash");
  const Nonce server = bytes<8>(in, "server_challenge");
  if (has(flags(in), flag::kEss)) {
    const Nonce client = bytes<8>(in, "client_challenge");
    Response24 lm{};
    std::copy(client.begin(), client.end(), lm.begin());
    return {{"nt_response", hex(compute_v1_ess_response(hash, server, client))},
            {"lm_response", hex(lm)}};
  }
  const Response24 nt = compute_v1_response(hash.view(), server);
  const bool no_lm = in.at("no_lm_response").get<bool>();
  const Response24 lm = no_lm ? nt : compute_v1_response(bytes<16>(in, "lm_hash"), server);
  return {{"nt_response", hex(nt)}, {"lm_response", hex(lm)}};
}

Json run_kxkey_v1(const Json& in) {
  const bool has_lm = in.contains("lm_hash");
  const LmHash lm = has_lm ? secret<LmHash>(in, "lm_hash") : LmHash();
  const Nonce server = in.contains("server_challenge") ? bytes<8>(in, "server_challenge") : Nonce{};
  const SessionBaseKey base = secret<SessionBaseKey>(in, "session_base_key");
  const KeyExchangeKey key = derive_v1_key_exchange_key(flags(in), base, has_lm ? &lm : nullptr,
                                                        bytes<24>(in, "lm_response"), server);
  return {{"key", hex(key.view())}};
}

Json run_response_v2(const Json& in) {
  const ResponseKey key = secret<ResponseKey>(in, "response_key");
  const Nonce server = bytes<8>(in, "server_challenge");
  const Nonce client = bytes<8>(in, "client_challenge");
  Bytes temp = unhex("0101000000000000");
  append(temp, bytes<8>(in, "time"));
  append(temp, client);
  append(temp, unhex("00000000"));
  append(temp, bytes(in, "av_pairs"));
  append(temp, unhex("00000000"));
  const V2Proof proof = compute_v2_proof(key, server, temp);
  return {{"temp", hex(temp)},
          {"nt_proof", hex(proof.nt_proof)},
          {"nt_response", hex(proof.nt_proof) + hex(temp)},
          {"lm_response", hex(compute_lmv2_response(key, server, client))},
          {"session_base_key", hex(proof.base.view())}};
}

Json run_lmv2_session_key(const Json& in) {
  const ResponseKey key = secret<ResponseKey>(in, "response_key");
  Digest out;
  HmacMd5(key.view()).mac({ByteView(bytes<24>(in, "lm_response")).first(16)}, out);
  return {{"key", hex(out)}};
}

Json run_rc4k(const Json& in) {
  Digest out;
  rc4k(bytes<16>(in, "key"), bytes<16>(in, "msg"), out);
  return {{"out", hex(out)}};
}

Json run_signkey(const Json& in) {
  if (!has(flags(in), flag::kEss)) {
    return {{"client", ""}, {"server", ""}};  // there is none, and nothing that asks for one
  }
  const SessionKey key = secret<SessionKey>(in, "key");
  return {{"client", hex(derive_signing_key(key, Side::kClient).view())},
          {"server", hex(derive_signing_key(key, Side::kServer).view())}};
}

Json run_sealkey(const Json& in) {
  const SessionKey key = secret<SessionKey>(in, "key");
  return {{"client", hex(SealingKey(flags(in), key, Side::kClient).view())},
          {"server", hex(SealingKey(flags(in), key, Side::kServer).view())}};
}

Json run_datagram_key(const Json& in) {
  return {
      {"key",
       hex(derive_message_key(bytes(in, "seal_key"), in.at("seq").get<std::uint32_t>()).view())}};
}

// What the session code makes of the message, data first.
std::string protect_without_ess(const Json& in, Bytes& data) {
  Arcfour stream(bytes(in, "seal_key"));
  const MessagePart part{data.data(), data.data(), data.size()};
  Signature signature{};
  protect_message({stream, nullptr, true}, {&part, 1}, in.at("seq").get<std::uint32_t>(),
                  signature);
  return hex(signature);
}

Json run_mac_without_ess(const Json& in) {
  Arcfour stream(bytes(in, "seal_key"));
  Bytes data = bytes(in, "msg");
  std::array<std::uint8_t, 12> tail{};
  store_le32(&tail[4], crc32(data));
  const std::string crc = hex(ByteView(tail).subspan(4, 4));
  const std::string signature = protect_without_ess(in, data);
  Bytes skipped(data.size());
  stream.crypt(skipped.data(), skipped.data(), skipped.size());
  stream.crypt(tail.data(), tail.data(), tail.size());
  const std::string pad = hex(ByteView(tail).first(4));
  const std::string checksum = hex(ByteView(tail).subspan(4, 4));
  const std::string seq_stream = hex(ByteView(tail).last(4));
  store_le32(&tail[8], load_le32(&tail[8]) ^ in.at("seq").get<std::uint32_t>());
  const std::string seq_xor = hex(ByteView(tail).last(4));
  return {{"data", hex(data)},
          {"crc", crc},
          {"random_pad", pad},
          {"checksum", checksum},
          {"seq_stream", seq_stream},
          {"seq_xor", seq_xor},
          {"signature_pad_kept", "01000000" + pad + checksum + seq_xor},
          {"signature_pad_zeroed", signature}};
}

Json run_mac_with_ess(const Json& in) {
  const HmacMd5 key(bytes<16>(in, "sign_key"));
  const Bytes sealing = bytes(in, "seal_key");
  const auto sequence = in.at("seq").get<std::uint32_t>();
  const Bytes clear = bytes(in, "msg");
  Bytes data(clear.size());
  const auto checksum = [&](bool encrypt) {
    Arcfour stream(sealing);
    SealPass pass(key, stream, sequence);
    pass.seal(clear.data(), data.data(), clear.size());
    return hex(pass.finish(encrypt));
  };
  std::array<std::uint8_t, 4> wire_sequence;
  store_le32(wire_sequence.data(), sequence);
  const std::string wire = checksum(in.at("key_exch").get<bool>());
  return {{"data", hex(data)},
          {"hmac8", checksum(false)},
          {"checksum", wire},
          {"signature", "01000000" + wire + hex(wire_sequence)}};
}

Json run_channel_bindings(const Json& in) {
  const auto optional_bytes = [&](const char* name) {
    return in.contains(name) ? bytes(in, name) : Bytes();
  };
  const Bytes initiator = optional_bytes("initiator");
  const Bytes acceptor = optional_bytes("acceptor");
  const Bytes application = bytes(in, "application_data");
  ChannelBindings bindings;
  bindings.initiator_type = in.value("initiator_type", 0u);
  bindings.initiator = initiator;
  bindings.acceptor_type = in.value("acceptor_type", 0u);
  bindings.acceptor = acceptor;
  bindings.application_data = application;
  return {{"md5", hex(compute_binding_hash(bindings))}};
}

Json run_mic(const Json& in) {
  const SessionKey key = secret<SessionKey>(in, "exported_session_key");
  return {{"mic",
           hex(compute_mic(key, bytes(in, "negotiate"), bytes(in, "challenge"),
                           bytes(in, "authenticate"), in.value("mic_offset", std::size_t{72})))}};
}

}  // namespace

const Operations& crypto_operations() {
  static const Operations operations = {
      {"md4", run_md4},
      {"md5", run_md5},
      {"hmac_md5", run_hmac_md5},
      {"crc32", run_crc32},
      {"rc4", run_rc4},
      {"des56", run_des56},
      {"desl", run_desl},
      {"upcase", run_upcase},
      {"ntowfv1", run_ntowfv1},
      {"lmowfv1", run_lmowfv1},
      {"ntowfv2", run_ntowfv2},
      {"session_base_key_v1", run_session_base_key_v1},
      {"response_v1", run_response_v1},
      {"kxkey_v1", run_kxkey_v1},
      {"response_v2", run_response_v2},
      {"lmv2_session_key", run_lmv2_session_key},
      {"rc4k", run_rc4k},
      {"signkey", run_signkey},
      {"sealkey", run_sealkey},
      {"datagram_key", run_datagram_key},
      {"mac_without_ess", run_mac_without_ess},
      {"mac_with_ess", run_mac_with_ess},
      {"channel_bindings", run_channel_bindings},
      {"mic", run_mic},
  };
  return operations;
}

}  // namespace gssntlm::test
