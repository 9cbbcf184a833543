#include "mech/login/access.h"

#include "mech/backends/attributes.h"
#include "mech/base/text.h"
#include "mech/config/access_lists.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

// A target as patterns see it; a service without a host is this host's.
std::string spn_of(const Name& target) {
  const bool here = target.kind() == NameKind::kService && target.domain_part().empty();
  return here ? std::string() : target.target_spn();
}

std::optional<std::string> user_refusal_of(const Name& name, const Settings& settings) {
  AccountSpelling account{name.user_part(), name.domain_part()};
  if (settings.deny_users.empty()) {
    return user_refusal(account, settings);
  }
  const std::vector<LogonAttribute> attributes = name.attributes();
  for (const LogonAttribute& a : attributes) {
    if (a.name == attribute::kUserPrincipal) {
      account.principal = a.value;
    } else if (a.name == attribute::kDnsDomain) {
      account.dns_domain = a.value;
    }
  }
  return user_refusal(account, settings);
}

std::optional<std::string> target_refusal_of(const Name& source, const Settings& settings) {
  if (settings.target_check == TargetCheck::kOff) {
    return std::nullopt;
  }
  const Result<std::string> target =
      utf8_from_utf16le(source.facts() != nullptr ? source.facts()->target_name : Bytes());
  return target_refusal(target ? *target : std::string(), settings);
}

// Without what is done about it: "would be rejected, ".
std::string cause_of(const std::string& refusal) {
  return refusal.substr(refusal.find(", ") + 2);
}

}  // namespace

Status check_reflection(const Credential& credential, const Name& target, ByteView challenge,
                        bool issued_here, const Runtime& env) {
  if (!credential.is_ambient()) {
    return {};
  }
  const Settings& settings = credential.settings();
  std::string_view why;
  if (issued_here && settings.policy.refuse_reflection) {
    why = "a stored credential does not answer a challenge of its own process (refuse_reflection)";
  } else if (settings.refuse_host_reflection &&
             reflects_this_host(challenge, spn_of(target), settings)) {
    why = "the challenge names this host, and the target is another (refuse_host_reflection)";
  } else {
    return {};
  }
  if (env.tracing()) {
    env.trace("initiator: rejected, " + std::string(why));
  }
  return error_with_detail(Major::kFailure, Minor::kPolicyBlocked, why);
}

Status check_access(const Name& source, const Settings& settings, const Runtime& env,
                    std::vector<std::string>& would_reject) {
  if (const std::optional<std::string> why = user_refusal_of(source, settings)) {
    env.trace("acceptor: " + *why);
    if (!settings.audit_only) {
      return failure(Minor::kLogonFailure);
    }
    would_reject.push_back(cause_of(*why));
  }
  if (const std::optional<std::string> why = target_refusal_of(source, settings)) {
    env.trace("acceptor: " + *why);
    if (settings.target_check == TargetCheck::kRequire && !settings.audit_only) {
      return failure(Minor::kLogonFailure);
    }
    would_reject.push_back(cause_of(*why));
  }
  return {};
}

std::optional<std::string> permitted_refusal(const Name& target, const Settings& settings) {
  if (!settings.audit_only) {
    return std::nullopt;
  }
  const std::optional<std::string> why = outgoing_refusal(target.target_spn(), settings);
  return why ? std::optional(cause_of(*why)) : std::nullopt;
}

Error connectionless_off() noexcept {
  return error_with_detail(Major::kFailure, Minor::kPolicyBlocked,
                           "connectionless contexts are off; set [policy] allow_connectionless = "
                           "yes for a service that uses NTLM over datagrams");
}

}  // namespace gssntlm
