#include "spnego/der.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMostLengthOctets = 4;

// The element at the start of `in`; an empty `whole` when it is cut short or its length malformed.
DerElement read_element(ByteView in) noexcept {
  if (in.size() < 2) {
    return {};
  }
  std::size_t length = in[1];
  std::size_t head = 2;
  if (length >= 0x80) {
    const std::size_t octets = length & 0x7F;
    if (octets == 0 || octets > kMostLengthOctets || !fits(in.size(), head, octets)) {
      return {};
    }
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) {
      length = length << 8 | in[head + i];
    }
    head += octets;
  }
  if (!fits(in.size(), head, length)) {
    return {};
  }
  return {in.subspan(head, length), in.first(head + length)};
}

}  // namespace

DerElement DerReader::next(std::uint8_t tag) noexcept {
  const DerElement element = is_next(tag) ? read_element(in_) : DerElement();
  if (element.whole.empty()) {
    fail();
    return {};
  }
  in_ = in_.subspan(element.whole.size());
  return element;
}

DerReader DerReader::enter(std::uint8_t tag) noexcept {
  DerReader inner(next(tag).content);
  if (!ok_) {
    inner = *this;
  }
  return inner;
}

void DerReader::absorb(const DerReader& inner) noexcept {
  if (ok_ && !(inner.ok_ && inner.at_end())) {
    in_ = inner.in_;
    ok_ = false;
  }
}

DerElement DerReader::only(std::uint8_t outer, std::uint8_t type) noexcept {
  DerReader inner = enter(outer);
  const DerElement element = inner.next(type);
  absorb(inner);
  return ok_ ? element : DerElement();
}

}  // namespace gssntlm
