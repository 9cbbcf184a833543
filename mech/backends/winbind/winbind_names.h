// What winbind knows of this machine and its users.
#pragma once

#include <chrono>
#include <string>

#include "mech/backends/backend.h"
#include "mech/config/settings.h"
#include "mech/names/name.h"

namespace gssntlm {

/// This machine as a member of its domain. Texts are UTF-8.
struct WinbindFacts {
  std::string version;  ///< of winbindd
  std::string netbios_name;
  std::string netbios_domain;
  std::string dns_domain;  ///< empty: not a domain of Active Directory
  std::string forest;      ///< DNS name; empty: not known (yet)
  char separator = '\\';   ///< between domain and user in the names of the host's users

  [[nodiscard]] bool is_member() const { return netbios_domain != netbios_name; }
};

/// Whether there is a winbind on this machine: it created its pipe's directory since the machine
/// started. Whether it runs is not asked.
[[nodiscard]] bool has_winbind() noexcept;

/// The facts, asked for once in ten minutes, or every five seconds while there is no answer; old
/// ones go on to count. Waits for a second at most. Error: FAILURE kDomain. Throws std::bad_alloc.
[[nodiscard]] Result<WinbindFacts> winbind_facts();

/// Names for CHALLENGE: those that settings give, else winbind's, else what settings make of the
/// host's name. Waits as winbind_facts(). Throws std::bad_alloc.
[[nodiscard]] HostNames domain_host_names(const Settings& settings);

/// Whether a domain controller named the account in a logon that this process had checked.
[[nodiscard]] bool is_named_by_domain(const Name& name);

/// The host's user for an account of a domain: the name that winbind gives it, in whatever form
/// winbind's separator and default domain make it, and that leads back to the same user. An account
/// that the domain named is looked up by its authenticated SID alone, any other by its name. Error:
/// UNAUTHORIZED kBadName when it is no user here, has no SID, or another local user bears the name;
/// FAILURE kDomain. Throws std::bad_alloc.
[[nodiscard]] Result<HostUser> domain_user_here(const Name& name, std::chrono::seconds bound);

}  // namespace gssntlm
