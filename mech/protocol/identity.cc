#include "mech/protocol/identity.h"

#include <utility>

namespace gssntlm {

Identity::Identity(Bytes user, Bytes domain, NtHash nt_hash, std::optional<LmHash> lm_hash)
    : user_(std::move(user)),
      domain_(std::move(domain)),
      nt_hash_(std::move(nt_hash)),
      lm_hash_(std::move(lm_hash)),
      response_key_(derive_response_key(nt_hash_, user_, domain_)) {}

Identity::Identity(Bytes user, Bytes domain, std::shared_ptr<const LogonAgent> agent)
    : user_(std::move(user)), domain_(std::move(domain)), agent_(std::move(agent)) {}

Ref<const Identity> Identity::anonymous() {
  return Ref<const Identity>::adopt(new Identity({}, {}, NtHash(), std::nullopt));
}

}  // namespace gssntlm
