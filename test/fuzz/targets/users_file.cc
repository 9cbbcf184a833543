// Users files. Input: the text of one.
//
// Edited and written text reads back to the same accounts. An account is found by its name, the
// first of that name, by the table that logs in and by the text that is edited alike; one that is
// removed is gone and all others are there; clear text becomes hashes of the same passwords.
#include <algorithm>
#include <map>

#include "mech/backends/users/users_edit.h"
#include "mech/backends/users/users_line.h"
#include "mech/backends/users/users_table.h"
#include "mech/crypto/derive.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/reference.h"
#include "test/support/users_text.h"

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
  const Result<UsersText> users = test::users_text(text);
  GSSNTLM_HOLDS(users.ok());
  return users->entries();
}

std::string written(const UsersText& users) {
  return std::string(as_text(users.text().view()));
}

// A name of up to 32,767 units without control characters, read here.
bool is_name(std::string_view utf8) {
  const Result<Bytes> name = utf16le_from_utf8(utf8);
  return name && is_clean_name(*name) && name->size() <= 2 * 32'767;
}

// Whether the line can stand in a users file.
bool is_good(std::string_view line) {
  const Result<UsersLine> split = split_users_line(line);
  return split && (split->form == UsersLine::Form::kNothing ||
                   (!split->user.empty() && is_name(split->user) && is_name(split->domain) &&
                    utf16le_from_utf8(split->password)));
}

// The most lines of one account in a text of good lines.
std::size_t most_entries(std::string_view text) {
  // Text, because gcc 12 warns of bounds where it compares vectors of bytes.
  std::map<std::string, std::size_t> entries;
  std::size_t most = 0;
  for (const std::string_view line : lines_of(text)) {
    const Result<UsersLine> l = split_users_line(line);
    if (!l || l->form == UsersLine::Form::kNothing) {
      continue;
    }
    Bytes name = *utf16le_from_utf8(l->user);
    append(name, Bytes{':', 0});
    append(name, *utf16le_from_utf8(l->domain));
    upcase_utf16le(name);
    most = std::max(most, ++entries[std::string(as_text(name))]);
  }
  return most;
}

bool same_text(std::string_view a, std::string_view b) {
  return equal_ignoring_case(*utf16le_from_utf8(a), *utf16le_from_utf8(b));
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

// What is edited can be logged in with. The first account of a name is the one found; a domain that
// is empty, or `.`, is any.
void check_table(std::string_view text, const Entries& entries) {
  UsersTable table(CodePage::k437);
  for (const std::string_view line : lines_of(text)) {
    GSSNTLM_HOLDS(table.add_line(line));
  }
  GSSNTLM_HOLDS(table.size() == entries.size() && table.first().has_value() == !entries.empty());
  for (const UsersText::Entry& entry : entries) {
    const Result<Bytes> user = utf16le_from_utf8(entry.user);
    const Result<Bytes> domain = utf16le_from_utf8(entry.domain);
    GSSNTLM_HOLDS(user && domain && is_clean_name(*user) && is_clean_name(*domain));
    const ByteView wanted = is_this_host(*domain) ? ByteView() : ByteView(*domain);
    const auto agrees = [&](const UsersText::Entry& other) {
      const Bytes other_user = *utf16le_from_utf8(other.user);
      const Bytes other_domain = *utf16le_from_utf8(other.domain);
      return equal_ignoring_case(other_user, *user) &&
             (other_domain.empty() || wanted.empty() || equal_ignoring_case(other_domain, wanted));
    };
    const auto first = std::find_if(entries.begin(), entries.end(), agrees);
    const std::optional<UserEntry> found = table.find(*user, *domain);
    GSSNTLM_HOLDS(found.has_value());
    GSSNTLM_HOLDS(same_bytes(found->user, *utf16le_from_utf8(first->user)));
    GSSNTLM_HOLDS(same_bytes(found->domain, *utf16le_from_utf8(first->domain)));
    GSSNTLM_HOLDS(found->disabled == !first->enabled);
    GSSNTLM_HOLDS(found->nt_hash.has_value() == first->has_hash);
    std::size_t count = 1;
    for (std::uint32_t next = found->next; next != 0; next = table.entry(next).next) {
      GSSNTLM_HOLDS(equal_ignoring_case(table.entry(next).user, found->user) &&
                    equal_ignoring_case(table.entry(next).domain, found->domain));
      ++count;
    }
    GSSNTLM_HOLDS(count == static_cast<std::size_t>(std::count_if(
                               entries.begin(), entries.end(), [&](const auto& other) {
                                 return same_text(other.user, first->user) &&
                                        same_text(other.domain, first->domain);
                               })));
  }
}

void check_hashing(std::string_view text) {
  Result<UsersText> users = test::users_text(text);
  const Entries before = users->entries();
  std::size_t count = 0;
  for (const UsersText::Imported& entry : users->hash_clear_entries()) {
    count += entry.outcome == UsersText::Imported::Outcome::kAdded ? 1 : 0;
  }
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

// The entries of that name, one sign each.
std::string states(const UsersText& users, const UsersText::Entry& name) {
  std::string signs;
  for (const UsersText::Entry& entry : users.entries()) {
    if (same_text(entry.user, name.user) && same_text(entry.domain, name.domain)) {
      signs.push_back(entry.enabled ? '+' : '-');
    }
  }
  return signs;
}

// What corpus_lacks() asks for: formats change, and a corpus that is refused tests little.
bool g_enabled = false;

// All entries of a name are disabled and enabled, or none.
void check_enabling(UsersText& users, const UsersText::Entry& name, const std::string& before) {
  using Enabling = UsersText::Enabling;
  const bool found = users.has(name.user, name.domain);
  const Enabling done = users.enable(name.user, name.domain, false);
  GSSNTLM_HOLDS(found == (done != Enabling::kMissing));
  if (done != Enabling::kDone) {
    GSSNTLM_HOLDS(written(users) == before);
    return;
  }
  GSSNTLM_HOLDS(states(users, name).find('+') == std::string::npos);
  const std::string disabled = written(users);
  if (users.enable(name.user, name.domain, true) == Enabling::kDone) {
    GSSNTLM_HOLDS(states(users, name).find('-') == std::string::npos);
    g_enabled = true;
  } else {
    GSSNTLM_HOLDS(written(users) == disabled);
  }
}

// Each account once, its first entry, and as able to log in as it was.
void check_import(const UsersText& other) {
  using Outcome = UsersText::Imported::Outcome;
  UsersText taken;
  const auto outcomes = taken.take_over(other);
  GSSNTLM_HOLDS(outcomes.size() == other.entries().size());
  const Entries entries = taken.entries();
  std::size_t at = 0;
  for (const UsersText::Imported& entry : outcomes) {
    if (entry.outcome <= Outcome::kAddedNoHash) {
      GSSNTLM_HOLDS(at < entries.size() && entries[at].user == entry.user);
      GSSNTLM_HOLDS(taken.count(entry.user, entry.domain) == 1);
      GSSNTLM_HOLDS(entries[at].has_hash == (entry.outcome != Outcome::kAddedNoHash));
      GSSNTLM_HOLDS(entries[at].enabled || entry.outcome != Outcome::kAdded);
      ++at;
    }
  }
  GSSNTLM_HOLDS(at == entries.size());
  GSSNTLM_HOLDS(same_entries(entries_of(written(taken)), entries));
}

void check_editing(std::string_view text, const Entries& entries) {
  const Sixteen bytes{1, 2, 3};
  const NtHash hash{std::span<const std::uint8_t, 16>(bytes)};
  Result<UsersText> users = test::users_text(text);
  Result<UsersText> other = test::users_text(text);
  if (users->set_hash("someone", "DOM", hash)) {
    GSSNTLM_HOLDS(users->has("SomeOne", "dom"));
    GSSNTLM_HOLDS(users->count("someone", "DOM") == 1 && users->remove("someone", "DOM") == 1);
  }
  if (!entries.empty()) {
    const UsersText::Entry chosen = entries[entries.size() / 2];
    GSSNTLM_HOLDS(other->has(chosen.user, chosen.domain));
    const std::string before = written(*other);
    check_enabling(*other, chosen, before);
    GSSNTLM_HOLDS(other->entries().size() == entries.size());
    const std::size_t count = other->count(chosen.user, chosen.domain);
    GSSNTLM_HOLDS(count != 0 && other->remove(chosen.user, chosen.domain) == count);
    GSSNTLM_HOLDS(!other->has(chosen.user, chosen.domain));
    GSSNTLM_HOLDS(other->entries().size() == entries.size() - count);
  }
  check_import(*other);
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" const char* corpus_lacks() {
  return g_enabled ? nullptr : "a file with an account that is disabled and enabled again";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  bool whole = true;
  for (const std::string_view line : lines_of(text)) {
    check_line(line);
    whole = whole && is_good(line);
  }
  whole = whole && most_entries(text) <= kMaxEntries;
  const Result<UsersText> users = test::users_text(text);
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
