#include "mech/wire/authenticate.h"

#include <algorithm>
#include <initializer_list>

namespace gssntlm {

using namespace wire_detail;

namespace {

constexpr std::size_t kLmAt = 12;
constexpr std::size_t kNtAt = 20;
constexpr std::size_t kDomainAt = 28;
constexpr std::size_t kUserAt = 36;
constexpr std::size_t kWorkstationAt = 44;
constexpr std::size_t kKeyAt = 52;
constexpr std::size_t kFlagsAt = 60;
constexpr std::size_t kVersionAt = 64;
constexpr std::size_t kMinSize = 52;

// Where the first byte of payload is; empty fields may carry any offset and do not count.
std::size_t payload_start(ByteView token, std::initializer_list<std::size_t> fields) noexcept {
  std::size_t first = token.size();
  for (const std::size_t at : fields) {
    const Field f = read_field(token, at);
    if (f.length != 0) {
      first = std::min<std::size_t>(first, f.offset);
    }
  }
  return first;
}

// Windows 9x messages end before the session key field.
bool has_key_and_flags(ByteView token) noexcept {
  return token.size() >= kVersionAt &&
         payload_start(token, {kLmAt, kNtAt, kDomainAt, kUserAt, kWorkstationAt}) >= kVersionAt;
}

Status check_lengths(const AuthenticateMessage& m, bool oem_agreed) noexcept {
  const std::size_t lm = m.lm_response.size();
  const std::size_t nt = m.nt_response.size();
  if ((lm != 0 && lm != 1 && lm != kV1ResponseSize) || (nt != 0 && nt < kV1ResponseSize)) {
    return defective(Minor::kBadResponse);
  }
  const bool unicode = !oem_agreed && (m.flags == 0 || has(m.flags, flag::kUnicode));
  const bool odd = (m.domain.size() | m.user.size() | m.workstation.size()) % 2 != 0;
  return unicode && odd ? Status(defective(Minor::kBadString)) : Status();
}

Result<V2ClientChallenge> decode_client_challenge(ByteView nt_response) noexcept {
  constexpr std::size_t kAvListMin = 4;
  constexpr std::uint16_t kRespTypes = 0x0101;
  V2ClientChallenge c;
  Reader r(nt_response.subspan(kNtProofSize));
  const std::uint16_t types = r.u16();
  r.skip(6);
  c.timestamp = r.u64();
  r.copy(c.client_challenge);
  r.skip(4);
  c.av_pairs = r.take(r.remaining());
  if (!r.ok() || c.av_pairs.size() < kAvListMin) {
    return defective(Minor::kBadResponse);
  }
  if (types != kRespTypes) {
    return defective(Minor::kResponseVersion);
  }
  const Result<TargetInfo> info = decode_target_info(c.av_pairs);
  if (!info) {
    return info.error();
  }
  c.target_info = *info;
  return c;
}

// Position of an announced MIC: behind Version [MS-NLMP] 2.2.1.3, or in its place where a client
// leaves Version out. No flag says so: some clients without Version have zeros there instead.
Result<std::size_t> locate_mic(ByteView token, Flags flags, std::size_t payload) noexcept {
  const std::size_t behind_version = kVersionAt + kVersionSize;
  if (payload >= behind_version + kMicSize && token.size() >= behind_version + kMicSize) {
    return has(flags, flag::kVersion) || is_zero(token.subspan(kVersionAt, kVersionSize))
               ? behind_version
               : kVersionAt;
  }
  if (payload >= kVersionAt + kMicSize && token.size() >= kVersionAt + kMicSize) {
    return kVersionAt;
  }
  return defective(Minor::kTruncated);
}

Status read_payload(ByteView token, AuthenticateMessage& m, bool modern) noexcept {
  const std::size_t from = modern ? kVersionAt : kMinSize;
  struct Slot {
    std::size_t at;
    ByteView* to;
  };
  for (const Slot slot : {Slot{kLmAt, &m.lm_response}, Slot{kNtAt, &m.nt_response},
                          Slot{kDomainAt, &m.domain}, Slot{kUserAt, &m.user},
                          Slot{kWorkstationAt, &m.workstation}, Slot{kKeyAt, &m.session_key}}) {
    if (slot.at == kKeyAt && !modern) {
      break;
    }
    const Result<ByteView> bytes = field_bytes(token, read_field(token, slot.at), from);
    if (!bytes) {
      return bytes.error();
    }
    *slot.to = *bytes;
  }
  return {};
}

Status read_v2(ByteView token, AuthenticateMessage& m, std::size_t payload) noexcept {
  const Result<V2ClientChallenge> c = decode_client_challenge(m.nt_response);
  if (!c) {
    return c.error();
  }
  m.v2 = *c;
  if ((c->target_info.flags.value_or(0) & av_flag::kMicPresent) == 0) {
    return {};
  }
  const Result<std::size_t> at = locate_mic(token, m.flags, payload);
  if (!at) {
    return at.error();
  }
  m.mic_at = *at;
  return {};
}

}  // namespace

bool AuthenticateMessage::is_anonymous() const noexcept {
  return user.empty() && nt_response.empty() &&
         (lm_response.empty() || (lm_response.size() == 1 && lm_response[0] == 0));
}

Result<AuthenticateMessage> decode_authenticate(ByteView token, bool oem_agreed) noexcept {
  if (Status s = check_prefix(token, MessageType::kAuthenticate, kMinSize); !s) {
    return s.error();
  }
  AuthenticateMessage m;
  const bool modern = has_key_and_flags(token);
  if (modern) {
    m.flags = load_le32(&token[kFlagsAt]);
    m.has_flags = true;
  }
  if (Status s = read_payload(token, m, modern); !s) {
    return s.error();
  }
  if (Status s = check_lengths(m, oem_agreed); !s) {
    return s.error();
  }
  std::size_t payload = token.size();
  if (modern) {
    payload = payload_start(token, {kLmAt, kNtAt, kDomainAt, kUserAt, kWorkstationAt, kKeyAt});
  }
  if (modern && has(m.flags, flag::kVersion) && payload >= kVersionAt + kVersionSize &&
      token.size() >= kVersionAt + kVersionSize) {
    m.version = read_version(token, kVersionAt);
  }
  if (m.nt_response.size() > kV1ResponseSize) {
    if (Status s = read_v2(token, m, payload); !s) {
      return s.error();
    }
  }
  return m;
}

Result<Buffer> encode_authenticate(const AuthenticateFields& f) {
  const bool room_for_version = f.version || f.mic;
  const std::size_t head =
      kVersionAt + (room_for_version ? kVersionSize : 0) + (f.mic ? kMicSize : 0);
  const std::size_t names = f.domain.size() + f.user.size() + f.workstation.size();
  const std::size_t lm_at = head + names;
  const std::size_t nt_at = lm_at + f.lm_response.size();
  const std::size_t key_at = nt_at + f.nt_response.size();
  MessageWriter out(MessageType::kAuthenticate, key_at + f.session_key.size(), head);
  out.field(f.lm_response.size(), lm_at);
  out.field(f.nt_response.size(), nt_at);
  out.field(f.domain);
  out.field(f.user);
  out.field(f.workstation);
  out.field(f.session_key.size(), key_at);
  out.writer().u32(f.flags);
  if (room_for_version) {
    out.version(f.version.value_or(Version{}));
  }
  if (f.mic) {
    out.writer().zeros(kMicSize);
  }
  for (const ByteView part :
       {f.domain, f.user, f.workstation, f.lm_response, f.nt_response, f.session_key}) {
    out.writer().put(part);
  }
  return out.finish();
}

}  // namespace gssntlm
