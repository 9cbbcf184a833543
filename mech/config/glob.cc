#include "mech/config/glob.h"

#include <algorithm>
#include <optional>

#include "mech/base/text.h"

namespace gssntlm {
namespace {

// Upper-cased UTF-16 units; empty for what is not UTF-8.
std::u16string folded(std::string_view utf8) {
  Result<Bytes> wide = utf16le_from_utf8(utf8);
  std::u16string out;
  if (!wide) {
    return out;
  }
  upcase_utf16le(*wide);
  out.reserve(wide->size() / 2);
  for (std::size_t i = 0; i + 1 < wide->size(); i += 2) {
    out.push_back(static_cast<char16_t>(load_le16(&(*wide)[i])));
  }
  return out;
}

bool glob(std::u16string_view pattern, std::u16string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::u16string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == u'*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == u'?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::u16string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                     [](char16_t c) { return c == u'*'; });
}

// Two parts of a text, and whether there is a second one.
struct Halves {
  std::string_view first;
  std::optional<std::string_view> second;
};

Halves split_at(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size()) {
    return {text, std::nullopt};
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

// The characters of an IPv6 address, and those of patterns.
bool is_ipv6(std::string_view text) noexcept {
  constexpr std::string_view kCharacters = "0123456789abcdefABCDEF:.*?";
  return text.find(':') != text.rfind(':') &&
         text.find_first_not_of(kCharacters) == std::string_view::npos;
}

// The colon behind a host; npos: none. A bracket that something else follows closes no address.
std::size_t port_colon(std::string_view host) noexcept {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end != std::string_view::npos && host.substr(end + 1).starts_with(':')
               ? end + 1
               : std::string_view::npos;
  }
  return is_ipv6(host) ? std::string_view::npos : host.find(':');
}

struct Target {
  std::optional<std::string_view> service;
  std::string_view host;
  std::optional<std::string_view> port;  // or the name of an instance
  std::optional<std::string_view> rest;  // the service's name or a realm, behind the host
};

Target split_target(std::string_view text) noexcept {
  Target target;
  if (const std::size_t at = text.find_first_of("@/"); at != std::string_view::npos) {
    target.service = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  const Halves outer = split_at(text, text.find_first_of("@/"));
  const Halves inner = split_at(outer.first, port_colon(outer.first));
  target.host = inner.first;
  target.port = inner.second;
  target.rest = outer.second;
  return target;
}

// What a pattern leaves out matches anything.
bool matches_part(const std::optional<std::string_view>& pattern,
                  const std::optional<std::string_view>& given) {
  return !pattern || matches_pattern(*pattern, given.value_or(std::string_view()));
}

// A user and a domain; with a UPN, its realm.
struct Spelling {
  std::string_view user;
  std::string_view domain;
};

std::optional<Spelling> split_upn(std::string_view text) noexcept {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) {
    return std::nullopt;
  }
  return Spelling{text.substr(0, at), text.substr(at + 1)};
}

std::string_view without_dot(std::string_view domain) noexcept {
  return domain.ends_with('.') ? domain.substr(0, domain.size() - 1) : domain;
}

// Of a DNS name, what its NetBIOS name mostly is; empty for others.
std::string_view first_label(std::string_view domain) noexcept {
  const std::size_t dot = domain.find('.');
  return dot == std::string_view::npos ? std::string_view() : domain.substr(0, dot);
}

bool matches_domain(std::string_view pattern, std::string_view domain) {
  pattern = without_dot(pattern);
  domain = without_dot(domain);
  const std::string_view label = first_label(domain);
  const std::string_view wanted = first_label(pattern);
  return matches_pattern(pattern, domain) || (!label.empty() && matches_pattern(pattern, label)) ||
         (!wanted.empty() && matches_pattern(wanted, domain));
}

bool matches_spelling(std::string_view pattern, const Spelling& account) {
  const std::size_t slash = pattern.find('\\');
  if (slash != std::string_view::npos && slash != 0) {
    // Both parts are compared in any case, so that a listed account costs what others cost.
    const bool user = matches_pattern(pattern.substr(slash + 1), account.user);
    const bool domain = matches_domain(pattern.substr(0, slash), account.domain);
    return user && (account.domain.empty() || domain);
  }
  const std::string_view name = slash == 0 ? pattern.substr(1) : pattern;
  if (matches_pattern(name, account.user)) {
    return true;
  }
  const std::optional<Spelling> upn = split_upn(name);
  return upn && matches_pattern(upn->user, account.user) &&
         (account.domain.empty() || matches_domain(upn->domain, account.domain));
}

// All the names that an account may log in under.
std::vector<Spelling> spellings_of(const AccountSpelling& account,
                                   const std::vector<DomainAlias>& aliases) {
  std::vector<Spelling> all{{account.user, account.domain}};
  if (!account.dns_domain.empty()) {
    all.push_back({account.user, account.dns_domain});
  }
  for (const std::string_view text : {account.user, account.principal}) {
    if (const std::optional<Spelling> upn = split_upn(text)) {
      all.push_back(*upn);
    }
  }
  for (std::size_t i = 0, known = all.size(); i < known; ++i) {
    const Spelling spelling = all[i];
    for (const auto& [one, other] : aliases) {
      if (!spelling.domain.empty() && matches_pattern(one, spelling.domain)) {
        all.push_back({spelling.user, other});
      }
      if (!spelling.domain.empty() && matches_pattern(other, spelling.domain)) {
        all.push_back({spelling.user, one});
      }
    }
  }
  return all;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  const std::u16string wide_pattern = folded(pattern);
  const std::u16string wide_text = folded(text);
  if (wide_pattern.empty() != pattern.empty() || wide_text.empty() != text.empty()) {
    return false;
  }
  return glob(wide_pattern, wide_text);
}

bool matches_target(std::string_view pattern, std::string_view target) {
  const Target wanted = split_target(pattern);
  const Target given = split_target(target);
  return matches_part(wanted.service, given.service) && matches_pattern(wanted.host, given.host) &&
         matches_part(wanted.port, given.port) && matches_part(wanted.rest, given.rest);
}

bool matches_any_target(const std::vector<std::string>& patterns, std::string_view target) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& p) { return matches_target(p, target); });
}

bool matches_exactly(const std::vector<std::string>& patterns, const AccountSpelling& account) {
  const std::string full = account.domain.empty()
                               ? std::string(account.user)
                               : std::string(account.domain).append("\\").append(account.user);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    const std::size_t slash = pattern.find('\\');
    if (slash == std::string::npos) {
      return matches_pattern(pattern, full);
    }
    const std::string_view domain = std::string_view(pattern).substr(0, slash);
    return domain.empty() == account.domain.empty() && matches_pattern(domain, account.domain) &&
           matches_pattern(std::string_view(pattern).substr(slash + 1), account.user);
  });
}

bool matches_any_spelling(const std::vector<std::string>& patterns, const AccountSpelling& account,
                          const std::vector<DomainAlias>& aliases) {
  if (patterns.empty()) {
    return false;
  }
  const std::vector<Spelling> spellings = spellings_of(account, aliases);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return std::any_of(spellings.begin(), spellings.end(),
                       [&](const Spelling& s) { return matches_spelling(pattern, s); });
  });
}

std::size_t pattern_weight(std::string_view pattern) noexcept {
  return static_cast<std::size_t>(
      std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*' && c != '?'; }));
}

}  // namespace gssntlm
