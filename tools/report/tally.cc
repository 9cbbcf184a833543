#include "tools/report/tally.h"

#include <algorithm>

namespace gssntlm::tools {
namespace {

constexpr std::size_t kMaxName = 128;

std::string_view named(std::string_view name, std::string_view otherwise) noexcept {
  return name.empty() ? otherwise : name;
}

// `DOM\user`, as the domain controller or the users file has it where it was verified.
std::string user_of(const AuditEntry& e) {
  if (!e.account.empty()) {
    return e.account;
  }
  if (e.user.empty()) {
    return e.version == "anonymous" ? "(anonymous)" : "(not known)";
  }
  return e.domain.empty() ? e.user : e.domain + "\\" + e.user;
}

std::string process_of(const AuditEntry& e) {
  return std::string(named(e.unit, named(e.process, "(not known)")));
}

// Who must change when such a login is rejected: the client, or this host's program and its server.
std::string party_of(const AuditEntry& e) {
  return e.is_initiator() ? process_of(e) + " to " + std::string(named(e.target, "(no target)"))
                          : std::string(named(e.workstation, "(no name)"));
}

// Why a login succeeded says nothing.
std::string_view reason_of(const AuditEntry& e) noexcept {
  return e.succeeded() ? std::string_view() : named(e.reason, "(no reason)");
}

bool is_older(const AuditEntry& e) {
  return e.version != "NTLMv2" && e.version != "anonymous";
}

}  // namespace

const std::array<Dimension, kDimensions>& dimensions() noexcept {
  static constexpr std::array<Dimension, kDimensions> kAll = {{
      {By::kUser, "users", "Users"},
      {By::kClient, "clients", "Clients"},
      {By::kTarget, "targets", "Targets"},
      {By::kVersion, "versions", "Versions"},
      {By::kReason, "reasons", "Reasons of rejections"},
      {By::kOutcome, "outcomes", "Outcomes"},
      {By::kProcess, "processes", "Programs on this side"},
  }};
  return kAll;
}

const std::array<Plan, kPlans>& plans() noexcept {
  static constexpr std::array<Plan, kPlans> kAll = {{
      {"older_than_v2", "responses older than NTLMv2", "accept_level = 5, send_level = 3",
       is_older},
      {"without_mic", "NTLMv2 without a MIC", "require_mic = yes",
       [](const AuditEntry& e) { return is_older(e) || !e.mic; }},
      {"without_bindings", "NTLMv2 without channel bindings", "channel_bindings = require",
       [](const AuditEntry& e) {
         return is_older(e) || e.bindings.empty() || e.bindings == "none";
       }},
      {"lists", "what allow and deny lists and target_check report", "audit_only = no",
       [](const AuditEntry& e) { return !e.would_reject.empty(); }},
      {"ntlm", "NTLM at all", "deny_users = *, deny_targets = *",
       [](const AuditEntry&) { return true; }},
  }};
  return kAll;
}

void Counts::add(std::string_view name, bool good) {
  if (name.empty()) {
    return;
  }
  name = name.substr(0, kMaxName);
  const auto found = counts_.find(name);
  Count& count = found != counts_.end()    ? found->second
                 : counts_.size() >= kMost ? others_
                                           : counts_[std::string(name)];
  ++(good ? count.good : count.bad);
}

std::vector<std::pair<std::string, Count>> Counts::sorted() const {
  std::vector<std::pair<std::string, Count>> list(counts_.begin(), counts_.end());
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return a.second.all() != b.second.all() ? a.second.all() > b.second.all() : a.first < b.first;
  });
  return list;
}

void Tally::add(const AuditEntry& e) {
  ++records;
  if (first.empty() || e.time < first) {
    first = e.time;
  }
  if (e.time > last) {
    last = e.time;
  }
  const bool good = e.succeeded();
  const auto count = [&](By dimension, std::string_view name) {
    by[static_cast<std::size_t>(dimension)].add(name, good);
  };
  count(By::kUser, user_of(e));
  count(By::kClient, named(e.workstation, "(no name)"));
  count(By::kTarget, named(e.target, "(no target)"));
  count(By::kVersion, named(e.version, "(not known)"));
  count(By::kReason, reason_of(e));
  count(By::kOutcome, e.role + ": " + e.result);
  count(By::kProcess, process_of(e));
  for (std::size_t i = 0; good && i < kPlans; ++i) {
    if (plans()[i].breaks(e)) {
      broken[i].add(party_of(e), true);
    }
  }
}

}  // namespace gssntlm::tools
