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

/// One account, as read_account() understands its line. Views point into the table.
struct UserEntry {
  ByteView user;    ///< UTF-16LE
  ByteView domain;  ///< UTF-16LE, may be empty: any domain
  std::optional<NtHash> nt_hash;
  std::optional<LmHash> lm_hash;
  bool disabled = false;
  bool empty_password = false;
};

/// Immutable once filled; shared by threads. An entry takes its names, 16 bytes a hash and about 16
/// bytes more; finding one takes the same time for ten users and a million. Wiped when it goes.
class UsersTable {
 public:
  /// Adds the entry of one line (without its end); empty lines and comments add none.
  /// Error: kUsersFileLine. Throws std::bad_alloc.
  [[nodiscard]] Status add_line(std::string_view line);
  /// To be called once after the last line, before find().
  void build_index();

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// All entries, in the order of the file.
  [[nodiscard]] std::vector<UserEntry> entries() const;
  /// The entry of the file's first account.
  [[nodiscard]] std::optional<UserEntry> first() const;
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
  // In file order among equal names, as find() promises.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = 0;  // of the entry, counted from 1; 0: free
  };

  void add_account(const UsersAccount& account);
  [[nodiscard]] UserEntry entry_at(Place place) const;
  template <typename Agrees>
  [[nodiscard]] std::optional<UserEntry> find_name(ByteView user, ByteView realm,
                                                   Agrees agrees) const;

  std::optional<CodePage> lm_page_;
  std::vector<Chunk> chunks_;
  std::vector<Place> places_;
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace gssntlm
