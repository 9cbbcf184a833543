// Exchanges of the soak: a handshake, its retry, and what its ends must agree about.
#include <cstdio>
#include <cstring>
#include <utility>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/hostile/soak_run.h"

namespace gssntlm::test {
namespace {

Outcome move_context(End& end) {
  std::string token;
  const Outcome o = export_context(end, token);
  return o.ok() ? import_context(end, token) : o;
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

}  // namespace

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
  const bool proven = m.script.way != Way::kNegotiated || spnego_has_mic_;
  if (bound != (proven && m.script.binding == Binding::kSame)) {
    wrong_accept(m, "bound is not what the acceptor says");
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

}  // namespace gssntlm::test
