#include "mech/wire/challenge.h"

#include <algorithm>

#include "mech/wire/target_info.h"

namespace gssntlm {

using namespace wire_detail;

namespace {

constexpr std::size_t kTargetNameAt = 12;
constexpr std::size_t kFlagsAt = 20;
constexpr std::size_t kNonceAt = 24;
constexpr std::size_t kTargetInfoAt = 40;
constexpr std::size_t kVersionAt = 48;
constexpr std::size_t kMinSize = 32;
constexpr std::size_t kReservedSize = 8;

// Version has no presence bit of its own: without it the payload may start at 48.
bool has_version(ByteView token, const ChallengeMessage& m) noexcept {
  if (!has(m.flags, flag::kVersion) || token.size() < kVersionAt + kVersionSize) {
    return false;
  }
  const auto starts_behind = [&](ByteView v) {
    return v.empty() || v.data() >= token.data() + kVersionAt + kVersionSize;
  };
  return starts_behind(m.target_name) && starts_behind(m.target_info);
}

Status read_target_info(ByteView token, ChallengeMessage& m) noexcept {
  const Result<ByteView> info = field_bytes(token, read_field(token, kTargetInfoAt), kVersionAt);
  if (!info) {
    return info.error();
  }
  m.target_info = *info;
  if (m.target_info.empty()) {
    return {};
  }
  const Result<TargetInfo> pairs = decode_target_info(m.target_info);
  return pairs ? Status() : Status(pairs.error());
}

}  // namespace

Result<ChallengeMessage> decode_challenge(ByteView token) noexcept {
  if (Status s = check_prefix(token, MessageType::kChallenge, kMinSize); !s) {
    return s.error();
  }
  ChallengeMessage m;
  m.flags = load_le32(&token[kFlagsAt]);
  std::copy_n(&token[kNonceAt], m.server_challenge.size(), m.server_challenge.begin());
  const Result<ByteView> name = field_bytes(token, read_field(token, kTargetNameAt), kMinSize);
  if (!name) {
    return name.error();
  }
  m.target_name = *name;
  if (has(m.flags, flag::kUnicode) && m.target_name.size() % 2 != 0) {
    return defective(Minor::kBadString);
  }
  if (token.size() >= kTargetInfoAt + kFieldSize) {
    // A payload that starts below 48 means that the fixed part ends at 32 or 40.
    const bool short_form =
        !m.target_name.empty() && m.target_name.data() < token.data() + kVersionAt;
    if (!short_form) {
      if (Status s = read_target_info(token, m); !s) {
        return s.error();
      }
    }
  }
  if (has_version(token, m)) {
    m.version = read_version(token, kVersionAt);
  }
  return m;
}

Result<std::array<std::uint8_t, 8>> peek_server_challenge(ByteView token) noexcept {
  if (Status s = check_prefix(token, MessageType::kChallenge, kMinSize); !s) {
    return s.error();
  }
  std::array<std::uint8_t, 8> challenge;
  std::copy_n(&token[kNonceAt], challenge.size(), challenge.begin());
  return challenge;
}

Result<Buffer> encode_challenge(const ChallengeMessage& m) {
  const std::size_t head = kVersionAt + (m.version ? kVersionSize : 0);
  MessageWriter out(MessageType::kChallenge, head + m.target_name.size() + m.target_info.size(),
                    head);
  out.field(m.target_name);
  out.writer().u32(m.flags);
  out.writer().put(m.server_challenge);
  out.writer().zeros(kReservedSize);
  out.field(m.target_info);
  if (m.version) {
    out.version(*m.version);
  }
  out.writer().put(m.target_name);
  out.writer().put(m.target_info);
  return out.finish();
}

}  // namespace gssntlm
