// One run of test/hostile/soak.cc: exchanges, what is done to them, and what came of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "test/hostile/soak_cast.h"
#include "test/hostile/soak_mail.h"

namespace gssntlm::test {
inline constexpr std::size_t kMessages = 4;
inline constexpr OM_uint32 kProtection = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;

// What is done to a token on its way.
enum class Blow { kFlip, kCut, kExtend, kDrop, kOldToken, kTwice, kAstray };

struct Tally {
  std::size_t handshakes = 0;
  std::size_t opened = 0;
  std::size_t messages = 0;
  std::size_t attacks = 0;
  std::size_t moves = 0;
  std::size_t forged = 0;
  std::size_t wrong_accepts = 0;
  std::size_t wrong_refusals = 0;
};

// An attack on the handshake: what, and on which leg.
struct Attack {
  Blow blow;
  std::size_t leg;
};

// How far a handshake must come.
enum class Due { kOpen, kRefused, kEither };

class Soak {
 public:
  explicit Soak(std::uint64_t seed) : seed_(seed) {
    Exchange x;
    if (!run(x, stranger_.initiator, stranger_.acceptor)) {
      throw std::runtime_error("no handshake works: " + stranger_.acceptor.last.text());
    }
    // Some releases of the library's SPNEGO cannot carry what goes with a MIC, and get none.
    x.mech = &kSpnego;
    Pair probe;
    if (!run(x, probe.initiator, probe.acceptor)) {
      throw std::runtime_error("no handshake works inside SPNEGO");
    }
    spnego_has_mic_ = has_mic(probe.acceptor);
  }

  void exchange(std::uint64_t index);
  void forge(std::size_t count);

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] bool spnego_has_mic() const { return spnego_has_mic_; }

 private:
  struct Pair {
    End initiator;
    End acceptor;
  };
  // One exchange while it lasts.
  struct Meeting {
    Meeting(std::uint64_t seed, std::uint64_t number) : index(number), draw(seed) {}
    std::uint64_t index;
    Draw draw;
    Script script;
    Exchange x;
    End initiator;
    End acceptor;
    std::optional<Attack> attack;
    bool initiator_open = false;
    bool acceptor_open = false;

    [[nodiscard]] bool open() const { return initiator_open && acceptor_open; }
  };

  void wrong_accept(const Meeting& m, const std::string& what);
  void wrong_refusal(const Meeting& m, const std::string& what, const Outcome& o);
  [[nodiscard]] Due due(const Meeting& m) const;
  [[nodiscard]] bool every_byte_counts(const Script& script) const {
    return script.level >= 3 && !script.anonymous &&
           (script.way != Way::kNegotiated || spnego_has_mic_);
  }
  void choose_attack(Meeting& m);
  void damage(Meeting& m, std::string& token);
  void handshake(Meeting& m);
  void leg(Meeting& m, std::size_t number, std::string& token);
  static std::string step(Meeting& m, End& to, const std::string& token);
  static void deliver(Meeting& m, End& to, std::string& token);
  void deliver_again(Meeting& m, End& to, const std::string& token);
  void judge(Meeting& m);
  void retry(Meeting& m);
  void move_half_open(Meeting& m, End& end);
  void move_open(Meeting& m);
  void check_facts(Meeting& m);
  void talk(Meeting& m, std::optional<std::size_t> fouled);
  void honest(Meeting& m, End& from, End& to);
  void foul(Meeting& m, End& from, End& to);
  void expect_nothing(Meeting& m);
  bool post(Meeting& m, End& from, Packet& packet);
  void arrives(Meeting& m, End& to, const Packet& packet);
  void refused(Meeting& m, End& to, const Packet& packet, const char* what);
  Packet letter(Meeting& m) const;
  void throw_one(Meeting& m, End& from, End& to);
  void step_again(Meeting& m, End& end);

  std::uint64_t seed_;
  Cast cast_;
  Pair stranger_;
  bool spnego_has_mic_ = false;
  // A token of each way and leg, from an exchange that is over.
  std::array<std::array<std::string, 3>, 3> old_;
  Tally tally_;
};

/// Flips one to three bits of `s` from `from` to before `to`; it is another text then.
void flip(Draw& draw, std::string& s, std::size_t from, std::size_t to);

}  // namespace gssntlm::test
