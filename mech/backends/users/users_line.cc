#include "mech/backends/users/users_line.h"

#include <algorithm>

namespace gssntlm {
namespace {

constexpr std::size_t kHashDigits = 32;

std::string_view next_field(std::string_view& rest) noexcept {
  const std::size_t colon = rest.find(':');
  const std::string_view field = rest.substr(0, colon);
  rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  return field;
}

bool is_number(std::string_view s) noexcept {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<UsersLine> split_smbpasswd(std::string_view line) noexcept {
  UsersLine l;
  l.form = UsersLine::Form::kSmbpasswd;
  const std::string_view name = next_field(line);
  l.uid = next_field(line);
  l.lm_hash = next_field(line);
  l.nt_hash = next_field(line);
  l.flags = next_field(line);
  l.rest = line;
  const bool shape = is_number(l.uid) && l.lm_hash.size() == kHashDigits &&
                     l.nt_hash.size() == kHashDigits && l.flags.size() >= 2 &&
                     l.flags.front() == '[' && l.flags.back() == ']';
  if (!shape) {
    return std::nullopt;
  }
  const std::size_t slash = name.find('\\');
  l.user = slash == std::string_view::npos ? name : name.substr(slash + 1);
  l.domain = slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
  return l;
}

}  // namespace

Result<UsersLine> split_users_line(std::string_view line) noexcept {
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  if (line.empty() || line.front() == '#') {
    return UsersLine{};
  }
  if (const std::optional<UsersLine> smb = split_smbpasswd(line)) {
    return *smb;
  }
  UsersLine l;
  l.form = UsersLine::Form::kClear;
  l.domain = next_field(line);
  if (line.find(':') == std::string_view::npos) {
    return failure(Minor::kUsersFileLine);
  }
  l.user = next_field(line);
  l.password = line;
  return l;
}

bool flags_allow_logon(std::string_view flags) noexcept {
  return flags.find_first_of("DNL") == std::string_view::npos;
}

}  // namespace gssntlm
