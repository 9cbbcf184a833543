#include "mech/spi/framing.h"

#include <algorithm>
#include <string>

#include "mech/wire/types.h"
#include "spnego/der.h"
#include "spnego/token.h"

namespace gssntlm::spi {
namespace {

// 1 and 4 octets around an object identifier of 2 and 10.
constexpr std::size_t kMaxFramingSize = 5 + 2 + sizeof kNtlmOid;

void reject_framing(std::string_view why) noexcept {
  (void)error_with_detail(Major::kDefectiveToken, Minor::kNotNtlm, why);
}

std::string describe_mechanism(ByteView oid) {
  const std::string text = oid_text(oid);
  return text.empty() ? "a mechanism whose object identifier is malformed" : "mechanism " + text;
}

}  // namespace

Incoming remove_framing(ByteView token) {
  DerReader reader(token);
  if (!reader.is_next(der_tag::kFraming)) {
    return {token};
  }
  const ByteView content = reader.next(der_tag::kFraming).content;
  DerReader inside(content);
  const DerElement oid = inside.next(der_tag::kOid);
  if (!reader.ok() || !reader.at_end() || !inside.ok()) {
    reject_framing("the lengths of its framing (RFC 2743 3.1) do not match its size");
    return {token};
  }
  if (!same_bytes(oid.content, kNtlmOid)) {
    reject_framing("it is framed (RFC 2743 3.1) for " + describe_mechanism(oid.content) +
                   ", not for NTLM");
    return {token};
  }
  return {content.subspan(oid.whole.size()), true};
}

AnswerFraming::AnswerFraming(bool framed) : room_(framed ? kMaxFramingSize + kMaxTokenSize : 0) {}

void AnswerFraming::give(gss_buffer_t to, Buffer message) noexcept {
  if (room_.size() == 0) {
    spi::give(to, std::move(message));
    return;
  }
  const DerHead oid = der_head(der_tag::kOid, sizeof kNtlmOid);
  const DerHead framing = der_head(der_tag::kFraming, oid.size + sizeof kNtlmOid + message.size());
  std::uint8_t* end = std::copy_n(framing.octets.begin(), framing.size, room_.data());
  end = std::copy_n(oid.octets.begin(), oid.size, end);
  end = std::copy_n(kNtlmOid, sizeof kNtlmOid, end);
  end = std::copy_n(message.view().begin(), message.size(), end);
  to->length = static_cast<std::size_t>(end - room_.data());
  to->value = room_.release();
}

}  // namespace gssntlm::spi
