// Where tokens begin and end.
#include <algorithm>
#include <array>

#include "mech/wire/types.h"
#include "spnego/token.h"
#include "tools/decode/wrapping.h"

namespace gssntlm::tools {
namespace {

constexpr std::string_view kSignature("NTLMSSP\0", 8);
constexpr std::size_t kPrefixSize = 12;
constexpr std::uint8_t kBindResponse = 0x61;

// Of the message of a type: its descriptors, and the end of the longest fixed part.
struct Layout {
  std::array<std::size_t, 6> descriptors;  // zeros at the end: none
  std::size_t shortest;
  std::size_t longest;
};

constexpr Layout kNegotiate{{16, 24}, 16, 40};
constexpr Layout kChallenge{{12, 40}, 32, 56};
constexpr Layout kAuthenticate{{12, 20, 28, 36, 44, 52}, 52, 88};

const Layout& layout_of(std::uint32_t type) noexcept {
  return type == 1 ? kNegotiate : type == 2 ? kChallenge : kAuthenticate;
}

struct Ends {
  std::size_t fixed = 0;    ///< of the fixed part, as far as the payload leaves room for it
  std::size_t payload = 0;  ///< of the last field
  std::size_t inside = 0;   ///< of the last field that lies inside
};

Ends ends_of(ByteView m) noexcept {
  const std::uint32_t type = load_le32(&m[8]);
  const Layout& layout = layout_of(type);
  Ends ends;
  std::size_t first = kMaxTokenSize;
  const Flags flags = type == 1 && m.size() >= 16 ? load_le32(&m[12]) : 0;
  for (const std::size_t at : layout.descriptors) {
    const bool sent = type != 1 || has(flags, at == 16 ? flag::kOemDomainSupplied
                                                       : flag::kOemWorkstationSupplied);
    if (at == 0 || !sent || !fits(m.size(), at, 8) || first < at + 8) {
      continue;
    }
    const std::size_t length = load_le16(&m[at]);
    const std::size_t offset = load_le32(&m[at + 4]);
    if (length == 0) {
      continue;
    }
    first = std::min(first, offset);
    ends.payload = std::max(ends.payload, offset + length);
    ends.inside =
        fits(m.size(), offset, length) ? std::max(ends.inside, offset + length) : ends.inside;
  }
  ends.fixed = std::clamp(first, layout.shortest, layout.longest);
  return ends;
}

bool has_type(ByteView m) noexcept {
  if (m.size() < kPrefixSize) {
    return false;
  }
  const std::uint32_t type = load_le32(&m[8]);
  return type >= 1 && type <= 3;
}

// Where the fixed part surely ends: without Version and MIC, unless it says that there is one.
std::size_t sure_end(ByteView m, std::size_t fixed) noexcept {
  const std::uint32_t type = load_le32(&m[8]);
  const std::size_t flags_at = type == 1 ? 12 : type == 2 ? 20 : 60;
  const std::size_t plain = type == 1 ? 32 : type == 2 ? 48 : 64;
  const bool version = fits(m.size(), flags_at, 4) && has(load_le32(&m[flags_at]), flag::kVersion);
  return std::min(fixed, plain + (version ? kVersionSize : 0));
}

// The size of a DER element, or 0.
std::size_t element_size(ByteView b) noexcept {
  if (b.size() < 2) {
    return 0;
  }
  if (b[1] < 0x80) {
    return 2 + std::size_t{b[1]};
  }
  const std::size_t octets = b[1] & 0x7F;
  if (octets == 0 || octets > 4 || b.size() < 2 + octets) {
    return 0;
  }
  std::size_t size = 0;
  for (std::size_t i = 0; i < octets; ++i) {
    size = size << 8 | b[2 + i];
  }
  return 2 + octets + size;
}

// What is inside of the element that `b`, which may be cut, begins with.
ByteView content_of(ByteView b) noexcept {
  if (element_size(b) == 0) {
    return {};
  }
  return b.subspan(b[1] < 0x80 ? 2 : 2 + (b[1] & 0x7F));
}

bool starts_with(ByteView b, std::string_view start) noexcept {
  return as_text(b).starts_with(start);
}

bool starts_framing(ByteView content) noexcept {
  return starts_with(content, "\x06\x06\x2B\x06\x01\x05\x05\x02") ||
         starts_with(content, std::string_view("\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x02\x02\x0A"));
}

bool starts_ts_request(ByteView content) noexcept {
  return starts_with(content, std::string_view("\xA0\x03\x02\x01", 4)) && content.size() > 5 &&
         content[5] >= 0xA1 && content[5] <= 0xA5;
}

bool starts_bind(ByteView content) noexcept {
  return content.size() > 3 && content[0] == 0x02 && content[1] >= 1 && content[1] <= 4 &&
         content.size() > 2u + content[1] &&
         (content[2 + content[1]] == 0x60 || content[2 + content[1]] == 0x61);
}

// Whether the element is whole, small enough for a token, and one of ours.
bool is_whole_token(ByteView element) {
  const std::uint8_t tag = element[0];
  if (tag == der_tag::kSequence || tag == kBindResponse) {
    return unwrap(element).has_value();
  }
  if (const std::optional<SpnegoToken> n = read_token(element)) {
    return n->kind == SpnegoToken::Kind::kInit || n->token || n->mic || n->state;
  }
  return unwrap(element).has_value();
}

std::size_t extent_at(ByteView rest) {
  switch (rest[0]) {
    case 'N':
      return starts_ntlm(rest) && has_type(rest) ? std::min(rest.size(), message_end(rest)) : 0;
    case der_tag::kFraming:
    case der_tag::kContext:
    case der_tag::kContext + 1:
    case kBindResponse:
    case der_tag::kSequence: {
      const std::size_t size = element_size(rest);
      const bool whole = size >= 9 && size <= std::min(rest.size(), kMaxTokenSize);
      return whole && starts_token(rest.first(size)) && is_whole_token(rest.first(size)) ? size : 0;
    }
    default:
      return 0;
  }
}

}  // namespace

bool starts_ntlm(ByteView bytes) noexcept {
  return as_text(bytes).starts_with(kSignature);
}

bool starts_token(ByteView bytes) {
  if (bytes.empty() || starts_ntlm(bytes)) {
    return !bytes.empty();
  }
  const ByteView content = content_of(bytes);
  switch (bytes[0]) {
    case der_tag::kFraming:
      return starts_framing(content) || starts_with(content, "\x02\x01\x03\x04");
    case kBindResponse:
      return starts_with(content, "\x0A\x01");
    case der_tag::kContext:
    case der_tag::kContext + 1:
      return !content.empty() && content[0] == der_tag::kSequence;
    case der_tag::kSequence:
      return starts_ts_request(content) || starts_bind(content);
    default:
      return false;
  }
}

std::size_t claimed_size(ByteView bytes) noexcept {
  if (!starts_ntlm(bytes)) {
    return element_size(bytes);
  }
  if (!has_type(bytes)) {
    return kPrefixSize;
  }
  const Ends ends = ends_of(bytes);
  const std::size_t shortest = layout_of(load_le32(&bytes[8])).shortest;
  return std::max({shortest, sure_end(bytes, ends.fixed), ends.payload});
}

std::size_t message_end(ByteView bytes) noexcept {
  if (!has_type(bytes)) {
    return bytes.size();
  }
  const Ends ends = ends_of(bytes);
  const bool cut = ends.payload > bytes.size() && ends.payload <= kMaxTokenSize;
  return cut ? bytes.size() : std::max(sure_end(bytes, ends.fixed), ends.inside);
}

std::vector<Extent> find_extents(ByteView bytes) {
  std::vector<Extent> found;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = extent_at(bytes.subspan(at));
    if (size != 0) {
      found.push_back({at, size});
    }
    at += std::max<std::size_t>(size, 1);
  }
  return found;
}

}  // namespace gssntlm::tools
