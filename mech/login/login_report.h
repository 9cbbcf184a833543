// What trace and audit are told about one login.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mech/log/process_runtime.h"
#include "mech/names/name.h"
#include "mech/protocol/outcome.h"

namespace gssntlm {

/// The runtime of one login, which remembers what was traced, and the sentences of its steps.
class LoginReport {
 public:
  /// Throws std::bad_alloc.
  LoginReport(Ref<const Settings> settings, bool initiator);

  [[nodiscard]] const ProcessRuntime& env() const noexcept { return env_; }
  void trace(std::string_view event) const noexcept { env_.trace(event); }
  void sent(ByteView token) const { env_.trace_message("sent", token); }
  void received(ByteView token) const { env_.trace_message("received", token); }

  /// The events that follow concern a login as `source` to `target`, or that of the client that
  /// sent `authenticate`. Throws std::bad_alloc.
  void begin(const Name& target, const Name& source);
  void begin(ByteView authenticate);
  /// The events that follow need not name them.
  void decided() noexcept { env_.set_parties({}); }
  /// A failed acceptor waits for its first token again.
  void restart() noexcept {
    decided();
    would_reject_.clear();
  }

  /// An initiator's first step.
  void negotiated(const Name& target, const Name& source) const;
  /// An acceptor's last step.
  void logged_in(const Name& source) const;
  /// A step failed that began when there were `events`: traced unless the step itself has said more
  /// precisely what was wrong.
  void failed(Error error, std::uint32_t events) const;
  /// The challenge was issued by this very process; the audit says so in any case.
  void reflected();
  /// What was agreed; its weaknesses are traced, and kept for the audit.
  void agreed(const Outcome& outcome, const Policy& policy);

  /// What would have rejected the login, for the audit; see check_access().
  [[nodiscard]] std::vector<std::string>& would_reject() noexcept { return would_reject_; }

  /// What the record says of the end of a login.
  struct End {
    ByteView authenticate;          ///< empty if there was none
    const Name* target = nullptr;   ///< may be nullptr
    const Name* account = nullptr;  ///< the same
    bool accepted = false;
    bool spnego = false;
  };
  /// Writes the record. Error: FAILURE kPolicyBlocked, only for a login that must not go unrecorded
  /// (audit_required). Throws std::bad_alloc.
  [[nodiscard]] Status audit(const End& end) const;

 private:
  Ref<const Settings> settings_;
  ProcessRuntime env_;
  bool initiator_;
  bool reflected_ = false;
  bool channel_bound_ = false;
  std::uint8_t key_bits_ = 0;
  std::vector<std::string_view> weak_;
  std::vector<std::string> would_reject_;
};

}  // namespace gssntlm
