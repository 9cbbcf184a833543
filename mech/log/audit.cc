#include "mech/log/audit.h"

#include <cstdio>
#include <cstring>

#include <unistd.h>

#include "mech/base/civil_time.h"
#include "mech/base/runtime.h"
#include "mech/base/text.h"
#include "mech/log/describe.h"
#include "mech/os/file.h"
#include "mech/os/system_log.h"
#include "mech/protocol/logon.h"

namespace gssntlm {
namespace {

// Enough for any real name; an attacker's is cut.
constexpr std::size_t kMaxName = 256;

void add_text(std::string& line, std::string_view key, std::string_view value) {
  line.append(",\"").append(key).append("\":").append(json_text(value));
}

void add_list(std::string& line, std::string_view key,
              const std::vector<std::string_view>& values) {
  if (values.empty()) {
    return;
  }
  line.append(",\"").append(key).append("\":[");
  for (const std::string_view value : values) {
    line.append(json_text(value)).append(value.data() == values.back().data() ? "]" : ",");
  }
}

std::string name_text(ByteView name, bool unicode) {
  return unicode ? printable_utf16le(name, kMaxName) : printable_utf8(as_text(name), kMaxName);
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
           record.initiator ? printable_utf8(record.target, kMaxName)
           : names_target   ? printable_utf16le(*m.v2->target_info.target_name, kMaxName)
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

}  // namespace

std::string json_text(std::string_view utf8) {
  std::string clean(utf8);
  if (!utf16le_from_utf8(utf8)) {
    for (char& c : clean) {
      c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
    }
  }
  std::string out("\"");
  for (const char c : clean) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out.append(escape);
    } else {
      out.push_back(c);
    }
  }
  return out.append("\"");
}

std::string audit_line(const AuditRecord& record, std::uint64_t now) {
  std::string line("{\"time\":");
  line.append(json_text(time_text(now)));
  line.append(",\"pid\":").append(std::to_string(::getpid()));
  add_text(line, "role", record.initiator ? "initiator" : "acceptor");
  if (const Result<AuthenticateMessage> m = decode_authenticate(record.authenticate)) {
    add_message(line, *m, record);
  } else if (record.initiator) {
    add_text(line, "target", printable_utf8(record.target, kMaxName));
  }
  if (record.accepted) {
    add_text(line, "account", printable_utf8(record.account, kMaxName));
    line.append(record.entry.empty() ? "" : ",\"entry\":").append(record.entry);
  }
  add_text(line, "result", record.accepted ? "accepted" : "rejected");
  add_text(line, "reason", record.reason);
  add_list(line, "weak", record.weak);
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
