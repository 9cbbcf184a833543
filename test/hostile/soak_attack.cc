// What is done to the tokens of a handshake, and what may come of it.
#include <algorithm>

#include "test/hostile/soak_run.h"

namespace gssntlm::test {
namespace {

constexpr std::size_t kBlows = 7;

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

}  // namespace

// One to three bits, of which none takes the other back.
void flip(Draw& draw, std::string& s, std::size_t from, std::size_t to) {
  const std::string before = s;
  while (s == before) {
    for (std::size_t n = 1 + draw.below(3); n > 0; --n) {
      s[from + draw.below(to - from)] ^= static_cast<char>(1 << draw.below(8));
    }
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

}  // namespace gssntlm::test
