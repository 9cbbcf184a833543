#include "mech/log/audit.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include <unistd.h>

#include "mech/base/civil_time.h"
#include "mech/base/runtime.h"
#include "mech/base/text.h"
#include "mech/log/describe.h"
#include "mech/os/file.h"
#include "mech/os/own_process.h"
#include "mech/os/system_log.h"
#include "mech/protocol/logon.h"

namespace gssntlm {
namespace {

// Enough for any real name; an attacker's is cut.
constexpr std::size_t kMaxName = 256;

void add_text(std::string& line, std::string_view key, std::string_view value) {
  line.append(",\"").append(key).append("\":").append(json_text(value));
}

template <typename Text>
void add_list(std::string& line, std::string_view key, const std::vector<Text>& values) {
  if (values.empty()) {
    return;
  }
  line.append(",\"").append(key).append("\":[");
  for (const Text& value : values) {
    line.append(json_text(value)).append(&value == &values.back() ? "]" : ",");
  }
}

// What is not known is left out.
void add_known(std::string& line, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    add_text(line, key, value);
  }
}

std::string cut(std::string text) {
  std::size_t size = std::min(text.size(), kMaxName);
  while (size < text.size() && size != 0 &&
         (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    --size;
  }
  return size < text.size() ? text.substr(0, size) + "..." : std::move(text);
}

// As it is: json_text() escapes it.
std::string utf16_text(ByteView name) {
  Result<std::string> text = utf8_from_utf16le(name);
  return text ? cut(std::move(*text)) : printable_utf16le(name, kMaxName);
}

std::string name_text(ByteView name, bool unicode) {
  return unicode ? utf16_text(name) : cut(std::string(as_text(name)));
}

std::string_view bindings_word(const AuthenticateMessage& m, bool channel_bound) noexcept {
  if (channel_bound) {
    return "bound";
  }
  return m.v2 && m.v2->target_info.channel_bindings ? "sent" : "none";
}

void add_message(std::string& line, const AuthenticateMessage& m, const AuditRecord& record) {
  const bool unicode = m.flags == 0 || has(m.flags, flag::kUnicode);
  add_text(line, "user", name_text(m.user, unicode));
  add_text(line, "domain", name_text(m.domain, unicode));
  add_text(line, "workstation", name_text(m.workstation, unicode));
  const bool names_target = m.v2 && m.v2->target_info.target_name;
  add_text(line, "target",
           record.initiator ? cut(std::string(record.target))
           : names_target   ? utf16_text(*m.v2->target_info.target_name)
                            : std::string());
  LogonRequest request;
  request.lm_response = m.lm_response;
  request.nt_response = m.nt_response;
  request.flags = m.flags;
  add_text(
      line, "version",
      m.is_anonymous() ? kind_name(ResponseKind::kAnonymous) : kind_name(response_kind(request)));
  char flags[12];
  std::snprintf(flags, sizeof flags, "0x%08x", static_cast<unsigned>(m.flags));
  add_text(line, "flags", flags);
  line.append(m.mic_at ? ",\"mic\":true" : ",\"mic\":false");
  add_text(line, "bindings", bindings_word(m, record.channel_bound));
}

std::string time_text(std::uint64_t now) {
  const std::uint64_t since = now > kFiletimeUnixEpoch ? now - kFiletimeUnixEpoch : 0;
  const CivilTime utc = utc_of(static_cast<std::int64_t>(since / kFiletimePerSecond));
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", utc.year, utc.month,
                utc.day, utc.hour, utc.minute, utc.second,
                static_cast<unsigned>(since % kFiletimePerSecond / 10));
  return text;
}

std::optional<std::string> problem_of(const Settings& settings, int error) {
  if (error == 0) {
    return std::nullopt;
  }
  const std::string reason = std::strerror(error);
  if (settings.audit == AuditSink::kSyslog) {
    return std::string("the system's log ") + kSystemLog + " takes no audit records: " + reason +
           "; run a log daemon, or set [audit] log = file";
  }
  return "the audit file " + printable_utf8(settings.audit_file) + " cannot be written: " + reason +
         "; let the user of this process append to it, or change [audit] file";
}

std::uint64_t system_time() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return kFiletimeUnixEpoch + static_cast<std::uint64_t>(t.tv_sec) * kFiletimePerSecond +
         static_cast<std::uint64_t>(t.tv_nsec) / 100;
}

// Whether the server accepts what an initiator sent is not known to it.
std::string_view result_of(const AuditRecord& record) noexcept {
  return !record.accepted ? "rejected" : record.initiator ? "sent" : "accepted";
}

void add_escape(std::string& out, unsigned unit) {
  char escape[8];
  std::snprintf(escape, sizeof escape, "\\u%04x", unit);
  out.append(escape);
}

// One character of UTF-8; `unit`: the same in UTF-16, where that is one unit, as it is of all that
// would not be seen. Without a unit the text is not UTF-8.
void add_character(std::string& out, std::string_view character,
                   std::optional<std::uint16_t> unit) {
  const auto c = static_cast<unsigned char>(character.front());
  const bool ascii = c < 0x80;
  if (c == '"' || c == '\\') {
    out.append("\\").append(character);
  } else if (ascii ? c >= ' ' && c != 0x7F : printable_utf8(character) == character) {
    out.append(character);
  } else if (ascii || unit) {
    add_escape(out, ascii ? c : *unit);
  } else {
    out.append("?");
  }
}

}  // namespace

std::string json_text(std::string_view utf8) {
  const Result<Bytes> wide = utf16le_from_utf8(utf8);
  std::string out("\"");
  std::size_t at = 0;
  while (!utf8.empty()) {
    const auto lead = static_cast<unsigned char>(utf8.front());
    const std::size_t size = !wide || lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    add_character(out, utf8.substr(0, size),
                  wide ? std::optional(load_le16(&(*wide)[at])) : std::nullopt);
    utf8.remove_prefix(size);
    at += size == 4 ? 4 : 2;
  }
  return out.append("\"");
}

std::string audit_line(const AuditRecord& record, std::uint64_t now) {
  std::string line("{\"schema\":");
  line.append(std::to_string(kAuditSchema));
  add_text(line, "time", time_text(now));
  line.append(",\"pid\":").append(std::to_string(::getpid()));
  add_known(line, "process", own_executable());
  add_known(line, "unit", own_unit());
  add_text(line, "role", record.initiator ? "initiator" : "acceptor");
  if (const Result<AuthenticateMessage> m = decode_authenticate(record.authenticate)) {
    add_message(line, *m, record);
  } else if (record.initiator) {
    add_text(line, "target", cut(std::string(record.target)));
  }
  if (record.accepted) {
    add_text(line, "account", cut(std::string(record.account)));
    line.append(record.entry.empty() ? "" : ",\"entry\":").append(record.entry);
    line.append(",\"key_bits\":").append(std::to_string(record.key_bits));
  }
  line.append(record.spnego ? ",\"spnego\":true" : "");
  add_text(line, "result", result_of(record));
  add_text(line, "reason", record.reason);
  add_list(line, "weak", record.weak);
  add_list(line, "would_reject", record.would_reject);
  return line.append("}");
}

std::optional<std::string> write_audit(const Settings& settings, const AuditRecord& record) {
  if (settings.audit == AuditSink::kOff) {
    return std::nullopt;
  }
  std::string line = audit_line(record, system_time());
  return problem_of(settings, settings.audit == AuditSink::kSyslog
                                  ? send_to_log(line)
                                  : append_text(settings.audit_file.c_str(), line.append("\n")));
}

std::optional<std::string> check_audit(const Settings& settings) {
  switch (settings.audit) {
    case AuditSink::kFile:
      return problem_of(settings, check_append(settings.audit_file.c_str()));
    case AuditSink::kSyslog:
      return problem_of(settings, check_log());
    case AuditSink::kOff:
      break;
  }
  return std::nullopt;
}

}  // namespace gssntlm
