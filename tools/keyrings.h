// What the commands for logins in keyrings share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mech/backends/keyring/login_store.h"
#include "tools/command_line.h"

namespace gssntlm::tools {

/// In the order in which initiators ask them.
[[nodiscard]] const std::vector<KeyringKind>& all_keyrings();

/// The target that programs give for a URL, `HTTP@host` of `https://host:8080/path` and `LDAP@host`
/// of `ldap://host`; any other text as it is. Throws std::bad_alloc.
[[nodiscard]] std::string target_of_url(std::string_view text);

/// Adds `list` to `program`.
void add_list_command(Command program, int& status);

}  // namespace gssntlm::tools
