// Who takes part in test/hostile/soak.cc, and what each handshake is made of.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <tuple>

#include "test/support/gss.h"

namespace gssntlm::test {

/// Draws from a seed. Of its own making, because the distributions of the C++ library differ.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  [[nodiscard]] std::size_t below(std::size_t limit) {
    return static_cast<std::size_t>(random_() % limit);
  }
  [[nodiscard]] bool one_in(std::size_t n) { return below(n) == 0; }
  [[nodiscard]] std::string bytes(std::size_t size);
  /// Mostly short; now and then empty, or long.
  [[nodiscard]] std::string message();

 private:
  std::mt19937_64 random_;
};

enum class Way { kRaw, kNegotiated, kConnectionless };
enum class Secret { kRight, kWrong, kNoSuchUser };
enum class Binding { kNone, kSame, kClientOnly, kServerOnly, kDifferent };

/// What one handshake is made of.
struct Script {
  Way way = Way::kRaw;
  OM_uint32 flags = 0;
  int level = 3;         ///< the initiator's LmCompatibilityLevel
  bool lenient = false;  ///< the acceptor accepts all levels, short keys and anonymous clients
  bool anonymous = false;
  bool unprotected = false;  ///< neither SIGN nor SEAL is offered
  Secret secret = Secret::kRight;
  Binding binding = Binding::kNone;
  std::size_t user = 0;
  bool fresh = false;  ///< with credentials of its own, which went through export and import

  [[nodiscard]] gss_OID mech() const { return way == Way::kNegotiated ? &kSpnego : &kNtlm; }
  [[nodiscard]] bool old_response() const { return level < 3 && !anonymous; }
  [[nodiscard]] bool without_ess() const { return level == 0 && !anonymous; }
  /// Whether policy, password and bindings let it in.
  [[nodiscard]] bool is_welcome() const;
  /// Whom the acceptor must name.
  [[nodiscard]] std::string who() const;
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Script draw_script(Draw& draw);

/// Accounts and credentials.
class Cast {
 public:
  Cast();
  /// Makes `x` what `script` says. The credentials last until the next call.
  void play(const Script& script, Exchange& x);
  /// Puts settings in force that suit `script`: an imported context takes those.
  void negotiate_flags_for_session(const Script& script) const;

 private:
  enum class House { kStrict, kLenient };
  using Key = std::tuple<bool, int, Secret, std::size_t, bool>;

  void move_in(House house, int level) const;
  CredHandle& initiator(const Script& script);
  CredHandle& acceptor(const Script& script);
  void login(const Script& script, CredHandle& cred) const;
  void accounts(const Script& script, CredHandle& cred) const;

  Workshop workshop_;
  std::map<Key, CredHandle> initiators_;
  std::map<std::pair<bool, bool>, CredHandle> acceptors_;
  CredHandle fresh_initiator_;
  CredHandle fresh_acceptor_;
};

}  // namespace gssntlm::test
