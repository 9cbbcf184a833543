// Handshakes of tests: an acceptor with one account, and a client made by hand that is honest until
// a test changes it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mech/protocol/acceptor.h"
#include "mech/protocol/initiator.h"
#include "mech/wire/target_info.h"
#include "test/support/runtime.h"

namespace gssntlm::test {

/// What Windows and gss-ntlmssp offer: everything but OEM and LM_KEY.
inline constexpr Flags kUsualOffer = flag::kUnicode | flag::kRequestTarget | flag::kSign |
                                     flag::kSeal | flag::kNtlm | flag::kAlwaysSign | flag::kEss |
                                     flag::kVersion | flag::k128 | flag::kKeyExchange | flag::k56;

struct Account {
  std::string user = "User";
  std::string domain = "DOMAIN";
  std::string password = "Password";
};

/// Knows one account, by its user name alone.
class OneAccount : public AccountSource {
 public:
  explicit OneAccount(Account account = {}) : account_(std::move(account)) {}
  [[nodiscard]] Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                                    const Runtime& env) const override;
  /// How often it was asked.
  [[nodiscard]] int questions() const { return questions_; }

 private:
  Account account_;
  mutable int questions_ = 0;
};

struct Pair {
  AvId id;
  Bytes value;
};

/// NEGOTIATE of 40 bytes with Version.
[[nodiscard]] Bytes make_negotiate(Flags flags);

/// A client's AUTHENTICATE before it is put together. What a test changes here is covered by the
/// proof and the MIC, as if the client had meant it.
struct Answer {
  Account account;
  std::optional<std::string> hash_domain;  ///< the domain that goes into the hash, if another
  std::string workstation = "WKS01";
  Flags flags = 0;
  Nonce client_challenge{1, 2, 3, 4, 5, 6, 7, 8};
  std::uint64_t time = 0;
  std::vector<Pair> pairs;
  Bytes behind_pairs = {0, 0, 0, 0, 0, 0, 0, 0};  ///< EOL and the four bytes behind the list
  Bytes lm_response = Bytes(24);
  bool mic = true;           ///< computed and filled in
  bool room_for_mic = true;  ///< 88 bytes of fixed part, else 72
  /// Changes the message before the MIC is computed over it.
  std::function<void(Bytes&)> edit;

  [[nodiscard]] Pair* find(AvId id);
  void remove(AvId id);
  /// Puts a pair in the place of that id, or at the end.
  void set(AvId id, ByteView value);
};

struct Sent {
  Bytes token;
  Bytes key;  ///< ExportedSessionKey as the client believes it to be
  std::size_t nt_at = 0;
};

/// An honest answer to a well-formed CHALLENGE: its pairs, MsvAvFlags 2, its timestamp or `now`.
[[nodiscard]] Answer answer_to(ByteView challenge, std::uint64_t now = kNoon);

/// Puts the message together.
[[nodiscard]] Sent encode(const Answer& answer, ByteView negotiate, ByteView challenge);

/// An acceptor that has sent its CHALLENGE.
class Scene {
 public:
  explicit Scene(const Policy& policy = {}, Flags offer = kUsualOffer, Account account = {});

  [[nodiscard]] Answer answer() const { return answer_to(challenge, env.time); }
  [[nodiscard]] Sent encode(const Answer& answer) const {
    return test::encode(answer, negotiate, challenge);
  }
  Result<AcceptedLogon> judge(const Answer& answer, const ChannelBindingHash* bindings = nullptr) {
    return judge(encode(answer).token, bindings);
  }
  Result<AcceptedLogon> judge(ByteView token, const ChannelBindingHash* bindings = nullptr) {
    return acceptor.authenticate(token, bindings, accounts, env);
  }

  FixedEnvironment env;
  OneAccount accounts;
  Acceptor acceptor;
  Bytes negotiate;
  Bytes challenge;
};

/// A server that is not a domain member: SERVER of DOMAIN, server.domain.example.
[[nodiscard]] HostNames server_names();

/// What an initiator of `account` starts with.
[[nodiscard]] InitiatorSetup setup_for(const Account& account, const Policy& policy = {});

}  // namespace gssntlm::test
