#include "mech/backends/winbind/winbind_check.h"

#include <chrono>
#include <memory>
#include <utility>

#include "mech/backends/winbind/nt_status.h"
#include "mech/backends/winbind/wbclient.h"
#include "mech/backends/winbind/winbind_ask.h"
#include "mech/backends/winbind/winbind_logon.h"
#include "mech/base/text.h"

namespace gssntlm {
namespace {

class PipeTask : public WinbindTask {
 public:
  void run(const Wbclient& api, wbcContext* context) override {
    facts = ask_facts(api, context);
    privileged = facts && may_check_logons(api, context, facts->netbios_name);
  }

  std::optional<WinbindFacts> facts;
  bool privileged = false;
};

class DomainTask : public WinbindTask {
 public:
  explicit DomainTask(std::string domain) : domain_(std::move(domain)) {}

  void run(const Wbclient& api, wbcContext* context) override {
    WbcMemory<wbcAuthErrorInfo> error(api);
    WbcMemory<char> name(api);
    const wbcErr code = api.ping_dc(context, domain_.c_str(), error.out(), name.out());
    reached = code == WBC_ERR_SUCCESS;
    if (name) {
      dc = name.get();
    }
    if (error) {
      why = meaning_of(error->nt_status).text;
      if (why.empty() && error->nt_string != nullptr) {
        why = error->nt_string;
      }
    }
    if (why.empty()) {
      why = api.error_string(code);
    }
  }

  bool reached = false;
  std::string dc;
  std::string why;

 private:
  std::string domain_;
};

void check_domain(WinbindCheck& check, std::chrono::seconds bound) {
  auto task = std::make_shared<DomainTask>(check.facts.netbios_domain);
  const WinbindCall call = call_winbind(task, bound);
  if (call == WinbindCall::kDone) {
    check.reaches_domain = task->reached;
    check.domain_controller = std::move(task->dc);
  }
  if (!check.reaches_domain && check.problem.empty()) {
    check.problem =
        "winbind reaches no domain controller of " + check.facts.netbios_domain + " (" +
        (call == WinbindCall::kDone ? task->why
                                    : "no answer within " + std::to_string(bound.count()) + " s") +
        "); see the network, DNS, the clock, and wbinfo --ping-dc";
  }
}

}  // namespace

WinbindCheck check_winbind(const Settings& settings) {
  const std::chrono::seconds bound(settings.winbind_timeout);
  WinbindCheck check;
  auto task = std::make_shared<PipeTask>();
  const WinbindCall call = call_winbind(task, bound);
  check.installed = call != WinbindCall::kNoLibrary;
  if (!check.installed) {
    check.problem = "libwbclient.so.0 cannot be loaded; install it (Debian: libwbclient0)";
    return check;
  }
  if (call == WinbindCall::kTimedOut) {
    check.problem = "winbindd hangs: no answer within " + std::to_string(bound.count()) + " s";
    return check;
  }
  if (call != WinbindCall::kDone || !task->facts) {
    check.problem = has_winbind() ? "winbindd does not answer; is it running?"
                                  : "winbindd has not run here since the machine was started";
    return check;
  }
  check.answers = true;
  check.facts = std::move(*task->facts);
  check.privileged = task->privileged;
  if (!check.privileged) {
    check.problem = std::string(kUnprivileged);
  }
  check_domain(check, bound);
  return check;
}

std::string describe(const WinbindCheck& check) {
  const auto yes_no = [](bool v) { return v ? "yes" : "no"; };
  std::string text;
  const auto line = [&text](const char* name, std::string_view value) {
    text.append(name).append(": ").append(printable_utf8(value, 512)).append("\n");
  };
  line("libwbclient", yes_no(check.installed));
  line("winbind answers", yes_no(check.answers));
  if (check.answers) {
    const WinbindFacts& f = check.facts;
    line("winbind", f.version);
    line("computer", f.netbios_name);
    line(f.is_member() ? "domain" : "own accounts of", f.netbios_domain);
    line("DNS domain", f.dns_domain);
    text.append("separator: ").append(1, f.separator).append("\n");
    line("privileged pipe", yes_no(check.privileged));
    line("domain controller", check.reaches_domain ? check.domain_controller : "none");
  }
  if (!check.good()) {
    line("problem", check.problem);
  }
  return text;
}

}  // namespace gssntlm
