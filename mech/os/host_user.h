// The users of this host, as its name service lists them.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "mech/base/status.h"

namespace gssntlm {

struct HostUser {
  std::string name;
  uid_t uid = 0;
};

/// The user called `name`, or with the number `uid`; nullopt: there is none. May wait for the name
/// service. Error: UNAVAILABLE kNoLocalUser when that cannot tell. Throw std::bad_alloc.
[[nodiscard]] Result<std::optional<HostUser>> host_user_called(const std::string& name);
[[nodiscard]] Result<std::optional<HostUser>> host_user_with(uid_t uid);

}  // namespace gssntlm
