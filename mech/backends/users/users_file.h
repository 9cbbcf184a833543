// A users file in use: watched, and served as an account source.
#pragma once

#include <cstdint>
#include <string>

#include "mech/backends/backend.h"
#include "mech/backends/users/users_load.h"
#include "mech/base/ref.h"

namespace gssntlm {

/// The accounts of one path. Instances are shared by all credentials of the process that name the
/// same path, and are never released: a process has few users files. A change is detected by
/// device, inode, size and times, and read once, by one thread, while others wait for it. A missing
/// file holds no account. One that cannot be read, or has a bad line, leaves the last good content
/// valid for the time of open(), then no account; that time counts from when the file was last
/// found good, read or seen unchanged, by any call. A bad file is not read again until it changes.
/// open() and identity() give an effective uid what that user may read: content that another uid
/// of the process read is checked for the owner, mode and permission to read again. An instance
/// from open() goes on serving logon() after the process has changed its uid.
class UsersFile : public Accounts {
 public:
  static constexpr std::uint64_t kDefaultGrace = 5 * 60;  // seconds

  /// The instance for `path`; nothing is read yet. With `lm_page` passwords in clear text have LM
  /// hashes too, through that code page. Throws std::bad_alloc.
  /// The `readers` of the last call count, for content that was read before it too.
  [[nodiscard]] static UsersFile* at(std::string_view path,
                                     std::optional<CodePage> lm_page = std::nullopt,
                                     Readers readers = Readers::kFew);

  /// The same for an acceptor: all accounts are read, and stay in memory. `grace`, in seconds: how
  /// long the last good content outlives a file that went bad; the last call that succeeded counts.
  /// Errors:
  /// kUsersFileOpen, also for a missing file; kUsersFileMode, kUsersFileLine (users_load.h).
  /// Throws std::bad_alloc.
  [[nodiscard]] static Result<UsersFile*> open(const std::string& path,
                                               std::optional<CodePage> lm_page = std::nullopt,
                                               std::uint64_t grace = kDefaultGrace,
                                               Readers readers = Readers::kFew);

  /// For an instance from open(). Each entry of the account may prove the response; which one it
  /// was of several, attribute::kUsersFileEntry tells. An entry that is disabled, has no hash, or
  /// that of the empty password while policy does not allow those, proves none; if it is the first
  /// one, no other does. Every rejection costs the same: that of the account with the most entries.
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override;
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env, Verdict& verdict) const override;
  [[nodiscard]] std::optional<HostNames> host_names(const Settings&) const override {
    return std::nullopt;
  }

  /// The account to log in with: `user` and `domain` (UTF-16LE) as asked for, or the only one when
  /// `user` is empty. Without open() this entry alone stays in memory. Errors: as open(); NO_CRED
  /// kNoInitiatorCred, also when there are several and none was asked for, or the account cannot
  /// log in (users_choice.h).
  [[nodiscard]] Result<Ref<const Identity>> identity(ByteView user, ByteView domain) const;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  struct State;

  explicit UsersFile(std::string path);
  ~UsersFile() override;

  std::string path_;
  std::unique_ptr<State> state_;
};

}  // namespace gssntlm
