// Why a step refuses what the peer offers: the setting or request that decides, and the offer.
#pragma once

#include <string>
#include <string_view>

#include "mech/base/flags.h"
#include "mech/base/runtime.h"
#include "mech/base/status.h"

namespace gssntlm {

struct Refusal {
  Error error;
  std::string reason;  ///< for the trace and for the caller
};

/// Traces the reason and gives it to the caller as the detail of the error, which it returns.
/// `role`: "initiator" or "acceptor". Throws std::bad_alloc.
Error refuse(Error error, std::string_view role, std::string_view reason, const Runtime& env);

/// A logon failure, whose reason goes to the trace only, and is composed for that only.
template <typename Compose>
Error reject_logon(std::string_view role, const Runtime& env, Compose compose) {
  if (env.tracing()) {
    env.trace(std::string(role).append(": rejected, ").append(compose()));
  }
  return failure(Minor::kLogonFailure);
}

/// Adds to kBadString which name it is; other errors are returned as they are.
Error explain_name(Error error, std::string_view which, const Runtime& env);

/// The peer as a reason names it, and the flags of its message.
struct Peer {
  std::string_view name;  ///< "client" or "server"
  Flags flags = 0;
};

/// `0xXXXXXXXX`. Throws std::bad_alloc.
[[nodiscard]] std::string hex_of(Flags flags);
/// `the NAME's flags 0xXXXXXXXX`. Throws std::bad_alloc.
[[nodiscard]] std::string describe_offer(const Peer& peer);

}  // namespace gssntlm
