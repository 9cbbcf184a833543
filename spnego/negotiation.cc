#include "spnego/negotiation.h"

#include <algorithm>

namespace gssntlm {
namespace {

constexpr std::uint8_t kSpnegoOid[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x02};

namespace tag {
constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kOid = 0x06;
constexpr std::uint8_t kEnumerated = 0x0A;
constexpr std::uint8_t kGeneralString = 0x1B;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kFraming = 0x60;
constexpr std::uint8_t kChoice = 0xA0;  // and 0xA1 to 0xA4
}  // namespace tag

struct Element {
  std::uint8_t tag = 0;
  ByteView content;
  ByteView whole;
};

// Reads elements of definite length one after the other. A failure latches, with its place.
class Der {
 public:
  /// `start` is where the whole token begins, for offsets.
  Der(ByteView in, const std::uint8_t* start) noexcept : in_(in), start_(start) {}

  [[nodiscard]] bool at_end() const noexcept { return in_.empty(); }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t where() const noexcept {
    return static_cast<std::size_t>(in_.data() - start_);
  }
  [[nodiscard]] std::uint8_t peek() const noexcept { return in_.empty() ? 0 : in_[0]; }

  // An empty element and ok() false when the next one is not of `expected` or not whole.
  Element next(std::uint8_t expected) noexcept {
    if (!ok_ || in_.size() < 2 || in_[0] != expected) {
      return fail();
    }
    std::size_t length = in_[1];
    std::size_t head = 2;
    if (length >= 0x80) {
      const std::size_t count = length & 0x7F;
      if (count == 0 || count > 4 || !fits(in_.size(), head, count)) {
        return fail();
      }
      length = 0;
      for (std::size_t i = 0; i < count; ++i) {
        length = length << 8 | in_[head + i];
      }
      head += count;
    }
    if (!fits(in_.size(), head, length)) {
      return fail();
    }
    const Element e{in_[0], in_.subspan(head, length), in_.first(head + length)};
    in_ = in_.subspan(head + length);
    return e;
  }
  [[nodiscard]] Der inside(const Element& e) const noexcept {
    Der inner(ok_ ? e.content : ByteView(), start_);
    if (!ok_) {
      inner.in_ = in_;
      inner.ok_ = false;
    }
    return inner;
  }
  /// The only element of type `type` inside the next one, which has the tag `choice`.
  Element only(std::uint8_t choice, std::uint8_t type) noexcept {
    Der inner = inside(next(choice));
    const Element e = inner.next(type);
    absorb(inner);
    if (ok_ && !inner.at_end()) {
      in_ = inner.in_;
      return fail();
    }
    return e;
  }
  void absorb(const Der& inner) noexcept {
    if (ok_ && !inner.ok_) {
      in_ = inner.in_;
      ok_ = false;
    }
  }
  Element fail() noexcept {
    ok_ = false;
    return {};
  }

 private:
  ByteView in_;
  const std::uint8_t* start_;
  bool ok_ = true;
};

bool is_choice(const Der& der, std::uint8_t number) noexcept {
  return der.ok() && der.peek() == tag::kChoice + number;
}

void read_mechanisms(Der& fields, Negotiation& n) {
  const Element list = fields.only(tag::kChoice, tag::kSequence);
  n.mech_list = list.whole;
  Der inner = fields.inside(list);
  while (inner.ok() && !inner.at_end()) {
    const Element oid = inner.next(tag::kOid);
    if (inner.ok()) {
      n.mechanisms.push_back(oid.content);
    }
  }
  fields.absorb(inner);
}

// negHints [MS-SPNG] 2.2.1: hintName [0] GeneralString, hintAddress [1].
void read_hints(Der& fields, Negotiation& n) noexcept {
  Der hints = fields.inside(fields.only(tag::kChoice + 3, tag::kSequence));
  if (is_choice(hints, 0)) {
    n.hint_name = hints.only(tag::kChoice, tag::kGeneralString).content;
  }
  if (is_choice(hints, 1)) {
    (void)hints.only(tag::kChoice + 1, tag::kOctetString);
  }
  fields.absorb(hints);
}

void read_init(Der& fields, Negotiation& n) {
  n.kind = Negotiation::Kind::kInit;
  if (is_choice(fields, 0)) {
    read_mechanisms(fields, n);
  }
  if (is_choice(fields, 1)) {
    (void)fields.only(tag::kChoice + 1, tag::kBitString);
  }
  if (is_choice(fields, 2)) {
    n.token = fields.only(tag::kChoice + 2, tag::kOctetString).content;
  }
  if (is_choice(fields, 3)) {
    Der probe = fields;
    Der inner = probe.inside(probe.next(tag::kChoice + 3));
    if (inner.peek() == tag::kSequence) {
      read_hints(fields, n);
    } else {
      n.mic = fields.only(tag::kChoice + 3, tag::kOctetString).content;
    }
  }
  if (!n.mic && is_choice(fields, 4)) {
    n.mic = fields.only(tag::kChoice + 4, tag::kOctetString).content;
  }
}

void read_response(Der& fields, Negotiation& n) noexcept {
  n.kind = Negotiation::Kind::kResponse;
  if (is_choice(fields, 0)) {
    const Element state = fields.only(tag::kChoice, tag::kEnumerated);
    if (fields.ok() && state.content.size() == 1 && state.content[0] <= 3) {
      n.state = static_cast<Negotiation::State>(state.content[0]);
    } else {
      (void)fields.fail();
    }
  }
  if (is_choice(fields, 1)) {
    n.chosen = fields.only(tag::kChoice + 1, tag::kOid).content;
  }
  if (is_choice(fields, 2)) {
    n.token = fields.only(tag::kChoice + 2, tag::kOctetString).content;
  }
  if (is_choice(fields, 3)) {
    n.mic = fields.only(tag::kChoice + 3, tag::kOctetString).content;
  }
}

}  // namespace

bool looks_like_negotiation(ByteView token) noexcept {
  return token.size() >= 2 &&
         (token[0] == tag::kFraming || token[0] == tag::kChoice || token[0] == tag::kChoice + 1);
}

Result<Negotiation> decode_negotiation(ByteView token, std::size_t* where) {
  std::size_t ignored = 0;
  std::size_t& place = where != nullptr ? *where : ignored;
  place = 0;
  if (!looks_like_negotiation(token)) {
    return defective(Minor::kNotNtlm);
  }
  Der outer(token, token.data());
  Der body = outer;
  if (token[0] == tag::kFraming) {
    body = outer.inside(outer.next(tag::kFraming));
    const Element oid = body.next(tag::kOid);
    if (body.ok() && !same_bytes(oid.content, kSpnegoOid)) {
      return defective(Minor::kNotNtlm);
    }
  }
  const bool response = body.peek() == tag::kChoice + 1;
  Der fields = body.inside(
      body.only(static_cast<std::uint8_t>(tag::kChoice + (response ? 1 : 0)), tag::kSequence));
  Negotiation n;
  if (response) {
    read_response(fields, n);
  } else {
    read_init(fields, n);
  }
  body.absorb(fields);
  const Der& last = token[0] == tag::kFraming && body.ok() && body.at_end() ? outer : body;
  if (!fields.ok() || !fields.at_end()) {
    place = std::min(fields.where(), token.size());
    return defective(Minor::kTruncated);
  }
  if (!last.ok() || !last.at_end()) {
    place = last.where();
    return defective(Minor::kTruncated);
  }
  return n;
}

std::string oid_text(ByteView content) {
  std::string text;
  std::uint64_t value = 0;
  bool first = true;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (value >> 50 != 0) {
      return {};
    }
    value = value << 7 | (content[i] & 0x7F);
    if ((content[i] & 0x80) != 0) {
      continue;
    }
    if (first) {
      const std::uint64_t root = std::min<std::uint64_t>(value / 40, 2);
      text = std::to_string(root);
      value -= root * 40;
      first = false;
    }
    text.append(".").append(std::to_string(value));
    value = 0;
  }
  return content.empty() || (content.back() & 0x80) != 0 ? std::string() : text;
}

}  // namespace gssntlm
