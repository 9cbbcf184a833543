#include "mech/credential/search_failures.h"

#include "mech/base/text.h"
#include "mech/log/process_runtime.h"
#include "mech/os/error_detail.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxName = 128;

std::string_view detail_of(Error error) noexcept {
  return last_detail(static_cast<std::uint32_t>(error.minor));
}

// 0: it says no more than that there is no account; 1: it names what was looked for; 2: the source
// cannot be used, or its login has expired.
int weight_of(Error error) noexcept {
  return error.minor != Minor::kNoInitiatorCred ? 2 : detail_of(error).empty() ? 0 : 1;
}

// Without a second backslash between domain and user.
std::string printable_login(std::string_view text) {
  const std::size_t at = text.find('\\');
  return at == std::string_view::npos ? printable_utf8(text, kMaxName)
                                      : printable_utf8(text.substr(0, at), kMaxName) + "\\" +
                                            printable_utf8(text.substr(at + 1), kMaxName);
}

}  // namespace

void SearchFailures::add(const Backend& source, Error error) {
  const int weight = weight_of(error);
  // Of those that lack the account the last one counts, of those that are broken the first.
  if (weight < weight_ || weight == 0 || (weight == 2 && weight_ == 2)) {
    if (weight != 0) {
      trace(source, error, detail_of(error));
    }
    return;
  }
  overcome();
  source_ = &source;
  error_ = error;
  detail_ = detail_of(error);
  weight_ = weight;
}

void SearchFailures::overcome() const {
  if (source_ != nullptr) {
    trace(*source_, error_, detail_);
  }
}

Error SearchFailures::report() const noexcept {
  return detail_.empty() ? error_ : error_with_detail(error_.major, error_.minor, detail_);
}

void SearchFailures::trace(const Backend& source, Error error, std::string_view detail) const {
  if (is_tracing(settings_)) {
    std::string text("credentials: none from ");
    text.append(source.title()).append(": ");
    text.append(detail.empty() ? minor_text(static_cast<std::uint32_t>(error.minor)) : detail);
    trace_event(settings_, text);
  }
}

void trace_no_login(const Settings& settings, const Name* name, std::string_view target,
                    Error error) {
  if (!is_tracing(settings)) {
    return;
  }
  std::string text("credentials: none for an initiator to log in as ");
  text.append(name != nullptr                 ? printable_login(name->display())
              : settings.default_user.empty() ? std::string("the default account")
                                              : printable_login(settings.default_user));
  if (!target.empty()) {
    text.append(" to ").append(printable_utf8(target, kMaxName));
  }
  trace_event(settings, text.append(": ").append(error_text(error)));
}

void trace_no_accounts(const Settings& settings, Error error) {
  if (is_tracing(settings)) {
    trace_event(settings, "credentials: none for an acceptor: " + error_text(error));
  }
}

}  // namespace gssntlm
