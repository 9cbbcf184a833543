#include "mech/backends/users/users_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mech/backends/users/users_line.h"
#include "mech/base/text.h"

namespace gssntlm {
namespace {

constexpr std::uint8_t kHasNtHash = 1;
constexpr std::uint8_t kHasLmHash = 2;
constexpr std::uint8_t kDisabled = 4;
constexpr std::uint8_t kEmptyPassword = 8;
constexpr std::size_t kRecordHead = 5;  // marks, size of user, size of domain

constexpr std::array<std::uint8_t, 2> kAt = {'@', 0};

// FNV-1a over the upper-cased units: any spelling of a name hashes alike.
std::uint32_t mix_units(std::uint32_t h, ByteView utf16le) noexcept {
  for (std::size_t i = 0; i + 1 < utf16le.size(); i += 2) {
    h = (h ^ upcase_unit(static_cast<char16_t>(load_le16(&utf16le[i])))) * 16777619u;
  }
  return h;
}

// Of `user`, or of `user@realm`.
std::uint32_t hash_name(ByteView user, ByteView realm) noexcept {
  std::uint32_t h = mix_units(2166136261u, user);
  if (!realm.empty()) {
    h = mix_units(mix_units(h, kAt), realm);
  }
  return h ^ (h >> 15);
}

bool equals_name(ByteView name, ByteView user, ByteView realm) noexcept {
  if (realm.empty()) {
    return equal_ignoring_case(name, user);
  }
  return name.size() == user.size() + kAt.size() + realm.size() &&
         equal_ignoring_case(name.first(user.size()), user) &&
         equal_ignoring_case(name.subspan(user.size(), kAt.size()), kAt) &&
         equal_ignoring_case(name.last(realm.size()), realm);
}

}  // namespace

UsersTable::~UsersTable() {
  for (Chunk& chunk : chunks_) {
    wipe({chunk.bytes.get(), chunk.used});
  }
}

void UsersTable::store(const UsersAccount& account) {
  const std::size_t need = kRecordHead + (account.nt_hash ? 16 : 0) + (account.lm_hash ? 16 : 0) +
                           account.user.size() + account.domain.size();
  if (chunks_.empty() || need > chunks_.back().size - chunks_.back().used) {
    // The first chunk is small: most files hold a handful of users.
    const std::size_t size = std::max(need, chunks_.empty() ? std::size_t{4096} : kChunkSize);
    chunks_.push_back({std::make_unique<std::uint8_t[]>(size), 0, size});
  }
  Chunk& chunk = chunks_.back();
  places_.push_back(
      {static_cast<std::uint32_t>(chunks_.size() - 1), static_cast<std::uint32_t>(chunk.used)});
  std::uint8_t* at = chunk.bytes.get() + chunk.used;
  *at = static_cast<std::uint8_t>(
      (account.nt_hash ? kHasNtHash : 0) | (account.lm_hash ? kHasLmHash : 0) |
      (account.disabled ? kDisabled : 0) | (account.empty_password ? kEmptyPassword : 0));
  store_le16(at + 1, static_cast<std::uint16_t>(account.user.size()));
  store_le16(at + 3, static_cast<std::uint16_t>(account.domain.size()));
  at += kRecordHead;
  if (account.nt_hash) {
    at = std::copy_n(account.nt_hash->view().begin(), NtHash::kSize, at);
  }
  if (account.lm_hash) {
    at = std::copy_n(account.lm_hash->view().begin(), LmHash::kSize, at);
  }
  at = std::copy(account.user.begin(), account.user.end(), at);
  std::copy(account.domain.begin(), account.domain.end(), at);
  chunk.used += need;
}

Status UsersTable::add_line(std::string_view line) {
  const Result<UsersLine> fields = split_users_line(line);
  if (!fields) {
    return fields.error();
  }
  if (fields->form == UsersLine::Form::kNothing) {
    return {};
  }
  const Result<UsersAccount> account = read_account(*fields, lm_page_);
  if (!account) {
    return account.error();
  }
  if (!add_to_index(*account)) {
    return failure(Minor::kUsersFileLine);
  }
  store(*account);
  return {};
}

// False: the account has as many entries as it may have.
bool UsersTable::add_to_index(const UsersAccount& account) {
  if (2 * (accounts_ + 1) > slots_.size()) {
    grow_index();
  }
  const auto number = static_cast<std::uint32_t>(places_.size() + 1);
  const std::uint32_t hash = hash_name(account.user, {});
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at].number != 0; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) {
      continue;
    }
    const Names names = names_at(places_[slots_[at].number - 1]);
    if (equal_ignoring_case(names.user, account.user) &&
        equal_ignoring_case(names.domain, account.domain)) {
      return add_to_account(slots_[at].number, number);
    }
  }
  slots_[at] = {hash, number};
  ++accounts_;
  return true;
}

bool UsersTable::add_to_account(std::uint32_t first, std::uint32_t number) {
  next_.resize(number);
  unsigned entries = 1;
  std::uint32_t last = first;
  for (; next_[last - 1] != 0; last = next_[last - 1]) {
    ++entries;
  }
  if (entries == kMaxEntries) {
    return false;
  }
  next_[last - 1] = number;
  most_entries_ = std::max(most_entries_, entries + 1);
  return true;
}

// From behind a free slot, slots of one hash are met in the order in which they were added.
void UsersTable::grow_index() {
  const std::vector<Slot> old =
      std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(8, 2 * slots_.size())));
  const auto free = std::find_if(old.begin(), old.end(), [](Slot s) { return s.number == 0; });
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < old.size(); ++i) {
    const Slot slot = old[(static_cast<std::size_t>(free - old.begin()) + i) & (old.size() - 1)];
    if (slot.number == 0) {
      continue;
    }
    std::size_t at = slot.hash & mask;
    while (slots_[at].number != 0) {
      at = (at + 1) & mask;
    }
    slots_[at] = slot;
  }
}

UsersTable::Names UsersTable::names_at(Place place) const noexcept {
  const std::uint8_t* at = chunks_[place.chunk].bytes.get() + place.offset;
  const std::size_t hashes =
      ((*at & kHasNtHash) != 0 ? NtHash::kSize : 0) + ((*at & kHasLmHash) != 0 ? LmHash::kSize : 0);
  const std::size_t user_size = load_le16(at + 1);
  const std::uint8_t* const user = at + kRecordHead + hashes;
  return {{user, user_size}, {user + user_size, load_le16(at + 3)}};
}

UserEntry UsersTable::entry_at(Place place) const {
  const std::uint8_t* at = chunks_[place.chunk].bytes.get() + place.offset;
  const std::uint8_t marks = *at;
  const std::size_t user_size = load_le16(at + 1);
  const std::size_t domain_size = load_le16(at + 3);
  at += kRecordHead;
  UserEntry entry;
  if ((marks & kHasNtHash) != 0) {
    entry.nt_hash.emplace(std::span<const std::uint8_t, 16>(at, 16));
    at += 16;
  }
  if ((marks & kHasLmHash) != 0) {
    entry.lm_hash.emplace(std::span<const std::uint8_t, 16>(at, 16));
    at += 16;
  }
  entry.user = {at, user_size};
  entry.domain = {at + user_size, domain_size};
  entry.disabled = (marks & kDisabled) != 0;
  entry.empty_password = (marks & kEmptyPassword) != 0;
  return entry;
}

std::vector<UserEntry> UsersTable::entries() const {
  std::vector<UserEntry> all;
  all.reserve(places_.size());
  for (std::uint32_t number = 1; number <= places_.size(); ++number) {
    all.push_back(entry(number));
  }
  return all;
}

std::optional<UserEntry> UsersTable::first() const {
  return places_.empty() ? std::nullopt : std::optional<UserEntry>(entry(1));
}

UserEntry UsersTable::entry(std::uint32_t number) const {
  UserEntry entry = entry_at(places_[number - 1]);
  entry.next = number <= next_.size() ? next_[number - 1] : 0;
  return entry;
}

std::optional<UserEntry> UsersTable::find(ByteView user, ByteView domain) const {
  const ByteView own = is_this_host(domain) ? ByteView() : domain;
  const auto of_domain = [](ByteView wanted) {
    return [wanted](ByteView has) {
      return has.empty() || wanted.empty() || equal_ignoring_case(has, wanted);
    };
  };
  // Both are looked up for every name: a client cannot tell by the time which one there is.
  std::optional<UserEntry> entry = find_name(user, {}, of_domain(own));
  std::optional<UserEntry> other;
  if (!own.empty()) {
    other = find_name(user, own, [](ByteView has) { return has.empty(); });
  } else if (const std::optional<Upn> upn = split_upn(user)) {
    other = find_name(upn->user, {}, of_domain(upn->realm));
  }
  return entry ? std::move(entry) : std::move(other);
}

// The first entry of `user`, or of `user@realm`, whose domain agrees.
template <typename Agrees>
std::optional<UserEntry> UsersTable::find_name(ByteView user, ByteView realm, Agrees agrees) const {
  if (slots_.empty()) {
    return std::nullopt;
  }
  const std::uint32_t hash = hash_name(user, realm);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].number != 0; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) {
      continue;
    }
    const Names names = names_at(places_[slots_[at].number - 1]);
    if (equals_name(names.user, user, realm) && agrees(names.domain)) {
      return entry(slots_[at].number);
    }
  }
  return std::nullopt;
}

}  // namespace gssntlm
