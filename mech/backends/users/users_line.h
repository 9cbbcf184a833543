// The grammar of a users file's lines, for all readers: forms, fields, names and hashes.
#pragma once

#include <optional>
#include <string_view>

#include "mech/base/secret.h"
#include "mech/base/status.h"
#include "mech/base/text.h"

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

/// Splits a line, given without its newline; a carriage return at its end is ignored. Names and
/// passwords are checked by read_account() only. Error: kUsersFileLine.
[[nodiscard]] Result<UsersLine> split_users_line(std::string_view line) noexcept;

/// Whether the smbpasswd flags permit a logon: D, N and L do not.
[[nodiscard]] bool flags_allow_logon(std::string_view flags) noexcept;

/// The account of a line.
struct UsersAccount {
  Bytes user;    ///< UTF-16LE, not empty
  Bytes domain;  ///< UTF-16LE, may be empty: any domain
  std::optional<NtHash> nt_hash;
  std::optional<LmHash> lm_hash;
  bool disabled = false;
  bool empty_password = false;
};

/// The account of a line that is not kNothing: its password is hashed, or its hashes are decoded.
/// An LM hash of the empty password beside the NT hash of another is none: that is how some
/// programs write that there is no LM hash. With `lm_page` a password in clear text has an LM hash
/// too, through that code page. Error: kUsersFileLine, for an empty user, a name that
/// is no users_name(), and a password that is not UTF-8. Throws std::bad_alloc.
[[nodiscard]] Result<UsersAccount> read_account(const UsersLine& line,
                                                std::optional<CodePage> lm_page = std::nullopt);

/// A name as UTF-16LE. Error: kUsersFileLine: not UTF-8, with control characters, or longer than
/// 32,767 units. Throws std::bad_alloc.
[[nodiscard]] Result<Bytes> users_name(std::string_view utf8);

}  // namespace gssntlm
