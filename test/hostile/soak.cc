// Endurance: one process, many handshakes of every kind through the real mechglue, four messages
// each, one exchange in ten attacked; then forged tokens thrown at established contexts.
//
//   hostile_soak [--handshakes N] [--forged N] [--seed N] [--only INDEX]
//
// Each exchange draws from the seed and its own index, so that --only repeats one that went wrong.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>

#include <malloc.h>
#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/hostile/soak_cast.h"
#include "test/hostile/soak_mail.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_FREED_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEPS_FREED_MEMORY 1
#endif
#endif

namespace gssntlm::test {
namespace {

constexpr std::size_t kMessages = 4;
constexpr OM_uint32 kProtection = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;

// What a process holds.
struct Holdings {
  long rss = 0;            // KiB
  std::size_t in_use = 0;  // bytes of the heap
  std::size_t descriptors = 0;
};

Holdings holdings() {
  Holdings h;
  ::malloc_trim(0);
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  h.rss = pages * (::sysconf(_SC_PAGESIZE) / 1024);
  h.in_use = ::mallinfo2().uordblks;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++h.descriptors;
  }
  return h;
}

// What is done to a token on its way.
enum class Blow { kFlip, kCut, kExtend, kDrop, kOldToken, kTwice, kAstray };
constexpr std::size_t kBlows = 7;
// What is done to a message.
enum class Foul { kFlip, kCut, kExtend, kAgain, kLate, kAstray, kForeign };
constexpr std::size_t kFouls = 7;

// One to three bits, of which none takes the other back.
void flip(Draw& draw, std::string& s, std::size_t from, std::size_t to) {
  const std::string before = s;
  while (s == before) {
    for (std::size_t n = 1 + draw.below(3); n > 0; --n) {
      s[from + draw.below(to - from)] ^= static_cast<char>(1 << draw.below(8));
    }
  }
}

struct Range {
  std::size_t from = 0;
  std::size_t to = 0;
};

// The NTLM message inside a token of SPNEGO: an OCTET STRING.
Range inner_message(const std::string& token) {
  const std::size_t at = token.find(std::string("NTLMSSP\0", 8));
  if (at == std::string::npos) {
    return {};
  }
  const auto byte = [&](std::size_t back) {
    return static_cast<std::size_t>(static_cast<unsigned char>(at >= back ? token[at - back] : 0));
  };
  std::size_t size = token.size() - at;
  if (byte(4) == 4 && byte(3) == 0x82) {
    size = byte(2) << 8 | byte(1);
  } else if (byte(3) == 4 && byte(2) == 0x81) {
    size = byte(1);
  } else if (byte(2) == 4 && byte(1) < 0x80) {
    size = byte(1);
  }
  return {at, at + std::min(size, token.size() - at)};
}

Outcome move_context(End& end) {
  Outcome o;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  o.major = gss_export_sec_context(&o.minor, &end.context, &token);
  if (o.ok()) {
    o.major = gss_import_sec_context(&o.minor, &token, &end.context);
  }
  OM_uint32 ignored = 0;
  gss_release_buffer(&ignored, &token);
  return o;
}

std::string framed_nothing() {
  gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc framed = GSS_C_EMPTY_BUFFER;
  gss_encapsulate_token(&nothing, &kNtlm, &framed);
  std::string token(static_cast<const char*>(framed.value), framed.length);
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &framed);
  return token;
}

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

  static bool has_mic(End& acceptor);
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

bool Soak::has_mic(End& acceptor) {
  static constexpr const char* kMicAttribute = GSS_NTLM_ATTR_MIC;
  gss_buffer_desc attribute = {std::strlen(kMicAttribute), const_cast<char*>(kMicAttribute)};
  gss_buffer_desc value = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor = 0;
  int authenticated = 0;
  int complete = 0;
  int more = -1;
  const OM_uint32 major = gss_get_name_attribute(&minor, acceptor.source.get(), &attribute,
                                                 &authenticated, &complete, &value, nullptr, &more);
  const bool yes =
      major == GSS_S_COMPLETE && value.length == 1 && *static_cast<const char*>(value.value) == '1';
  gss_release_buffer(&minor, &value);
  return yes;
}

void Soak::wrong_accept(const Meeting& m, const std::string& what) {
  if (++tally_.wrong_accepts <= 20) {
    std::printf("WRONG ACCEPT in %llu (%s): %s\n", static_cast<unsigned long long>(m.index),
                m.script.text().c_str(), what.c_str());
  }
}

void Soak::wrong_refusal(const Meeting& m, const std::string& what, const Outcome& o) {
  if (++tally_.wrong_refusals <= 20) {
    std::printf("WRONG REFUSAL in %llu (%s): %s: major 0x%x: %s\n",
                static_cast<unsigned long long>(m.index), m.script.text().c_str(), what.c_str(),
                o.major, o.text().c_str());
  }
}

void Soak::choose_attack(Meeting& m) {
  // Nothing proves who an anonymous client is: what is done to its tokens may well not matter.
  if (m.script.anonymous) {
    return;
  }
  m.attack = Attack{static_cast<Blow>(m.draw.below(kBlows)), m.draw.below(3)};
  Attack& a = *m.attack;
  // One NEGOTIATE is like another.
  if (a.blow == Blow::kOldToken && a.leg == 0) {
    a.leg = 1 + m.draw.below(2);
  }
  if (a.blow == Blow::kOldToken && old_[static_cast<std::size_t>(m.script.way)][a.leg].empty()) {
    a.blow = Blow::kFlip;
  }
  // The library's SPNEGO ends an exchange when a token comes twice.
  if (a.blow == Blow::kTwice && m.script.way == Way::kNegotiated) {
    a.blow = Blow::kDrop;
  }
}

// What the attack leaves to hope for.
Due Soak::due(const Meeting& m) const {
  if (!m.script.is_welcome()) {
    return Due::kRefused;
  }
  if (!m.attack) {
    return Due::kOpen;
  }
  switch (m.attack->blow) {
    case Blow::kFlip:
      return every_byte_counts(m.script) ? Due::kRefused : Due::kEither;
    case Blow::kExtend:
      return every_byte_counts(m.script) && m.script.way != Way::kNegotiated ? Due::kRefused
                                                                             : Due::kEither;
    case Blow::kCut:
      return every_byte_counts(m.script) ? Due::kRefused : Due::kEither;
    case Blow::kTwice:
      return m.attack->leg == 0 ? Due::kRefused : Due::kOpen;
    case Blow::kDrop:
    case Blow::kOldToken:
    case Blow::kAstray:
      break;
  }
  return Due::kRefused;
}

// Those attacks that change the bytes.
void Soak::damage(Meeting& m, std::string& token) {
  const Attack& a = *m.attack;
  const bool spnego = m.script.way == Way::kNegotiated;
  const Range inner = spnego ? inner_message(token) : Range{0, token.size()};
  switch (a.blow) {
    case Blow::kFlip:
      if (inner.to > inner.from) {
        flip(m.draw, token, inner.from, inner.to);
      }
      break;
    case Blow::kCut:
      token.resize(m.draw.below(inner.to > inner.from ? inner.to : token.size()));
      break;
    case Blow::kExtend:
      token += m.draw.bytes(1 + m.draw.below(20));
      break;
    case Blow::kDrop:
      token.clear();
      break;
    case Blow::kOldToken:
      token = old_[static_cast<std::size_t>(m.script.way)][a.leg];
      break;
    case Blow::kTwice:
    case Blow::kAstray:
      break;
  }
}

std::string Soak::step(Meeting& m, End& to, const std::string& token) {
  return &to == &m.initiator ? init_step(m.x, to, token) : accept_step(m.x, to, token);
}

// `token` becomes the answer.
void Soak::deliver(Meeting& m, End& to, std::string& token) {
  token = step(m, to, token);
  (&to == &m.initiator ? m.initiator_open : m.acceptor_open) = to.last.major == GSS_S_COMPLETE;
}

void Soak::leg(Meeting& m, std::size_t number, std::string& token) {
  End& to = number % 2 == 0 ? m.acceptor : m.initiator;
  End& from = number % 2 == 0 ? m.initiator : m.acceptor;
  const std::size_t way = static_cast<std::size_t>(m.script.way);
  const bool attacked = m.attack && m.attack->leg == number;
  std::string copy;
  if (attacked) {
    damage(m, token);
    copy = token;
  } else if (number < 3 && !m.script.anonymous && m.draw.one_in(64)) {
    // An anonymous login may well be accepted a second time.
    old_[way][number] = token;
  }
  if (attacked && m.attack->blow == Blow::kAstray) {
    deliver(m, from, token);
    if (from.last.ok()) {
      wrong_accept(m, "a token that its sender got back");
    }
    token.clear();
    return;
  }
  deliver(m, to, token);
  if (attacked && m.attack->blow == Blow::kTwice) {
    deliver_again(m, to, copy);
  }
}

// What a context that is open says of itself does not change with it.
void Soak::deliver_again(Meeting& m, End& to, const std::string& token) {
  const Outcome first = to.last;
  const OM_uint32 flags = to.flags;
  NameHandle source = std::move(to.source);
  step(m, to, token);
  if (first.ok() && to.last.ok()) {
    wrong_accept(m, "a token that came twice");
  }
  if (first.major == GSS_S_COMPLETE) {
    to.last = first;
    to.flags = flags;
    to.source = std::move(source);
  }
}

void Soak::handshake(Meeting& m) {
  std::string token = init_step(m.x, m.initiator, {});
  if (!m.initiator.last.ok()) {
    return;
  }
  if (m.script.way == Way::kConnectionless) {
    token = framed_nothing();
  }
  for (std::size_t number = 0; number < 6 && !m.open(); ++number) {
    End& to = number % 2 == 0 ? m.acceptor : m.initiator;
    if (number == 1 || number == 2) {
      move_half_open(m, to);
    }
    leg(m, number, token);
    if (!to.last.ok() || (token.empty() && !m.open())) {
      return;
    }
  }
}

// A handshake goes on in another process, as it were.
void Soak::move_half_open(Meeting& m, End& end) {
  if (m.script.way == Way::kNegotiated || m.script.lenient || m.script.level < 3 ||
      !m.draw.one_in(16)) {
    return;
  }
  cast_.negotiate_flags_for_session(m.script);
  ++tally_.moves;
  if (const Outcome o = move_context(end); !o.ok()) {
    wrong_refusal(m, "an unfinished context could not be moved", o);
  }
}

void Soak::move_open(Meeting& m) {
  End& end = m.draw.one_in(2) ? m.initiator : m.acceptor;
  cast_.negotiate_flags_for_session(m.script);
  ++tally_.moves;
  if (const Outcome o = move_context(end); !o.ok()) {
    wrong_refusal(m, "an established context could not be moved", o);
  }
}

void Soak::judge(Meeting& m) {
  if (m.acceptor_open) {
    if (!m.script.is_welcome()) {
      wrong_accept(m, "a client that must be rejected");
    }
    if (m.acceptor.source.display() != m.script.who()) {
      wrong_accept(m, "taken for " + m.acceptor.source.display());
    }
  }
  const Due hoped = due(m);
  if (m.open() && hoped == Due::kRefused) {
    wrong_accept(m, "attack " + std::to_string(m.attack ? static_cast<int>(m.attack->blow) : -1) +
                        " on leg " + std::to_string(m.attack ? m.attack->leg : 9));
  }
  if (!m.open() && hoped == Due::kOpen) {
    wrong_refusal(m, "initiator: " + m.initiator.last.text(), m.acceptor.last);
  }
}

// Servers keep the context of a connection after a failed attempt.
void Soak::retry(Meeting& m) {
  if (m.script.way != Way::kRaw || m.acceptor_open || m.acceptor.last.ok()) {
    return;
  }
  Meeting again(m.draw.below(SIZE_MAX), m.index);
  again.script = m.script;
  cast_.play(again.script, again.x);
  std::swap(again.acceptor.context, m.acceptor.context);
  handshake(again);
  judge(again);
}

void Soak::check_facts(Meeting& m) {
  constexpr OM_uint32 kTold = kProtection | GSS_C_ANON_FLAG | GSS_NTLM_DATAGRAM_FLAG;
  if (((m.initiator.flags ^ m.acceptor.flags) & kTold) != 0) {
    wrong_accept(m, "the ends disagree about what is protected");
  }
  if ((m.script.flags & kProtection & ~m.initiator.flags) != 0) {
    wrong_accept(m, "open without what was asked for");
  }
  const bool bound = (m.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG) != 0;
  if (bound != (m.script.binding == Binding::kSame)) {
    wrong_accept(m, "bound is not what the acceptor says");
  }
}

Packet Soak::letter(Meeting& m) const {
  Packet p;
  p.form = static_cast<Form>(m.draw.below(kForms));
  p.plain = m.draw.message();
  p.aside = m.draw.one_in(3) ? std::string() : m.draw.bytes(m.draw.below(40));
  return p;
}

bool Soak::post(Meeting& m, End& from, Packet& packet) {
  ++tally_.messages;
  // Old responses are for peers that do not tell sealed from signed.
  const bool seals = (from.flags & GSS_C_CONF_FLAG) != 0;
  const Outcome o = send(from, packet, seals && !m.draw.one_in(4));
  if (!o.ok()) {
    wrong_refusal(m, "a message could not be made", o);
  }
  return o.ok();
}

void Soak::arrives(Meeting& m, End& to, const Packet& packet) {
  std::string text;
  const Outcome o = receive(to, packet, text);
  if (o.major != GSS_S_COMPLETE) {
    wrong_refusal(m, "a message in form " + std::to_string(static_cast<int>(packet.form)), o);
  } else if (text != packet.plain) {
    wrong_accept(m, "a message that is another one");
  }
}

void Soak::refused(Meeting& m, End& to, const Packet& packet, const char* what) {
  std::string text;
  const Outcome o = receive(to, packet, text);
  if (o.major == GSS_S_COMPLETE) {
    wrong_accept(m, what);
  }
}

void Soak::honest(Meeting& m, End& from, End& to) {
  Packet p = letter(m);
  if (post(m, from, p)) {
    arrives(m, to, p);
  }
}

void Soak::foul(Meeting& m, End& from, End& to) {
  ++tally_.attacks;
  Packet p = letter(m);
  if (!post(m, from, p)) {
    return;
  }
  Packet bad = p;
  switch (static_cast<Foul>(m.draw.below(kFouls))) {
    case Foul::kFlip:
      if (!bad.aside.empty() && m.draw.one_in(3)) {
        flip(m.draw, bad.aside, 0, bad.aside.size());
      } else {
        // Without extended session security 4 bytes of a signature are padding [MS-NLMP] 2.2.2.9.1.
        const std::size_t first = m.script.without_ess() ? 8 : 0;
        flip(m.draw, bad.token, first, bad.token.size());
      }
      refused(m, to, bad, "a message with flipped bits");
      arrives(m, to, p);
      break;
    case Foul::kCut:
      bad.token.resize(m.draw.below(bad.token.size()));
      refused(m, to, bad, "a message cut short");
      arrives(m, to, p);
      break;
    case Foul::kExtend:
      bad.token += m.draw.bytes(1 + m.draw.below(20));
      refused(m, to, bad, "a message with more behind it");
      arrives(m, to, p);
      break;
    case Foul::kAgain:
      arrives(m, to, p);
      refused(m, to, p, "a message that came twice");
      break;
    case Foul::kLate: {
      Packet next = letter(m);
      if (!post(m, from, next)) {
        break;
      }
      if (m.script.way == Way::kConnectionless) {
        arrives(m, to, next);
        arrives(m, to, p);
      } else {
        refused(m, to, next, "a message with one missing before it");
        arrives(m, to, p);
        arrives(m, to, next);
      }
      break;
    }
    case Foul::kAstray:
      refused(m, from, p, "a message that its sender got back");
      arrives(m, to, p);
      break;
    case Foul::kForeign: {
      Packet foreign = letter(m);
      if (post(m, stranger_.initiator, foreign)) {
        refused(m, to, foreign, "a message of another context");
        arrives(m, stranger_.acceptor, foreign);
      }
      arrives(m, to, p);
      break;
    }
  }
}

void Soak::expect_nothing(Meeting& m) {
  for (End* end : {&m.initiator, &m.acceptor}) {
    Packet p = letter(m);
    if (send(*end, p, true).major != GSS_S_UNAVAILABLE) {
      wrong_accept(m, "a message that nothing protects");
    }
    p.token = std::string("\1\0\0\0", 4) + m.draw.bytes(12 + m.draw.below(20));
    refused(m, *end, p, "a message that nothing protects was taken");
  }
}

void Soak::talk(Meeting& m, std::optional<std::size_t> fouled) {
  if ((m.initiator.flags & GSS_C_INTEG_FLAG) == 0) {
    expect_nothing(m);
    return;
  }
  for (std::size_t i = 0; i < kMessages; ++i) {
    const bool outward = m.draw.one_in(2);
    End& from = outward ? m.initiator : m.acceptor;
    End& to = outward ? m.acceptor : m.initiator;
    if (fouled == i) {
      foul(m, from, to);
    } else {
      honest(m, from, to);
    }
    if (m.draw.one_in(64)) {
      move_open(m);
    }
  }
}

void Soak::exchange(std::uint64_t index) {
  Meeting m(seed_ * 0x9E3779B97F4A7C15u + index, index);
  m.script = draw_script(m.draw);
  cast_.play(m.script, m.x);
  ++tally_.handshakes;
  std::optional<std::size_t> fouled;
  if (m.draw.one_in(10)) {
    if (m.draw.one_in(2)) {
      choose_attack(m);
      tally_.attacks += m.attack ? 1 : 0;
    } else {
      fouled = m.draw.below(kMessages);
    }
  }
  handshake(m);
  judge(m);
  if (!m.open()) {
    retry(m);
    return;
  }
  ++tally_.opened;
  // What became of an exchange whose bytes nothing protected is between its ends.
  if (!m.attack || due(m) == Due::kOpen) {
    if (!m.attack) {
      check_facts(m);
    }
    talk(m, fouled);
  }
}

// A token of a handshake at a context that is open already.
void Soak::step_again(Meeting& m, End& end) {
  std::string token = m.draw.bytes(m.draw.below(100));
  const std::string& old = old_[0][m.draw.below(3)];
  if (m.draw.one_in(2) && !old.empty()) {
    token = old;
  }
  const OM_uint32 flags = end.flags;
  step(m, end, token);
  end.flags = flags;
  if (end.last.ok()) {
    wrong_accept(m, "a token of a handshake at an established context");
  }
}

void Soak::throw_one(Meeting& m, End& from, End& to) {
  ++tally_.forged;
  Packet p = letter(m);
  const std::size_t kind = m.draw.below(m.script.way == Way::kRaw ? 6 : 5);
  if (kind == 5) {
    step_again(m, to);
  } else if (kind < 2) {
    p.token = m.draw.bytes(m.draw.below(120));
    if (kind == 1) {
      p.token.insert(0, "\1\0\0\0", 4);
    }
    refused(m, to, p, "a forged message");
  } else if (post(m, from, p)) {
    Packet bad = p;
    if (kind == 2) {
      bad.token.resize(m.draw.below(bad.token.size()));
    } else {
      const std::size_t first = m.script.without_ess() ? 8 : 0;
      flip(m.draw, bad.token, first, kind == 3 ? kSignature : bad.token.size());
    }
    refused(m, to, bad, "a forged message");
    arrives(m, to, p);
    refused(m, to, p, "a message that came twice");
  }
}

// At a context of each kind.
void Soak::forge(std::size_t count) {
  constexpr std::size_t kKinds = 4;
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    Meeting m(seed_ + kind, kind);
    m.script.way = static_cast<Way>(kind % 3);
    m.script.flags = kProtection | GSS_C_REPLAY_FLAG |
                     (m.script.way == Way::kConnectionless ? GSS_NTLM_DATAGRAM_FLAG : 0);
    if (kind == 3) {
      m.script.level = 0;
      m.script.lenient = true;
    }
    cast_.play(m.script, m.x);
    handshake(m);
    judge(m);
    if (!m.open()) {
      continue;
    }
    for (std::size_t i = 0; i < count / kKinds; ++i) {
      const bool outward = m.draw.one_in(2);
      throw_one(m, outward ? m.initiator : m.acceptor, outward ? m.acceptor : m.initiator);
      if (i % 100 == 99) {
        honest(m, m.initiator, m.acceptor);
        honest(m, m.acceptor, m.initiator);
      }
    }
    honest(m, m.initiator, m.acceptor);
    honest(m, m.acceptor, m.initiator);
  }
}

struct Plan {
  std::uint64_t handshakes = 5000;
  std::size_t forged = 4000;
  std::uint64_t seed = 20240229;
  std::optional<std::uint64_t> only;
};

std::optional<Plan> parse(int argc, char** argv) {
  Plan plan;
  if (argc % 2 == 0) {
    return std::nullopt;
  }
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(argv[i + 1], &end, 10);
    if (*argv[i + 1] == '\0' || *end != '\0') {
      return std::nullopt;
    }
    if (option == "--handshakes") {
      plan.handshakes = value;
    } else if (option == "--forged") {
      plan.forged = static_cast<std::size_t>(value);
    } else if (option == "--seed") {
      plan.seed = value;
    } else if (option == "--only") {
      plan.only = value;
    } else {
      return std::nullopt;
    }
  }
  return plan;
}

// Memory and descriptors at the end are what they were after the first tenth.
bool is_flat(const Holdings& before, const Holdings& after) {
#ifdef KEEPS_FREED_MEMORY
  return before.descriptors == after.descriptors;
#else
  constexpr std::size_t kHeapSlack = 24 * 1024;
  constexpr long kRssSlack = 4 * 1024;
  if (after.in_use > before.in_use + kHeapSlack) {
    std::printf("LEAK: %zu bytes of the heap became %zu\n", before.in_use, after.in_use);
    return false;
  }
  if (after.rss > before.rss + kRssSlack) {
    std::printf("LEAK: %ld KiB became %ld\n", before.rss, after.rss);
    return false;
  }
  return before.descriptors == after.descriptors;
#endif
}

int soak(const Plan& plan) {
  std::printf("soak: seed %llu\n", static_cast<unsigned long long>(plan.seed));
  Soak run(plan.seed);
  if (!run.spnego_has_mic()) {
    std::printf("soak: this library's SPNEGO carries no MIC: bytes flipped under it may pass\n");
  }
  if (plan.only) {
    run.exchange(*plan.only);
    return run.tally().wrong_accepts + run.tally().wrong_refusals == 0 ? 0 : 1;
  }
  const std::uint64_t warm_up = plan.handshakes / 10;
  Holdings before;
  for (std::uint64_t i = 0; i < plan.handshakes; ++i) {
    if (i == warm_up) {
      before = holdings();
    }
    run.exchange(i);
  }
  run.forge(plan.forged);
  const Holdings after = holdings();
  const Tally& t = run.tally();
  std::printf(
      "soak: %zu opened, %zu refused, %zu contexts moved, %zu forged tokens at open ones, heap %zu "
      "-> %zu bytes\n",
      t.opened, t.handshakes - t.opened, t.moves, t.forged, before.in_use, after.in_use);
  std::printf(
      "soak: %zu handshakes, %zu messages, %zu attacks, RSS %ld -> %ld KiB, descriptors %zu -> "
      "%zu, wrong accepts %zu, wrong refusals %zu\n",
      t.handshakes, t.messages, t.attacks, before.rss, after.rss, before.descriptors,
      after.descriptors, t.wrong_accepts, t.wrong_refusals);
  const bool flat = is_flat(before, after);
  return flat && t.wrong_accepts + t.wrong_refusals == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gssntlm::test

int main(int argc, char** argv) {
  const auto plan = gssntlm::test::parse(argc, argv);
  if (!plan) {
    std::fprintf(stderr,
                 "usage: hostile_soak [--handshakes N] [--forged N] [--seed N] [--only INDEX]\n");
    return 2;
  }
  try {
    return gssntlm::test::soak(*plan);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hostile_soak: %s\n", e.what());
    return 1;
  }
}
