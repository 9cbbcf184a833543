// What all commands of the program share: exit statuses, messages, passwords.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mech/base/secret.h"
#include "mech/base/status.h"

namespace gssntlm::tools {

/// Exit statuses, documented in gss-ntlm(1).
enum Exit : int {
  kDone = 0,
  kFailed = 1,    ///< the command failed, or found a fault
  kBadUsage = 2,  ///< the command line is invalid
};

/// `gss-ntlm: TEXT` on standard error; returns kFailed.
int complain(std::string_view text);
/// The same for an error of the mechanism, with its detail.
int complain(Error error);

/// Maximum length of a password in UTF-8; NTLM's own limits are lower.
inline constexpr std::size_t kMaxPassword = 4096;

/// A password from the terminal, without echo, or from standard input up to its first newline, or
/// carriage return and newline, if `from_stdin`. Complains and returns nothing when there is no
/// terminal, it ends, or the password is not usable (not UTF-8, NUL, longer than kMaxPassword).
[[nodiscard]] std::optional<SecretBytes> read_password(const std::string& prompt, bool from_stdin);
/// Asks twice, and again when the two differ, three times at most.
[[nodiscard]] std::optional<SecretBytes> read_new_password(const std::string& prompt,
                                                           bool from_stdin);
/// The NT hash of a usable password.
[[nodiscard]] NtHash hash_password(const SecretBytes& password);

/// The hash that --nt-hash gives in 32 hexadecimal digits, alone or behind `lm:`. Complains and
/// returns nothing when it is none, or that of the empty password.
[[nodiscard]] std::optional<NtHash> nt_hash_option(std::string_view digits);

/// `DOM\user`, `user@domain`, ... into its parts, or nothing with a complaint.
struct Account {
  std::string user;
  std::string domain;
  bool upn = false;  ///< written as user@domain
};
[[nodiscard]] std::optional<Account> parse_account(const std::string& text);

/// Seconds of `90s`, `15m`, `8h`, `2d`; nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_time(std::string_view text);
/// `7 h 59 min`, `45 s`, ...
[[nodiscard]] std::string time_left(std::uint64_t seconds);

/// Standard output is a terminal with colours.
[[nodiscard]] bool wants_colour();

}  // namespace gssntlm::tools
