// Owners of files and keys, as far as their numbers can be trusted.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

namespace gssntlm {

/// Whether `uid` is the kernel's overflow uid (usually 65534) in a user namespace that does not map
/// every uid. The kernel then reports that number for every user without a number here, so it
/// identifies no user: neither this process' user, even if its effective uid is the same number,
/// nor a mapped user of that number. In a namespace that maps every uid, as the initial one does,
/// the number belongs to one user, whose processes may run as it. Without /proc that is not known,
/// and the answer is true for the overflow uid.
[[nodiscard]] bool is_ambiguous(uid_t uid) noexcept;

/// `uid` is the effective uid, and not ambiguous.
[[nodiscard]] bool is_own(uid_t uid) noexcept;

/// `uid` is root or the effective uid, and not ambiguous.
[[nodiscard]] bool is_trusted(uid_t uid) noexcept;

/// "user 1000"; of an ambiguous one also why it identifies no user. Throws std::bad_alloc.
[[nodiscard]] std::string owner_text(uid_t uid);

/// Whether a uid_map (user_namespaces(7)) gives every uid a number.
[[nodiscard]] bool maps_every_uid(std::string_view uid_map) noexcept;

}  // namespace gssntlm
