#include "mech/config/glob.h"

#include <algorithm>

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

struct Target {
  std::string_view service;
  std::string_view host;
  bool has_service = false;
};

Target split_target(std::string_view text) noexcept {
  const std::size_t at = text.find_first_of("@/");
  if (at == std::string_view::npos) {
    return {{}, text, false};
  }
  return {text.substr(0, at), text.substr(at + 1), true};
}

std::string_view without_port(std::string_view host) noexcept {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) {
    return host;
  }
  const std::string_view port = host.substr(colon + 1);
  const bool digits = !port.empty() && std::all_of(port.begin(), port.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  return digits ? host.substr(0, colon) : host;
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
  if (wanted.has_service && !matches_pattern(wanted.service, given.service)) {
    return false;
  }
  return matches_pattern(wanted.host, given.host) ||
         matches_pattern(wanted.host, without_port(given.host));
}

bool matches_any_target(const std::vector<std::string>& patterns, std::string_view target) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& p) { return matches_target(p, target); });
}

bool matches_any_user(const std::vector<std::string>& patterns, std::string_view user,
                      std::string_view domain) {
  const std::string full =
      domain.empty() ? std::string(user) : std::string(domain).append("\\").append(user);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) {
    const bool with_domain = p.find('\\') != std::string::npos;
    return matches_pattern(p, with_domain ? std::string_view(full) : user);
  });
}

std::size_t pattern_weight(std::string_view pattern) noexcept {
  return static_cast<std::size_t>(
      std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*' && c != '?'; }));
}

}  // namespace gssntlm
