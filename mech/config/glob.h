// Patterns of target and user names, as they appear in settings and stored logins.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gssntlm {

/// In a pattern, `*` matches any number of characters, `?` exactly one, and any other character
/// itself in either case (NTLM's upper-casing). False if either text is not UTF-8. Throws
/// std::bad_alloc.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

/// Whether `pattern`, such as `HTTP@*.corp.example` or `LDAP/dc1`, matches `target`, which is
/// `svc/host`, `svc@host` or a host. The host may be followed by a port or instance (`:8080`), and
/// then by a service's name or a realm (`/name`, `@REALM`). Each part of the pattern is compared
/// with the same part of the target; a part that the pattern omits matches anything. Throws
/// std::bad_alloc.
[[nodiscard]] bool matches_target(std::string_view pattern, std::string_view target);

/// Whether any of `patterns` matches.
[[nodiscard]] bool matches_any_target(const std::vector<std::string>& patterns,
                                      std::string_view target);
/// The names of an account, as its account source spells them. UTF-8; empty: unknown, or none.
struct AccountSpelling {
  std::string_view user;          ///< may be a UPN if `domain` is empty
  std::string_view domain;        ///< empty: the account may be named with any domain
  std::string_view principal{};   ///< its UPN
  std::string_view dns_domain{};  ///< the domain's DNS name
};
/// Two names of one domain.
using DomainAlias = std::pair<std::string, std::string>;

/// For lists of allowed users: whether any of `patterns` matches `DOM\user`, or `user` for an
/// account without a domain. A pattern without a backslash matches an account of a domain only if
/// one of its `*` matches the domain and the backslash. Throws std::bad_alloc.
[[nodiscard]] bool matches_exactly(const std::vector<std::string>& patterns,
                                   const AccountSpelling& account);
/// For lists of denied users: whether any of `patterns` matches any name under which the account
/// may log in. A pattern without a backslash matches that user of every domain; an account without
/// a domain matches the patterns of every domain; `user@realm` and `realm\user` are the same; a
/// domain's DNS name, its first label, and its `aliases` are the same domain. Throws
/// std::bad_alloc.
[[nodiscard]] bool matches_any_spelling(const std::vector<std::string>& patterns,
                                        const AccountSpelling& account,
                                        const std::vector<DomainAlias>& aliases);

/// The number of characters of a pattern other than `*` and `?`. Of several patterns that match a
/// target, the one with the greatest weight is the best match.
[[nodiscard]] std::size_t pattern_weight(std::string_view pattern) noexcept;

}  // namespace gssntlm
