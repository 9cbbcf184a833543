#include "mech/backends/users/users_text.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <optional>
#include <unordered_map>

#include "mech/backends/users/users_line.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

constexpr std::string_view kNoHash = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";

// Equal for names that readers take for the same; a colon is in no name. nullopt: not UTF-8.
std::optional<std::string> key_of(std::string_view user, std::string_view domain) {
  Result<Bytes> key = utf16le_from_utf8(user);
  const Result<Bytes> wide_domain = utf16le_from_utf8(domain);
  if (!key || !wide_domain) {
    return std::nullopt;
  }
  append(*key, as_bytes(std::string_view(":\0", 2)));
  append(*key, *wide_domain);
  upcase_utf16le(*key);
  return std::string(as_text(*key));
}

void append_hex(Bytes& to, ByteView bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const std::uint8_t b : bytes) {
    to.push_back(static_cast<std::uint8_t>(kDigits[b >> 4]));
    to.push_back(static_cast<std::uint8_t>(kDigits[b & 15]));
  }
}

// `flags` without their brackets and those of `dropped`, with `added`, in new brackets and padded
// to the eleven places smbpasswd has.
std::string with_flags(std::string_view flags, std::string_view dropped, std::string_view added) {
  constexpr std::size_t kPlaces = 11;
  std::string inner;
  for (const char c : flags) {
    if (c != '[' && c != ']' && c != ' ' && dropped.find(c) == std::string_view::npos) {
      inner.push_back(c);
    }
  }
  inner.append(added);
  inner.resize(std::max(inner.size(), kPlaces), ' ');
  return "[" + inner + "]";
}

std::string new_flags() {
  return with_flags({}, {}, "U");
}

struct NewLine {
  std::string_view user;
  std::string_view domain;
  std::string_view uid = "0";
  std::string flags;
};

// nullptr: no hash.
SecretBytes compose(const NewLine& l, const NtHash* hash) {
  Bytes line;
  // Growing would leave a copy of the hash behind.
  line.reserve(l.user.size() + l.domain.size() + l.uid.size() + l.flags.size() + 128);
  const auto add = [&](std::string_view text) { append(line, as_bytes(text)); };
  add(l.domain);
  add(l.domain.empty() ? "" : "\\");
  add(l.user);
  add(":");
  add(l.uid);
  add(":");
  add(kNoHash);
  add(":");
  if (hash != nullptr) {
    append_hex(line, hash->view());
  } else {
    add(kNoHash);
  }
  char changed[24];
  std::snprintf(changed, sizeof changed,
                ":LCT-%08lX:", static_cast<unsigned long>(::time(nullptr)));
  add(":");
  add(l.flags);
  add(changed);
  return SecretBytes(std::move(line));
}

// Of lines that add_line() accepted.
UsersLine fields_of(const SecretBytes& line) noexcept {
  const Result<UsersLine> fields = split_users_line(as_text(line.view()));
  return fields ? *fields : UsersLine{};
}

std::optional<NtHash> hash_of(const UsersLine& l) {
  Result<UsersAccount> account = read_account(l);
  return account ? std::move(account->nt_hash) : std::nullopt;
}

UsersText::Entry entry_of(const UsersLine& l) {
  const std::optional<NtHash> hash = hash_of(l);
  return {std::string(l.user),
          std::string(l.domain),
          l.form == UsersLine::Form::kClear,
          hash.has_value(),
          hash && is_of_empty_password(*hash),
          flags_allow_logon(l.flags)};
}

// The line with other flags; all else stays.
SecretBytes with_new_flags(const SecretBytes& line, const UsersLine& l, std::string_view flags) {
  const std::string_view text = as_text(line.view());
  const auto at = static_cast<std::size_t>(l.flags.data() - text.data());
  Bytes changed;
  changed.reserve(text.size() + flags.size());
  append(changed, as_bytes(text.substr(0, at)));
  append(changed, as_bytes(flags));
  append(changed, as_bytes(text.substr(at + l.flags.size())));
  return SecretBytes(std::move(changed));
}

// Whether the hash form can hold the names, so that read_account() gives the same ones.
bool has_place_in_form(std::string_view user, std::string_view domain) {
  constexpr std::string_view kSeparators = ":\\";
  const std::string_view first = domain.empty() ? user : domain;
  return !user.empty() && users_name(user) && users_name(domain) &&
         user.find_first_of(kSeparators) == std::string_view::npos &&
         domain.find_first_of(kSeparators) == std::string_view::npos && first.front() != '#';
}

bool is_same_name(std::string_view a, std::string_view b) {
  const std::optional<std::string> key = key_of(a, {});
  return key && key == key_of(b, {});
}

// Whether a logon as the account can match the line, which is another account's (UsersTable::find).
bool is_similar(const UsersLine& line, std::string_view user, std::string_view domain) {
  if (line.domain.empty() != domain.empty() && is_same_name(line.user, user)) {
    return true;
  }
  if (!domain.empty()) {
    return line.domain.empty() &&
           is_same_name(line.user, std::string(user).append("@").append(domain));
  }
  const std::size_t at = user.rfind('@');
  return at != std::string_view::npos && at != 0 && at + 1 != user.size() &&
         is_same_name(line.user, user.substr(0, at)) &&
         (line.domain.empty() || is_same_name(line.domain, user.substr(at + 1)));
}

}  // namespace

Status UsersText::add_line(std::string_view line) {
  const Result<UsersLine> fields = split_users_line(line);
  if (!fields) {
    return fields.error();
  }
  if (fields->form != UsersLine::Form::kNothing) {
    if (const Result<UsersAccount> account = read_account(*fields); !account) {
      return account.error();
    }
  }
  lines_.emplace_back(as_bytes(line));
  return {};
}

std::vector<UsersText::Entry> UsersText::entries() const {
  std::vector<Entry> all;
  for (const SecretBytes& line : lines_) {
    const UsersLine l = fields_of(line);
    if (l.form != UsersLine::Form::kNothing) {
      all.push_back(entry_of(l));
    }
  }
  return all;
}

std::vector<UsersText::Entry> UsersText::similar(std::string_view user,
                                                 std::string_view domain) const {
  std::vector<Entry> found;
  for (const SecretBytes& line : lines_) {
    const UsersLine l = fields_of(line);
    if (l.form == UsersLine::Form::kNothing || !is_similar(l, user, domain)) {
      continue;
    }
    Entry entry = entry_of(l);
    if (entry.enabled && entry.has_hash && !entry.empty_password) {
      found.push_back(std::move(entry));
    }
  }
  return found;
}

std::vector<std::size_t> UsersText::find(std::string_view user, std::string_view domain) const {
  std::vector<std::size_t> found;
  const std::optional<std::string> key = key_of(user, domain);
  for (std::size_t i = 0; key && i < lines_.size(); ++i) {
    const UsersLine l = fields_of(lines_[i]);
    if (l.form != UsersLine::Form::kNothing && key_of(l.user, l.domain) == key) {
      found.push_back(i);
    }
  }
  return found;
}

void UsersText::erase(const std::vector<std::size_t>& lines) {
  for (auto i = lines.rbegin(); i != lines.rend(); ++i) {
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(*i));
  }
}

bool UsersText::has(std::string_view user, std::string_view domain) const {
  return count(user, domain) != 0;
}

std::size_t UsersText::count(std::string_view user, std::string_view domain) const {
  return find(user, domain).size();
}

Status UsersText::set_hash(std::string_view user, std::string_view domain, const NtHash& hash) {
  if (!has_place_in_form(user, domain)) {
    return error_with_detail(
        Major::kBadName, Minor::kBadName,
        printable_utf8(user) +
            ": a users file takes no colon, backslash, control character or # in front");
  }
  std::vector<std::size_t> found = find(user, domain);
  if (found.empty()) {
    lines_.push_back(compose({user, domain, "0", new_flags()}, &hash));
    return {};
  }
  SecretBytes& line = lines_[found.front()];
  const UsersLine l = fields_of(line);
  const bool clear = l.form == UsersLine::Form::kClear;
  line = compose(
      {l.user, l.domain, clear ? "0" : l.uid, clear ? new_flags() : with_flags(l.flags, "N", {})},
      &hash);
  found.erase(found.begin());
  erase(found);
  return {};
}

std::size_t UsersText::remove(std::string_view user, std::string_view domain) {
  const std::vector<std::size_t> found = find(user, domain);
  erase(found);
  return found.size();
}

UsersText::Enabling UsersText::enable(std::string_view user, std::string_view domain,
                                      bool enabled) {
  const std::vector<std::size_t> found = find(user, domain);
  std::vector<SecretBytes> changed;
  for (const std::size_t i : found) {
    const UsersLine l = fields_of(lines_[i]);
    const bool clear = l.form == UsersLine::Form::kClear;
    const std::optional<NtHash> hash = hash_of(l);
    if (clear && !has_place_in_form(l.user, l.domain)) {
      return Enabling::kNoForm;
    }
    const std::string flags =
        with_flags(clear ? "[U]" : l.flags, enabled ? "DL" : "D", enabled ? "" : "D");
    if (enabled && (!hash || !flags_allow_logon(flags))) {
      return Enabling::kNeedsPassword;
    }
    changed.push_back(clear ? compose({l.user, l.domain, "0", flags}, &*hash)
                            : with_new_flags(lines_[i], l, flags));
  }
  for (std::size_t n = 0; n < found.size(); ++n) {
    lines_[found[n]] = std::move(changed[n]);
  }
  return found.empty() ? Enabling::kMissing : Enabling::kDone;
}

std::vector<UsersText::Imported> UsersText::hash_clear_entries() {
  std::vector<Imported> done;
  for (SecretBytes& line : lines_) {
    const UsersLine l = fields_of(line);
    if (l.form != UsersLine::Form::kClear) {
      continue;
    }
    const std::optional<NtHash> hash = hash_of(l);
    const bool usable = has_place_in_form(l.user, l.domain);
    done.push_back({std::string(l.user), std::string(l.domain),
                    usable ? Imported::Outcome::kAdded : Imported::Outcome::kUnusable,
                    hash && is_of_empty_password(*hash)});
    if (usable) {
      line = compose({l.user, l.domain, "0", new_flags()}, &*hash);
    }
  }
  return done;
}

UsersText::Imported::Outcome UsersText::import_line(const UsersLine& l) {
  const bool clear = l.form == UsersLine::Form::kClear;
  const std::optional<NtHash> hash = hash_of(l);
  if (!has_place_in_form(l.user, l.domain)) {
    return Imported::Outcome::kUnusable;
  }
  std::string flags = clear ? new_flags() : with_flags(l.flags, {}, {});
  const bool allowed = flags_allow_logon(flags);
  lines_.push_back(
      compose({l.user, l.domain, clear ? "0" : l.uid, std::move(flags)}, hash ? &*hash : nullptr));
  return !hash      ? Imported::Outcome::kAddedNoHash
         : !allowed ? Imported::Outcome::kAddedDisabled
                    : Imported::Outcome::kAdded;
}

std::vector<UsersText::Imported> UsersText::take_over(const UsersText& other) {
  std::unordered_map<std::string, Imported::Outcome> known;
  for (const SecretBytes& line : lines_) {
    const UsersLine l = fields_of(line);
    if (const auto key = key_of(l.user, l.domain); key && l.form != UsersLine::Form::kNothing) {
      known.emplace(*key, Imported::Outcome::kPresent);
    }
  }
  std::vector<Imported> done;
  for (const SecretBytes& line : other.lines_) {
    const UsersLine l = fields_of(line);
    if (l.form == UsersLine::Form::kNothing) {
      continue;
    }
    const std::optional<std::string> key = key_of(l.user, l.domain);
    const auto seen = key ? known.find(*key) : known.end();
    const Imported::Outcome outcome = seen != known.end() ? seen->second : import_line(l);
    const std::optional<NtHash> hash = hash_of(l);
    done.push_back(
        {std::string(l.user), std::string(l.domain), outcome, hash && is_of_empty_password(*hash)});
    if (key && outcome != Imported::Outcome::kUnusable) {
      known.emplace(*key, Imported::Outcome::kRepeated);
    }
  }
  return done;
}

SecretBytes UsersText::text() const {
  std::size_t size = 0;
  for (const SecretBytes& line : lines_) {
    size += line.view().size() + 1;
  }
  Bytes bytes;
  bytes.reserve(size);
  for (const SecretBytes& line : lines_) {
    append(bytes, line.view());
    bytes.push_back('\n');
  }
  return SecretBytes(std::move(bytes));
}

}  // namespace gssntlm
