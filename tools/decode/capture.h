// Tokens in captured packets.
#pragma once

#include <string>
#include <vector>

#include "tools/decode/found.h"

namespace gssntlm::tools {

/// What a capture holds.
struct CaptureContent {
  std::vector<Conversation> conversations;  ///< one for each connection with an NTLM message
  std::size_t packets = 0;
  std::size_t connections = 0;
  std::vector<std::string> notes;  ///< why there may be more than was found
};

/// Finds tokens and the statuses of answers in each connection: NTLM messages, SPNEGO tokens, binds
/// of LDAP and TSRequests whatever protocol carries them, and those in headers of HTTP and in lines
/// of SMTP, IMAP and POP3; statuses of HTTP, of session setups of SMB, and of LDAP binds. `file`
/// is_capture(). Total; takes time and memory proportional to the file.
[[nodiscard]] CaptureContent read_capture(ByteView file);

}  // namespace gssntlm::tools
