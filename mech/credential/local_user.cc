#include "mech/credential/local_user.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "mech/backends/backends.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/file.h"
#include "mech/os/host_user.h"

namespace gssntlm {
namespace {

std::string lower_ascii(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

bool is_member_host(const Settings& settings) {
  const auto sources = backends();
  return settings.names.domain_member ||
         std::any_of(sources.begin(), sources.end(),
                     [](const Backend* source) { return source->makes_member(); });
}

// A member host's accounts are those of its computer name: no domain is its own.
bool is_own_domain(const std::string& domain, const Settings& settings) {
  const Result<Bytes> wide = utf16le_from_utf8(domain);
  if (!wide || domain.empty() || equal_ignoring_case(*wide, settings.names.nb_computer)) {
    return wide.ok();
  }
  return !is_member_host(settings) && equal_ignoring_case(*wide, settings.names.nb_domain);
}

// The user that an account source says it is; nullopt: none says so.
std::optional<Result<HostUser>> user_of_source(const Name& name, const Settings& settings) {
  for (const Backend* source : backends()) {
    if (std::optional<Result<HostUser>> user = source->local_user(name, is_own_domain, settings)) {
      return user;
    }
  }
  return std::nullopt;
}

Error no_local_user(const std::string& why) {
  return error_with_detail(Major::kUnavailable, Minor::kNoLocalUser, why);
}

// The first name that exists. One that could not be looked up may exist: the next one would be
// another user's.
Result<std::optional<HostUser>> user_called(const std::string& user, const std::string& domain,
                                            const Settings& settings) {
  Result<std::optional<HostUser>> found = std::optional<HostUser>();
  if (!domain.empty()) {
    found = host_user_called(domain + "\\" + user);
  }
  if (!found || *found || !is_own_domain(domain, settings)) {
    return found;
  }
  found = host_user_called(user);
  return !found || *found ? found : host_user_called(lower_ascii(user));
}

Error unreadable(const char* path, int error) {
  return no_local_user("which accounts are the system's is not known, because " +
                       std::string(path) + " cannot be read: " + std::strerror(error));
}

// Empty where there is no such file.
Result<std::string> text_of_file(const char* path) {
  constexpr std::size_t kMost = std::size_t{64} << 10;
  const Descriptor file = open_to_read(path);
  if (file.get() < 0) {
    return errno == ENOENT || errno == ENOTDIR ? Result<std::string>(std::string())
                                               : unreadable(path, errno);
  }
  std::string text(kMost, '\0');
  const std::optional<std::size_t> size =
      read_all(file.get(), {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (!size || *size == kMost) {
    return unreadable(path, size ? EFBIG : errno);
  }
  text.resize(*size);
  return text;
}

// The value of a line of login.defs(5): decimal, or as in C octal with 0 or hexadecimal with 0x.
std::optional<uid_t> uid_of_definition(std::string_view text) noexcept {
  constexpr std::string_view kAround = " \t\r\"";
  text.remove_prefix(std::min(text.find_first_not_of(kAround), text.size()));
  text = text.substr(0, text.find_last_not_of(kAround) + 1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.starts_with('0')) {
    base = 8;
  }
  uid_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number != 0 && number < static_cast<uid_t>(-1) ? std::optional<uid_t>(number)
                                                                 : std::nullopt;
}

// The administrator's file, else the one that the distribution brings.
Result<uid_t> first_user_here() {
  Result<std::string> text = text_of_file("/etc/login.defs");
  if (text && text->empty()) {
    text = text_of_file("/usr/etc/login.defs");
  }
  if (!text) {
    return text.error();
  }
  const std::optional<uid_t> first = first_user_uid(*text);
  return first ? Result<uid_t>(*first)
               : no_local_user(
                     "which accounts are the system's is not known, because UID_MIN or "
                     "SYS_UID_MAX of login.defs is no number above 0; correct it");
}

// Files that no user owns show the overflow IDs, 65534 and its 16-bit kin.
bool is_system_account(uid_t uid, uid_t first_user) noexcept {
  constexpr uid_t kOverflow = 65534;
  constexpr uid_t kNoUser16 = 65535;
  return uid < first_user || uid == kOverflow || uid == kNoUser16;
}

Status check_system_account(const HostUser& user, const Name& name, const Settings& settings) {
  const std::vector<std::string>& allowed = settings.allow_system_users;
  if (std::find(allowed.begin(), allowed.end(), user.name) != allowed.end()) {
    return {};
  }
  const Result<uid_t> first = first_user_here();
  if (!first) {
    return first.error();
  }
  return is_system_account(user.uid, *first)
             ? no_local_user(printable_account(name.user_part(), name.domain_part()) +
                             " would be the system account " + printable_utf8(user.name) +
                             "; if intended, add it to allow_system_users")
             : Status();
}

}  // namespace

Result<std::string> local_user(const Name& name, const Settings& settings) {
  if (name.kind() != NameKind::kUser || !name.is_proven()) {
    return no_local_user("only a user whom a logon in this process proved is a local user");
  }
  std::optional<HostUser> found;
  if (std::optional<Result<HostUser>> user = user_of_source(name, settings); !user) {
    Result<std::optional<HostUser>> called =
        user_called(name.user_part(), name.domain_part(), settings);
    if (!called) {
      return called.error();
    }
    found = std::move(*called);
  } else if (*user) {
    found = std::move(**user);
  } else {
    const Error error = user->error();
    return error.major == Major::kUnauthorized
               ? no_local_user(std::string(last_detail(static_cast<std::uint32_t>(error.minor))))
               : error;
  }
  if (!found) {
    return no_local_user("this system has no user for " +
                         printable_account(name.user_part(), name.domain_part()));
  }
  if (Status s = check_system_account(*found, name, settings); !s) {
    return s.error();
  }
  return std::move(found->name);
}

std::optional<uid_t> first_user_uid(std::string_view login_defs) noexcept {
  uid_t lowest = 1000;
  uid_t system = 0;
  while (!login_defs.empty()) {
    std::string_view line = login_defs.substr(0, login_defs.find('\n'));
    login_defs.remove_prefix(std::min(line.size() + 1, login_defs.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::string_view key = line.substr(0, line.find_first_of(" \t\r"));
    uid_t* to = key == "UID_MIN" ? &lowest : key == "SYS_UID_MAX" ? &system : nullptr;
    if (to == nullptr) {
      continue;
    }
    const std::optional<uid_t> number = uid_of_definition(line.substr(key.size()));
    if (!number) {
      return std::nullopt;
    }
    *to = *number;
  }
  return std::max(lowest, system + 1);
}

Result<std::string> user_of_uid(uid_t uid) {
  const Result<std::optional<HostUser>> found = host_user_with(uid);
  if (!found || !*found) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  return (*found)->name;
}

Result<uid_t> uid_of_user(const std::string& user) {
  const Result<std::optional<HostUser>> found = host_user_called(user);
  if (!found || !*found) {
    return Error{Major::kBadName, Minor::kBadName};
  }
  return (*found)->uid;
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
