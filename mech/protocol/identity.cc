#include "mech/protocol/identity.h"

#include <utility>

namespace gssntlm {

Identity::Identity(Bytes user, Bytes domain, NtHash nt_hash, std::optional<LmHash> lm_hash)
    : user_(std::move(user)),
      domain_(std::move(domain)),
      nt_hash_(std::move(nt_hash)),
      lm_hash_(std::move(lm_hash)) {}

Identity::Identity(Bytes user, Bytes domain, std::shared_ptr<const LogonAgent> agent)
    : user_(std::move(user)), domain_(std::move(domain)), agent_(std::move(agent)) {}

ResponseKey Identity::response_key() const {
  if (kept_.load(std::memory_order_acquire) == Kept::kYes) {
    return response_key_.clone();
  }
  ResponseKey key = derive_response_key(nt_hash_, user_, domain_);
  Kept none = Kept::kNo;
  if (kept_.compare_exchange_strong(none, Kept::kBeingWritten, std::memory_order_relaxed)) {
    response_key_ = key.clone();
    kept_.store(Kept::kYes, std::memory_order_release);
  }
  return key;
}

Ref<const Identity> Identity::anonymous() {
  return Ref<const Identity>::adopt(new Identity({}, {}, NtHash(), std::nullopt));
}

}  // namespace gssntlm
