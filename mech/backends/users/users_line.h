// Parser of one line of a users file: its form and its fields.
#pragma once

#include <optional>
#include <string_view>

#include "mech/base/status.h"

namespace gssntlm {

/// Fields are views into the line.
struct UsersLine {
  enum class Form {
    kNothing,    ///< empty, or a comment
    kSmbpasswd,  ///< NAME:UID:LMHASH:NTHASH:[FLAGS]:...
    kClear,      ///< DOMAIN:USER:PASSWORD
  };
  Form form = Form::kNothing;
  std::string_view user;
  std::string_view domain;
  std::string_view uid;       ///< smbpasswd
  std::string_view lm_hash;   ///< smbpasswd: 32 characters; if not hexadecimal, there is no LM hash
  std::string_view nt_hash;   ///< smbpasswd
  std::string_view flags;     ///< smbpasswd: with its brackets
  std::string_view rest;      ///< smbpasswd: all after the flags and their colon
  std::string_view password;  ///< clear: all after the second colon, colons included
};

/// Splits a line, given without its newline; a carriage return at its end is ignored. The names are
/// not checked. Error: kUsersFileLine.
[[nodiscard]] Result<UsersLine> split_users_line(std::string_view line) noexcept;

/// Whether the smbpasswd flags permit a logon: D, N and L do not.
[[nodiscard]] bool flags_allow_logon(std::string_view flags) noexcept;

}  // namespace gssntlm
