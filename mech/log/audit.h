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
  std::string_view target;     ///< UTF-8: the initiator's target; ignored for an acceptor
  bool accepted = false;       ///< of an initiator: AUTHENTICATE was made
  unsigned key_bits = 0;       ///< of the session key, when messages are protected; 0: they are not
  bool spnego = false;         ///< SPNEGO has said that it wraps the messages
  bool channel_bound = false;  ///< bindings were compared and agree
  std::string_view account;    ///< UTF-8: the account proven, when accepted
  std::string_view reason;     ///< in words
  std::string_view entry;      ///< attribute::kUsersFileEntry of the account, if it has one
  std::vector<std::string_view> weak;  ///< weaknesses_of() what was agreed, when accepted
  /// UTF-8: what would have rejected it, but for audit_only and target_check = log.
  std::vector<std::string> would_reject;
};

/// Writes the record to the destination in the settings: a file, appended to by one write, or the
/// system's log. Returns what is wrong and the remedy if it could not be written. Throws
/// std::bad_alloc.
[[nodiscard]] std::optional<std::string> write_audit(const Settings& settings,
                                                     const AuditRecord& record);

/// What write_audit() would return now; creates no file. Throws std::bad_alloc.
[[nodiscard]] std::optional<std::string> check_audit(const Settings& settings);

/// The `schema` of the records. It grows when the meaning of a field changes or a field is removed.
inline constexpr unsigned kAuditSchema = 2;

/// The line without its end; docs/audit.md defines its fields. `now` is FILETIME. Throws
/// std::bad_alloc.
[[nodiscard]] std::string audit_line(const AuditRecord& record, std::uint64_t now);

/// A JSON string with its quotes; bytes above 0x7F of text that is not UTF-8 become `?`. What would
/// be invisible or change a terminal is escaped as JSON does it.
[[nodiscard]] std::string json_text(std::string_view utf8);

}  // namespace gssntlm
