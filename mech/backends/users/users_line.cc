#include "mech/backends/users/users_line.h"

#include <algorithm>

#include "mech/crypto/derive.h"
#include "mech/crypto/hash_text.h"

namespace gssntlm {
namespace {

constexpr std::size_t kHashDigits = 32;
constexpr std::size_t kMaxName = 0xFFFE;  // bytes of UTF-16LE

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

Status read_password(std::string_view utf8, std::optional<CodePage> lm_page, UsersAccount& to) {
  Result<Bytes> wide = utf16le_from_utf8(utf8);
  if (!wide) {
    return failure(Minor::kUsersFileLine);
  }
  const SecretBytes password(std::move(*wide));
  to.nt_hash = derive_nt_hash(password.view());
  if (lm_page) {
    to.lm_hash = lm_hash_of_password(password.view(), *lm_page);
  }
  return {};
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

Result<Bytes> users_name(std::string_view utf8) {
  Result<Bytes> name = utf16le_from_utf8(utf8);
  if (!name || name->size() > kMaxName || !is_clean_name(*name)) {
    return failure(Minor::kUsersFileLine);
  }
  return name;
}

Result<UsersAccount> read_account(const UsersLine& line, std::optional<CodePage> lm_page) {
  Result<Bytes> user = users_name(line.user);
  Result<Bytes> domain = users_name(line.domain);
  if (line.user.empty() || !user || !domain) {
    return failure(Minor::kUsersFileLine);
  }
  UsersAccount account;
  account.user = std::move(*user);
  account.domain = std::move(*domain);
  if (line.form == UsersLine::Form::kSmbpasswd) {
    // Any other text of that length (XXXX..., NO PASSWORD...) means that there is no such hash.
    account.nt_hash = hash_from_hex<NtHash>(line.nt_hash);
    account.lm_hash = hash_from_hex<LmHash>(line.lm_hash);
    account.disabled = !flags_allow_logon(line.flags);
  } else if (Status s = read_password(line.password, lm_page, account); !s) {
    return s.error();
  }
  account.empty_password = account.nt_hash && is_of_empty_password(*account.nt_hash);
  if (account.lm_hash && !account.empty_password && is_of_empty_password(*account.lm_hash)) {
    account.lm_hash.reset();
  }
  return account;
}

}  // namespace gssntlm
