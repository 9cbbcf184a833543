#include "tools/decode/message.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/base/runtime.h"
#include "mech/base/text.h"
#include "mech/log/describe.h"
#include "tools/decode/anatomy.h"
#include "tools/decode/wrapping.h"

namespace gssntlm::tools {
namespace {

std::string state_text(SpnegoToken::State state) {
  constexpr std::string_view kStates[] = {"accept-completed", "accept-incomplete", "reject",
                                          "request-mic"};
  return std::string(kStates[static_cast<std::size_t>(state)]);
}

std::string mechanism_text(ByteView oid) {
  struct Known {
    std::string_view oid;
    std::string_view name;
  };
  constexpr Known kKnown[] = {{GSS_NTLM_MECH_OID_STRING, "NTLM"},
                              {"1.2.840.113554.1.2.2", "Kerberos"},
                              {"1.2.840.48018.1.2.2", "Kerberos, Microsoft's old identifier"},
                              {"1.3.6.1.4.1.311.2.2.30", "NegoEx"}};
  const std::string text = oid_text(oid);
  for (const Known& k : kKnown) {
    if (k.oid == text) {
      return text + " (" + std::string(k.name) + ")";
    }
  }
  return text.empty() ? hex_text(oid) : text;
}

std::size_t offset_in(const Token& t, ByteView part) noexcept {
  return static_cast<std::size_t>(part.data() - t.raw.data());
}

void add_negotiation(Token& t, ByteView part) {
  const SpnegoToken& n = *t.spnego;
  const auto add = [&](ByteView at, const char* name, std::string value, std::string meaning) {
    t.fields.push_back(
        {offset_in(t, at), at.size(), name, std::move(value), std::move(meaning), 0});
  };
  const bool init = n.kind == SpnegoToken::Kind::kInit;
  add(part, "SPNEGO", init ? "NegTokenInit" : "NegTokenResp", "wraps what follows");
  for (const ByteView oid : mechanisms_of(n)) {
    add(oid, "mechType", mechanism_text(oid), "");
  }
  if (n.state) {
    t.fields.push_back({0, 0, "negState", state_text(*n.state), "", 0});
  }
  if (n.chosen) {
    add(*n.chosen, "supportedMech", mechanism_text(*n.chosen), "");
  }
  if (n.hint_name) {
    add(*n.hint_name, "hintName", printable_utf8(as_text(*n.hint_name)), "");
  }
  if (n.mic) {
    add(*n.mic, "mechListMIC", hex_text(*n.mic), "signature of the list of mechanisms");
  }
}

void examine_message(Token& t, const Token* before) {
  const Result<MessageType> type = peek_type(t.ntlm);
  if (!type) {
    add_fault(t, std::string(minor_text(static_cast<std::uint32_t>(type.error().minor))),
              offset_in(t, t.ntlm));
    return;
  }
  t.type = *type;
  add_message_fields(t, before != nullptr && before->challenge && before->oem);
}

// What is in the framing of RFC 2743, CredSSP or LDAP.
ByteView strip_wrappings(Token& t, ByteView part) {
  constexpr int kMostWrappings = 4;
  for (int i = 0; i < kMostWrappings; ++i) {
    const std::optional<Wrapping> w = unwrap(part);
    if (!w) {
      break;
    }
    t.fields.push_back(
        {offset_in(t, part), part.size(), "Wrapping", w->name, "wraps what follows", 0});
    for (const WrappingPart& p : w->parts) {
      t.fields.push_back(
          {offset_in(t, p.bytes), p.bytes.size(), p.name, printable_utf8(p.value), "", 1});
    }
    t.wrapping = w->name;
    t.answer = w->result;
    part = w->inner;
  }
  return part;
}

// A token that is cut, or malformed around its message, may still hold all or most of that.
void examine_malformed(Token& t, ByteView part, const TokenProblem& problem, const Token* before) {
  const std::size_t at = as_text(part).find(std::string_view("NTLMSSP\0", 8));
  const std::size_t claimed = claimed_size(part);
  const std::size_t where = offset_in(t, part) + problem.where;
  if (at == std::string_view::npos && problem.fault == TokenFault::kNotSpnego) {
    t.fault = Fault{"the token is neither NTLM nor SPNEGO; it belongs to another mechanism", where};
    return;
  }
  if (claimed > part.size()) {
    t.fault = Fault{"the token was cut: " + std::to_string(part.size()) + " of its " +
                        std::to_string(claimed) + " bytes are there",
                    t.raw.size()};
  } else {
    t.fault = Fault{
        looks_like_spnego(part) ? "malformed SPNEGO" : "malformed wrapping of CredSSP or LDAP",
        where};
  }
  if (at != std::string_view::npos) {
    t.wrapping = "a malformed token";
    t.fields.push_back({offset_in(t, part), at, "Wrapping", "malformed", "wraps what follows", 0});
    t.ntlm = part.subspan(at);
    examine_message(t, before);
  }
}

// Bytes behind the end of the DER that a token is; those of the token.
ByteView without_trailer(Token& t, ByteView part) {
  const std::size_t claimed = claimed_size(part);
  const bool der = !part.empty() && !starts_ntlm(part) && starts_token(part);
  if (!der || claimed == 0 || claimed >= part.size()) {
    return part;
  }
  const std::size_t behind = part.size() - claimed;
  t.fields.push_back({offset_in(t, part) + claimed, behind, "Trailer",
                      hex_text(part.subspan(claimed, std::min<std::size_t>(behind, 64))),
                      "behind the end of the token", 0});
  t.oddities.push_back(std::to_string(behind) + (behind == 1 ? " byte" : " bytes") +
                       " behind the end of the token");
  return part.first(claimed);
}

void examine_part(Token& t, ByteView part, const Token* before) {
  t.ntlm = {};
  if (part.empty() && !t.wrapping.empty()) {
    return;
  }
  TokenProblem problem;
  if (looks_like_spnego(part) || (!starts_ntlm(part) && starts_token(part))) {
    t.spnego = read_token(part, &problem);
    if (!t.spnego) {
      examine_malformed(t, part, problem, before);
      return;
    }
    add_negotiation(t, part);
    t.wrapping = t.wrapping.empty() ? "SPNEGO" : "SPNEGO in " + t.wrapping;
    part = t.spnego->token.value_or(ByteView());
    if (!starts_ntlm(part)) {
      if (!part.empty()) {
        t.oddities.emplace_back("the token inside is not NTLM's");
      }
      return;
    }
  }
  t.ntlm = part;
  examine_message(t, before);
}

}  // namespace

std::string_view type_name(const Token& token) noexcept {
  if (!token.type) {
    return {};
  }
  return *token.type == MessageType::kNegotiate   ? "NEGOTIATE"
         : *token.type == MessageType::kChallenge ? "CHALLENGE"
                                                  : "AUTHENTICATE";
}

std::string_view av_name(AvId id) noexcept {
  return id == AvId::kEol ? std::string_view("MsvAvEOL") : av_row(id).name;
}

bool is_text_pair(AvId id) noexcept {
  return av_row(id).kind == AvKind::kText;
}

std::string av_value(const AvPair& pair) {
  if (is_text_pair(pair.id)) {
    Result<std::string> text = utf8_from_utf16le(pair.value);
    return text ? std::move(*text) : printable_utf16le(pair.value);
  }
  if (av_row(pair.id).kind == AvKind::kTime && pair.value.size() == 8) {
    return filetime_text(load_le64(pair.value.data()));
  }
  if (av_row(pair.id).kind == AvKind::kFlags && pair.value.size() == 4) {
    return flags_text(load_le32(pair.value.data()));
  }
  return hex_text(pair.value);
}

std::string name_text(const Token& token, ByteView name) {
  if (token.oem) {
    const Result<Bytes> wide = utf16le_from_oem(name, CodePage::k1252);
    Result<std::string> text = wide ? utf8_from_utf16le(*wide) : Result<std::string>(wide.error());
    return text ? std::move(*text) : hex_text(name);
  }
  Result<std::string> text = utf8_from_utf16le(name);
  return text ? std::move(*text) : printable_utf16le(name);
}

std::string filetime_text(std::uint64_t filetime) {
  if (filetime == 0) {
    return "0";
  }
  const auto since = static_cast<std::int64_t>(filetime / kFiletimePerSecond) -
                     static_cast<std::int64_t>(kFiletimeUnixEpoch / kFiletimePerSecond);
  const auto seconds = static_cast<time_t>(since);
  tm utc{};
  if (::gmtime_r(&seconds, &utc) == nullptr) {
    return std::to_string(filetime);
  }
  char text[96];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%07uZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<unsigned>(filetime % kFiletimePerSecond));
  return text;
}

std::string flags_text(Flags flags) {
  char text[12];
  std::snprintf(text, sizeof text, "0x%08x", static_cast<unsigned>(flags));
  return text;
}

std::vector<std::string> flag_names(Flags flags) {
  std::vector<std::string> names;
  for (unsigned bit = 0; bit < 32; ++bit) {
    const Flags one = Flags{1} << bit;
    if (has(flags, one)) {
      const std::string_view name = flag_name(one);
      names.push_back(name.empty() ? flags_text(one) : std::string(name));
    }
  }
  return names;
}

void add_fault(Token& t, std::string text, std::size_t offset) {
  if (t.fault) {
    t.oddities.push_back("malformed at byte " + std::to_string(offset) + ": " + text);
  } else {
    t.fault = Fault{std::move(text), offset};
  }
}

std::string label_text(const Token& t) {
  if (t.type) {
    return std::string(type_name(t));
  }
  return t.spnego ? "SPNEGO alone" : t.wrapping.empty() ? "unknown" : t.wrapping;
}

std::string size_text(const Token& t) {
  const std::string all = std::to_string(t.raw.size()) + " bytes";
  if (t.ntlm.empty() || t.wrapping.empty()) {
    return all;
  }
  return std::to_string(t.ntlm.size()) + " bytes in " + t.wrapping + " (" + all + ")";
}

bool is_from_server(const Token& t) noexcept {
  if (t.from_server) {
    return *t.from_server;
  }
  if (t.type) {
    return *t.type == MessageType::kChallenge;
  }
  const bool answers = t.spnego && (t.spnego->state || t.spnego->hint_name);
  return answers || !t.answer.empty();
}

Token examine(Bytes raw, const Token* before) {
  Token t(std::move(raw));
  examine_part(t, strip_wrappings(t, without_trailer(t, t.raw)), before);
  return t;
}

}  // namespace gssntlm::tools
