// Users files. Input: the text of one.
//
// Edited and written text reads back to the same accounts. An account is found by its name, the
// first of that name, by the table that logs in and by the text that is edited alike; one that is
// removed is gone and all others are there; clear text becomes hashes of the same passwords.
#include <algorithm>

#include "mech/backends/users/users_edit.h"
#include "mech/backends/users/users_line.h"
#include "mech/backends/users/users_table.h"
#include "mech/crypto/derive.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/reference.h"

namespace gssntlm::fuzz {
namespace {

using Entries = std::vector<UsersText::Entry>;

bool same_entry(const UsersText::Entry& a, const UsersText::Entry& b) {
  return a.user == b.user && a.domain == b.domain && a.clear == b.clear &&
         a.has_hash == b.has_hash && a.enabled == b.enabled;
}

bool same_entries(const Entries& a, const Entries& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_entry);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

Entries entries_of(std::string_view text) {
  const Result<UsersText> users = UsersText::parse(text, "users");
  GSSNTLM_HOLDS(users.ok());
  return users->entries();
}

std::string written(const UsersText& users) {
  return std::string(as_text(users.text().view()));
}

// The line, read here: fields between colons.
void check_line(std::string_view line) {
  const Result<UsersLine> split = split_users_line(line);
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  const auto colons = std::count(line.begin(), line.end(), ':');
  const bool nothing = line.empty() || line[0] == '#';
  GSSNTLM_HOLDS(split.ok() == (nothing || colons >= 2));
  if (!split) {
    return;
  }
  GSSNTLM_HOLDS(nothing == (split->form == UsersLine::Form::kNothing));
  if (split->form == UsersLine::Form::kClear) {
    std::string again(split->domain);
    again.append(":").append(split->user).append(":").append(split->password);
    GSSNTLM_HOLDS(again == line);
  } else if (split->form == UsersLine::Form::kSmbpasswd) {
    std::string again(split->domain);
    again.append(split->domain.empty() ? "" : "\\").append(split->user).append(":");
    again.append(split->uid).append(":").append(split->lm_hash).append(":");
    again.append(split->nt_hash).append(":").append(split->flags);
    const bool slash_in_front = split->domain.empty() && line.front() == '\\';
    GSSNTLM_HOLDS(slash_in_front || line.starts_with(again));
  }
}

// The first account of a name is the one found; a domain that is empty is any.
void check_table(std::string_view text, const Entries& entries) {
  UsersTable table(CodePage::k437);
  for (const std::string_view line : lines_of(text)) {
    if (!table.add_line(line)) {
      return;
    }
  }
  table.build_index();
  GSSNTLM_HOLDS(table.size() == entries.size() && table.first().has_value() == !entries.empty());
  for (const UsersText::Entry& entry : entries) {
    const Result<Bytes> user = utf16le_from_utf8(entry.user);
    const Result<Bytes> domain = utf16le_from_utf8(entry.domain);
    GSSNTLM_HOLDS(user && domain && is_clean_name(*user) && is_clean_name(*domain));
    const auto agrees = [&](const UsersText::Entry& other) {
      const Bytes other_user = *utf16le_from_utf8(other.user);
      const Bytes other_domain = *utf16le_from_utf8(other.domain);
      return equal_ignoring_case(other_user, *user) && (other_domain.empty() || domain->empty() ||
                                                        equal_ignoring_case(other_domain, *domain));
    };
    const auto first = std::find_if(entries.begin(), entries.end(), agrees);
    const std::optional<UserEntry> found = table.find(*user, *domain);
    GSSNTLM_HOLDS(found.has_value());
    GSSNTLM_HOLDS(same_bytes(found->user, *utf16le_from_utf8(first->user)));
    GSSNTLM_HOLDS(same_bytes(found->domain, *utf16le_from_utf8(first->domain)));
    GSSNTLM_HOLDS(found->disabled == !first->enabled);
    GSSNTLM_HOLDS(found->nt_hash.has_value() == first->has_hash);
  }
}

void check_hashing(std::string_view text) {
  Result<UsersText> users = UsersText::parse(text, "users");
  const Entries before = users->entries();
  const std::size_t count = users->hash_clear_entries();
  const Entries after = users->entries();
  GSSNTLM_HOLDS(before.size() == after.size());
  std::size_t changed = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    GSSNTLM_HOLDS(before[i].user == after[i].user && before[i].domain == after[i].domain);
    changed += before[i].clear && !after[i].clear ? 1 : 0;
  }
  GSSNTLM_HOLDS(changed == count);
  GSSNTLM_HOLDS(same_entries(entries_of(written(*users)), after));
  std::size_t at = 0;
  std::vector<UsersLine> hashed;
  const std::string out = written(*users);
  for (const std::string_view line : lines_of(out)) {
    hashed.push_back(*split_users_line(line));
  }
  for (const std::string_view line : lines_of(text)) {
    const Result<UsersLine> old = split_users_line(line);
    const UsersLine& now = hashed[at++];
    if (old->form == UsersLine::Form::kClear && now.form == UsersLine::Form::kSmbpasswd) {
      const Sixteen wanted = plain_md4(*utf16le_from_utf8(old->password));
      GSSNTLM_HOLDS(same_bytes(*bytes_from_hex(now.nt_hash), wanted));
    }
  }
}

bool same_text(std::string_view a, std::string_view b) {
  return equal_ignoring_case(*utf16le_from_utf8(a), *utf16le_from_utf8(b));
}

// The entry of that name that is edited: the first.
const UsersText::Entry* find(const Entries& entries, const UsersText::Entry& name) {
  const auto it = std::find_if(entries.begin(), entries.end(), [&](const UsersText::Entry& entry) {
    return utf16le_from_utf8(entry.user) && utf16le_from_utf8(entry.domain) &&
           same_text(entry.user, name.user) && same_text(entry.domain, name.domain);
  });
  return it == entries.end() ? nullptr : &*it;
}

bool disabled(const UsersText& users, const UsersText::Entry& name) {
  const Entries entries = users.entries();
  const UsersText::Entry* entry = find(entries, name);
  return entry != nullptr && !entry->enabled;
}

bool has_clear(const Entries& entries, const UsersText::Entry& name) {
  const UsersText::Entry* entry = find(entries, name);
  return entry != nullptr && entry->clear;
}

void check_editing(std::string_view text, const Entries& entries) {
  const Sixteen bytes{1, 2, 3};
  const NtHash hash{std::span<const std::uint8_t, 16>(bytes)};
  Result<UsersText> users = UsersText::parse(text, "users");
  Result<UsersText> other = UsersText::parse(text, "users");
  if (users->set_hash("somebody", "DOM", hash)) {
    GSSNTLM_HOLDS(users->has("SomeBody", "dom"));
    GSSNTLM_HOLDS(users->remove("somebody", "DOM"));
  }
  if (!entries.empty()) {
    const UsersText::Entry chosen = entries[entries.size() / 2];
    // Names that are no UTF-8 equal nothing, themselves included.
    const bool found = other->has(chosen.user, chosen.domain);
    GSSNTLM_HOLDS(found == (utf16le_from_utf8(chosen.user) && utf16le_from_utf8(chosen.domain)));
    const std::string before = written(*other);
    const bool was_disabled = found && disabled(*other, chosen);
    if (other->enable(chosen.user, chosen.domain, false)) {
      GSSNTLM_HOLDS(found && disabled(*other, chosen));
      GSSNTLM_HOLDS(other->enable(chosen.user, chosen.domain, true));
      GSSNTLM_HOLDS(was_disabled || !disabled(*other, chosen));
    } else {
      GSSNTLM_HOLDS(written(*other) == before && (!found || has_clear(entries, chosen)));
    }
    GSSNTLM_HOLDS(other->entries().size() == entries.size());
    GSSNTLM_HOLDS(other->remove(chosen.user, chosen.domain) == found);
    GSSNTLM_HOLDS(other->entries().size() == entries.size() - (found ? 1 : 0));
  }
  UsersText taken;
  const std::size_t count = taken.take_over(*other);
  GSSNTLM_HOLDS(taken.entries().size() <= count);
  GSSNTLM_HOLDS(same_entries(entries_of(written(taken)), taken.entries()));
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  bool whole = true;
  for (const std::string_view line : lines_of(text)) {
    check_line(line);
    whole = whole && split_users_line(line).ok();
  }
  const Result<UsersText> users = UsersText::parse(text, "users");
  GSSNTLM_HOLDS(users.ok() == whole);
  if (!users) {
    return 0;
  }
  const Entries entries = users->entries();
  GSSNTLM_HOLDS(same_entries(entries_of(written(*users)), entries));
  check_table(text, entries);
  check_hashing(text);
  check_editing(text, entries);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  constexpr std::string_view kPieces[] = {
      "\n",
      ":",
      "\\",
      "[D          ]",
      "[U          ]",
      "DOM:user:password\n",
      "DOM\\user:0:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[U]:LCT-0:\n",
      "user:1001:00112233445566778899AABBCCDDEEFF:NO PASSWORDXXXXXXXXXXXXXXXXXXXXX:[N]:\n",
      "#"};
  Chance chance(seed);
  Bytes text(data, data + size);
  mutate_text(text, max, kPieces, chance);
  return give_back(text, data, max);
}
