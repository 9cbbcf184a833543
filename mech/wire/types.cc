#include "mech/wire/types.h"

#include <utility>

namespace gssntlm {
namespace {

constexpr std::array<std::uint8_t, 8> kSignature = {0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0};

bool has_signature(ByteView token) noexcept {
  return token.size() >= wire_detail::kPrefixSize && same_bytes(token.first<8>(), kSignature);
}

}  // namespace

Result<MessageType> peek_type(ByteView token) noexcept {
  if (token.size() > kMaxTokenSize) {
    return defective(Minor::kTooLong);
  }
  if (!has_signature(token)) {
    return defective(Minor::kNotNtlm);
  }
  const std::uint32_t type = load_le32(token.data() + 8);
  if (type < 1 || type > 3) {
    return defective(Minor::kNotNtlm);
  }
  return static_cast<MessageType>(type);
}

Status check_charset(Flags flags) noexcept {
  return has_any(flags, flag::kUnicode | flag::kOem) ? Status()
                                                     : Status(defective(Minor::kCharset));
}

namespace wire_detail {

Field read_field(ByteView token, std::size_t at) noexcept {
  return {load_le16(&token[at]), load_le32(&token[at + 4])};
}

Result<ByteView> field_bytes(ByteView token, Field field, std::size_t payload_from) noexcept {
  if (field.length == 0) {
    return ByteView();
  }
  if (field.offset < payload_from || !fits(token.size(), field.offset, field.length)) {
    return defective(Minor::kFieldOutOfBounds);
  }
  return token.subspan(field.offset, field.length);
}

Status check_prefix(ByteView token, MessageType type, std::size_t min_size) noexcept {
  const Result<MessageType> found = peek_type(token);
  if (!found) {
    return found.error();
  }
  if (*found != type) {
    return defective(Minor::kWrongMessage);
  }
  if (token.size() < min_size) {
    return defective(Minor::kTruncated);
  }
  return {};
}

Version read_version(ByteView token, std::size_t at) noexcept {
  Reader r(token.subspan(at, kVersionSize));
  Version v;
  v.major = r.u8();
  v.minor = r.u8();
  v.build = r.u16();
  r.copy(v.reserved);
  v.revision = r.u8();
  return v;
}

MessageWriter::MessageWriter(MessageType type, std::size_t size, std::size_t payload_at)
    : out_(size <= kMaxTokenSize ? size : 0), next_(payload_at), ok_(size <= kMaxTokenSize) {
  out_.put(kSignature);
  out_.u32(static_cast<std::uint32_t>(type));
}

void MessageWriter::field(ByteView payload) noexcept {
  field(payload.size(), next_);
  next_ += payload.size();
}

void MessageWriter::field(std::size_t length, std::size_t offset) noexcept {
  ok_ = ok_ && length <= 0xFFFF && offset <= 0xFFFFFFFF;
  out_.u16(static_cast<std::uint16_t>(length));
  out_.u16(static_cast<std::uint16_t>(length));
  out_.u32(static_cast<std::uint32_t>(offset));
}

void MessageWriter::version(const Version& v) noexcept {
  out_.u8(v.major);
  out_.u8(v.minor);
  out_.u16(v.build);
  out_.put(v.reserved);
  out_.u8(v.revision);
}

Result<Buffer> MessageWriter::finish() noexcept {
  Buffer message;
  if (!ok_ || !out_.finish(message)) {
    return failure(Minor::kTooLong);
  }
  return message;
}

}  // namespace wire_detail
}  // namespace gssntlm
