#include "mech/protocol/refusal.h"

#include <array>
#include <cstdio>

namespace gssntlm {

Error refuse(Error error, std::string_view role, std::string_view reason, const Runtime& env) {
  if (env.tracing()) {
    env.trace(std::string(role).append(": rejected, ").append(reason));
  }
  env.explain(error.minor, reason);
  return error;
}

Error explain_name(Error error, std::string_view which, const Runtime& env) {
  if (error.minor == Minor::kBadString) {
    env.explain(error.minor, which);
  }
  return error;
}

std::string hex_of(Flags flags) {
  std::array<char, 11> hex{};
  std::snprintf(hex.data(), hex.size(), "0x%08X", flags);
  return hex.data();
}

std::string describe_offer(const Peer& peer) {
  return std::string("the ").append(peer.name).append("'s flags ").append(hex_of(peer.flags));
}

}  // namespace gssntlm
