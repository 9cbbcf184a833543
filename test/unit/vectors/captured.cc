#include "test/unit/vectors/captured.h"

#include <cstdlib>
#include <fstream>

#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm::test {
namespace {

const char* name_of(AvId id) {
  switch (id) {
    case AvId::kEol:
      return "MsvAvEOL";
    case AvId::kNbComputerName:
      return "MsvAvNbComputerName";
    case AvId::kNbDomainName:
      return "MsvAvNbDomainName";
    case AvId::kDnsComputerName:
      return "MsvAvDnsComputerName";
    case AvId::kDnsDomainName:
      return "MsvAvDnsDomainName";
    case AvId::kDnsTreeName:
      return "MsvAvDnsTreeName";
    case AvId::kFlags:
      return "MsvAvFlags";
    case AvId::kTimestamp:
      return "MsvAvTimestamp";
    case AvId::kSingleHost:
      return "MsvAvSingleHost";
    case AvId::kTargetName:
      return "MsvAvTargetName";
    case AvId::kChannelBindings:
      return "MsvAvChannelBindings";
  }
  return "unknown";
}

bool is_text(AvId id) {
  return (id >= AvId::kNbComputerName && id <= AvId::kDnsTreeName) || id == AvId::kTargetName;
}

Json describe_pairs(ByteView list) {
  Json out = Json::array();
  AvReader pairs(list);
  while (const std::optional<AvPair> pair = pairs.next()) {
    Json item = {{"id", static_cast<unsigned>(pair->id)},
                 {"name", name_of(pair->id)},
                 {"hex", hex(pair->value)}};
    if (is_text(pair->id)) {
      item["text"] = narrow(pair->value);
    }
    out.push_back(std::move(item));
  }
  return out;
}

// One byte, one character, as the document has OEM texts.
std::string latin1(ByteView text) {
  std::string out;
  for (const std::uint8_t byte : text) {
    if (byte >= 0x80) {
      out += static_cast<char>(0xC0 | byte >> 6);
    }
    out += static_cast<char>(byte < 0x80 ? byte : 0x80 | (byte & 0x3F));
  }
  return out;
}

std::string readable(ByteView text, bool unicode) {
  return unicode ? narrow(text) : latin1(text);
}

Json start(unsigned type, Flags flags, const std::optional<Version>& version) {
  std::array<std::uint8_t, 4> big;
  for (unsigned i = 0; i < 4; ++i) {
    big[i] = static_cast<std::uint8_t>(flags >> (24 - 8 * i));
  }
  Json out = {{"type", type}, {"flags", "0x" + hex(big)}};
  if (version) {
    out["version"] = {{"major", version->major},
                      {"minor", version->minor},
                      {"build", version->build},
                      {"revision", version->revision}};
  }
  return out;
}

Json describe(const NegotiateMessage& m) {
  Json out = start(1, m.flags, m.version);
  if (has(m.flags, flag::kOemDomainSupplied)) {
    out["domain"] = latin1(m.domain);
  }
  if (has(m.flags, flag::kOemWorkstationSupplied)) {
    out["workstation"] = latin1(m.workstation);
  }
  return out;
}

Json describe(const ChallengeMessage& m) {
  Json out = start(2, m.flags, m.version);
  out["server_challenge"] = hex(m.server_challenge);
  out["target_name"] = readable(m.target_name, has(m.flags, flag::kUnicode));
  if (!m.target_info.empty()) {
    out["target_info"] = describe_pairs(m.target_info);
    const std::size_t used = decode_target_info(m.target_info)->size;
    if (used != m.target_info.size()) {
      out["target_info_trailing"] = hex(m.target_info.subspan(used));
    }
  }
  return out;
}

Json describe(const AuthenticateMessage& m, ByteView token) {
  Json out = start(3, m.flags, m.version);
  const bool unicode = has(m.flags, flag::kUnicode);
  out["domain"] = readable(m.domain, unicode);
  out["user"] = readable(m.user, unicode);
  out["workstation"] = readable(m.workstation, unicode);
  out["lm_response"] = hex(m.lm_response);
  out["nt_response"] = hex(m.nt_response);
  out["encrypted_session_key"] = hex(m.session_key);
  out["response"] = describe_response(m);
  if (m.v2) {
    out["nt_proof"] = hex(m.nt_response.first(kNtProofSize));
    out["timestamp"] = m.v2->timestamp;
    out["client_challenge"] = hex(m.v2->client_challenge);
    out["av_pairs"] = describe_pairs(m.v2->av_pairs);
  }
  if (m.mic_at) {
    out["mic_offset"] = *m.mic_at;
    out["mic"] = hex(token.subspan(*m.mic_at, kMicSize));
  }
  return out;
}

}  // namespace

std::string captured_path() {
  const char* directory = std::getenv("GSS_NTLM_VECTORS");
  return std::string(directory != nullptr ? directory : GSSNTLM_TEST_CAPTURED_DIR) +
         "/captured.json";
}

const Json& captured() {
  static const Json doc =
      std::ifstream(captured_path()).good() ? load_json(captured_path()) : Json();
  return doc;
}

std::string describe_response(const AuthenticateMessage& m) {
  if (m.v2) {
    return "NTLMv2";
  }
  if (m.nt_response.empty()) {
    return "none";
  }
  const auto is_zero = [](ByteView bytes) {
    return hex(bytes).find_first_not_of('0') == std::string::npos;
  };
  const ByteView lm = m.lm_response;
  return lm.size() == 24 && is_zero(lm.subspan(8)) && !is_zero(lm.first(8)) ? "NTLM2 session"
                                                                            : "NTLMv1";
}

Json describe_message(ByteView token) {
  const Result<MessageType> type = peek_type(token);
  if (!type) {
    return {};
  }
  if (*type == MessageType::kNegotiate) {
    const Result<NegotiateMessage> m = decode_negotiate(token);
    return m ? describe(*m) : Json();
  }
  if (*type == MessageType::kChallenge) {
    const Result<ChallengeMessage> m = decode_challenge(token);
    return m ? describe(*m) : Json();
  }
  const Result<AuthenticateMessage> m = decode_authenticate(token);
  return m ? describe(*m, token) : Json();
}

}  // namespace gssntlm::test
