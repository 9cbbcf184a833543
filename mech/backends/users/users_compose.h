// Lines of a users file in the hash form, as editors write them.
#pragma once

#include <string>
#include <string_view>

#include "mech/backends/users/users_line.h"
#include "mech/base/secret.h"

namespace gssntlm {

/// What stands beside the hash.
struct NewLine {
  std::string_view user;
  std::string_view domain;
  std::string_view uid = "0";
  std::string flags;
};

/// The line, with the time of now. `hash`: nullptr for none. Throws std::bad_alloc.
[[nodiscard]] SecretBytes compose(const NewLine& l, const NtHash* hash);

/// `flags` without their brackets and those of `dropped`, with `added`, in new brackets and padded
/// to the eleven places smbpasswd has. Throws std::bad_alloc.
[[nodiscard]] std::string with_flags(std::string_view flags, std::string_view dropped,
                                     std::string_view added);
/// Those of a new account. Throws std::bad_alloc.
[[nodiscard]] std::string new_flags();

/// The line, whose fields are `l`, with other flags; all else stays. Throws std::bad_alloc.
[[nodiscard]] SecretBytes with_new_flags(const SecretBytes& line, const UsersLine& l,
                                         std::string_view flags);

/// Whether the hash form can hold the names, so that read_account() gives the same ones. Throws
/// std::bad_alloc.
[[nodiscard]] bool has_place_in_form(std::string_view user, std::string_view domain);

}  // namespace gssntlm
