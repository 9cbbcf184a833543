// Tokens of one logon, from its NEGOTIATE to the server's last word.
#pragma once

#include <string>
#include <vector>

#include "tools/decode/found.h"
#include "tools/decode/message.h"

namespace gssntlm::tools {

struct Exchange {
  std::string connection;  ///< `10.0.0.1:1024 to 10.0.0.2:445`; empty outside of captures
  std::vector<Token> tokens;
};

/// Decodes what was found in order. Each conversation of a capture begins an exchange, and so does
/// a message that cannot follow the one before it; texts continue each other, for one token may be
/// in each.
[[nodiscard]] std::vector<Exchange> examine(std::vector<Conversation> conversations);

/// The messages of an exchange that a password can be checked with: of malformed ones what could be
/// read.
struct Messages {
  const Token* negotiate = nullptr;  ///< may be missing
  const Token* challenge = nullptr;
  const Token* authenticate = nullptr;
};
/// Of the last exchange that has a CHALLENGE and an AUTHENTICATE; nullopt if there is none.
[[nodiscard]] std::optional<Messages> last_checkable(const std::vector<Exchange>& exchanges);

/// Why last_checkable() found none.
[[nodiscard]] std::string why_not_checkable(const std::vector<Exchange>& exchanges);

}  // namespace gssntlm::tools
