#include "spnego/interposer/framing.h"

#include <cstdlib>
#include <cstring>

#include "spnego/interposer/faults.h"

namespace gssntlm::interposer {
namespace {

constexpr std::size_t kWord = 4;

std::size_t load_be32(const std::uint8_t* p) noexcept {
  return std::size_t{p[0]} << 24 | std::size_t{p[1]} << 16 | std::size_t{p[2]} << 8 | p[3];
}

std::uint8_t* store_be32(std::uint8_t* p, std::size_t v) noexcept {
  for (unsigned shift = 32; shift != 0;) {
    shift -= 8;
    *p++ = static_cast<std::uint8_t>(v >> shift);
  }
  return p;
}

// What follows the frame; nothing when it is not one of a single mechanism.
ByteView inside(ByteView framed, bool sized) noexcept {
  if (framed.size() < kWord) {
    return {};
  }
  const std::size_t oid = load_be32(framed.data());
  const std::size_t head = oid + (sized ? 2 * kWord : kWord);
  if (oid > framed.size() || framed.size() < head ||
      (sized && load_be32(framed.data() + kWord + oid) != framed.size() - head)) {
    return {};
  }
  return framed.subspan(head);
}

}  // namespace

OM_uint32 strip_mech(OM_uint32* minor, gss_buffer_t token, bool sized) noexcept {
  const ByteView rest = inside(view_of(token), sized);
  if (rest.empty()) {
    OM_uint32 ignored = 0;
    gss_release_buffer(&ignored, token);
    *minor = static_cast<OM_uint32>(Fault::kBadExport);
    return GSS_S_FAILURE;
  }
  std::memmove(token->value, rest.data(), rest.size());
  token->length = rest.size();
  return GSS_S_COMPLETE;
}

FramedToken::FramedToken(ByteView token, bool sized) noexcept {
  const gss_OID_desc& oid = *special_oid();
  const std::size_t size = kWord + oid.length + (sized ? kWord : 0) + token.size();
  buffer_.value = std::malloc(size);
  if (buffer_.value == nullptr) {
    return;
  }
  buffer_.length = size;
  std::uint8_t* p = store_be32(static_cast<std::uint8_t*>(buffer_.value), oid.length);
  std::memcpy(p, oid.elements, oid.length);
  p += oid.length;
  if (sized) {
    p = store_be32(p, token.size());
  }
  if (!token.empty()) {
    std::memcpy(p, token.data(), token.size());
  }
}

FramedToken::~FramedToken() {
  std::free(buffer_.value);
}

}  // namespace gssntlm::interposer
