#include <nlohmann/json.hpp>

#include "mech/log/describe.h"
#include "mech/protocol/logon.h"
#include "tools/decode/output.h"

namespace gssntlm::tools {
namespace {

using Json = nlohmann::ordered_json;

Json version_json(const Version& v) {
  return {{"major", v.major}, {"minor", v.minor}, {"build", v.build}, {"revision", v.revision}};
}

Json pairs_json(ByteView list) {
  Json pairs = Json::array();
  AvReader reader(list);
  while (const std::optional<AvPair> p = reader.next()) {
    pairs.push_back({{"id", static_cast<unsigned>(p->id)},
                     {"name", std::string(av_name(p->id))},
                     {"value", av_value(*p)},
                     {"hex", hex_text(p->value)}});
  }
  return pairs;
}

void add_flags(Json& j, Flags flags) {
  j["flags"] = flags_text(flags);
  j["flag_names"] = flag_names(flags);
}

void add_negotiate(Json& j, const Token& t) {
  const NegotiateMessage& m = *t.negotiate;
  add_flags(j, m.flags);
  j["domain"] = name_text(t, m.domain);
  j["workstation"] = name_text(t, m.workstation);
  if (m.version) {
    j["version"] = version_json(*m.version);
  }
}

void add_challenge(Json& j, const Token& t) {
  const ChallengeMessage& m = *t.challenge;
  add_flags(j, m.flags);
  j["target_name"] = name_text(t, m.target_name);
  j["server_challenge"] = hex_text(m.server_challenge);
  j["target_info"] = pairs_json(m.target_info);
  if (m.version) {
    j["version"] = version_json(*m.version);
  }
}

void add_authenticate(Json& j, const Token& t) {
  const AuthenticateMessage& m = *t.authenticate;
  add_flags(j, m.flags);
  j["domain"] = name_text(t, m.domain);
  j["user"] = name_text(t, m.user);
  j["workstation"] = name_text(t, m.workstation);
  LogonRequest request;
  request.lm_response = m.lm_response;
  request.nt_response = m.nt_response;
  request.flags = m.flags;
  j["response"] =
      std::string(kind_name(m.is_anonymous() ? ResponseKind::kAnonymous : response_kind(request)));
  j["lm_response"] = hex_text(m.lm_response);
  j["nt_response"] = hex_text(m.nt_response);
  j["session_key"] = hex_text(m.session_key);
  if (m.v2) {
    j["nt_proof"] = hex_text(m.nt_response.first(kNtProofSize));
    j["timestamp"] = filetime_text(m.v2->timestamp);
    j["client_challenge"] = hex_text(m.v2->client_challenge);
    j["target_info"] = pairs_json(m.v2->av_pairs);
    if (const auto& target = m.v2->target_info.target_name) {
      j["target_name"] = av_value({AvId::kTargetName, *target});
    }
  }
  if (m.mic_at) {
    j["mic"] = hex_text(t.ntlm.subspan(*m.mic_at, kMicSize));
    j["mic_offset"] = *m.mic_at;
  }
  if (m.version) {
    j["version"] = version_json(*m.version);
  }
}

Json negotiation_json(const SpnegoToken& n) {
  constexpr const char* kStates[] = {"accept-completed", "accept-incomplete", "reject",
                                     "request-mic"};
  Json j = Json::object();
  j["token"] = n.kind == SpnegoToken::Kind::kInit ? "NegTokenInit" : "NegTokenResp";
  if (n.kind == SpnegoToken::Kind::kInit) {
    j["mech_types"] = Json::array();
    for (const ByteView oid : mechanisms_of(n)) {
      j["mech_types"].push_back(oid_text(oid));
    }
  }
  if (n.state) {
    j["state"] = kStates[static_cast<std::size_t>(*n.state)];
  }
  if (n.chosen) {
    j["supported_mech"] = oid_text(*n.chosen);
  }
  if (n.mic) {
    j["mech_list_mic"] = hex_text(*n.mic);
  }
  return j;
}

// In ASCII: the names are the peer's, and may be meant for the terminal.
std::string dump(const Json& j) {
  return j.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace

std::string render_json(const Token& t, const Exchange& exchange, std::size_t number) {
  Json j = Json::object();
  if (t.fault) {
    j["error"] = t.fault->text;
    j["offset"] = t.fault->offset;
  }
  j["exchange"] = number;
  if (!exchange.connection.empty()) {
    j["connection"] = exchange.connection;
    j["from"] = is_from_server(t) ? "server" : "client";
    j["packet"] = t.packet;
  }
  j["message"] = t.type ? Json(std::string(type_name(t))) : Json(nullptr);
  if (t.negotiate) {
    add_negotiate(j, t);
  } else if (t.challenge) {
    add_challenge(j, t);
  } else if (t.authenticate) {
    add_authenticate(j, t);
  }
  for (const std::string& field : t.unreadable) {
    j.erase(field);
  }
  if (!t.unreadable.empty()) {
    j["unreadable"] = t.unreadable;
  }
  if (!t.answer.empty()) {
    j["answer"] = t.answer;
  }
  if (!t.oddities.empty()) {
    j["unusual"] = t.oddities;
  }
  if (!t.wrapping.empty()) {
    j["wrapping"] = t.wrapping;
  }
  if (t.spnego) {
    j["spnego"] = negotiation_json(*t.spnego);
  }
  return dump(j);
}

std::string render_json(const std::vector<Finding>& findings) {
  Json verdict = Json::array();
  for (const Finding& f : findings) {
    const Json good =
        f.verdict == Verdict::kOpen ? Json(nullptr) : Json(f.verdict == Verdict::kGood);
    verdict.push_back({{"part", f.part}, {"good", good}, {"text", f.text}});
  }
  return dump({{"verdict", verdict}});
}

}  // namespace gssntlm::tools
