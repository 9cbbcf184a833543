// Minor status codes of the interposer, and what they mean. They never change.
#pragma once

#include <cstdint>
#include <string_view>

#include "spnego/token.h"

namespace gssntlm::interposer {

enum class Fault : std::uint32_t {
  kToken = 0x53504D00,              ///< plus a TokenFault
  kNoMechTypes = kToken + 0x20,     ///< NegTokenInit without a list of mechanisms
  kNoToken = kToken + 0x21,         ///< no token where one must come
  kForeignContext = kToken + 0x22,  ///< the context is older than the interposer
  kNoMemory = kToken + 0x23,
  kBadName = kToken + 0x24,    ///< an exported name that leads back to the interposer
  kBadExport = kToken + 0x25,  ///< an export of MIT's is not framed as it always was
};

[[nodiscard]] constexpr Fault fault_of(TokenFault fault) noexcept {
  return static_cast<Fault>(static_cast<std::uint32_t>(Fault::kToken) +
                            static_cast<std::uint32_t>(fault));
}

/// What is wrong and what to do; empty for a code that is not the interposer's.
[[nodiscard]] std::string_view fault_text(std::uint32_t minor) noexcept;

}  // namespace gssntlm::interposer
