// The accounts of a users file in memory: hashes only, found by name without regard to case.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "mech/base/secret.h"
#include "mech/base/status.h"
#include "mech/base/text.h"

namespace gssntlm {

struct UsersAccount;

/// Entries of one account that a file may have: its password, and those that it replaces.
inline constexpr unsigned kMaxEntries = 4;

/// One entry, as read_account() understands its line. Views point into the table.
struct UserEntry {
  ByteView user;    ///< UTF-16LE
  ByteView domain;  ///< UTF-16LE, may be empty: any domain
  std::optional<NtHash> nt_hash;
  std::optional<LmHash> lm_hash;
  bool disabled = false;
  bool empty_password = false;
  std::uint32_t next = 0;  ///< the number of the account's next entry; 0: there is none
};

/// Immutable once filled; shared by threads. An entry takes its names, 16 bytes a hash and about 16
/// bytes more; finding one takes the same time for ten users and a million. Wiped when it goes.
/// Entries of the same user and domain are one account; the first is its own, the others hold
/// passwords that it replaces.
class UsersTable {
 public:
  /// Adds the entry of one line (without its end); empty lines and comments add none.
  /// Error: kUsersFileLine, also for an entry beyond kMaxEntries of its account. Throws
  /// std::bad_alloc.
  [[nodiscard]] Status add_line(std::string_view line);

  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  [[nodiscard]] std::size_t accounts() const noexcept { return accounts_; }
  /// The most entries that one account has; at least 1.
  [[nodiscard]] unsigned most_entries() const noexcept { return most_entries_; }
  /// All entries, in the order of the file.
  [[nodiscard]] std::vector<UserEntry> entries() const;
  /// The first entry of the file's first account.
  [[nodiscard]] std::optional<UserEntry> first() const;
  /// The entry of that number, which is the `next` of another one.
  [[nodiscard]] UserEntry entry(std::uint32_t number) const;
  /// The first entry of `user` whose domain agrees: equal, or one of the two empty. If there is
  /// none, the entry of the same account in its other form: of `user@realm` without a domain for
  /// `realm` and `user`, and the other way round. A domain `.` is none. All UTF-16LE.
  [[nodiscard]] std::optional<UserEntry> find(ByteView user, ByteView domain) const;

  /// With `lm_page` LM hashes are made of passwords in clear text too, through that code page.
  explicit UsersTable(std::optional<CodePage> lm_page = std::nullopt) noexcept
      : lm_page_(lm_page) {}
  UsersTable(const UsersTable&) = delete;
  UsersTable& operator=(const UsersTable&) = delete;
  ~UsersTable();

 private:
  static constexpr std::size_t kChunkSize = std::size_t{1} << 20;

  struct Chunk {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t used = 0;
    std::size_t size = 0;
  };
  struct Place {
    std::uint32_t chunk;
    std::uint32_t offset;
  };
  // Of the first entry of an account; in file order among equal users, as find() promises.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = 0;  // of the entry, counted from 1; 0: free
  };
  struct Names {
    ByteView user;
    ByteView domain;
  };

  void store(const UsersAccount& account);
  [[nodiscard]] bool add_to_index(const UsersAccount& account);
  [[nodiscard]] bool add_to_account(std::uint32_t first, std::uint32_t number);
  void grow_index();
  [[nodiscard]] Names names_at(Place place) const noexcept;
  [[nodiscard]] UserEntry entry_at(Place place) const;
  template <typename Agrees>
  [[nodiscard]] std::optional<UserEntry> find_name(ByteView user, ByteView realm,
                                                   Agrees agrees) const;

  std::optional<CodePage> lm_page_;
  std::vector<Chunk> chunks_;
  std::vector<Place> places_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> next_;  // of each entry; empty while each account has one
  std::size_t accounts_ = 0;
  unsigned most_entries_ = 1;
};

}  // namespace gssntlm
