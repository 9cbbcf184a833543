// Both roles, ours, against each other.
#pragma once

#include <string>

#include "mech/protocol/session.h"
#include "mech/wire/authenticate.h"
#include "test/support/handshake.h"

namespace gssntlm::test {

/// Which step a handshake ended at.
enum class Leg { kOpen, kNegotiate, kChallenge, kAuthenticate, kJudgement };

/// What a duel is made of. The policies are the two ends' own.
struct DuelSetup {
  Policy initiator;
  Policy acceptor;
  InitiatorRequest request;
  Account account;  ///< the acceptor's
  Account claimed;  ///< the initiator's
  bool anonymous = false;
  HostNames names = server_names();
  const ChannelBindingHash* initiator_bindings = nullptr;
  const ChannelBindingHash* acceptor_bindings = nullptr;
};

/// One handshake. Messages are kept as they travelled; each is empty if it was not made.
class Duel {
 public:
  explicit Duel(DuelSetup setup);

  /// Runs all legs that are left, and says where it ended.
  Leg run();
  /// One leg each.
  bool negotiate();
  bool challenge();
  bool authenticate();
  bool judge();

  [[nodiscard]] Leg ended_at() const { return ended_at_; }
  [[nodiscard]] Error error() const { return error_; }
  /// Some event of either end held `words`.
  [[nodiscard]] bool traced(std::string_view words) const {
    return client_env.traced(words) || server_env.traced(words);
  }
  [[nodiscard]] AuthenticateMessage decoded() const;
  /// Once, when open.
  [[nodiscard]] Session client_session();
  [[nodiscard]] Session server_session();

  FixedEnvironment client_env;
  FixedEnvironment server_env;
  OneAccount accounts;
  Initiator initiator;
  Acceptor acceptor;
  Bytes negotiate_token;
  Bytes challenge_token;
  Bytes authenticate_token;
  AcceptedLogon logon;
  gssntlm::Outcome client;
  gssntlm::Outcome server;

 private:
  bool fail(Leg leg, Error error);

  DuelSetup setup_;
  Leg ended_at_ = Leg::kOpen;
  Error error_{Major::kComplete, Minor::kNone};
};

/// Sends `rounds` messages each way in each form (one buffer sealed where the session may, one
/// signed only, several in place); whether all arrive unchanged.
[[nodiscard]] bool converse(Session& client, Session& server, int rounds);

}  // namespace gssntlm::test
