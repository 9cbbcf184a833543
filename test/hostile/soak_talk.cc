// Messages of the soak: honest ones, those that are attacked, and forged tokens.
#include "include/gssapi/gssapi_ntlm.h"
#include "test/hostile/soak_run.h"

namespace gssntlm::test {
namespace {

// What is done to a message.
enum class Foul { kFlip, kCut, kExtend, kAgain, kLate, kAstray, kForeign };
constexpr std::size_t kFouls = 7;

}  // namespace

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

}  // namespace gssntlm::test
