#include "mech/backends/users/users_table.h"

#include <algorithm>
#include <array>

#include "mech/backends/users/users_line.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"

namespace gssntlm {
namespace {

constexpr std::uint8_t kHasNtHash = 1;
constexpr std::uint8_t kHasLmHash = 2;
constexpr std::uint8_t kDisabled = 4;
constexpr std::uint8_t kEmptyPassword = 8;
constexpr std::size_t kRecordHead = 5;  // marks, size of user, size of domain
constexpr std::size_t kMaxName = 0xFFFE;

constexpr Error kBadLine{Major::kFailure, Minor::kUsersFileLine};

// FNV-1a over the upper-cased units: any spelling of a name hashes alike.
std::uint32_t hash_name(ByteView utf16le) noexcept {
  std::uint32_t h = 2166136261u;
  for (std::size_t i = 0; i + 1 < utf16le.size(); i += 2) {
    h = (h ^ upcase_unit(static_cast<char16_t>(load_le16(&utf16le[i])))) * 16777619u;
  }
  return h ^ (h >> 15);
}

// 32 hexadecimal digits; any other text of that length (XXXX..., NO PASSWORD...) means none.
template <typename Hash>
std::optional<Hash> parse_hash(std::string_view digits) {
  Result<Bytes> bytes = bytes_from_hex(digits);
  if (!bytes) {
    return std::nullopt;
  }
  Hash hash(std::span<const std::uint8_t, 16>(bytes->data(), 16));
  wipe(*bytes);
  return hash;
}

bool is_usable_name(const Result<Bytes>& name) noexcept {
  return name.ok() && name->size() <= kMaxName && is_clean_name(*name);
}

}  // namespace

UsersTable::~UsersTable() {
  for (Chunk& chunk : chunks_) {
    wipe({chunk.bytes.get(), chunk.used});
  }
}

void UsersTable::add_entry(ByteView user, ByteView domain, const NtHash* nt, const LmHash* lm,
                           bool disabled) {
  const bool empty = nt != nullptr && is_of_empty_password(*nt);
  lm = lm != nullptr && !empty && is_of_empty_password(*lm) ? nullptr : lm;
  const std::size_t need = kRecordHead + (nt != nullptr ? 16 : 0) + (lm != nullptr ? 16 : 0) +
                           user.size() + domain.size();
  if (chunks_.empty() || need > chunks_.back().size - chunks_.back().used) {
    // The first chunk is small: most files hold a handful of users.
    const std::size_t size = std::max(need, chunks_.empty() ? std::size_t{4096} : kChunkSize);
    chunks_.push_back({std::make_unique<std::uint8_t[]>(size), 0, size});
  }
  Chunk& chunk = chunks_.back();
  places_.push_back(
      {static_cast<std::uint32_t>(chunks_.size() - 1), static_cast<std::uint32_t>(chunk.used)});
  std::uint8_t* at = chunk.bytes.get() + chunk.used;
  *at = static_cast<std::uint8_t>((nt != nullptr ? kHasNtHash : 0) |
                                  (lm != nullptr ? kHasLmHash : 0) | (disabled ? kDisabled : 0) |
                                  (empty ? kEmptyPassword : 0));
  store_le16(at + 1, static_cast<std::uint16_t>(user.size()));
  store_le16(at + 3, static_cast<std::uint16_t>(domain.size()));
  at += kRecordHead;
  if (nt != nullptr) {
    at = std::copy(nt->view().begin(), nt->view().end(), at);
  }
  if (lm != nullptr) {
    at = std::copy(lm->view().begin(), lm->view().end(), at);
  }
  at = std::copy(user.begin(), user.end(), at);
  std::copy(domain.begin(), domain.end(), at);
  chunk.used += need;
  ++count_;
}

Status UsersTable::add_line(std::string_view line) {
  const Result<UsersLine> fields = split_users_line(line);
  if (!fields) {
    return fields.error();
  }
  if (fields->form == UsersLine::Form::kNothing) {
    return {};
  }
  const Result<Bytes> wide_user = utf16le_from_utf8(fields->user);
  const Result<Bytes> wide_domain = utf16le_from_utf8(fields->domain);
  if (fields->user.empty() || !is_usable_name(wide_user) || !is_usable_name(wide_domain)) {
    return kBadLine;
  }
  if (fields->form == UsersLine::Form::kSmbpasswd) {
    const std::optional<NtHash> nt = parse_hash<NtHash>(fields->nt_hash);
    const std::optional<LmHash> lm = parse_hash<LmHash>(fields->lm_hash);
    add_entry(*wide_user, *wide_domain, nt ? &*nt : nullptr, lm ? &*lm : nullptr,
              !flags_allow_logon(fields->flags));
    return {};
  }
  Result<Bytes> wide_password = utf16le_from_utf8(fields->password);
  if (!wide_password) {
    return kBadLine;
  }
  const SecretBytes password(std::move(*wide_password));
  const NtHash hash = derive_nt_hash(password.view());
  std::optional<LmHash> lm;
  if (lm_page_) {
    lm = lm_hash_of_password(password.view(), *lm_page_);
  }
  add_entry(*wide_user, *wide_domain, &hash, lm ? &*lm : nullptr, false);
  return {};
}

void UsersTable::build_index() {
  std::size_t size = 8;
  while (size < 2 * count_) {
    size *= 2;
  }
  slots_.assign(size, Slot{});
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::uint32_t hash = hash_name(entry_at(places_[i]).user);
    std::size_t at = hash & (size - 1);
    while (slots_[at].number != 0) {
      at = (at + 1) & (size - 1);
    }
    slots_[at] = {hash, static_cast<std::uint32_t>(i + 1)};
  }
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

std::optional<UserEntry> UsersTable::first() const {
  return places_.empty() ? std::nullopt : std::optional<UserEntry>(entry_at(places_.front()));
}

std::optional<UserEntry> UsersTable::find(ByteView user, ByteView domain) const {
  if (slots_.empty()) {
    return std::nullopt;
  }
  const std::uint32_t hash = hash_name(user);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].number != 0; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) {
      continue;
    }
    UserEntry entry = entry_at(places_[slots_[at].number - 1]);
    if (equal_ignoring_case(entry.user, user) &&
        (entry.domain.empty() || domain.empty() || equal_ignoring_case(entry.domain, domain))) {
      return entry;
    }
  }
  return std::nullopt;
}

}  // namespace gssntlm
