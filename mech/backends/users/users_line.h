// One line of a users file: which form it has, and its fields.
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
  std::string_view lm_hash;   ///< smbpasswd: 32 characters; not hexadecimal: no such hash
  std::string_view nt_hash;   ///< smbpasswd
  std::string_view flags;     ///< smbpasswd: with its brackets
  std::string_view rest;      ///< smbpasswd: behind the flags and their colon
  std::string_view password;  ///< clear: all behind the second colon, colons too
};

/// Splits a line without its end; a carriage return at its end is left out. Error: kUsersFileLine.
/// Whether the names can be used is not looked at.
[[nodiscard]] Result<UsersLine> split_users_line(std::string_view line) noexcept;

/// The account may log in, as far as smbpasswd flags go: D, N and L forbid it.
[[nodiscard]] bool flags_allow_logon(std::string_view flags) noexcept;

}  // namespace gssntlm
