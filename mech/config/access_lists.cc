#include "mech/config/access_lists.h"

#include "mech/base/text.h"
#include "mech/wire/challenge.h"

namespace gssntlm {
namespace {

std::optional<std::string> refusal(const Settings& settings, std::string text) {
  return (settings.audit_only ? "would be rejected, " : "rejected, ") + std::move(text);
}

// Patterns of the names that this host has.
std::vector<std::string> own_hosts(const HostNames& names) {
  std::vector<std::string> hosts = {"localhost", "127.0.0.1", "::1", "[::1]"};
  for (const Bytes* name : {&names.nb_computer, &names.dns_computer}) {
    Result<std::string> text = utf8_from_utf16le(*name);
    if (text && !text->empty()) {
      hosts.push_back(std::move(*text));
    }
  }
  return hosts;
}

bool is_same_name(const std::optional<ByteView>& given, const Bytes& own) {
  return given && !own.empty() && equal_ignoring_case(*given, own);
}

std::vector<DomainAlias> own_aliases(const HostNames& names) {
  std::vector<DomainAlias> aliases;
  for (const auto& [netbios, dns] : {std::pair(&names.nb_domain, &names.dns_domain),
                                     std::pair(&names.nb_computer, &names.dns_computer)}) {
    const Result<std::string> one = utf8_from_utf16le(*netbios);
    const Result<std::string> other = utf8_from_utf16le(*dns);
    if (one && other && !one->empty() && !other->empty()) {
      aliases.emplace_back(*one, *other);
    }
  }
  return aliases;
}

// Which list rejects the account, in words; nullptr: none does.
const char* rejecting_list(const AccountSpelling& account, const Settings& settings) {
  if (!settings.deny_users.empty() &&
      matches_any_spelling(settings.deny_users, account, own_aliases(settings.names))) {
    return "deny_users has user ";
  }
  const bool allowed =
      settings.allow_users.empty() || matches_exactly(settings.allow_users, account);
  return allowed ? nullptr : "allow_users lacks user ";
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

std::optional<std::string> user_refusal(const AccountSpelling& account, const Settings& settings) {
  const char* const list = rejecting_list(account, settings);
  return list != nullptr ? refusal(settings, list + printable_utf8(account.user)) : std::nullopt;
}

std::optional<std::string> target_refusal(std::string_view target, const Settings& settings) {
  if (!target.empty() && matches_any_target(settings.target_names, target)) {
    return std::nullopt;
  }
  const bool require = settings.target_check == TargetCheck::kRequire && !settings.audit_only;
  std::string text = require ? "rejected, " : "would be rejected by target_check = require, ";
  text += target.empty() ? "the client named no target that a MIC covers"
                         : "target_names lacks the client's target " + printable_utf8(target);
  return require ? text + " (target_check = require)" : text;
}

bool reflects_this_host(ByteView challenge, std::string_view target, const Settings& settings) {
  const Result<ChallengeMessage> message = decode_challenge(challenge);
  const Result<TargetInfo> info =
      message ? decode_target_info(message->target_info) : Result<TargetInfo>(message.error());
  if (!info || (!is_same_name(info->nb_computer, settings.names.nb_computer) &&
                !is_same_name(info->dns_computer, settings.names.dns_computer))) {
    return false;
  }
  return !target.empty() && !matches_any_target(own_hosts(settings.names), target);
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
  const char* const list = rejecting_list({*user_text, *domain_text}, settings_);
  // Composing the text would make a denied account dearer to reject than others.
  if (list != nullptr && env.tracing()) {
    env.trace("acceptor: rejected, " + (list + printable_utf8(*user_text)));
  }
  return list == nullptr;
}

}  // namespace gssntlm
