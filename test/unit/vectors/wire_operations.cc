#include "test/support/hex.h"
#include "test/support/text.h"
#include "test/unit/vectors/operations.h"

#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "mech/wire/target_info.h"

namespace gssntlm::test {
namespace {

Bytes bytes(const Json& in, const char* name) {
  return unhex(in.value(name, std::string()));
}

std::optional<Version> version(const Json& in) {
  const Bytes given = bytes(in, "version");
  return given.empty() ? std::nullopt : std::optional(wire_detail::read_version(given, 0));
}

std::string finished(const Result<Buffer>& message) {
  if (!message) {
    throw Mismatch("the encoder refused");
  }
  return hex(message->view());
}

// A text as the flags want it on the wire.
Bytes encoded(const Json& in, const char* name) {
  Bytes text = utf16(in.at(name).get<std::string>());
  if (has(in.at("flags").get<Flags>(), flag::kUnicode)) {
    return text;
  }
  Result<Bytes> oem = oem_from_utf16le(text, CodePage::k437);
  if (!oem) {
    throw Mismatch("a name has no OEM form");
  }
  return std::move(*oem);
}

Json run_av_pairs(const Json& in) {
  Bytes list;
  for (const Json& pair : in.at("pairs")) {
    const auto id = static_cast<AvId>(pair.at(0).get<std::uint16_t>());
    const auto kind = pair.at(1).get<std::string>();
    if (kind == "u32") {
      std::array<std::uint8_t, 4> value;
      store_le32(value.data(), pair.at(2).get<std::uint32_t>());
      append_av_pair(list, id, value);
    } else {
      const auto value = pair.at(2).get<std::string>();
      append_av_pair(list, id, kind == "text" ? utf16(value) : unhex(value));
    }
  }
  append_av_pair(list, AvId::kEol, {});
  const Result<TargetInfo> back = decode_target_info(list);
  if (!back || back->size != list.size()) {
    throw Mismatch("the list does not decode");
  }
  return {{"bytes", hex(list)}};
}

Json run_negotiate(const Json& in) {
  const Bytes domain = bytes(in, "domain_oem");
  const Bytes workstation = bytes(in, "workstation_oem");
  NegotiateMessage message;
  message.flags = in.at("flags").get<Flags>();
  message.domain = domain;
  message.workstation = workstation;
  message.version = version(in);
  return {{"bytes", finished(encode_negotiate(message))}};
}

Json run_challenge(const Json& in) {
  const Bytes name = utf16(in.at("target_name").get<std::string>());
  const Bytes info = bytes(in, "target_info");
  ChallengeMessage message;
  message.flags = in.at("flags").get<Flags>();
  message.server_challenge = unhex<8>(in.at("server_challenge").get<std::string>());
  message.target_name = name;
  message.target_info = info;
  message.version = version(in);
  std::string out = finished(encode_challenge(message));
  if (in.value("empty_target_info_offset_zero", false)) {
    // Those published messages have no offset for what they do not carry; ours do, as
    // [MS-NLMP] 2.2.1.2 asks.
    out.replace(2 * 44, 8, "00000000");
  }
  return {{"bytes", out}};
}

Json run_authenticate(const Json& in) {
  const Bytes lm = bytes(in, "lm_response");
  const Bytes nt = bytes(in, "nt_response");
  const Bytes key = bytes(in, "encrypted_session_key");
  const Bytes domain = encoded(in, "domain");
  const Bytes user = encoded(in, "user");
  const Bytes workstation = encoded(in, "workstation");
  const std::string mic = in.at("mic").get<std::string>();
  AuthenticateFields fields;
  fields.flags = in.at("flags").get<Flags>();
  fields.lm_response = lm;
  fields.nt_response = nt;
  fields.domain = domain;
  fields.user = user;
  fields.workstation = workstation;
  fields.session_key = key;
  fields.version = version(in);
  fields.mic = !mic.empty();
  std::string out = finished(encode_authenticate(fields));
  out.replace(2 * kMicOffset, mic.size(), mic);
  return {{"bytes", out}};
}

Json describe_pairs(ByteView list) {
  Json out = Json::array();
  AvReader pairs(list);
  while (const std::optional<AvPair> pair = pairs.next()) {
    out.push_back({static_cast<std::uint16_t>(pair->id), hex(pair->value)});
  }
  return out;
}

std::string readable(ByteView text, bool unicode) {
  return unicode ? narrow(text) : std::string(as_text(text));
}

Json describe(const NegotiateMessage& m) {
  return {{"type", 1},
          {"flags", m.flags},
          {"domain", readable(m.domain, false)},
          {"workstation", readable(m.workstation, false)}};
}

Json describe(const ChallengeMessage& m) {
  return {{"type", 2},
          {"flags", m.flags},
          {"challenge", hex(m.server_challenge)},
          {"target", readable(m.target_name, has(m.flags, flag::kUnicode))},
          {"av", describe_pairs(m.target_info)}};
}

Json describe(const AuthenticateMessage& m, ByteView token) {
  const bool unicode = has(m.flags, flag::kUnicode);
  Json out = {{"type", 3},
              {"flags", m.flags},
              {"lm", hex(m.lm_response)},
              {"nt", hex(m.nt_response)},
              {"key", hex(m.session_key)},
              {"domain", readable(m.domain, unicode)},
              {"user", readable(m.user, unicode)},
              {"workstation", readable(m.workstation, unicode)},
              {"av", describe_pairs(m.v2 ? m.v2->av_pairs : ByteView())}};
  if (m.mic_at) {
    out["mic"] = hex(token.subspan(*m.mic_at, kMicSize));
  }
  return out;
}

Json refused(Error error) {
  return {{"result", error.major == Major::kDefectiveToken ? "defective_token" : "other"}};
}

// Whatever the type says; the answer for both accept and reject.
Json run_decode(const Json& in) {
  const Bytes token = bytes(in, "token");
  const Result<MessageType> type = peek_type(token);
  if (!type) {
    return refused(type.error());
  }
  switch (*type) {
    case MessageType::kNegotiate: {
      const Result<NegotiateMessage> m = decode_negotiate(token);
      const Status charset = m ? check_charset(m->flags) : Status(m.error());
      return charset ? describe(*m) : refused(charset.error());
    }
    case MessageType::kChallenge: {
      const Result<ChallengeMessage> m = decode_challenge(token);
      const Status charset = m ? check_charset(m->flags) : Status(m.error());
      return charset ? describe(*m) : refused(charset.error());
    }
    case MessageType::kAuthenticate:
      break;
  }
  const Result<AuthenticateMessage> m = decode_authenticate(token);
  return m ? describe(*m, token) : refused(m.error());
}

}  // namespace

const Operations& wire_operations() {
  static const Operations operations = {
      {"av_pairs", run_av_pairs},
      {"negotiate_message", run_negotiate},
      {"challenge_message", run_challenge},
      {"authenticate_message", run_authenticate},
      {"accept", run_decode},
      {"reject", run_decode},
  };
  return operations;
}

}  // namespace gssntlm::test
