#include "mech/backends/winbind/winbind_names.h"

#include <algorithm>
#include <optional>

#include <sys/stat.h>

#include "mech/backends/attributes.h"
#include "mech/backends/winbind/winbind_ask.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/fork_mutex.h"
#include "mech/os/host_user.h"

namespace gssntlm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPipeDirectory = "/run/samba/winbindd";

constexpr std::chrono::seconds kPatience{1};
constexpr std::chrono::minutes kFactsLast{10};
constexpr std::chrono::seconds kAskAgain{5};

std::string text_of(const char* text) {
  return text != nullptr ? text : "";
}

// ---- facts, kept

// Of Kept.
ForkMutex g_mutex;

struct Kept {
  std::optional<WinbindFacts> facts;
  Clock::time_point ask_again;
};

Kept& kept() {
  // Never destroyed: a thread may still be in a call when the process ends.
  static auto& instance = *new Kept;
  return instance;
}

class FactsTask : public WinbindTask {
 public:
  void run(const Wbclient& api, wbcContext* context) override { facts = ask_facts(api, context); }

  std::optional<WinbindFacts> facts;
};

// Winbind may have to ask a domain controller: no caller waits, the answer is kept for later.
class ForestTask : public WinbindTask {
 public:
  explicit ForestTask(std::string domain) : domain_(std::move(domain)) {}

  void run(const Wbclient& api, wbcContext* context) override {
    WbcMemory<wbcDomainControllerInfoEx> dc(api);
    if (api.lookup_dc(context, domain_.c_str(), nullptr, nullptr, 0, dc.out()) != WBC_ERR_SUCCESS ||
        !dc) {
      return;
    }
    std::string forest = text_of(dc->forest_name);
    Kept& k = kept();
    const std::lock_guard<ForkMutex> lock(g_mutex);
    if (k.facts && k.facts->netbios_domain == domain_) {
      k.facts->forest = std::move(forest);
    }
  }

 private:
  std::string domain_;
};

// What is kept, if it need not be asked for again.
std::optional<WinbindFacts> fresh_facts(bool& ask) {
  Kept& k = kept();
  const std::lock_guard<ForkMutex> lock(g_mutex);
  ask = Clock::now() >= k.ask_again;
  return k.facts;
}

std::optional<WinbindFacts> keep(std::optional<WinbindFacts> fresh) {
  Kept& k = kept();
  const std::lock_guard<ForkMutex> lock(g_mutex);
  k.ask_again = Clock::now() + (fresh ? Clock::duration(kFactsLast) : Clock::duration(kAskAgain));
  if (fresh) {
    if (k.facts && k.facts->netbios_domain == fresh->netbios_domain) {
      fresh->forest = k.facts->forest;
    }
    k.facts = std::move(fresh);
  }
  return k.facts;
}

// ---- names

Bytes wide_name(const std::string& text) {
  Result<Bytes> wide = utf16le_from_utf8(text);
  return wide && is_clean_name(*wide) ? std::move(*wide) : Bytes();
}

void prefer(Bytes& to, const Bytes& given, const std::string& known) {
  if (given.empty() && !known.empty()) {
    to = wide_name(known);
  }
}

// A host name without a domain is in the DNS domain it is a member of.
std::string dns_name(const HostNames& names, const std::string& dns_domain) {
  Result<std::string> host = utf8_from_utf16le(names.dns_computer);
  if (!host || host->empty() || dns_domain.empty() || host->find('.') != std::string::npos) {
    return {};
  }
  return *host + "." + dns_domain;
}

// ---- the host's users

class HostUserTask : public WinbindTask {
 public:
  HostUserTask(std::string sid, std::string domain, std::string account)
      : sid_(std::move(sid)), domain_(std::move(domain)), account_(std::move(account)) {}

  void run(const Wbclient& api, wbcContext* context) override {
    wbcDomainSid sid{};
    wbcSidType type = WBC_SID_NAME_USER;
    code = sid_.empty() ? api.lookup_name(context, domain_.c_str(), account_.c_str(), &sid, &type)
                        : api.string_to_sid(sid_.c_str(), &sid);
    if (code != WBC_ERR_SUCCESS || type != WBC_SID_NAME_USER) {
      return;
    }
    WbcMemory<passwd> entry(api);
    code = api.getpwsid(context, &sid, entry.out());
    if (code == WBC_ERR_SUCCESS && entry) {
      found.emplace(HostUser{text_of(entry->pw_name), entry->pw_uid});
    }
  }

  wbcErr code = WBC_ERR_UNKNOWN_FAILURE;
  std::optional<HostUser> found;

 private:
  std::string sid_;
  std::string domain_;
  std::string account_;
};

// What the name's holder has set does not count.
std::string proven_value(const Name& name, std::string_view which) {
  for (const LogonAttribute& a : name.attributes()) {
    if (a.authenticated && a.name == which) {
      return a.value;
    }
  }
  return {};
}

// A local user of the same name overrides the domain's: programs that use the name reach that one.
bool leads_back(const HostUser& user) {
  const Result<std::optional<HostUser>> found = host_user_called(user.name);
  return found && *found && (*found)->uid == user.uid;
}

}  // namespace

bool has_winbind() noexcept {
  struct stat st;
  return ::stat(kPipeDirectory, &st) == 0 && S_ISDIR(st.st_mode);
}

Result<WinbindFacts> winbind_facts() {
  bool ask = true;
  std::optional<WinbindFacts> facts = fresh_facts(ask);
  if (ask) {
    auto task = std::make_shared<FactsTask>();
    const bool answered = call_winbind(task, kPatience, true) == WinbindCall::kDone;
    facts = keep(answered ? std::move(task->facts) : std::nullopt);
    if (facts && facts->forest.empty() && !facts->dns_domain.empty()) {
      (void)call_winbind(std::make_shared<ForestTask>(facts->netbios_domain),
                         std::chrono::milliseconds(0), true);
    }
  }
  if (!facts) {
    return error_with_detail(Major::kFailure, Minor::kDomain,
                             "winbind does not say which domain this is");
  }
  return *facts;
}

HostNames domain_host_names(const Settings& settings) {
  HostNames names = settings.names;
  const Result<WinbindFacts> facts = winbind_facts();
  if (!facts) {
    return names;
  }
  const HostNames& given = settings.given_names;
  prefer(names.nb_computer, given.nb_computer, facts->netbios_name);
  prefer(names.dns_computer, given.dns_computer, dns_name(names, facts->dns_domain));
  if (given.nb_domain.empty()) {
    names.nb_domain = wide_name(facts->netbios_domain);
    names.domain_member = facts->is_member();
    prefer(names.dns_domain, given.dns_domain, facts->dns_domain);
    prefer(names.dns_tree, given.dns_tree, facts->forest);
  }
  return names;
}

bool is_named_by_domain(const Name& name) {
  return name.is_proven() && !proven_value(name, attribute::kAccountName).empty();
}

Result<HostUser> domain_user_here(const Name& name, std::chrono::seconds bound) {
  const std::string sid = proven_value(name, attribute::kUserSid);
  if (sid.empty() && is_named_by_domain(name)) {
    return error_with_detail(
        Major::kUnauthorized, Minor::kBadName,
        "the domain gave no SID for " + printable_account(name.user_part(), name.domain_part()));
  }
  auto task = std::make_shared<HostUserTask>(sid, name.domain_part(), name.user_part());
  if (call_winbind(task, bound) != WinbindCall::kDone ||
      task->code == WBC_ERR_WINBIND_NOT_AVAILABLE) {
    return error_with_detail(Major::kFailure, Minor::kDomain,
                             "winbind does not say who its users are here");
  }
  if (!task->found || task->found->name.empty()) {
    return error_with_detail(
        Major::kUnauthorized, Minor::kBadName,
        printable_account(name.user_part(), name.domain_part()) + " is no user of this host");
  }
  if (!leads_back(*task->found)) {
    return error_with_detail(Major::kUnauthorized, Minor::kBadName,
                             printable_account(name.user_part(), name.domain_part()) +
                                 " would be " + printable_utf8(task->found->name) +
                                 " here, which is another user or none; see nsswitch.conf(5)");
  }
  return std::move(*task->found);
}

}  // namespace gssntlm
