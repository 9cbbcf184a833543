#include "mech/credential/local_user.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <pwd.h>

#include "mech/backends/winbind/winbind_logon.h"
#include "mech/backends/winbind/winbind_names.h"
#include "mech/base/text.h"

namespace gssntlm {
namespace {

struct Account {
  std::string name;
  uid_t uid = 0;
};

// `ask` is getpwnam_r or getpwuid_r with its key.
template <typename Ask>
std::optional<Account> look_up(Ask ask) {
  constexpr std::size_t kMaxText = std::size_t{1} << 20;
  for (std::vector<char> text(1024); text.size() <= kMaxText; text.resize(4 * text.size())) {
    passwd entry{};
    passwd* found = nullptr;
    const int error = ask(&entry, text.data(), text.size(), &found);
    if (error == ERANGE || error == EINTR) {
      continue;
    }
    if (error == ENOMEM) {
      throw std::bad_alloc();
    }
    if (error != 0 || found == nullptr) {
      return std::nullopt;
    }
    return Account{entry.pw_name, entry.pw_uid};
  }
  return std::nullopt;
}

std::optional<Account> account_of(const std::string& name) {
  return look_up([&](passwd* entry, char* text, std::size_t size, passwd** found) {
    return ::getpwnam_r(name.c_str(), entry, text, size, found);
  });
}

std::string lower_ascii(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

bool is_own_domain(const std::string& domain, const Settings& settings) {
  const Result<Bytes> wide = utf16le_from_utf8(domain);
  if (!wide) {
    return false;
  }
  const HostNames& names = settings.names;
  return domain.empty() || equal_ignoring_case(*wide, names.nb_computer) ||
         (!names.domain_member && equal_ignoring_case(*wide, names.nb_domain));
}

// Whether winbind says who it is here: the account that a domain controller named, or one of a
// domain that is not this host's own.
bool is_of_winbind(const Name& name, const Settings& settings) {
  const std::vector<LogonAttribute> attributes = name.attributes();
  const bool named = std::any_of(attributes.begin(), attributes.end(), [](const LogonAttribute& a) {
    return a.name == attribute::kUserSid;
  });
  return named || (!is_own_domain(name.domain_part(), settings) && has_winbind());
}

}  // namespace

Result<std::string> local_user(const Name& name, const Settings& settings) {
  const Error none{Major::kUnavailable, Minor::kNoLocalUser};
  if (name.kind() != NameKind::kUser) {
    return none;
  }
  if (is_of_winbind(name, settings)) {
    Result<std::string> user =
        domain_user_here(name, std::chrono::seconds(settings.winbind_timeout));
    return user || user.error().major != Major::kUnauthorized ? std::move(user) : none;
  }
  const std::string& user = name.user_part();
  const std::string& domain = name.domain_part();
  std::optional<Account> found;
  if (!domain.empty()) {
    found = account_of(domain + "\\" + user);
  }
  if (!found && is_own_domain(domain, settings)) {
    found = account_of(user);
    if (!found) {
      found = account_of(lower_ascii(user));
    }
  }
  return found ? Result<std::string>(std::move(found->name)) : none;
}

Result<std::string> user_of_uid(uid_t uid) {
  std::optional<Account> found =
      look_up([&](passwd* entry, char* text, std::size_t size, passwd** result) {
        return ::getpwuid_r(uid, entry, text, size, result);
      });
  if (!found) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  return std::move(found->name);
}

Result<uid_t> uid_of_user(const std::string& user) {
  const std::optional<Account> found = account_of(user);
  if (!found) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  return found->uid;
}

std::optional<uid_t> uid_from_text(std::string_view digits) noexcept {
  constexpr std::size_t kMaxDigits = 10;
  constexpr auto kNobody = static_cast<uid_t>(-1);
  std::uint64_t uid = 0;
  if (digits.empty() || digits.size() > kMaxDigits) {
    return std::nullopt;
  }
  for (const char c : digits) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    uid = uid * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return uid < kNobody ? std::optional<uid_t>(static_cast<uid_t>(uid)) : std::nullopt;
}

}  // namespace gssntlm
