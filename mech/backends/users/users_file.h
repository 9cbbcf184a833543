// A users file on disk: read once, watched, and served as an account source.
#pragma once

#include <string>

#include "mech/backends/users/users_table.h"
#include "mech/base/ref.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/logon.h"

namespace gssntlm {

/// The accounts of one path. Instances are shared by all credentials of the process that name the
/// same path; they notice a changed file by its device, inode, size and times, and take the new
/// contents whole, or keep the old ones when the new file is refused or malformed.
class UsersFile : public AccountSource {
 public:
  /// The instance for `path`, loaded. With `lm_page` passwords in clear text have LM hashes too,
  /// through that code page; smbpasswd entries have those that are written there. Never released: a
  /// process has few users files. Errors: kUsersFileOpen; kUsersFileMode when others than its owner
  /// may read or change it, the owner is neither root nor this process' user, or it is no regular
  /// file; kUsersFileLine. Details name path, line, mode and remedy (detail.h). Throws
  /// std::bad_alloc.
  [[nodiscard]] static Result<UsersFile*> open(const std::string& path,
                                               std::optional<CodePage> lm_page = std::nullopt);

  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override;

  /// Whether it has the account, usable or not. Throws std::bad_alloc.
  [[nodiscard]] bool knows(ByteView user, ByteView domain) const;

  /// The account to log in with: `user` and `domain` (UTF-16LE) as asked for, or the first one when
  /// `user` is empty. Error: NO_CRED kNoInitiatorCred.
  [[nodiscard]] Result<Ref<const Identity>> identity(ByteView user, ByteView domain) const;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  struct State;

  explicit UsersFile(std::string path);
  ~UsersFile() override;
  void want_lm_hashes(std::optional<CodePage> page) noexcept;
  Status refresh() const;
  [[nodiscard]] std::shared_ptr<const UsersTable> table() const;
  // The hash that the response of an unknown user is compared with; nullopt without randomness.
  [[nodiscard]] std::optional<NtHash> stand_in(const Runtime& env) const;

  std::string path_;
  std::unique_ptr<State> state_;
};

/// Reads all entries of a file. Errors as UsersFile::open().
[[nodiscard]] Result<std::shared_ptr<const UsersTable>> load_users_table(const std::string& path);

}  // namespace gssntlm
