#include "tools/decode/repair.h"

#include <algorithm>
#include <array>

#include "include/gssapi/gssapi_ntlm.h"

namespace gssntlm::tools {
namespace {

constexpr std::array<FieldDescriptor, 2> kNegotiate = {
    {{16, "DomainName", "domain"}, {24, "Workstation", "workstation"}}};
constexpr std::array<FieldDescriptor, 2> kChallenge = {
    {{12, "TargetName", "target_name"}, {40, "TargetInfo", "target_info"}}};
constexpr std::array<FieldDescriptor, 6> kAuthenticate = {{
    {12, "LmChallengeResponse", "lm_response"},
    {20, "NtChallengeResponse", "nt_response"},
    {28, "DomainName", "domain"},
    {36, "UserName", "user"},
    {44, "Workstation", "workstation"},
    {52, "EncryptedRandomSessionKey", "session_key"},
}};
constexpr std::size_t kAuthenticateHead = kAuthenticateFlagsOffset + sizeof(Flags);

// Fields with a form of their own, which may be what is malformed.
bool has_form(const FieldDescriptor& d) noexcept {
  return d.json == std::string_view("nt_response") || d.json == std::string_view("lm_response") ||
         d.json == std::string_view("target_info");
}

bool is_inside(ByteView message, const FieldDescriptor& d) noexcept {
  const std::size_t length = load_le16(&message[d.at]);
  return length == 0 || fits(message.size(), load_le32(&message[d.at + 4]), length);
}

}  // namespace

std::span<const FieldDescriptor> descriptors_of(MessageType type) noexcept {
  switch (type) {
    case MessageType::kNegotiate:
      return kNegotiate;
    case MessageType::kChallenge:
      return kChallenge;
    default:
      return kAuthenticate;
  }
}

void report_malformed(Token& t, Error error) {
  const ByteView m = t.ntlm;
  std::size_t where = m.size() < 32 ? m.size() : 0;
  if (error.minor == Minor::kFieldOutOfBounds || error.minor == Minor::kTruncated) {
    const auto parts = descriptors_of(*t.type);
    const auto bad = std::find_if(parts.begin(), parts.end(), [&](const FieldDescriptor& d) {
      return fits(m.size(), d.at, 8) && !is_inside(m, d);
    });
    where = bad != parts.end() ? bad->at : where;
  }
  add_fault(t, std::string(minor_text(static_cast<std::uint32_t>(error.minor))),
            static_cast<std::size_t>(m.data() - t.raw.data()) + where);
}

bool repair(Token& t, ByteView message, unsigned attempt) {
  if (attempt > 2) {
    t.ntlm = message;
    t.unreadable.clear();
    return false;
  }
  Bytes copy(message.begin(), message.end());
  t.unreadable.clear();
  for (const FieldDescriptor& d : descriptors_of(*t.type)) {
    if (!fits(copy.size(), d.at, 8)) {
      t.unreadable.emplace_back(d.json);
    } else if (attempt == 2 || !is_inside(message, d) || (attempt == 1 && has_form(d))) {
      store_le16(&copy[d.at], 0);
      t.unreadable.emplace_back(d.json);
    }
  }
  if (std::find(t.unreadable.begin(), t.unreadable.end(), "nt_response") != t.unreadable.end()) {
    t.unreadable.emplace_back("response");
  }
  if (*t.type == MessageType::kAuthenticate && copy.size() < kAuthenticateHead) {
    t.unreadable.insert(t.unreadable.end(), {"flags", "flag_names"});
  }
  t.repaired = std::move(copy);
  t.ntlm = t.repaired;
  return true;
}

}  // namespace gssntlm::tools
