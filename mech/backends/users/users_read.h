// Users files that the command-line tool reads: opened once, where no other user can exchange them.
#pragma once

#include <optional>
#include <string>

#include "mech/backends/users/trusted_path.h"
#include "mech/backends/users/users_text.h"

namespace gssntlm {

/// The longest users file that is read, in bytes: two million accounts and more.
inline constexpr std::size_t kMaxUsersFile = std::size_t{256} << 20;

/// A file as it was when it was opened.
struct OpenedFile {
  Descriptor file{-1};
  struct stat st {};
  [[nodiscard]] bool exists() const noexcept { return file.get() >= 0; }
  [[nodiscard]] std::optional<FileIdentity> identity() const noexcept {
    return exists() ? std::optional(FileIdentity::of(st)) : std::nullopt;
  }
};

/// Opens the regular file of a place, without following a link or waiting for a FIFO. With
/// `may_miss` a missing one is no error, but does not exist(). Errors: kUsersFileOpen,
/// kUsersFileMode; details name `path`. Throws std::bad_alloc.
[[nodiscard]] Result<OpenedFile> open_users_file(const TrustedPlace& place, const std::string& path,
                                                 bool may_miss);

/// What is in it. Bounded by what is read, not by the size that the file states: kUsersFileOpen for
/// more than `most` bytes, and for less than the size that it had. Error: kUsersFileLine too.
[[nodiscard]] Result<UsersText> read_users_text(const OpenedFile& opened, const std::string& path,
                                                std::size_t most = kMaxUsersFile);

/// The file at `path`, which must be one that no other user can exchange: the path is resolved by
/// resolve_trusted_place(), the file belongs to root or to this process' user, others cannot write
/// to it, and in a directory where others can create names it has one name alone. Errors: as above;
/// details name the part of the path and the remedy. Throws std::bad_alloc.
[[nodiscard]] Result<UsersText> read_users_text(const std::string& path);

}  // namespace gssntlm
