#include "mech/login/login_report.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mech/backends/attributes.h"
#include "mech/base/text.h"
#include "mech/log/audit.h"
#include "mech/log/describe.h"
#include "mech/login/access.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

// Of an account that this acceptor's users file verified and that has several entries there.
std::string entry_of(const Name& account) {
  const std::vector<LogonAttribute> attributes = account.attributes();
  const auto found = std::find_if(attributes.begin(), attributes.end(), [](const auto& a) {
    return a.name == attribute::kUsersFileEntry && a.authenticated;
  });
  return found != attributes.end() ? found->value : std::string();
}

std::string_view text_of(const Name* name) noexcept {
  return name != nullptr ? std::string_view(name->display()) : std::string_view();
}

}  // namespace

LoginReport::LoginReport(Ref<const Settings> settings, bool initiator)
    : settings_(std::move(settings)),
      env_(settings_, initiator ? "initiator" : "acceptor"),
      initiator_(initiator) {}

void LoginReport::begin(const Name& target, const Name& source) {
  if (env_.writes_trace()) {
    env_.set_parties(describe_parties(printable_account(source.user_part(), source.domain_part()),
                                      printable_utf8(target.display())));
  }
}

void LoginReport::begin(ByteView authenticate) {
  if (env_.writes_trace()) {
    env_.set_parties(describe_client(authenticate));
  }
}

void LoginReport::negotiated(const Name& target, const Name& source) const {
  if (env_.tracing()) {
    env_.trace("initiator: NEGOTIATE made, to log in to " + printable_utf8(target.display()) +
               " as " + printable_account(source.user_part(), source.domain_part()));
  }
}

void LoginReport::logged_in(const Name& source) const {
  if (env_.tracing()) {
    env_.trace("acceptor: " + printable_account(source.user_part(), source.domain_part()) +
               " logged in");
  }
}

void LoginReport::failed(Error error, std::uint32_t events) const {
  if (env_.events() == events && env_.tracing()) {
    env_.trace("rejected, " + error_text(error));
  }
}

void LoginReport::reflected() {
  reflected_ = true;
  env_.trace(
      "initiator: an acceptor of this very process issued the challenge: a login to itself, or a "
      "reflected one");
}

void LoginReport::agreed(const Outcome& outcome, const Policy& policy) {
  channel_bound_ = outcome.channel_bound;
  key_bits_ = static_cast<std::uint8_t>(outcome.protects() ? key_bits(outcome.flags) : 0);
  weak_ = weaknesses_of(outcome, policy.dummy_signatures);
  for (const std::string_view weakness : weak_) {
    if (env_.tracing()) {
      env_.trace((initiator_ ? "initiator: weak: " : "acceptor: weak: ") + std::string(weakness));
    }
  }
}

Status LoginReport::audit(const End& end) const {
  if (settings_->audit == AuditSink::kOff) {
    return {};
  }
  AuditRecord record;
  record.initiator = initiator_;
  record.authenticate = end.authenticate;
  record.target = text_of(end.target);
  record.accepted = end.accepted;
  record.key_bits = key_bits_;
  record.spnego = end.spnego;
  record.channel_bound = channel_bound_;
  record.account = text_of(end.account);
  const std::string entry = end.account != nullptr ? entry_of(*end.account) : std::string();
  record.entry = entry;
  record.reason = reflected_ ? "the challenge was issued by this very process" : env_.last_event();
  record.weak = weak_;
  record.would_reject = would_reject_;
  if (initiator_ && end.target != nullptr) {
    if (std::optional<std::string> why = permitted_refusal(*end.target, *settings_)) {
      record.would_reject.push_back(std::move(*why));
    }
  }
  const std::optional<std::string> problem = write_audit(*settings_, record);
  if (!problem) {
    return {};
  }
  env_.trace(*problem);
  return end.accepted && settings_->audit_required
             ? Status(error_with_detail(Major::kFailure, Minor::kPolicyBlocked,
                                        *problem + " ([audit] required = yes)"))
             : Status();
}

}  // namespace gssntlm
