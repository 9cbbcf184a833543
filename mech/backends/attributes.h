// What account sources tell about the accounts that they verified.
#pragma once

namespace gssntlm {

/// Names of what a source may know about an account (docs/domain.md), for Logon::attributes. Texts
/// are UTF-8, times seconds since 1970 as decimal numbers. What is not known is absent.
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
/// Of a users file, for an account of several entries: the number of the one that logged in,
/// from 1.
inline constexpr const char* kUsersFileEntry = "urn:gss-ntlm:users-file-entry";
inline constexpr const char* kPasswordLastSet = "urn:gss-ntlm:password-last-set";
inline constexpr const char* kPasswordCanChange = "urn:gss-ntlm:password-can-change";
inline constexpr const char* kPasswordMustChange = "urn:gss-ntlm:password-must-change";
}  // namespace attribute

}  // namespace gssntlm
