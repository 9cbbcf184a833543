#include "tools/decode/smb.h"

#include <cstdio>
#include <optional>

namespace gssntlm::tools {
namespace {

constexpr std::size_t kHeaderRead = 20;

std::optional<std::uint32_t> status_of_smb2(ByteView header) noexcept {
  constexpr std::uint16_t kHeaderSize = 64;
  constexpr std::uint16_t kSessionSetup = 1;
  const bool setup =
      load_le16(&header[4]) == kHeaderSize && load_le16(&header[12]) == kSessionSetup;
  const bool answer = (load_le32(&header[16]) & 1) != 0;
  return setup && answer ? std::optional(load_le32(&header[8])) : std::nullopt;
}

std::optional<std::uint32_t> status_of_smb1(ByteView header) noexcept {
  constexpr std::uint8_t kSessionSetup = 0x73;
  constexpr std::uint8_t kAnswer = 0x80;
  constexpr std::uint16_t kNtStatus = 0x4000;
  const bool answer = header[4] == kSessionSetup && (header[9] & kAnswer) != 0;
  return answer && (load_le16(&header[10]) & kNtStatus) != 0 ? std::optional(load_le32(&header[5]))
                                                             : std::nullopt;
}

}  // namespace

std::vector<SmbStatus> find_smb_statuses(ByteView bytes) {
  std::vector<SmbStatus> found;
  for (std::size_t at = 0; fits(bytes.size(), at, kHeaderRead); ++at) {
    const ByteView header = bytes.subspan(at);
    if ((header[0] & 0xFE) != 0xFE || header[1] != 'S' || header[2] != 'M' || header[3] != 'B') {
      continue;
    }
    const auto status = header[0] == 0xFE ? status_of_smb2(header) : status_of_smb1(header);
    if (status) {
      found.push_back({at, kHeaderRead, "SMB " + status_text(*status)});
    }
  }
  return found;
}

std::string status_text(std::uint32_t status) {
  struct Known {
    std::uint32_t status;
    const char* name;
  };
  constexpr Known kKnown[] = {{0x00000000, "STATUS_SUCCESS"},
                              {0xC000000D, "STATUS_INVALID_PARAMETER"},
                              {0xC0000016, "STATUS_MORE_PROCESSING_REQUIRED"},
                              {0xC0000022, "STATUS_ACCESS_DENIED"},
                              {0xC000005E, "STATUS_NO_LOGON_SERVERS"},
                              {0xC0000064, "STATUS_NO_SUCH_USER"},
                              {0xC000006A, "STATUS_WRONG_PASSWORD"},
                              {0xC000006D, "STATUS_LOGON_FAILURE"},
                              {0xC000006E, "STATUS_ACCOUNT_RESTRICTION"},
                              {0xC000006F, "STATUS_INVALID_LOGON_HOURS"},
                              {0xC0000070, "STATUS_INVALID_WORKSTATION"},
                              {0xC0000071, "STATUS_PASSWORD_EXPIRED"},
                              {0xC0000072, "STATUS_ACCOUNT_DISABLED"},
                              {0xC000015B, "STATUS_LOGON_TYPE_NOT_GRANTED"},
                              {0xC0000193, "STATUS_ACCOUNT_EXPIRED"},
                              {0xC0000224, "STATUS_PASSWORD_MUST_CHANGE"},
                              {0xC0000234, "STATUS_ACCOUNT_LOCKED_OUT"},
                              {0xC0000418, "STATUS_NTLM_BLOCKED"}};
  char number[12];
  std::snprintf(number, sizeof number, "0x%08x", static_cast<unsigned>(status));
  for (const Known& k : kKnown) {
    if (k.status == status) {
      return std::string(k.name) + " (" + number + ")";
    }
  }
  return std::string("status ") + number;
}

}  // namespace gssntlm::tools
