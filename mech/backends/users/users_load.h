// A users file on disk: looked at, checked and read, once.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mech/backends/users/users_access.h"
#include "mech/backends/users/users_lines.h"
#include "mech/backends/users/users_table.h"
#include "mech/os/file.h"

namespace gssntlm {

/// NO_CRED with the fault's minor code and text (error_detail.h).
[[nodiscard]] Error error_of(const UsersFault& fault) noexcept;

/// The file as stat() sees it.
struct UsersFileLook {
  FileIdentity identity;
  bool missing = false;
  std::optional<UsersFault> fault;  ///< it is missing, or cannot be looked at
};
/// Throws std::bad_alloc.
[[nodiscard]] UsersFileLook look_at_users_file(const std::string& path);

/// Opens the file and checks it as load_users() does, without reading it. A fault also when it is
/// not that of `identity`. Throws std::bad_alloc.
[[nodiscard]] std::optional<UsersFault> check_users_file(const std::string& path,
                                                         const FileIdentity& identity,
                                                         Readers readers);

/// What came of reading a file.
struct UsersLoad {
  std::shared_ptr<const UsersTable> table;  ///< nullptr if there is a fault
  FileIdentity identity;                    ///< of the file that was opened
  std::optional<UsersFault> fault;
};
/// Reads all entries. With `lm_page` passwords in clear text have LM hashes too, through that code
/// page; smbpasswd entries have those that are written there. Faults: kUsersFileOpen;
/// kUsersFileMode when it is no regular file, or exposed (users_access.h); kUsersFileLine. Throws
/// std::bad_alloc.
[[nodiscard]] UsersLoad load_users(const std::string& path, std::optional<CodePage> lm_page,
                                   Readers readers = Readers::kFew);

/// The same for a file that the command line names: the path is resolved by
/// resolve_trusted_place(), so that no other user can exchange the file. Errors: NO_CRED with the
/// faults' codes, and those of resolve_trusted_place(). Throws std::bad_alloc.
[[nodiscard]] Result<std::shared_ptr<const UsersTable>> load_users_table(
    const std::string& path, Readers readers = Readers::kFew);

}  // namespace gssntlm
