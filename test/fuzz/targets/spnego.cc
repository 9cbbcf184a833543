// The decoder of SPNEGO tokens. Input: a token; the mutator keeps DER's lengths right.
//
// What decodes, encodes (here, below) to a token that decodes to the same, with the shortest
// lengths: the same bytes when they had been the shortest, and no field that the decoder passes
// over (reqFlags, hintAddress, an empty hint) was there. No beginning of a token is a token, and
// nothing may follow one.
#include "spnego/token.h"

#include <algorithm>

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
DerNode compose_init(const SpnegoToken& n, bool late_mic) {
  DerNode fields{0x30, {}, {}};
  if (!n.mech_list.empty()) {
    DerNode list{0x30, {}, {}};
    for (const ByteView oid : mechanisms_of(n)) {
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

DerNode compose_response(const SpnegoToken& n) {
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

Bytes compose(const SpnegoToken& n, bool framed, bool late_mic = false) {
  DerNode body =
      n.kind == SpnegoToken::Kind::kInit ? compose_init(n, late_mic) : compose_response(n);
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

void check_same(const SpnegoToken& a, const SpnegoToken& b) {
  GSSNTLM_HOLDS(a.kind == b.kind && a.state == b.state);
  const std::vector<ByteView> of_a = mechanisms_of(a);
  const std::vector<ByteView> of_b = mechanisms_of(b);
  GSSNTLM_HOLDS(std::ranges::equal(of_a, of_b, same_bytes));
  GSSNTLM_HOLDS(of_a.size() <= kMostMechTypes);
  same(a.chosen, b.chosen);
  same(a.token, b.token);
  same(a.hint_name, b.hint_name);
  same(a.mic, b.mic);
}

void check_ends(ByteView token) {
  const Bytes whole(token.begin(), token.end());
  for (const std::size_t cut : {std::size_t{1}, token.size() / 2, token.size() - 1}) {
    GSSNTLM_HOLDS(!read_token(ByteView(whole).first(cut)));
  }
  Bytes longer = whole;
  longer.push_back(0);
  GSSNTLM_HOLDS(!read_token(longer));
}

// What krb5 with the wrong tag gets: mechListMIC under [4], and nothing else changed.
void check_mic_field(const SpnegoToken& n, ByteView token) {
  const bool response = n.kind == SpnegoToken::Kind::kResponse;
  GSSNTLM_HOLDS(n.mic_field.empty() || (response && n.mic && n.mic_field[0] == 0xA3));
  if (n.mic_field.empty()) {
    return;
  }
  Bytes retagged(token.begin(), token.end());
  retagged[static_cast<std::size_t>(n.mic_field.data() - token.data())] = 0xA4;
  const std::optional<SpnegoToken> back = read_token(retagged);
  // Where [4] stood too, it now stands twice.
  GSSNTLM_HOLDS(!back || (!back->mic && back->mic_field.empty()));
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
  TokenProblem problem;
  const std::optional<SpnegoToken> n = read_token(token, &problem);
  check_oid(token);
  GSSNTLM_HOLDS(n.has_value() == (problem.fault == TokenFault::kNone));
  if (!n) {
    GSSNTLM_HOLDS(problem.where <= size);
    return 0;
  }
  check_mic_field(*n, token);
  GSSNTLM_HOLDS(looks_like_spnego(token));
  for (const ByteView oid : mechanisms_of(*n)) {
    check_oid(oid);
  }
  const Bytes again = compose(*n, token[0] == 0x60);
  const std::optional<SpnegoToken> back = read_token(again);
  GSSNTLM_HOLDS(back.has_value());
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
