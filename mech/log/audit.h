// The audit log: one JSON line for each authentication, for administrators who monitor NTLM.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mech/base/bytes.h"
#include "mech/config/settings.h"
#include "mech/protocol/outcome.h"

namespace gssntlm {

/// One authentication as this side saw it.
struct AuditRecord {
  bool initiator = false;
  /// The AUTHENTICATE message sent or received; empty or malformed when the exchange failed before
  /// it.
  ByteView authenticate;
  std::string_view target;  ///< UTF-8: the initiator's target; ignored for an acceptor
  bool accepted = false;
  bool channel_bound = false;          ///< bindings were compared and agree
  std::string_view account;            ///< UTF-8: the account proven, when accepted
  std::string_view reason;             ///< in words
  std::string_view entry;              ///< attribute::kUsersFileEntry of the account, if it has one
  std::vector<std::string_view> weak;  ///< weaknesses_of() what was agreed, when accepted
};

/// Writes the record to the destination in the settings: a file, appended to by one write, or the
/// system's log. Returns what is wrong and the remedy if it could not be written. Throws
/// std::bad_alloc.
[[nodiscard]] std::optional<std::string> write_audit(const Settings& settings,
                                                     const AuditRecord& record);

/// What write_audit() would return now; creates no file. Throws std::bad_alloc.
[[nodiscard]] std::optional<std::string> check_audit(const Settings& settings);

/// The line without its end: keys time, pid, role, user, domain, workstation, target, version,
/// flags, mic, bindings, account, entry (a number, where the account has several), result, reason,
/// weak (a list, where something is). `now` is FILETIME. Throws std::bad_alloc.
[[nodiscard]] std::string audit_line(const AuditRecord& record, std::uint64_t now);

/// A JSON string with its quotes; bytes above 0x7F of text that is not UTF-8 become `?`.
[[nodiscard]] std::string json_text(std::string_view utf8);

}  // namespace gssntlm
