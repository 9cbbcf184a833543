#include "tools/message.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "mech/account/describe.h"
#include "mech/base/environment.h"
#include "mech/base/text.h"
#include "mech/protocol/logon.h"

namespace gssntlm::tools {
namespace {

constexpr std::string_view kAvNames[] = {
    "MsvAvEOL",           "MsvAvNbComputerName", "MsvAvNbDomainName",   "MsvAvDnsComputerName",
    "MsvAvDnsDomainName", "MsvAvDnsTreeName",    "MsvAvFlags",          "MsvAvTimestamp",
    "MsvAvSingleHost",    "MsvAvTargetName",     "MsvAvChannelBindings"};

bool all_zero(ByteView bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

std::string quoted(const std::string& text) {
  return "\"" + printable_utf8(text) + "\"";
}

bool is_text_pair(AvId id) noexcept {
  return (id >= AvId::kNbComputerName && id <= AvId::kDnsTreeName) || id == AvId::kTargetName;
}

// Adds fields of one NTLM message to a token.
class Anatomy {
 public:
  explicit Anatomy(Token& token) noexcept : t_(token) {}

  void run(bool oem_before) {
    add(0, 8, "Signature", "NTLMSSP", "");
    add(8, 4, "MessageType", std::to_string(static_cast<unsigned>(*t_.type)),
        std::string(type_name(t_)));
    switch (*t_.type) {
      case MessageType::kNegotiate:
        negotiate();
        break;
      case MessageType::kChallenge:
        challenge();
        break;
      case MessageType::kAuthenticate:
        authenticate(oem_before);
        break;
    }
    std::stable_sort(first_of_this(), t_.fields.end(),
                     [](const Field& a, const Field& b) { return a.offset < b.offset; });
  }
  void start_at(std::size_t first_field) noexcept { first_ = first_field; }

 private:
  std::vector<Field>::iterator first_of_this() {
    return t_.fields.begin() + static_cast<std::ptrdiff_t>(first_);
  }
  [[nodiscard]] std::size_t base() const noexcept {
    return static_cast<std::size_t>(t_.ntlm.data() - t_.raw.data());
  }
  void add(std::size_t at, std::size_t size, std::string name, std::string value,
           std::string meaning, unsigned depth = 0) {
    t_.fields.push_back(
        {base() + at, size, std::move(name), std::move(value), std::move(meaning), depth});
  }
  void odd(std::string text) { t_.oddities.push_back(std::move(text)); }
  void fault(Error error, std::size_t at) {
    t_.fault = Fault{std::string(minor_text(static_cast<std::uint32_t>(error.minor))), base() + at};
  }
  [[nodiscard]] std::size_t offset_of(ByteView part) const noexcept {
    return static_cast<std::size_t>(part.data() - t_.ntlm.data());
  }

  // The descriptor of a payload field at `at`.
  void descriptor(std::size_t at, const std::string& name, ByteView payload) {
    const std::uint16_t room = load_le16(&t_.ntlm[at + 2]);
    const std::uint32_t offset = load_le32(&t_.ntlm[at + 4]);
    std::string meaning = payload.empty() ? "empty" : "";
    if (room != payload.size()) {
      meaning = "MaxLen is " + std::to_string(room) + ", which nobody looks at";
    }
    add(at, 8, name + "Fields",
        std::to_string(payload.size()) + " bytes at " + std::to_string(offset), meaning);
  }
  void name_field(std::size_t at, const std::string& name, ByteView payload) {
    descriptor(at, name, payload);
    if (!payload.empty()) {
      add(offset_of(payload), payload.size(), name, quoted(name_text(t_, payload)), "");
    }
  }
  void flags(std::size_t at, Flags value) {
    std::string names;
    for (const std::string& n : flag_names(value)) {
      names.append(names.empty() ? "" : " ").append(n);
    }
    add(at, 4, "NegotiateFlags", flags_text(value), names);
  }
  void version(std::size_t at, const std::optional<Version>& v) {
    if (!v) {
      return;
    }
    add(at, kVersionSize, "Version",
        std::to_string(v->major) + "." + std::to_string(v->minor) + " build " +
            std::to_string(v->build),
        "NTLM revision " + std::to_string(v->revision) + "; for debugging only");
  }

  // Where the first field that points outside has its descriptor; else the start.
  [[nodiscard]] std::size_t bad_descriptor(std::initializer_list<std::size_t> places) const {
    for (const std::size_t at : places) {
      if (fits(t_.ntlm.size(), at, 8) &&
          !fits(t_.ntlm.size(), load_le32(&t_.ntlm[at + 4]), load_le16(&t_.ntlm[at]))) {
        return at;
      }
    }
    return t_.ntlm.size() < 32 ? t_.ntlm.size() : 0;
  }

  void weak_flags(Flags f) {
    if (!has(f, flag::kEss)) {
      odd("no extended session security: signatures are weak");
    }
    if (has_any(f, flag::kProtection) && key_bits(f) < 128) {
      odd("session keys of " + std::to_string(key_bits(f)) + " bits only");
    }
    if (has(f, flag::kLmKey)) {
      odd("LM session key");
    }
    if (!has(f, flag::kUnicode)) {
      odd("no Unicode: names are in an OEM code page, shown here as CP1252");
    }
  }

  void negotiate() {
    const Result<NegotiateMessage> m = decode_negotiate(t_.ntlm);
    if (!m) {
      fault(m.error(), bad_descriptor({16, 24}));
      return;
    }
    t_.negotiate = *m;
    t_.oem = true;
    flags(12, m->flags);
    if (t_.ntlm.size() >= 32) {
      name_field(16, "DomainName", m->domain);
      name_field(24, "Workstation", m->workstation);
    }
    version(32, m->version);
    const Flags f = m->flags;
    weak_flags(f);
    if (has(f, flag::kKeyExchange) && !has_any(f, flag::kProtection)) {
      odd("key exchange without signing or sealing, which the specification does not know");
    }
  }

  void pair(std::size_t at, const AvPair& p) {
    const std::string_view known = av_name(p.id);
    const std::string name = known.empty() ? "AvPair " + std::to_string(static_cast<unsigned>(p.id))
                                           : std::string(known);
    const std::string value = av_value(p);
    std::string meaning;
    if (p.id == AvId::kFlags && p.value.size() == 4) {
      const std::uint32_t f = load_le32(p.value.data());
      meaning.append((f & av_flag::kConstrained) != 0 ? "constrained account " : "");
      meaning.append((f & av_flag::kMicPresent) != 0 ? "a MIC is present " : "");
      meaning.append(
          (f & av_flag::kUntrustedTargetName) != 0 ? "target name from an untrusted source" : "");
    } else if (p.id == AvId::kChannelBindings && all_zero(p.value)) {
      meaning = "zero: no channel bindings";
    } else if (known.empty()) {
      meaning = "unknown";
    }
    add(at, p.value.size() + 4, name, is_text_pair(p.id) ? quoted(value) : value, meaning, 1);
  }
  void pairs(ByteView list) {
    AvReader reader(list);
    std::size_t at = offset_of(list);
    while (const std::optional<AvPair> p = reader.next()) {
      pair(at, *p);
      at += p->value.size() + 4;
    }
    if (reader.finished()) {
      add(at, 4, "MsvAvEOL", "", "end of the list", 1);
    }
  }

  void challenge() {
    const Result<ChallengeMessage> m = decode_challenge(t_.ntlm);
    if (!m) {
      fault(m.error(), bad_descriptor({12, 40}));
      return;
    }
    t_.challenge = *m;
    t_.oem = !has(m->flags, flag::kUnicode);
    name_field(12, "TargetName", m->target_name);
    flags(20, m->flags);
    add(24, 8, "ServerChallenge", hex_text(m->server_challenge), "");
    if (t_.ntlm.size() >= 48 && offset_past(m->target_name, 48)) {
      add(32, 8, "Reserved", hex_text(t_.ntlm.subspan(32, 8)), "");
      descriptor(40, "TargetInfo", m->target_info);
    }
    if (!m->target_info.empty()) {
      add(offset_of(m->target_info), m->target_info.size(), "TargetInfo", "", "what follows");
      pairs(m->target_info);
    }
    version(48, m->version);
    weak_flags(m->flags);
    const Result<TargetInfo> info = decode_target_info(m->target_info);
    if (!info) {
      odd("no target information: clients can answer with NTLMv1 only");
    } else if (!info->timestamp) {
      odd("no timestamp: clients need send no MIC");
    }
    if (info && info->flags) {
      odd("MsvAvFlags from a server, which clients must not copy");
    }
    if (info && (info->channel_bindings || info->target_name)) {
      odd("channel bindings or a target name planted by the server: an attack on clients that copy "
          "them");
    }
  }
  [[nodiscard]] bool offset_past(ByteView payload, std::size_t at) const noexcept {
    return payload.empty() || offset_of(payload) >= at;
  }

  void blob(const AuthenticateMessage& m) {
    const std::size_t at = offset_of(m.nt_response);
    const V2ClientChallenge& c = *m.v2;
    add(at, 16, "NTProofStr", hex_text(m.nt_response.first(kNtProofSize)), "proves the password",
        1);
    add(at + 16, 8, "RespType", "1, 1", "", 1);
    add(at + 24, 8, "TimeStamp", filetime_text(c.timestamp), "the client's, or the server's own",
        1);
    add(at + 32, 8, "ClientChallenge", hex_text(c.client_challenge), "", 1);
    pairs(c.av_pairs);
  }

  void authenticate(bool oem_before) {
    Result<AuthenticateMessage> m = decode_authenticate(t_.ntlm, oem_before);
    if (!m) {
      fault(m.error(), m.error().minor == Minor::kOutside || m.error().minor == Minor::kTruncated
                           ? bad_descriptor({12, 20, 28, 36, 44, 52})
                           : 0);
      return;
    }
    t_.authenticate = *m;
    t_.oem = oem_before || (m->flags != 0 && !has(m->flags, flag::kUnicode));
    responses(*m);
    name_field(28, "DomainName", m->domain);
    name_field(36, "UserName", m->user);
    name_field(44, "Workstation", m->workstation);
    if (m->flags != 0) {
      descriptor(52, "EncryptedRandomSessionKey", m->session_key);
      if (!m->session_key.empty()) {
        add(offset_of(m->session_key), m->session_key.size(), "EncryptedRandomSessionKey",
            hex_text(m->session_key), "session key, encrypted with one from the password");
      }
      flags(60, m->flags);
      weak_flags(m->flags);
    } else {
      odd("no flags: a message of Windows 9x");
    }
    version(64, m->version);
    if (m->mic_at) {
      add(*m->mic_at, kMicSize, "MIC", hex_text(t_.ntlm.subspan(*m->mic_at, kMicSize)),
          "covers all three messages");
    }
    judge(*m);
  }

  void responses(const AuthenticateMessage& m) {
    descriptor(12, "LmChallengeResponse", m.lm_response);
    if (!m.lm_response.empty()) {
      add(offset_of(m.lm_response), m.lm_response.size(), "LmChallengeResponse",
          hex_text(m.lm_response), all_zero(m.lm_response) ? "zeros: not used" : "");
    }
    descriptor(20, "NtChallengeResponse", m.nt_response);
    if (!m.nt_response.empty()) {
      LogonRequest request;
      request.lm_response = m.lm_response;
      request.nt_response = m.nt_response;
      request.flags = m.flags;
      add(offset_of(m.nt_response), m.nt_response.size(), "NtChallengeResponse",
          m.v2 ? "" : hex_text(m.nt_response), std::string(kind_name(response_kind(request))));
    }
    if (m.v2) {
      blob(m);
    }
  }

  void judge(const AuthenticateMessage& m) {
    if (m.is_anonymous()) {
      odd("anonymous: nobody is logged in");
      return;
    }
    if (!m.v2) {
      odd(m.nt_response.empty() ? "LM response: its password is found within minutes"
                                : "NTLMv1 response: its hash is found within hours");
    }
    if (!m.mic_at) {
      odd("no MIC: the messages before it may have been changed on their way");
    }
    if (m.v2) {
      const std::optional<ByteView> bindings = m.v2->target_info.channel_bindings;
      if (!bindings || all_zero(*bindings)) {
        odd("no channel bindings: over TLS it may be relayed");
      }
      if (!m.v2->target_info.target_name || m.v2->target_info.target_name->empty()) {
        odd("no target name: it does not say which service it is for");
      }
      if (!all_zero(m.lm_response)) {
        odd("an LM response beside NTLMv2: a second, weaker proof");
      }
    }
    if (has(m.flags, flag::kKeyExchange) && !has_any(m.flags, flag::kProtection)) {
      odd("key exchange without signing or sealing: its MIC does not verify elsewhere");
    }
  }

  Token& t_;
  std::size_t first_ = 0;
};

std::string state_text(Negotiation::State state) {
  constexpr std::string_view kStates[] = {"accept-completed", "accept-incomplete", "reject",
                                          "request-mic"};
  return std::string(kStates[static_cast<std::size_t>(state)]);
}

std::string mechanism_text(ByteView oid) {
  struct Known {
    std::string_view oid;
    std::string_view name;
  };
  constexpr Known kKnown[] = {{"1.3.6.1.4.1.311.2.2.10", "NTLM"},
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
  const Negotiation& n = *t.spnego;
  const auto add = [&](ByteView part, const char* name, std::string value, std::string meaning) {
    t.fields.push_back({static_cast<std::size_t>(part.data() - t.raw.data()), part.size(), name,
                        std::move(value), std::move(meaning), 0});
  };
  const bool init = n.kind == Negotiation::Kind::kInit;
  t.fields.push_back(
      {0, t.raw.size(), "SPNEGO", init ? "NegTokenInit" : "NegTokenResp", "wraps what follows", 0});
  for (const ByteView oid : n.mechanisms) {
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
  Anatomy anatomy(t);
  anatomy.start_at(t.fields.size());
  anatomy.run(before != nullptr && before->challenge && before->oem);
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
  t.oddities.emplace_back("wrapped in something other than SPNEGO");
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
  const auto number = static_cast<std::size_t>(id);
  return number < std::size(kAvNames) ? kAvNames[number] : std::string_view();
}

std::string av_value(const AvPair& pair) {
  if (is_text_pair(pair.id)) {
    Result<std::string> text = utf8_from_utf16le(pair.value);
    return text ? std::move(*text) : printable_utf16le(pair.value);
  }
  if (pair.id == AvId::kTimestamp && pair.value.size() == 8) {
    return filetime_text(load_le64(pair.value.data()));
  }
  if (pair.id == AvId::kFlags && pair.value.size() == 4) {
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
  if (looks_like_negotiation(all)) {
    Result<Negotiation> n = decode_negotiation(all, &where);
    if (!n && take_from_other_wrapping(t, where)) {
      examine_message(t, before);
      return t;
    }
    if (!n) {
      t.ntlm = {};
      t.fault = Fault{n.error().minor == Minor::kNotNtlm
                          ? "the token is neither NTLM nor SPNEGO: it is another mechanism's"
                          : "malformed SPNEGO",
                      where};
      return t;
    }
    t.spnego = std::move(*n);
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
