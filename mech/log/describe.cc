#include "mech/log/describe.h"

#include <array>
#include <cstdio>

#include "mech/base/text.h"
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"

namespace gssntlm {
namespace {

struct FlagName {
  Flags bit;
  std::string_view name;
};
constexpr std::array kFlagNames = {
    FlagName{flag::kUnicode, "UNICODE"},
    FlagName{flag::kOem, "OEM"},
    FlagName{flag::kRequestTarget, "REQUEST_TARGET"},
    FlagName{flag::kSign, "SIGN"},
    FlagName{flag::kSeal, "SEAL"},
    FlagName{flag::kDatagram, "DATAGRAM"},
    FlagName{flag::kLmKey, "LM_KEY"},
    FlagName{flag::kNtlm, "NTLM"},
    FlagName{flag::kAnonymous, "ANONYMOUS"},
    FlagName{flag::kOemDomainSupplied, "OEM_DOMAIN_SUPPLIED"},
    FlagName{flag::kOemWorkstationSupplied, "OEM_WORKSTATION_SUPPLIED"},
    FlagName{flag::kAlwaysSign, "ALWAYS_SIGN"},
    FlagName{flag::kTargetTypeDomain, "TARGET_TYPE_DOMAIN"},
    FlagName{flag::kTargetTypeServer, "TARGET_TYPE_SERVER"},
    FlagName{flag::kEss, "EXTENDED_SESSIONSECURITY"},
    FlagName{flag::kIdentify, "IDENTIFY"},
    FlagName{flag::kNonNtSessionKey, "REQUEST_NON_NT_SESSION_KEY"},
    FlagName{flag::kTargetInfo, "TARGET_INFO"},
    FlagName{flag::kVersion, "VERSION"},
    FlagName{flag::k128, "128"},
    FlagName{flag::kKeyExchange, "KEY_EXCH"},
    FlagName{flag::k56, "56"},
};

void add_name(std::string& to, std::string_view label, ByteView name, bool unicode) {
  to.append(", ").append(label).append(" \"");
  to.append(unicode ? printable_utf16le(name) : printable_utf8(as_text(name)));
  to.append("\"");
}

void add_size(std::string& to, std::string_view label, std::size_t size) {
  to.append(", ").append(label).append(" of ").append(std::to_string(size)).append(" bytes");
}

void add_names_of(std::string& to, const TargetInfo& info) {
  const auto add = [&](std::string_view label, const std::optional<ByteView>& name) {
    if (name) {
      add_name(to, label, *name, true);
    }
  };
  add("NetBIOS computer", info.nb_computer);
  add("NetBIOS domain", info.nb_domain);
  add("DNS computer", info.dns_computer);
  add("DNS domain", info.dns_domain);
  add("DNS forest", info.dns_tree);
  add("target", info.target_name);
}

std::string describe_negotiate(ByteView token, const NegotiateMessage& m) {
  std::string text("NEGOTIATE of ");
  text.append(std::to_string(token.size()))
      .append(" bytes, flags ")
      .append(describe_flags(m.flags));
  if (!m.domain.empty()) {
    add_name(text, "domain", m.domain, false);
  }
  if (!m.workstation.empty()) {
    add_name(text, "workstation", m.workstation, false);
  }
  return text;
}

std::string describe_challenge(ByteView token, const ChallengeMessage& m) {
  std::string text("CHALLENGE of ");
  text.append(std::to_string(token.size()))
      .append(" bytes, flags ")
      .append(describe_flags(m.flags));
  add_name(text, "target name", m.target_name, has(m.flags, flag::kUnicode));
  if (const Result<TargetInfo> info = decode_target_info(m.target_info)) {
    add_names_of(text, *info);
    text.append(info->timestamp ? ", with a timestamp" : ", without a timestamp");
  } else {
    text.append(", no target information");
  }
  return text;
}

std::string describe_authenticate(ByteView token, const AuthenticateMessage& m) {
  const bool unicode = m.flags == 0 || has(m.flags, flag::kUnicode);
  std::string text("AUTHENTICATE of ");
  text.append(std::to_string(token.size()))
      .append(" bytes, flags ")
      .append(describe_flags(m.flags));
  add_name(text, "user", m.user, unicode);
  add_name(text, "domain", m.domain, unicode);
  add_name(text, "workstation", m.workstation, unicode);
  add_size(text, "LM response", m.lm_response.size());
  add_size(text, "NT response", m.nt_response.size());
  add_size(text, "session key", m.session_key.size());
  if (m.v2) {
    add_names_of(text, m.v2->target_info);
    text.append(m.v2->target_info.channel_bindings ? ", with channel bindings"
                                                   : ", without channel bindings");
  }
  return text.append(m.mic_at ? ", with a MIC" : ", without a MIC");
}

std::string describe_malformed(ByteView token, Error error) {
  return "a message of " + std::to_string(token.size()) +
         " bytes: " + std::string(minor_text(static_cast<std::uint32_t>(error.minor)));
}

constexpr std::size_t kMaxParty = 128;

std::string party_text(ByteView name, bool unicode) {
  return unicode ? printable_utf16le(name, kMaxParty) : printable_utf8(as_text(name), kMaxParty);
}

// No name ends its quotation.
std::string quoted(std::string_view name) {
  std::string text("\"");
  for (const char c : name) {
    text.append(c == '"' ? std::string_view("\\x22") : std::string_view(&c, 1));
  }
  return text.append("\"");
}

}  // namespace

std::string_view flag_name(Flags bit) noexcept {
  for (const FlagName& f : kFlagNames) {
    if (f.bit == bit) {
      return f.name;
    }
  }
  return {};
}

std::string describe_flags(Flags flags) {
  char number[12];
  std::snprintf(number, sizeof number, "0x%08x", static_cast<unsigned>(flags));
  std::string text(number);
  for (const FlagName& f : kFlagNames) {
    if (has(flags, f.bit)) {
      text.append(" ").append(f.name);
    }
  }
  return text;
}

std::string describe_client(ByteView authenticate) {
  const Result<AuthenticateMessage> m = decode_authenticate(authenticate);
  if (!m) {
    return "an unknown client";
  }
  const bool unicode = m->flags == 0 || has(m->flags, flag::kUnicode);
  std::string account = party_text(m->user, unicode);
  if (!m->domain.empty()) {
    account.insert(0, party_text(m->domain, unicode) + "\\");
  }
  std::string text = m->is_anonymous() ? "an anonymous client" : quoted(account);
  const std::string workstation = party_text(m->workstation, unicode);
  return workstation.empty() ? text : text + " from " + quoted(workstation);
}

std::string describe_parties(std::string_view account, std::string_view target) {
  return quoted(account) + " to " + quoted(target);
}

std::string describe_message(ByteView token) {
  const Result<MessageType> type = peek_type(token);
  if (!type) {
    return describe_malformed(token, type.error());
  }
  switch (*type) {
    case MessageType::kNegotiate: {
      const auto m = decode_negotiate(token);
      return m ? describe_negotiate(token, *m) : describe_malformed(token, m.error());
    }
    case MessageType::kChallenge: {
      const auto m = decode_challenge(token);
      return m ? describe_challenge(token, *m) : describe_malformed(token, m.error());
    }
    case MessageType::kAuthenticate: {
      const auto m = decode_authenticate(token);
      return m ? describe_authenticate(token, *m) : describe_malformed(token, m.error());
    }
  }
  return describe_malformed(token, defective(Minor::kNotNtlm));
}

}  // namespace gssntlm
