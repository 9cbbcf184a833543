// The account of a users file that an initiator logs in as.
#pragma once

#include <string>

#include "mech/backends/users/users_table.h"
#include "mech/base/ref.h"
#include "mech/protocol/identity.h"

namespace gssntlm {

/// What an initiator once asked for, and what came of it.
struct UsersChoice {
  Bytes user;
  Bytes domain;
  Ref<const Identity> identity;  ///< empty: `why`
  std::string why;               ///< what is wrong, and what to do; names in it are escaped
};

/// What keeps an account from logging in, and what to do: text that goes behind its name. nullptr:
/// nothing does.
[[nodiscard]] const char* why_unusable(const UserEntry& entry) noexcept;

/// The account of that name (UTF-16LE) in either form, or the only one when `user` is empty. None
/// that is disabled, or has no hash or an empty password: it logs in to no acceptor. Of several
/// entries the first, which has the newest password. It travels
/// whole as a UPN where the caller or its entry names it so, else as its entry does. Throws
/// std::bad_alloc.
[[nodiscard]] UsersChoice choose_account(const UsersTable& users, ByteView user, ByteView domain);

}  // namespace gssntlm
