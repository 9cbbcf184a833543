// Where policy, names and account sources of this process come from.
#pragma once

#include <string>

#include "mech/base/ref.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/policy.h"

namespace gssntlm {

/// Immutable; shared by credentials and contexts.
struct Settings : RefCounted {
  Policy policy;
  HostNames names;
  std::string users_file;    ///< path; empty: none
  std::string default_user;  ///< NTLMUSER; empty: none
};

/// Reads the environment (with secure_getenv: ignored in setuid programs): LM_COMPAT_LEVEL,
/// NETBIOS_COMPUTER_NAME, NETBIOS_DOMAIN_NAME, NTLM_USER_FILE, NTLMUSER; asks the system for its
/// name. No network, no files. Error: kBadSetting, with the setting and its value as detail. Throws
/// std::bad_alloc.
[[nodiscard]] Result<Ref<const Settings>> load_settings();

}  // namespace gssntlm
