// One audit record, as `gss-ntlm report` reads it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gssntlm::tools {

/// The fields of a record that a report counts; empty for one that the record does not have.
struct AuditEntry {
  std::string time;
  std::string role;
  std::string process;
  std::string unit;
  std::string user;
  std::string domain;
  std::string workstation;
  std::string target;
  std::string version;
  std::string bindings;
  std::string account;
  std::string result;
  std::string reason;
  bool mic = false;
  std::vector<std::string> weak;
  std::vector<std::string> would_reject;

  [[nodiscard]] bool succeeded() const noexcept { return result == "accepted" || result == "sent"; }
  [[nodiscard]] bool is_initiator() const noexcept { return role == "initiator"; }
};

/// Reads a line of an audit file or of a log that has the record behind the log's own text. Fields
/// that are not known are skipped; `entry` is reused to save memory. False if there is no record.
/// Throws std::bad_alloc.
[[nodiscard]] bool read_entry(std::string_view line, AuditEntry& entry);

}  // namespace gssntlm::tools
