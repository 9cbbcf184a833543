#include "tools/decode/anatomy.h"

#include <algorithm>
#include <string>

#include "mech/base/text.h"
#include "mech/protocol/logon.h"
#include "tools/decode/repair.h"

namespace gssntlm::tools {
namespace {

// Bytes behind a message that are shown.
constexpr std::size_t kMostTrailer = 64;

bool all_zero(ByteView bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

std::string quoted(const std::string& text) {
  return "\"" + printable_utf8(text) + "\"";
}

class Anatomy {
 public:
  // What there is of `token` so far is what wraps the message.
  explicit Anatomy(Token& token) noexcept
      : t_(token),
        message_(token.ntlm),
        base_(static_cast<std::size_t>(token.ntlm.data() - token.raw.data())),
        first_(token.fields.size()) {}

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
    add_trailer();
    std::stable_sort(first_of_this(), t_.fields.end(),
                     [](const Field& a, const Field& b) { return a.offset < b.offset; });
  }

 private:
  std::vector<Field>::iterator first_of_this() {
    return t_.fields.begin() + static_cast<std::ptrdiff_t>(first_);
  }
  void add(std::size_t at, std::size_t size, std::string name, std::string value,
           std::string meaning, unsigned depth = 0) {
    t_.fields.push_back(
        {base_ + at, size, std::move(name), std::move(value), std::move(meaning), depth});
  }
  void odd(std::string text) { t_.oddities.push_back(std::move(text)); }
  [[nodiscard]] std::size_t offset_of(ByteView part) const noexcept {
    return static_cast<std::size_t>(part.data() - t_.ntlm.data());
  }

  // What no field of the message covers at its end.
  void add_trailer() {
    const std::size_t end = t_.fault ? message_.size() : end_of_fields();
    if (end >= message_.size()) {
      return;
    }
    const std::size_t behind = message_.size() - end;
    add(end, behind, "Trailer", hex_text(message_.subspan(end, std::min(behind, kMostTrailer))),
        "behind the last field");
    odd(std::to_string(behind) + (behind == 1 ? " byte" : " bytes") + " behind the last field");
  }
  // A fixed part without Version and MIC may still be followed by their room.
  [[nodiscard]] std::size_t end_of_fields() const {
    std::size_t end = room_of_fixed_part();
    for (std::size_t i = first_; i < t_.fields.size(); ++i) {
      const Field& f = t_.fields[i];
      end = std::max(end, f.offset - base_ + f.size);
    }
    return end;
  }
  [[nodiscard]] std::size_t room_of_fixed_part() const noexcept {
    switch (*t_.type) {
      case MessageType::kNegotiate:
        return 40;
      case MessageType::kChallenge:
        return 56;
      default:
        return 88;
    }
  }

  // The descriptor of a payload field at `at`; not that of a repaired message.
  void descriptor(std::size_t at, const std::string& name, ByteView payload) {
    if (!fits(message_.size(), at, 8)) {
      return;
    }
    const std::size_t size = load_le16(&message_[at]);
    const std::uint16_t room = load_le16(&message_[at + 2]);
    const std::uint32_t offset = load_le32(&message_[at + 4]);
    std::string meaning = size == 0 ? "empty" : "";
    if (size != payload.size()) {
      meaning = cut_text(size, offset);
    } else if (room != size) {
      meaning = "MaxLen is " + std::to_string(room) + ", which receivers ignore";
    }
    add(at, 8, name + "Fields", std::to_string(size) + " bytes at " + std::to_string(offset),
        meaning);
  }
  // Of a message of which nothing else can be read.
  void list_descriptors() {
    for (const FieldDescriptor& d : descriptors_of(*t_.type)) {
      descriptor(d.at, d.name, {});
    }
  }
  [[nodiscard]] std::string cut_text(std::size_t size, std::size_t offset) const {
    if (!t_.fault) {
      return "not there: the flags do not announce it";
    }
    const std::size_t there = offset < message_.size() ? message_.size() - offset : 0;
    return there < size
               ? "outside of the message: " + std::to_string(there) + " bytes of it are there"
               : "not read: malformed";
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
    const Result<NegotiateMessage> m = decode_or_repair(t_, decode_negotiate);
    if (!m) {
      list_descriptors();
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
      odd("key exchange without signing or sealing, which the specification does not describe");
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
    const Result<ChallengeMessage> m = decode_or_repair(t_, decode_challenge);
    if (!m) {
      list_descriptors();
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
    if (!t_.fault) {
      judge_target_info(m->target_info);
    }
  }

  void judge_target_info(ByteView list) {
    const Result<TargetInfo> info = decode_target_info(list);
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
    const auto decoder = [&](ByteView message) { return decode_authenticate(message, oem_before); };
    const Result<AuthenticateMessage> m = decode_or_repair(t_, decoder);
    if (!m) {
      list_descriptors();
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
    } else if (!t_.fault) {
      odd("no flags: a message of Windows 9x");
    }
    version(64, m->version);
    if (m->mic_at) {
      add(*m->mic_at, kMicSize, "MIC", hex_text(t_.ntlm.subspan(*m->mic_at, kMicSize)),
          "covers all three messages");
    }
    if (!t_.fault) {
      judge(*m);
    }
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
      odd("anonymous: no user is logged in");
      return;
    }
    if (!m.v2) {
      odd(m.nt_response.empty() ? "LM response: its password is found within minutes"
                                : "NTLMv1 response: its hash is found within hours");
    }
    if (!m.mic_at) {
      odd("no MIC: the messages before it may have been changed in transit");
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
  const ByteView message_;  // as it came, also if t_.ntlm is repaired
  const std::size_t base_;
  const std::size_t first_;
};

}  // namespace

void add_message_fields(Token& token, bool oem_before) {
  Anatomy(token).run(oem_before);
}

}  // namespace gssntlm::tools
