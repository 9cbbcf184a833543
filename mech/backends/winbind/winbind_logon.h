// Accounts of a domain: a response is proven by a domain controller, through winbind.
#pragma once

#include <chrono>
#include <string_view>

#include "mech/backends/backend.h"

namespace gssntlm {

/// Names of the facts about an account of a domain (docs/domain.md). Texts are UTF-8, times seconds
/// since 1970 as decimal numbers; a fact that the domain controller does not tell is absent.
namespace attribute {
inline constexpr const char* kSids = "urn:gssntlmssp:sids";  ///< all, commas between them
inline constexpr const char* kUserSid = "urn:gss-ntlm:user-sid";
inline constexpr const char* kPrimaryGroupSid = "urn:gss-ntlm:primary-group-sid";
inline constexpr const char* kAccountName = "urn:gss-ntlm:account-name";
inline constexpr const char* kDisplayName = "urn:gss-ntlm:display-name";
inline constexpr const char* kUserPrincipal = "urn:gss-ntlm:user-principal-name";
inline constexpr const char* kLogonDomain = "urn:gss-ntlm:logon-domain";
inline constexpr const char* kDnsDomain = "urn:gss-ntlm:dns-domain";
inline constexpr const char* kLogonServer = "urn:gss-ntlm:logon-server";
inline constexpr const char* kPasswordLastSet = "urn:gss-ntlm:password-last-set";
inline constexpr const char* kPasswordCanChange = "urn:gss-ntlm:password-can-change";
inline constexpr const char* kPasswordMustChange = "urn:gss-ntlm:password-must-change";
}  // namespace attribute

/// What a process is told that winbind does not check logons for.
inline constexpr std::string_view kUnprivileged =
    "winbind does not let this process check passwords: add its user to the group of winbind's "
    "privileged pipe (Debian: adduser USER winbindd_priv) and restart it";

/// Stateless; shared by threads.
class WinbindSource : public Accounts {
 public:
  explicit WinbindSource(std::chrono::seconds bound) noexcept : bound_(bound) {}

  /// FAILURE kLogonFailure when the domain refuses; FAILURE kDomain when nothing was decided within
  /// the bound: the trace says why.
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override;

  /// The same; `verdict` says what a failure means for further sources.
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env, Verdict& verdict) const override;
  [[nodiscard]] std::optional<HostNames> host_names(const Settings& settings) const override;

 private:
  std::chrono::seconds bound_;
};

}  // namespace gssntlm
