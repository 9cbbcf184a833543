#include "spnego/token.h"

#include <algorithm>

namespace gssntlm {
namespace {

constexpr std::uint8_t context(unsigned number) noexcept {
  return static_cast<std::uint8_t>(der_tag::kContext + number);
}

constexpr std::uint8_t kLastContext = context(30);

// The fields of a token's SEQUENCE, and what is wrong with them.
class Fields {
 public:
  explicit Fields(DerReader in) noexcept : in_(in) {}

  [[nodiscard]] const DerReader& reader() const noexcept { return in_; }
  [[nodiscard]] TokenFault fault() const noexcept { return fault_; }
  [[nodiscard]] bool has(unsigned number) const noexcept { return in_.is_next(context(number)); }

  // The content of the field's only element, if the field is there.
  std::optional<ByteView> read(unsigned number, std::uint8_t type) noexcept {
    if (!has(number)) {
      return std::nullopt;
    }
    const DerElement element = in_.only(context(number), type);
    negotiate_flags_for_session(TokenFault::kFieldType);
    return in_.ok() ? std::optional(element.content) : std::nullopt;
  }
  DerReader enter(unsigned number) noexcept { return in_.enter(context(number)); }
  void absorb(const DerReader& inner) noexcept {
    in_.absorb(inner);
    negotiate_flags_for_session(TokenFault::kFieldType);
  }
  void fail(TokenFault fault) noexcept {
    if (in_.ok()) {
      in_.fail();
      negotiate_flags_for_session(fault);
    }
  }
  // Elements above the last field, in ascending order.
  void pass_extensions(unsigned first) noexcept {
    for (unsigned at = context(first); in_.ok() && !in_.at_end();) {
      const std::uint8_t tag = in_.next_tag();
      if (tag < at || tag > kLastContext) {
        fail(TokenFault::kFieldOrder);
        return;
      }
      (void)in_.next(tag);
      negotiate_flags_for_session(TokenFault::kMalformed);
      at = tag + 1u;
    }
  }

 private:
  void negotiate_flags_for_session(TokenFault fault) noexcept {
    if (!in_.ok() && fault_ == TokenFault::kNone) {
      fault_ = fault;
    }
  }

  DerReader in_;
  TokenFault fault_ = TokenFault::kNone;
};

// Not empty, and its last number is whole.
bool is_oid(ByteView content) noexcept {
  return !content.empty() && (content.back() & 0x80) == 0;
}

void read_mechanisms(Fields& fields, SpnegoToken& t) noexcept {
  DerReader field = fields.enter(0);
  const DerElement list = field.next(der_tag::kSequence);
  fields.absorb(field);
  DerReader inner(list.content);
  std::size_t count = 0;
  while (inner.ok() && !inner.at_end()) {
    const DerReader before = inner;
    if (!is_oid(inner.next(der_tag::kOid).content)) {
      inner = before;
      inner.fail();
    }
    ++count;
  }
  fields.absorb(inner);
  if (count > kMostMechTypes) {
    fields.fail(TokenFault::kTooManyMechs);
  }
  t.mech_list = list.whole;
  t.mech_types = list.content;
}

// ContextFlags: the bits themselves mean nothing (RFC 4178 4.2.1).
void read_flags(Fields& fields) noexcept {
  const std::optional<ByteView> flags = fields.read(1, der_tag::kBitString);
  if (flags && (flags->empty() || (*flags)[0] > 7 || (flags->size() == 1 && (*flags)[0] != 0))) {
    fields.fail(TokenFault::kFieldType);
  }
}

// [3] is mechListMIC (RFC 4178), or negHints [MS-SPNG 2.2.1]: hintName [0] GeneralString,
// hintAddress [1]. After those mechListMIC is [4].
void read_hints_and_mic(Fields& fields, SpnegoToken& t) noexcept {
  if (fields.has(3)) {
    DerReader probe = DerReader(fields.reader()).enter(context(3));
    if (!probe.is_next(der_tag::kSequence)) {
      t.mic = fields.read(3, der_tag::kOctetString);
    } else {
      DerReader field = fields.enter(3);
      DerReader hints = field.enter(der_tag::kSequence);
      if (hints.is_next(context(0))) {
        t.hint_name = hints.only(context(0), der_tag::kGeneralString).content;
      }
      if (hints.is_next(context(1))) {
        (void)hints.only(context(1), der_tag::kOctetString);
      }
      field.absorb(hints);
      fields.absorb(field);
    }
  }
  if (const std::optional<ByteView> mic = fields.read(4, der_tag::kOctetString); !t.mic) {
    t.mic = mic;
  }
}

void read_init(Fields& fields, SpnegoToken& t) noexcept {
  if (fields.has(0)) {
    read_mechanisms(fields, t);
  }
  read_flags(fields);
  t.token = fields.read(2, der_tag::kOctetString);
  read_hints_and_mic(fields, t);
  fields.pass_extensions(5);
}

void read_state(Fields& fields, SpnegoToken& t) noexcept {
  const std::optional<ByteView> state = fields.read(0, der_tag::kEnumerated);
  if (state && (state->size() != 1 || (*state)[0] > 3)) {
    fields.fail(TokenFault::kFieldType);
  } else if (state) {
    t.state = static_cast<SpnegoToken::State>((*state)[0]);
  }
}

void read_response(Fields& fields, SpnegoToken& t) noexcept {
  read_state(fields, t);
  t.chosen = fields.read(1, der_tag::kOid);
  if (t.chosen && !is_oid(*t.chosen)) {
    fields.fail(TokenFault::kFieldType);
  }
  t.token = fields.read(2, der_tag::kOctetString);
  const std::uint8_t* mic_starts = fields.reader().where();
  t.mic = fields.read(3, der_tag::kOctetString);
  if (t.mic) {
    t.mic_field = {mic_starts, fields.reader().where()};
  }
  (void)fields.read(4, der_tag::kOctetString);
  fields.pass_extensions(5);
}

// Where a token is wrong: its own element, or the whole of it.
class Verdict {
 public:
  Verdict(ByteView token, TokenProblem* problem) noexcept : token_(token), problem_(problem) {}

  std::nullopt_t operator()(TokenFault fault, const std::uint8_t* where) const noexcept {
    if (problem_ != nullptr) {
      const auto offset = static_cast<std::size_t>(where - token_.data());
      *problem_ = {fault, std::min(offset, token_.size())};
    }
    return std::nullopt;
  }

 private:
  ByteView token_;
  TokenProblem* problem_;
};

}  // namespace

bool looks_like_spnego(ByteView token) noexcept {
  return token.size() >= 2 &&
         (token[0] == der_tag::kFraming || token[0] == context(0) || token[0] == context(1));
}

std::optional<SpnegoToken> read_token(ByteView token, TokenProblem* problem) noexcept {
  const Verdict wrong(token, problem);
  if (!looks_like_spnego(token)) {
    return wrong(TokenFault::kNotSpnego, token.data());
  }
  const bool framed = token[0] == der_tag::kFraming;
  DerReader outer(token);
  DerReader body = framed ? outer.enter(der_tag::kFraming) : outer;
  if (framed) {
    const ByteView oid = body.next(der_tag::kOid).content;
    if (body.ok() && !std::ranges::equal(oid, kSpnegoOid)) {
      return wrong(TokenFault::kNotSpnego, token.data());
    }
  }
  SpnegoToken t;
  t.kind = body.is_next(context(1)) ? SpnegoToken::Kind::kResponse : SpnegoToken::Kind::kInit;
  const bool response = t.kind == SpnegoToken::Kind::kResponse;
  DerReader choice = body.enter(context(response ? 1 : 0));
  Fields fields(choice.enter(der_tag::kSequence));
  if (!choice.ok()) {
    return wrong(TokenFault::kMalformed, choice.where());
  }
  response ? read_response(fields, t) : read_init(fields, t);
  if (!fields.reader().ok()) {
    return wrong(fields.fault(), fields.reader().where());
  }
  for (const DerReader* after : {&choice, &body, &outer}) {
    if (!after->at_end()) {
      return wrong(TokenFault::kTrailing, after->where());
    }
    if (!framed && after == &body) {
      break;  // `body` is the outermost
    }
  }
  return t;
}

}  // namespace gssntlm
