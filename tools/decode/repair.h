// What can be read of a malformed message.
#pragma once

#include <span>

#include "tools/decode/message.h"

namespace gssntlm::tools {

/// Sets the fault of `token`, whose message does not decode because of `error`.
void report_malformed(Token& token, Error error);

/// Replaces token.ntlm with a copy of `message` in which fields that cannot be read are empty, and
/// names these in token.unreadable. `attempt` counts from 0: fields that lie outside of the
/// message; also those with an inner form; all. False if there is no such attempt.
[[nodiscard]] bool repair(Token& token, ByteView message, unsigned attempt);

/// Decodes token.ntlm with `decoder`, or what repair() makes of it. An error if nothing can be
/// read.
template <typename Decoder>
auto decode_or_repair(Token& token, Decoder decoder) {
  const ByteView message = token.ntlm;
  auto decoded = decoder(message);
  if (!decoded) {
    report_malformed(token, decoded.error());
    for (unsigned attempt = 0; !decoded && repair(token, message, attempt); ++attempt) {
      decoded = decoder(token.ntlm);
    }
  }
  return decoded;
}

/// Descriptor of a field in the message: its offset, and the field's name in [MS-NLMP] and in JSON.
struct FieldDescriptor {
  std::size_t at;
  const char* name;
  const char* json;
};
[[nodiscard]] std::span<const FieldDescriptor> descriptors_of(MessageType type) noexcept;

}  // namespace gssntlm::tools
