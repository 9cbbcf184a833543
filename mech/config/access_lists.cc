#include "mech/config/access_lists.h"

#include "mech/base/text.h"
#include "mech/config/glob.h"

namespace gssntlm {
namespace {

std::optional<std::string> refusal(const Settings& settings, std::string text) {
  return (settings.audit_only ? "would be refused, " : "refused, ") + std::move(text);
}

}  // namespace

std::optional<std::string> outgoing_refusal(std::string_view target, const Settings& settings) {
  if (matches_any_target(settings.deny_targets, target)) {
    return refusal(settings, "deny_targets has target " + printable_utf8(target));
  }
  if (!settings.allow_targets.empty() && !matches_any_target(settings.allow_targets, target)) {
    return refusal(settings, "allow_targets lacks target " + printable_utf8(target));
  }
  return std::nullopt;
}

std::optional<std::string> user_refusal(std::string_view user, std::string_view domain,
                                        const Settings& settings) {
  if (matches_any_user(settings.deny_users, user, domain)) {
    return refusal(settings, "deny_users has user " + printable_utf8(user));
  }
  if (!settings.allow_users.empty() && !matches_any_user(settings.allow_users, user, domain)) {
    return refusal(settings, "allow_users lacks user " + printable_utf8(user));
  }
  return std::nullopt;
}

std::optional<std::string> target_refusal(std::string_view target, const Settings& settings) {
  if (target.empty()) {
    return refusal(settings, "the client named no target that a MIC covers");
  }
  if (!matches_any_target(settings.target_names, target)) {
    return refusal(settings, "target_names lacks the client's target " + printable_utf8(target));
  }
  return std::nullopt;
}

Result<Logon> RuledAccounts::logon(const LogonRequest& request, const Policy& policy,
                                   const Runtime& env) const {
  LogonRequest asked = request;
  const bool any_user = settings_.allow_users.empty() && settings_.deny_users.empty();
  asked.filter = any_user || settings_.audit_only ? nullptr : this;
  return source_.logon(asked, policy, env);
}

bool RuledAccounts::admits(ByteView user, ByteView domain, const Runtime& env) const {
  const Result<std::string> user_text = utf8_from_utf16le(user);
  const Result<std::string> domain_text = utf8_from_utf16le(domain);
  if (!user_text || !domain_text) {
    return false;
  }
  const std::optional<std::string> why = user_refusal(*user_text, *domain_text, settings_);
  if (why && env.tracing()) {
    env.trace("acceptor: " + *why);
  }
  return !why;
}

}  // namespace gssntlm
