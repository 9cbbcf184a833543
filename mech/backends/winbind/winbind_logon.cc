#include "mech/backends/winbind/winbind_logon.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <optional>
#include <utility>

#include "mech/backends/attributes.h"
#include "mech/backends/winbind/nt_status.h"
#include "mech/backends/winbind/wbclient.h"
#include "mech/backends/winbind/winbind_names.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

// winbind's protocol has room for this many bytes of a name, and libwbclient cuts what is longer.
constexpr std::size_t kMaxName = 255;

// Times from here on mean "never".
constexpr std::uint64_t kMaxTime = 253'402'300'800;  // year 10000

std::string text_of(const wbcDomainSid& sid) {
  std::uint64_t authority = 0;
  for (const std::uint8_t byte : sid.id_auth) {
    authority = authority << 8 | byte;
  }
  std::string text = "S-" + std::to_string(sid.sid_rev_num) + "-" + std::to_string(authority);
  const std::size_t count = std::min<std::size_t>(sid.num_auths, WBC_MAXSUBAUTHS);
  for (std::size_t i = 0; i < count; ++i) {
    text.append("-").append(std::to_string(sid.sub_auths[i]));
  }
  return text;
}

struct Question {
  std::string user;
  std::string domain;
  std::string workstation;
  Nonce challenge{};
  Bytes nt_response;
  Bytes lm_response;
};

struct Answer {
  wbcErr code = WBC_ERR_UNKNOWN_FAILURE;
  std::string code_text;
  bool unprivileged = false;
  // of an error
  std::uint32_t status = 0;
  std::string status_text;
  // of success
  std::string user;
  std::string domain;
  std::uint32_t user_flags = 0;
  SessionBaseKey base;
  std::array<std::uint8_t, 8> lm_key{};
  std::vector<LogonAttribute> attributes;

  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() { wipe(lm_key); }
};

class LogonTask : public WinbindTask {
 public:
  LogonTask(Question question, std::chrono::seconds bound)
      : question_(std::move(question)), until_(std::chrono::steady_clock::now() + bound) {}

  void run(const Wbclient& api, wbcContext* context) override {
    ask(api, context);
    // Either pipe may be gone with a winbindd that ended; then the next one may be there already.
    if (answer.code == WBC_ERR_WINBIND_NOT_AVAILABLE && in_time() &&
        api.ping(context) == WBC_ERR_SUCCESS) {
      ask(api, context);
      answer.unprivileged = answer.code == WBC_ERR_WINBIND_NOT_AVAILABLE;
    }
  }

  Answer answer;

 private:
  bool in_time() const noexcept { return std::chrono::steady_clock::now() < until_; }

  void ask(const Wbclient& api, wbcContext* context) {
    wbcAuthUserParams params{};
    params.account_name = question_.user.c_str();
    params.domain_name = question_.domain.c_str();
    params.workstation_name = question_.workstation.c_str();
    params.level = wbcAuthUserParams::WBC_AUTH_USER_LEVEL_RESPONSE;
    // Machines log in over the network as users do.
    params.parameter_control =
        WBC_MSV1_0_ALLOW_WORKSTATION_TRUST_ACCOUNT | WBC_MSV1_0_ALLOW_SERVER_TRUST_ACCOUNT;
    auto& response = params.password.response;
    std::copy(question_.challenge.begin(), question_.challenge.end(), response.challenge);
    response.nt_length = static_cast<std::uint32_t>(question_.nt_response.size());
    response.nt_data = question_.nt_response.data();
    response.lm_length = static_cast<std::uint32_t>(question_.lm_response.size());
    response.lm_data = question_.lm_response.data();

    WbcMemory<wbcAuthUserInfo> info(api);
    WbcMemory<wbcAuthErrorInfo> error(api);
    answer.code = api.authenticate(context, &params, info.out(), error.out());
    if (info) {
      take_keys(*info.get());
    }
    answer.code_text = api.error_string(answer.code);
    if (error) {
      answer.status = error->nt_status;
      answer.status_text = error->nt_string != nullptr ? error->nt_string : "";
    }
    if (info) {
      take(*info.get());
    }
  }
  void add(const char* name, const char* value) {
    if (value != nullptr && *value != '\0') {
      answer.attributes.push_back({name, value});
    }
  }
  void add_time(const char* name, std::uint64_t seconds) {
    if (seconds != 0 && seconds < kMaxTime) {
      answer.attributes.push_back({name, std::to_string(seconds)});
    }
  }
  // The user's comes first, the primary group's second, and that one again among the groups.
  void add_sids(const wbcAuthUserInfo& info) {
    std::vector<std::string> sids;
    std::string all;
    const std::uint32_t count = info.sids != nullptr ? info.num_sids : 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      std::string sid = text_of(info.sids[i].sid);
      if (std::find(sids.begin(), sids.end(), sid) == sids.end()) {
        all.append(i == 0 ? "" : ",").append(sid);
        sids.push_back(std::move(sid));
      }
    }
    add(attribute::kSids, all.c_str());
    if (!sids.empty()) {
      add(attribute::kUserSid, sids[0].c_str());
    }
    if (sids.size() > 1) {
      add(attribute::kPrimaryGroupSid, sids[1].c_str());
    }
  }
  // At once: nothing that fails later leaves them where they were.
  void take_keys(wbcAuthUserInfo& info) noexcept {
    answer.base = SessionBaseKey(info.user_session_key);
    std::copy(std::begin(info.lm_session_key), std::end(info.lm_session_key),
              answer.lm_key.begin());
    explicit_bzero(info.user_session_key, sizeof info.user_session_key);
    explicit_bzero(info.lm_session_key, sizeof info.lm_session_key);
  }
  void take(const wbcAuthUserInfo& info) {
    answer.user = info.account_name != nullptr ? info.account_name : "";
    answer.domain = info.domain_name != nullptr ? info.domain_name : "";
    answer.user_flags = info.user_flags;
    add_sids(info);
    add(attribute::kAccountName, info.account_name);
    add(attribute::kDisplayName, info.full_name);
    add(attribute::kUserPrincipal, info.user_principal);
    add(attribute::kLogonDomain, info.domain_name);
    add(attribute::kDnsDomain, info.dns_domain_name);
    add(attribute::kLogonServer, info.logon_server);
    add_time(attribute::kPasswordLastSet, info.pass_last_set_time);
    add_time(attribute::kPasswordCanChange, info.pass_can_change_time);
    add_time(attribute::kPasswordMustChange, info.pass_must_change_time);
  }

  Question question_;
  std::chrono::steady_clock::time_point until_;
};

// Nothing where the domain could not possibly be asked.
std::optional<Question> question_for(const LogonRequest& request) {
  const Result<std::string> user = utf8_from_utf16le(request.user);
  const Result<std::string> domain = utf8_from_utf16le(request.domain);
  const Result<std::string> workstation = utf8_from_utf16le(request.workstation);
  if (!user || !domain || user->size() > kMaxName || domain->size() > kMaxName) {
    return std::nullopt;
  }
  Question q;
  q.user = *user;
  q.domain = *domain;
  // It decides nothing but which workstations an account may use: a wrong one is no gain.
  q.workstation = workstation && workstation->size() <= kMaxName ? *workstation : std::string();
  q.challenge = request.server_challenge;
  q.nt_response.assign(request.nt_response.begin(), request.nt_response.end());
  if (response_kind(request) == ResponseKind::kNtlmV1Ess) {
    // [APDS] 3.1: the domain controller is given what the hash was applied to.
    Nonce client;
    std::copy_n(request.lm_response.begin(), client.size(), client.begin());
    q.challenge = mix_challenges(request.server_challenge, client);
  } else {
    q.lm_response.assign(request.lm_response.begin(), request.lm_response.end());
  }
  return q;
}

std::string status_name(const Answer& answer) {
  char number[16];
  std::snprintf(number, sizeof number, "0x%08" PRIX32, answer.status);
  return answer.status_text.empty() ? std::string(number)
                                    : printable_utf8(answer.status_text, 64) + " " + number;
}

// A failed logon: the trace is told which, the caller what all refusals have in common.
class Failure {
 public:
  Failure(const Runtime& env, Verdict& verdict) : env_(env), verdict_(verdict) {}

  Error unreachable(const std::string& why) {
    verdict_ = Verdict::kUnreachable;
    env_.trace("winbind: nothing decided, " + why);
    return error_with_detail(Major::kFailure, Minor::kDomain, why);
  }
  Error refused(Verdict verdict, const std::string& why) {
    verdict_ = verdict;
    env_.trace("winbind: rejected, " + why);
    return failure(Minor::kLogonFailure);
  }

 private:
  const Runtime& env_;
  Verdict& verdict_;
};

Error fail(const Answer& answer, Failure failed) {
  if (answer.unprivileged) {
    return failed.unreachable(std::string(kUnprivileged));
  }
  if (answer.code != WBC_ERR_AUTH_ERROR) {
    return failed.unreachable(answer.code == WBC_ERR_WINBIND_NOT_AVAILABLE
                                  ? "winbindd does not answer; start it, or see gss-ntlm doctor"
                                  : "winbind says " + printable_utf8(answer.code_text, 64));
  }
  const StatusMeaning meaning = meaning_of(answer.status);
  const std::string text =
      (meaning.text.empty() ? std::string() : std::string(meaning.text) + ": ") +
      status_name(answer);
  return meaning.verdict == Verdict::kUnreachable ? failed.unreachable(text)
                                                  : failed.refused(meaning.verdict, text);
}

// [MS-NLMP] 3.2.5.1.2: a guest was not authenticated, whatever he sent.
bool is_guest(const Answer& answer) noexcept {
  return (answer.user_flags & (WBC_AUTH_USER_INFO_GUEST | WBC_AUTH_USER_INFO_NOENCRYPTION)) != 0 ||
         is_zero(answer.base.view());
}

}  // namespace

Result<Logon> WinbindSource::logon(const LogonRequest& request, const Policy& policy,
                                   const Runtime& env) const {
  Verdict verdict = Verdict::kRefused;
  return logon(request, policy, env, verdict);
}

Result<Logon> WinbindSource::logon(const LogonRequest& request, const Policy& policy,
                                   const Runtime& env, Verdict& verdict) const {
  Failure failed(env, verdict);
  const ResponseKind kind = response_kind(request);
  if (!accepts_response(request, policy) || request.nt_response.empty()) {
    return failed.refused(Verdict::kRefused, "this kind of response is not taken to a domain");
  }
  std::optional<Question> question = question_for(request);
  if (!question || question->user.empty()) {
    return failed.refused(Verdict::kUnknown, "no domain has an account with such a name");
  }
  auto task = std::make_shared<LogonTask>(std::move(*question), bound_);
  switch (call_winbind(task, bound_)) {
    case WinbindCall::kDone:
      break;
    case WinbindCall::kTimedOut:
      return failed.unreachable("winbind did not answer within " + std::to_string(bound_.count()) +
                                " s");
    case WinbindCall::kNoLibrary:
      return failed.unreachable(
          "libwbclient.so.0 cannot be loaded; install it (Debian: libwbclient0)");
    case WinbindCall::kFailed:
      return failed.unreachable("no thread could be started to ask winbind");
  }
  Answer& answer = task->answer;
  if (answer.code != WBC_ERR_SUCCESS) {
    return fail(answer, failed);
  }
  Result<Bytes> user = utf16le_from_utf8(answer.user);
  Result<Bytes> domain = utf16le_from_utf8(answer.domain);
  if (is_guest(answer) || !user || user->empty() || !domain) {
    return failed.refused(Verdict::kRefused, "the domain accepted the logon as a guest only");
  }
  Logon logon;
  logon.user = std::move(*user);
  logon.domain = std::move(*domain);
  logon.kind = kind;
  logon.base = std::move(answer.base);
  if (!is_zero(answer.lm_key)) {
    logon.lm_hash.emplace();
    std::copy(answer.lm_key.begin(), answer.lm_key.end(), logon.lm_hash->bytes().begin());
  }
  logon.attributes = std::move(answer.attributes);
  return logon;
}

std::optional<HostNames> WinbindSource::host_names(const Settings& settings) const {
  return domain_host_names(settings);
}

}  // namespace gssntlm
