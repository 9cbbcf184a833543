#include "mech/wire/negotiate.h"

namespace gssntlm {

using namespace wire_detail;

namespace {

constexpr std::size_t kFlagsAt = 12;
constexpr std::size_t kDomainAt = 16;
constexpr std::size_t kWorkstationAt = 24;
constexpr std::size_t kVersionAt = 32;
constexpr std::size_t kMinSize = 16;
constexpr std::size_t kNamesEnd = 32;

}  // namespace

Result<NegotiateMessage> decode_negotiate(ByteView token) noexcept {
  if (Status s = check_prefix(token, MessageType::kNegotiate, kMinSize); !s) {
    return s.error();
  }
  NegotiateMessage m;
  m.flags = load_le32(&token[kFlagsAt]);
  if (token.size() < kNamesEnd) {
    return m;
  }
  if (has(m.flags, flag::kOemDomainSupplied)) {
    const Result<ByteView> domain = field_bytes(token, read_field(token, kDomainAt), kMinSize);
    if (!domain) {
      return domain.error();
    }
    m.domain = *domain;
  }
  if (has(m.flags, flag::kOemWorkstationSupplied)) {
    const Result<ByteView> station =
        field_bytes(token, read_field(token, kWorkstationAt), kMinSize);
    if (!station) {
      return station.error();
    }
    m.workstation = *station;
  }
  if (has(m.flags, flag::kVersion) && token.size() >= kVersionAt + kVersionSize) {
    m.version = read_version(token, kVersionAt);
  }
  return m;
}

Result<Buffer> encode_negotiate(const NegotiateMessage& m) {
  const std::size_t head = kVersionAt + (m.version ? kVersionSize : 0);
  const std::size_t domain_at = m.domain.empty() ? 0 : head + m.workstation.size();
  const std::size_t station_at = m.workstation.empty() ? 0 : head;
  MessageWriter out(MessageType::kNegotiate, head + m.domain.size() + m.workstation.size(), head);
  out.writer().u32(m.flags);
  out.field(m.domain.size(), domain_at);
  out.field(m.workstation.size(), station_at);
  if (m.version) {
    out.version(*m.version);
  }
  out.writer().put(m.workstation);
  out.writer().put(m.domain);
  return out.finish();
}

}  // namespace gssntlm
