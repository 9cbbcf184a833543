// Patterns of target and user names, as settings and logins write them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gssntlm {

/// `*` stands for any characters, `?` for one; all others for themselves, without regard to case
/// (NTLM's upper-casing). False for text that is not UTF-8. Throws std::bad_alloc.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

/// A pattern of targets: `HTTP@*.corp.example`, `LDAP/dc1`, or a host alone for any service.
/// `target` is `svc/host`, `svc@host` or any other text, which is then a host. Each part is
/// compared with the pattern's own: behind the host, a port or an instance (`:8080`), and a
/// service's name or a realm
/// (`/name`, `@REALM`), count only if the pattern names one, and are never part of the host. Throws
/// std::bad_alloc.
[[nodiscard]] bool matches_target(std::string_view pattern, std::string_view target);

/// Whether any of `patterns` matches.
[[nodiscard]] bool matches_any_target(const std::vector<std::string>& patterns,
                                      std::string_view target);
/// An account as its source calls it. UTF-8; empty: not known, or none.
struct AccountSpelling {
  std::string_view user;          ///< may be a UPN, where there is no domain
  std::string_view domain;        ///< empty: the account may be named with any domain
  std::string_view principal{};   ///< a UPN beside that
  std::string_view dns_domain{};  ///< another name of the domain
};
/// Two names of one domain.
using DomainAlias = std::pair<std::string, std::string>;

/// For lists of those who are allowed: whether any of `patterns` matches `DOM\user`, or `user` when
/// there is no domain. A pattern without a backslash matches no account of a domain, unless a `*`
/// stands for that too. Throws std::bad_alloc.
[[nodiscard]] bool matches_exactly(const std::vector<std::string>& patterns,
                                   const AccountSpelling& account);
/// For lists of those who are denied: whether any of `patterns` matches some name under which the
/// account may log in. A pattern without a backslash means that user of any domain; an account
/// without a domain is one of each; `user@realm` and `realm\user` are the same; a domain's DNS
/// name, its first label, and its `aliases` are the same domain. Throws std::bad_alloc.
[[nodiscard]] bool matches_any_spelling(const std::vector<std::string>& patterns,
                                        const AccountSpelling& account,
                                        const std::vector<DomainAlias>& aliases);

/// How closely a pattern describes: its characters that stand for themselves. The best match of a
/// target is the one with the most.
[[nodiscard]] std::size_t pattern_weight(std::string_view pattern) noexcept;

}  // namespace gssntlm
