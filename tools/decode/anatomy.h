// Decodes one NTLM message byte by byte.
#pragma once

#include "tools/decode/message.h"

namespace gssntlm::tools {

/// Adds what token.ntlm holds, a message of token.type: fields, the decoded message, oddities, a
/// fault. `oem_before`: it answers a CHALLENGE with OEM names. Throws std::bad_alloc.
void add_message_fields(Token& token, bool oem_before);

}  // namespace gssntlm::tools
