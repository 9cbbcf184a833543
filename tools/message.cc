#include "tools/message.h"

#include <cstdio>
#include <ctime>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/base/runtime.h"
#include "mech/base/text.h"
#include "mech/log/describe.h"
#include "tools/anatomy.h"

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

void add_negotiation(Token& t) {
  const SpnegoToken& n = *t.spnego;
  const auto add = [&](ByteView part, const char* name, std::string value, std::string meaning) {
    t.fields.push_back({static_cast<std::size_t>(part.data() - t.raw.data()), part.size(), name,
                        std::move(value), std::move(meaning), 0});
  };
  const bool init = n.kind == SpnegoToken::Kind::kInit;
  t.fields.push_back(
      {0, t.raw.size(), "SPNEGO", init ? "NegTokenInit" : "NegTokenResp", "wraps what follows", 0});
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
    t.fault = Fault{std::string(minor_text(static_cast<std::uint32_t>(type.error().minor))),
                    static_cast<std::size_t>(t.ntlm.data() - t.raw.data())};
    return;
  }
  t.type = *type;
  add_message_fields(t, before != nullptr && before->challenge && before->oem);
}

// CredSSP and LDAP wrap the message in DER of their own, which is not looked into.
bool take_from_other_wrapping(Token& t, std::size_t where) {
  constexpr std::uint8_t kSequence = 0x30;
  constexpr std::uint8_t kInteger = 0x02;
  const std::size_t at = as_text(t.raw).find(std::string_view("NTLMSSP\0", 8));
  const bool other =
      where < t.raw.size() && (t.raw[where] == kSequence || t.raw[where] == kInteger);
  if (!other || at == std::string_view::npos) {
    return false;
  }
  t.ntlm = ByteView(t.raw).subspan(at);
  t.fields.push_back({0, at, "Wrapping", "not SPNEGO", "CredSSP or LDAP, perhaps", 0});
  t.oddities.emplace_back("wrapped in a format other than SPNEGO");
  return true;
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

std::string hex_text(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
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

Token examine(Bytes raw, const Token* before) {
  Token t(std::move(raw));
  const ByteView all(t.raw);
  t.ntlm = all;
  std::size_t where = 0;
  if (looks_like_spnego(all)) {
    TokenProblem problem;
    const std::optional<SpnegoToken> n = read_token(all, &problem);
    where = problem.where;
    if (!n && take_from_other_wrapping(t, where)) {
      examine_message(t, before);
      return t;
    }
    if (!n) {
      t.ntlm = {};
      t.fault = Fault{problem.fault == TokenFault::kNotSpnego
                          ? "the token is neither NTLM nor SPNEGO; it belongs to another mechanism"
                          : "malformed SPNEGO",
                      where};
      return t;
    }
    t.spnego = n;
    t.ntlm = t.spnego->token.value_or(ByteView());
    add_negotiation(t);
    if (t.ntlm.empty() || !as_text(t.ntlm).starts_with("NTLMSSP")) {
      t.ntlm = {};
      if (t.spnego->token && !t.spnego->token->empty()) {
        t.oddities.emplace_back("the token inside is not NTLM's");
      }
      return t;
    }
  }
  examine_message(t, before);
  return t;
}

}  // namespace gssntlm::tools
