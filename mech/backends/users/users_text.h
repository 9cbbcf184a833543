// A users file in memory, to be changed: hashes only.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mech/base/secret.h"
#include "mech/base/status.h"

namespace gssntlm {

struct UsersLine;

/// The lines of a users file in memory, comments included; wiped when they go. Names are UTF-8;
/// they are compared as the acceptor compares them, but a domain only equals the same domain.
class UsersText {
 public:
  /// Adds a line, given without its newline, before any edit. Error: kUsersFileLine, for a line
  /// that UsersTable rejects as well: one bad line invalidates the file. Throws std::bad_alloc.
  [[nodiscard]] Status add_line(std::string_view line);

  struct Entry {
    std::string user;
    std::string domain;
    bool clear = false;  ///< the file has the password itself
    bool has_hash = true;
    bool empty_password = false;
    bool enabled = true;
    bool older = false;  ///< another entry of the account is in front of it
  };
  [[nodiscard]] std::vector<Entry> entries() const;
  /// Entries that can log in and that a logon as this account can match although they are not of
  /// it: the same user, with a domain in one of the two alone, or as a UPN in one of the two alone.
  [[nodiscard]] std::vector<Entry> similar(std::string_view user, std::string_view domain) const;

  [[nodiscard]] bool has(std::string_view user, std::string_view domain) const;
  /// How many entries of that account there are.
  [[nodiscard]] std::size_t count(std::string_view user, std::string_view domain) const;
  /// Gives the account this hash: its first entry keeps place and flags but N, and loses its LM
  /// hash; further entries, which hold older passwords, are removed; a new one goes to the end.
  /// Error: BAD_NAME kBadName for names that have no place in the form.
  Status set_hash(std::string_view user, std::string_view domain, const NtHash& hash);
  enum class Adding {
    kDone,
    kFull,     ///< the account has kMaxEntries entries
    kPresent,  ///< an entry of the account has that hash
  };
  /// The same, but the account's entries stay, behind the new one: their passwords log in too.
  /// Unless kDone, nothing was changed. Error: as above. Throws std::bad_alloc.
  [[nodiscard]] Result<Adding> add_hash(std::string_view user, std::string_view domain,
                                        const NtHash& hash);
  /// Removes all entries of the account but the first; how many.
  [[nodiscard]] std::size_t retire_old(std::string_view user, std::string_view domain);
  /// Removes all entries of the account; how many.
  [[nodiscard]] std::size_t remove(std::string_view user, std::string_view domain);

  enum class Enabling {
    kDone,
    kMissing,        ///< there is no such account
    kNoForm,         ///< an entry in clear text has names that have no place in the hash form
    kNeedsPassword,  ///< an entry has no NT hash, or the flag N: enabling it changes nothing
  };
  /// Enables (clears D and L of) or disables (sets D of) all entries of the account; those in clear
  /// text become hashes. Unless kDone, nothing was changed.
  [[nodiscard]] Enabling enable(std::string_view user, std::string_view domain, bool enabled);

  /// What an import did with an entry.
  struct Imported {
    enum class Outcome {
      kAdded,
      kAddedDisabled,  ///< with flags that forbid logon
      kAddedNoHash,    ///< without an NT hash, so that it cannot log in
      kPresent,        ///< this file has the account: its entry was left as it is
      kRepeated,       ///< a further entry of an account whose first one was taken or left
      kUnusable,       ///< names that have no place in the form: left out
    };
    std::string user;
    std::string domain;
    Outcome outcome;
    bool empty_password = false;
  };
  /// Turns the entries in clear text into hashes, in place. Answers kAdded or kUnusable for each.
  std::vector<Imported> hash_clear_entries();
  /// Adds the accounts of another file, with their flags and uids but hashes only: those that this
  /// file lacks, and of several entries the first, which has the newest password.
  std::vector<Imported> take_over(const UsersText& other);

  /// The file's new contents.
  [[nodiscard]] SecretBytes text() const;

 private:
  [[nodiscard]] std::vector<std::size_t> find(std::string_view user, std::string_view domain) const;
  Imported::Outcome import_line(const UsersLine& line);
  void erase(const std::vector<std::size_t>& lines);
  std::vector<SecretBytes> lines_;
  std::unordered_map<std::string, unsigned> added_;  // entries of each account, by add_line()
};

}  // namespace gssntlm
