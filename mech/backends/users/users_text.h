// A users file in memory, for whoever changes it: hashes only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mech/base/secret.h"
#include "mech/base/status.h"

namespace gssntlm {

/// The lines of a users file in memory; wiped when they go. Names are UTF-8; they are compared as
/// the acceptor compares them, but a domain only equals the same domain.
class UsersText {
 public:
  /// Splits `text`. Error: kUsersFileLine; detail names `path` and line. Throws std::bad_alloc.
  [[nodiscard]] static Result<UsersText> parse(std::string_view text, const std::string& path);
  UsersText() = default;
  UsersText(UsersText&&) noexcept = default;
  UsersText& operator=(UsersText&&) noexcept = default;
  UsersText(const UsersText&) = delete;
  UsersText& operator=(const UsersText&) = delete;
  ~UsersText();

  struct Entry {
    std::string user;
    std::string domain;
    bool clear = false;  ///< the file has the password itself
    bool has_hash = true;
    bool enabled = true;
  };
  [[nodiscard]] std::vector<Entry> entries() const;

  [[nodiscard]] bool has(std::string_view user, std::string_view domain) const;
  /// Gives the account this hash: its entry keeps place and flags but N, and loses its LM hash; a
  /// new one goes to the end. Error: BAD_NAME kBadName for names that have no place in the form.
  Status set_hash(std::string_view user, std::string_view domain, const NtHash& hash);
  /// False if there is no such account.
  [[nodiscard]] bool remove(std::string_view user, std::string_view domain);
  /// The same; an entry in clear text is turned into a hash on the way. False too, and nothing
  /// changed, for one that has no hash form: its names have no place there, or its password is not
  /// UTF-8.
  [[nodiscard]] bool enable(std::string_view user, std::string_view domain, bool enabled);
  /// Turns all entries in clear text into hashes; how many there were.
  std::size_t hash_clear_entries();
  /// Sets the accounts of another file, hashes only; how many.
  std::size_t take_over(const UsersText& other);

  /// The file's new contents.
  [[nodiscard]] SecretBytes text() const;

 private:
  [[nodiscard]] std::string* find(std::string_view user, std::string_view domain);
  std::vector<std::string> lines_;
};

}  // namespace gssntlm
