#include "mech/backends/users/users_text.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <optional>

#include "mech/backends/users/users_line.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

constexpr std::string_view kNoHash = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";

void wipe_text(std::string& text) noexcept {
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

bool same_name(std::string_view a, std::string_view b) {
  const Result<Bytes> wide_a = utf16le_from_utf8(a);
  const Result<Bytes> wide_b = utf16le_from_utf8(b);
  return wide_a && wide_b && equal_ignoring_case(*wide_a, *wide_b);
}

void append_hex(std::string& to, ByteView bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const std::uint8_t b : bytes) {
    to.push_back(kDigits[b >> 4]);
    to.push_back(kDigits[b & 15]);
  }
}

// `flags` with its brackets, `wanted` set or not, padded to the eleven places smbpasswd has.
std::string with_flag(std::string_view flags, char wanted, bool set) {
  constexpr std::size_t kPlaces = 11;
  std::string inner;
  for (const char c : flags) {
    if (c != '[' && c != ']' && c != ' ' && c != wanted) {
      inner.push_back(c);
    }
  }
  if (set) {
    inner.push_back(wanted);
  }
  inner.resize(std::max(inner.size(), kPlaces), ' ');
  return "[" + inner + "]";
}

struct NewLine {
  std::string_view user;
  std::string_view domain;
  std::string_view uid = "0";
  std::string flags;
};

std::string compose(const NewLine& l, const NtHash& hash) {
  std::string line;
  line.reserve(l.user.size() + l.domain.size() + 128);
  if (!l.domain.empty()) {
    line.append(l.domain).append("\\");
  }
  line.append(l.user).append(":").append(l.uid).append(":").append(kNoHash).append(":");
  append_hex(line, hash.view());
  char changed[24];
  std::snprintf(changed, sizeof changed,
                ":LCT-%08lX:", static_cast<unsigned long>(::time(nullptr)));
  return line.append(":").append(l.flags).append(changed);
}

std::optional<NtHash> hash_of_password(std::string_view password) {
  Result<Bytes> wide = utf16le_from_utf8(password);
  if (!wide) {
    return std::nullopt;
  }
  NtHash hash = derive_nt_hash(*wide);
  wipe(*wide);
  return hash;
}

// The hash of an entry in either form; nullopt when it has none.
std::optional<NtHash> hash_of_line(const UsersLine& l) {
  if (l.form == UsersLine::Form::kClear) {
    return hash_of_password(l.password);
  }
  Result<Bytes> bytes = bytes_from_hex(l.nt_hash);
  if (!bytes) {
    return std::nullopt;
  }
  NtHash hash(std::span<const std::uint8_t, 16>(bytes->data(), NtHash::kSize));
  wipe(*bytes);
  return hash;
}

UsersLine fields_of(const std::string& line) noexcept {
  const Result<UsersLine> fields = split_users_line(line);
  return fields ? *fields : UsersLine{};
}

void replace(std::string& line, std::string with) {
  wipe_text(line);
  line = std::move(with);
}

bool has_place_in_form(std::string_view user, std::string_view domain) {
  const std::string all = std::string(domain).append("\\").append(user);
  const Result<Bytes> wide = utf16le_from_utf8(all);
  const bool in_front =
      domain.empty() ? !user.empty() && user.front() == '#' : domain.front() == '#';
  return !user.empty() && wide && is_clean_name(*wide) && all.find(':') == std::string::npos &&
         user.find('\\') == std::string_view::npos && domain.find('\\') == std::string_view::npos &&
         !in_front;
}

}  // namespace

UsersText::~UsersText() {
  std::for_each(lines_.begin(), lines_.end(), wipe_text);
}

Result<UsersText> UsersText::parse(std::string_view text, const std::string& path) {
  UsersText users;
  users.lines_.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 2);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    users.lines_.emplace_back(line);
    if (!split_users_line(line)) {
      return error_with_detail(
          Major::kFailure, Minor::kUsersFileLine,
          "users file " + printable_utf8(path) + " line " + std::to_string(users.lines_.size()));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return users;
}

std::vector<UsersText::Entry> UsersText::entries() const {
  std::vector<Entry> all;
  for (const std::string& line : lines_) {
    const UsersLine l = fields_of(line);
    if (l.form != UsersLine::Form::kNothing) {
      const bool clear = l.form == UsersLine::Form::kClear;
      const std::optional<NtHash> hash = clear ? std::nullopt : hash_of_line(l);
      all.push_back({std::string(l.user), std::string(l.domain), clear, clear || hash.has_value(),
                     clear || flags_allow_logon(l.flags)});
    }
  }
  return all;
}

std::string* UsersText::find(std::string_view user, std::string_view domain) {
  for (std::string& line : lines_) {
    const UsersLine l = fields_of(line);
    if (l.form != UsersLine::Form::kNothing && same_name(l.user, user) &&
        same_name(l.domain, domain)) {
      return &line;
    }
  }
  return nullptr;
}

bool UsersText::has(std::string_view user, std::string_view domain) const {
  return const_cast<UsersText*>(this)->find(user, domain) != nullptr;
}

Status UsersText::set_hash(std::string_view user, std::string_view domain, const NtHash& hash) {
  if (!has_place_in_form(user, domain)) {
    return error_with_detail(
        Major::kBadName, Minor::kBadName,
        printable_utf8(user) +
            ": a users file takes no colon, backslash, control character or # in front");
  }
  std::string* line = find(user, domain);
  if (line == nullptr) {
    lines_.push_back(compose({user, domain, "0", with_flag({}, 'U', true)}, hash));
    return {};
  }
  const UsersLine l = fields_of(*line);
  const bool clear = l.form == UsersLine::Form::kClear;
  replace(*line, compose({l.user, l.domain, clear ? "0" : l.uid,
                          clear ? with_flag({}, 'U', true) : with_flag(l.flags, 'N', false)},
                         hash));
  return {};
}

bool UsersText::remove(std::string_view user, std::string_view domain) {
  std::string* line = find(user, domain);
  if (line == nullptr) {
    return false;
  }
  wipe_text(*line);
  lines_.erase(lines_.begin() + (line - lines_.data()));
  return true;
}

bool UsersText::enable(std::string_view user, std::string_view domain, bool enabled) {
  std::string* line = find(user, domain);
  if (line == nullptr) {
    return false;
  }
  const UsersLine l = fields_of(*line);
  if (l.form == UsersLine::Form::kClear) {
    const std::optional<NtHash> hash = hash_of_line(l);
    if (!hash || !has_place_in_form(l.user, l.domain)) {
      return false;
    }
    replace(*line, compose({l.user, l.domain, "0", with_flag("[U]", 'D', !enabled)}, *hash));
    return true;
  }
  const auto at = static_cast<std::size_t>(l.flags.data() - line->data());
  std::string changed = line->substr(0, at);
  changed.append(with_flag(l.flags, 'D', !enabled)).append(line->substr(at + l.flags.size()));
  replace(*line, std::move(changed));
  return true;
}

std::size_t UsersText::hash_clear_entries() {
  std::size_t count = 0;
  for (std::string& line : lines_) {
    const UsersLine l = fields_of(line);
    if (l.form != UsersLine::Form::kClear || !has_place_in_form(l.user, l.domain)) {
      continue;
    }
    if (const std::optional<NtHash> hash = hash_of_line(l)) {
      replace(line, compose({l.user, l.domain, "0", with_flag({}, 'U', true)}, *hash));
      ++count;
    }
  }
  return count;
}

std::size_t UsersText::take_over(const UsersText& other) {
  std::size_t count = 0;
  for (const std::string& line : other.lines_) {
    const UsersLine l = fields_of(line);
    const std::optional<NtHash> hash =
        l.form == UsersLine::Form::kNothing ? std::nullopt : hash_of_line(l);
    if (hash && set_hash(l.user, l.domain, *hash)) {
      ++count;
    }
  }
  return count;
}

SecretBytes UsersText::text() const {
  std::size_t size = 0;
  for (const std::string& line : lines_) {
    size += line.size() + 1;
  }
  Bytes bytes;
  bytes.reserve(size);
  for (const std::string& line : lines_) {
    append(bytes, as_bytes(line));
    bytes.push_back('\n');
  }
  return SecretBytes(std::move(bytes));
}

}  // namespace gssntlm
