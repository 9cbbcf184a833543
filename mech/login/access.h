// What stops a login although its messages are in order: reflection, the lists, the target.
#pragma once

#include "mech/base/runtime.h"
#include "mech/credential/credential.h"

namespace gssntlm {

/// Whether an initiator may answer a CHALLENGE with this credential. A challenge of this host that
/// reaches a stored credential is a reflected one: nothing asks for a login to itself without
/// supplying the secret. `issued_here`: see was_issued_here(). Error: FAILURE kPolicyBlocked, with
/// the setting in its detail. Throws std::bad_alloc.
[[nodiscard]] Status check_reflection(const Credential& credential, const Name& target,
                                      ByteView challenge, bool issued_here, const Runtime& env);

/// Whether the account that an acceptor authenticated may log in here, and meant to: allow_users,
/// deny_users and target_check. What would reject it, but for audit_only or target_check = log, is
/// traced and added to `would_reject`. Error: FAILURE kLogonFailure. Throws std::bad_alloc.
[[nodiscard]] Status check_access(const Name& source, const Settings& settings, const Runtime& env,
                                  std::vector<std::string>& would_reject);

/// What would have kept an initiator from `target`, but for audit_only; nullopt: nothing. Throws
/// std::bad_alloc.
[[nodiscard]] std::optional<std::string> permitted_refusal(const Name& target,
                                                           const Settings& settings);

/// Where policy has no connectionless contexts: FAILURE kPolicyBlocked, with the setting in its
/// detail.
[[nodiscard]] Error connectionless_off() noexcept;

}  // namespace gssntlm
