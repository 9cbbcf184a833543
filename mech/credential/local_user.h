// Names and the accounts of this system.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "mech/config/settings.h"
#include "mech/names/name.h"

namespace gssntlm {

/// The account of this system that a proven user is, by docs/spi.md: for an account of a domain
/// that winbind knows, the user that winbind maps it to; else the one called `DOM\user`, as SSSD
/// calls the users of a domain; else, if the domain is this host's own or there is none, the one
/// called `user`, as written or in lower case. Never an account of the system (first_user_uid) that
/// settings do not name. Asks the system's name service, which may take its time, and winbind
/// within settings' bound. Errors: UNAVAILABLE kNoLocalUser when there is none, or the name is not
/// proven or no user's, with the reason in the detail; FAILURE kDomain. Throws std::bad_alloc.
[[nodiscard]] Result<std::string> local_user(const Name& name, const Settings& settings);

/// The lowest number of an account that is a person's, by the text of login.defs(5): UID_MIN, and
/// more than SYS_UID_MAX; 1000 where UID_MIN is missing. nullopt where one of the two is no number
/// above 0.
[[nodiscard]] std::optional<uid_t> first_user_uid(std::string_view login_defs) noexcept;

/// The name and the number of an account of this system. Error: BAD_NAME kBadName. Throws
/// std::bad_alloc.
[[nodiscard]] Result<std::string> user_of_uid(uid_t uid);
[[nodiscard]] Result<uid_t> uid_of_user(const std::string& user);
/// A number in decimal digits; nullopt for anything else, and for -1, which is no user's.
[[nodiscard]] std::optional<uid_t> uid_from_text(std::string_view digits) noexcept;

}  // namespace gssntlm
