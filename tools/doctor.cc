// doctor: whether NTLM works on this machine, in a dozen lines.
#include "tools/doctor.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include <sys/timex.h>

#include "mech/base/text.h"
#include "mech/config/settings.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/json_output.h"
#include "tools/keyrings.h"
#include "tools/self_login.h"

namespace gssntlm::tools {
namespace {

const char* word(Check::State state) {
  switch (state) {
    case Check::State::kOk:
      return "ok";
    case Check::State::kNote:
      return "note";
    case Check::State::kWrong:
      break;
  }
  return "wrong";
}

void report(Checks& checks, const char* name, const LoginOutcome& login) {
  if (!login.problem.empty()) {
    checks.push_back({Check::State::kWrong, name, login.problem});
  } else if (!login.protects) {
    checks.push_back({Check::State::kWrong, name,
                      "works, but messages are not encrypted; see policy in the settings"});
  } else {
    checks.push_back({Check::State::kOk, name,
                      std::string("works, messages are sealed, ") +
                          (login.has_mic ? "with a MIC" : "without a MIC")});
  }
}

// A login that insists on a MIC, and so on mechListMIC, tells whether the library carries it; but
// two ends in one process may both lose it, which "auto" has looked at more closely.
void report_mech_list_mic(Checks& checks, SpnegoMic setting, const LoginOutcome& usual,
                          const LoginOutcome& strict) {
  const char* name = "mechListMIC";
  if (strict.problem.empty() && (usual.has_mic || setting != SpnegoMic::kAuto)) {
    checks.push_back({Check::State::kOk, name,
                      usual.has_mic ? "is carried by this Kerberos library"
                                    : "is carried by this Kerberos library; settings want none"});
    return;
  }
  checks.push_back(
      {Check::State::kNote, name,
       "is lost by this Kerberos library, as by all of 1.21.0 to 1.22.1: inside SPNEGO there is no "
       "MIC, and clients elsewhere that send one cannot log in to services here; update krb5, or "
       "install the package gss-ntlm-spnego (docs/guides/spnego.md)"});
}

int print_lines(const Checks& checks, std::ptrdiff_t wrong) {
  for (const Check& check : checks) {
    std::printf("%-5s  %s: %s\n", word(check.state), check.name.c_str(),
                terminal_text(check.text).c_str());
  }
  if (wrong == 0) {
    std::puts("NTLM works here.");
  } else {
    std::printf("%td of %zu things are wrong.\n", wrong, checks.size());
  }
  return wrong == 0 ? kDone : kFailed;
}

int print_json(const Checks& checks, std::ptrdiff_t wrong) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    list.push_back({{"name", check.name}, {"state", word(check.state)}, {"text", check.text}});
  }
  const nlohmann::ordered_json all = {{"good", wrong == 0}, {"checks", list}};
  gssntlm::tools::print_json(all);
  return wrong == 0 ? kDone : kFailed;
}

int examine(const std::optional<std::string>& target, bool json) {
  Checks checks;
  check_mechanism(checks);
  check_accounts(checks, target);
  check_clock(checks);
  check_logins(checks);
  const auto wrong = std::count_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.state == Check::State::kWrong;
  });
  return json ? print_json(checks, wrong) : print_lines(checks, wrong);
}

}  // namespace

void check_clock(Checks& checks) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
  timex state{};
  const bool kept = ::adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
  checks.push_back(
      {kept ? Check::State::kOk : Check::State::kNote, "clock",
       std::string(text) + (kept ? ", synchronized by a time service"
                                 : ", and the kernel reports no time service that corrects it")});
}

void check_logins(Checks& checks) {
  const Result<Ref<const Settings>> settings = load_settings();
  if (!settings) {
    checks.push_back({Check::State::kNote, "login", "not tried: the settings are wrong"});
    return;
  }
  SelfLogin login;
  if (!login.problem().empty()) {
    checks.push_back({Check::State::kNote, "login", "not tried: " + login.problem()});
    return;
  }
  report(checks, "login", login.run(false, std::nullopt));
  const LoginOutcome usual = login.run(true, std::nullopt);
  report(checks, "login inside SPNEGO", usual);
  check_spnego(checks, login);
  if (usual.problem.empty()) {
    report_mech_list_mic(checks, (*settings)->spnego_mic, usual, login.run(true, "always"));
  }
}

void add_doctor_command(Command program, int& status) {
  struct Options {
    std::string target;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  Command command = program.add_command("doctor", "Diagnose the NTLM setup of this machine");
  command.add_option(
      "--target", o->target,
      "Which account an initiator would log in with there, e.g. HTTP@www.corp.example");
  command.add_flag("--json", o->json, "One JSON object instead of lines");
  command.footer("Example: gss-ntlm doctor --target HTTP@www.corp.example");
  command.callback([o, &status] {
    status = examine(o->target.empty() ? std::nullopt : std::optional(target_of_url(o->target)),
                     o->json);
  });
}

}  // namespace gssntlm::tools
