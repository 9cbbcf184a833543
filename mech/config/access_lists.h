// The lists of settings: which targets initiators may log in to, who may log in here and to what.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mech/config/glob.h"
#include "mech/config/settings.h"
#include "mech/protocol/logon.h"

namespace gssntlm {

/// Each says in words why settings refuse, or nothing when they do not. All text is UTF-8 and comes
/// out escaped. Settings::audit_only is the caller's to look at. Throw std::bad_alloc.

/// allow_targets, deny_targets: an initiator on its way to `target`.
[[nodiscard]] std::optional<std::string> outgoing_refusal(std::string_view target,
                                                          const Settings& settings);
/// allow_users, deny_users: an account that has proven itself to an acceptor. deny_users counts for
/// each name under which the account may log in, with this host's names as aliases of its domain.
[[nodiscard]] std::optional<std::string> user_refusal(const AccountSpelling& account,
                                                      const Settings& settings);
/// target_names: the target that a client meant; empty: it named none. Not asked with
/// TargetCheck::kOff.
[[nodiscard]] std::optional<std::string> target_refusal(std::string_view target,
                                                        const Settings& settings);

/// Whether a CHALLENGE names this host although `target`, a host or an SPN, is another one. The
/// names of settings, localhost, 127.0.0.1, ::1 and an empty target are this host. False for a
/// malformed CHALLENGE. Throws std::bad_alloc.
[[nodiscard]] bool reflects_this_host(ByteView challenge, std::string_view target,
                                      const Settings& settings);

/// An account source that rejects accounts by allow_users and deny_users, before it verifies their
/// responses where it can. The caller asks user_refusal() about the account that has proven itself,
/// for sources that cannot. Refers to both.
class RuledAccounts : public AccountSource, private LogonFilter {
 public:
  RuledAccounts(const AccountSource& source, const Settings& settings) noexcept
      : source_(source), settings_(settings) {}
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override;

 private:
  [[nodiscard]] bool admits(ByteView user, ByteView domain, const Runtime& env) const override;

  const AccountSource& source_;
  const Settings& settings_;
};

}  // namespace gssntlm
