#include "mech/backends/users/users_text.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "mech/backends/users/users_compose.h"
#include "mech/backends/users/users_line.h"
#include "mech/backends/users/users_table.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

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

Status check_form(std::string_view user, std::string_view domain) {
  return has_place_in_form(user, domain)
             ? Status()
             : Status(error_with_detail(Major::kBadName, Minor::kBadName,
                                        printable_utf8(user) +
                                            ": a users file takes no colon, backslash, control "
                                            "character or # in front"));
}

// What stays of an entry that is given a password.
NewLine with_password(const UsersLine& l) {
  const bool clear = l.form == UsersLine::Form::kClear;
  return {l.user, l.domain, clear ? "0" : l.uid,
          clear ? new_flags() : with_flags(l.flags, "N", {})};
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
    if (++added_[*key_of(fields->user, fields->domain)] > kMaxEntries) {
      return failure(Minor::kUsersFileLine);
    }
  }
  lines_.emplace_back(as_bytes(line));
  return {};
}

std::vector<UsersText::Entry> UsersText::entries() const {
  std::vector<Entry> all;
  std::unordered_set<std::string> seen;
  for (const SecretBytes& line : lines_) {
    const UsersLine l = fields_of(line);
    if (l.form != UsersLine::Form::kNothing) {
      all.push_back(entry_of(l));
      all.back().older = !seen.insert(*key_of(l.user, l.domain)).second;
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
  if (Status s = check_form(user, domain); !s) {
    return s;
  }
  std::vector<std::size_t> found = find(user, domain);
  if (found.empty()) {
    lines_.push_back(compose({user, domain, "0", new_flags()}, &hash));
    return {};
  }
  SecretBytes& line = lines_[found.front()];
  line = compose(with_password(fields_of(line)), &hash);
  found.erase(found.begin());
  erase(found);
  return {};
}

Result<UsersText::Adding> UsersText::add_hash(std::string_view user, std::string_view domain,
                                              const NtHash& hash) {
  if (Status s = check_form(user, domain); !s) {
    return s.error();
  }
  const std::vector<std::size_t> found = find(user, domain);
  if (found.size() >= kMaxEntries) {
    return Adding::kFull;
  }
  for (const std::size_t i : found) {
    const std::optional<NtHash> old = hash_of(fields_of(lines_[i]));
    if (old && verify_equal(old->view(), hash.view())) {
      return Adding::kPresent;
    }
  }
  const NewLine line = found.empty() ? NewLine{user, domain, "0", new_flags()}
                                     : with_password(fields_of(lines_[found.front()]));
  const std::size_t at = found.empty() ? lines_.size() : found.front();
  lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(at), compose(line, &hash));
  return Adding::kDone;
}

std::size_t UsersText::retire_old(std::string_view user, std::string_view domain) {
  std::vector<std::size_t> found = find(user, domain);
  if (found.empty()) {
    return 0;
  }
  found.erase(found.begin());
  erase(found);
  return found.size();
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
