// Patterns of target and user names, as settings and logins write them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gssntlm {

/// `*` stands for any characters, `?` for one; all others for themselves, without regard to case
/// (NTLM's upper-casing). False for text that is not UTF-8. Throws std::bad_alloc.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

/// A pattern of targets: `HTTP@*.corp.example`, `LDAP/dc1`, or a host alone for any service. A port
/// behind the target's host counts only if the pattern names one. `target` is `svc/host`,
/// `svc@host` or any other text, which is then a host. Throws std::bad_alloc.
[[nodiscard]] bool matches_target(std::string_view pattern, std::string_view target);

/// Whether any of `patterns` matches.
[[nodiscard]] bool matches_any_target(const std::vector<std::string>& patterns,
                                      std::string_view target);
/// A user as `DOM\user`, or `user` when there is no domain; a pattern without a backslash means
/// that user in any domain.
[[nodiscard]] bool matches_any_user(const std::vector<std::string>& patterns, std::string_view user,
                                    std::string_view domain);

/// How closely a pattern describes: its characters that stand for themselves. The best match of a
/// target is the one with the most.
[[nodiscard]] std::size_t pattern_weight(std::string_view pattern) noexcept;

}  // namespace gssntlm
