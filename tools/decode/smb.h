// Answers to session setups of SMB [MS-SMB2 2.2.6, MS-CIFS 2.2.4.53.2].
#pragma once

#include <string>
#include <vector>

#include "mech/base/bytes.h"

namespace gssntlm::tools {

struct SmbStatus {
  std::size_t offset = 0;  ///< of the header of SMB
  std::size_t size = 0;    ///< up to the end of what was read
  std::string text;        ///< `SMB STATUS_LOGON_FAILURE (0xc000006d)`
};

/// Of all answers to session setups in what a server sent.
[[nodiscard]] std::vector<SmbStatus> find_smb_statuses(ByteView bytes);

/// `STATUS_LOGON_FAILURE (0xc000006d)` [MS-ERREF 2.3.1].
[[nodiscard]] std::string status_text(std::uint32_t status);

}  // namespace gssntlm::tools
