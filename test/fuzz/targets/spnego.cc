// The decoder of SPNEGO tokens. Input: a token; the mutator keeps DER's lengths right.
//
// What decodes, encodes (here, below) to a token that decodes to the same, with the shortest
// lengths: the same bytes when they had been the shortest, and no field that the decoder passes
// over (reqFlags, hintAddress, an empty hint) was there. No beginning of a token is a token, and
// nothing may follow one.
#include "spnego/negotiation.h"

#include "test/fuzz/der.h"

namespace gssntlm::fuzz {
namespace {

DerNode leaf(std::uint8_t tag, ByteView content) {
  return {tag, Bytes(content.begin(), content.end()), {}};
}
DerNode around(std::uint8_t tag, DerNode node) {
  DerNode outer{tag, {}, {}};
  outer.children.push_back(std::move(node));
  return outer;
}

void append_octets(DerNode& fields, std::uint8_t number, const std::optional<ByteView>& octets) {
  if (octets) {
    fields.children.push_back(
        around(static_cast<std::uint8_t>(0xA0 + number), leaf(0x04, *octets)));
  }
}

// `late_mic`: without hints mechListMIC may stand in [4] all the same.
DerNode compose_init(const Negotiation& n, bool late_mic) {
  DerNode fields{0x30, {}, {}};
  if (!n.mech_list.empty()) {
    DerNode list{0x30, {}, {}};
    for (const ByteView oid : n.mechanisms) {
      list.children.push_back(leaf(0x06, oid));
    }
    fields.children.push_back(around(0xA0, std::move(list)));
  }
  append_octets(fields, 2, n.token);
  if (n.hint_name) {
    DerNode hints{0x30, {}, {}};
    hints.children.push_back(around(0xA0, leaf(0x1B, *n.hint_name)));
    fields.children.push_back(around(0xA3, std::move(hints)));
    append_octets(fields, 4, n.mic);
  } else {
    append_octets(fields, late_mic ? 4 : 3, n.mic);
  }
  return around(0xA0, std::move(fields));
}

DerNode compose_response(const Negotiation& n) {
  DerNode fields{0x30, {}, {}};
  if (n.state) {
    const auto state = static_cast<std::uint8_t>(*n.state);
    fields.children.push_back(around(0xA0, leaf(0x0A, {&state, 1})));
  }
  if (n.chosen) {
    fields.children.push_back(around(0xA1, leaf(0x06, *n.chosen)));
  }
  append_octets(fields, 2, n.token);
  append_octets(fields, 3, n.mic);
  return around(0xA1, std::move(fields));
}

Bytes compose(const Negotiation& n, bool framed, bool late_mic = false) {
  constexpr std::uint8_t kSpnegoOid[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x02};
  DerNode body =
      n.kind == Negotiation::Kind::kInit ? compose_init(n, late_mic) : compose_response(n);
  if (!framed) {
    return encode_der({body});
  }
  DerNode frame{0x60, {}, {}};
  frame.children = {leaf(0x06, kSpnegoOid), std::move(body)};
  return encode_der({frame});
}

void same(const std::optional<ByteView>& a, const std::optional<ByteView>& b) {
  GSSNTLM_HOLDS(a.has_value() == b.has_value() && (!a || same_bytes(*a, *b)));
}

void check_same(const Negotiation& a, const Negotiation& b) {
  GSSNTLM_HOLDS(a.kind == b.kind && a.state == b.state);
  GSSNTLM_HOLDS(a.mechanisms.size() == b.mechanisms.size());
  for (std::size_t i = 0; i < a.mechanisms.size(); ++i) {
    GSSNTLM_HOLDS(same_bytes(a.mechanisms[i], b.mechanisms[i]));
  }
  same(a.chosen, b.chosen);
  same(a.token, b.token);
  same(a.hint_name, b.hint_name);
  same(a.mic, b.mic);
}

void check_ends(ByteView token) {
  const Bytes whole(token.begin(), token.end());
  for (const std::size_t cut : {std::size_t{1}, token.size() / 2, token.size() - 1}) {
    GSSNTLM_HOLDS(!decode_negotiation(ByteView(whole).first(cut)));
  }
  Bytes longer = whole;
  longer.push_back(0);
  GSSNTLM_HOLDS(!decode_negotiation(longer));
}

// Dotted numbers and nothing else.
void check_oid(ByteView content) {
  const std::string text = oid_text(content);
  GSSNTLM_HOLDS(text.find_first_not_of("0123456789.") == std::string::npos);
  GSSNTLM_HOLDS(text.empty() || (text.front() <= '2' && text.back() != '.'));
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView token(data, size);
  std::size_t where = 0;
  const Result<Negotiation> n = decode_negotiation(token, &where);
  check_oid(token);
  if (!n) {
    GSSNTLM_HOLDS(where <= size);
    return 0;
  }
  GSSNTLM_HOLDS(looks_like_negotiation(token));
  for (const ByteView oid : n->mechanisms) {
    check_oid(oid);
  }
  const Bytes again = compose(*n, token[0] == 0x60);
  const Result<Negotiation> back = decode_negotiation(again);
  GSSNTLM_HOLDS(back.ok());
  check_same(*n, *back);
  GSSNTLM_HOLDS(compose(*back, token[0] == 0x60) == again);
  GSSNTLM_HOLDS(again.size() <= size);
  if (again.size() == size) {
    GSSNTLM_HOLDS(same_bytes(again, token) ||
                  same_bytes(compose(*n, token[0] == 0x60, true), token));
  }
  check_ends(token);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  Chance chance(seed);
  Bytes token(data, data + size);
  do {
    mutate_der(token, chance);
  } while (chance.one_in(3));
  return give_back(token, data, max);
}
