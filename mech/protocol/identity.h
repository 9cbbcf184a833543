// An account with its secret, as the protocol needs it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "mech/base/ref.h"
#include "mech/base/secret.h"
#include "mech/crypto/derive.h"
#include "mech/protocol/agent.h"

namespace gssntlm {

/// Immutable; shared by threads and contexts. Holds hashes, never a password.
class Identity : public RefCounted {
 public:
  /// `user`, not empty, and `domain` are UTF-16LE, as they will be sent. Throws std::bad_alloc.
  Identity(Bytes user, Bytes domain, NtHash nt_hash, std::optional<LmHash> lm_hash);

  /// An account whose secret only `agent`, not nullptr, can use: there are no hashes.
  Identity(Bytes user, Bytes domain, std::shared_ptr<const LogonAgent> agent);

  /// The anonymous client [MS-NLMP] 3.2.5.1.2.
  [[nodiscard]] static Ref<const Identity> anonymous();

  [[nodiscard]] bool is_anonymous() const noexcept { return user_.empty(); }
  /// nullptr: the hashes are here.
  [[nodiscard]] const LogonAgent* agent() const noexcept { return agent_.get(); }
  [[nodiscard]] ByteView user() const noexcept { return user_; }
  [[nodiscard]] ByteView domain() const noexcept { return domain_; }
  [[nodiscard]] const NtHash& nt_hash() const noexcept { return nt_hash_; }
  [[nodiscard]] const LmHash* lm_hash() const noexcept { return lm_hash_ ? &*lm_hash_ : nullptr; }
  /// NTOWFv2. Derived by the first call and kept: many credentials are never used. Never waits for
  /// another thread. Throws std::bad_alloc.
  [[nodiscard]] ResponseKey response_key() const;

 private:
  Bytes user_;
  Bytes domain_;
  NtHash nt_hash_;
  std::optional<LmHash> lm_hash_;
  enum class Kept : std::uint8_t { kNo, kBeingWritten, kYes };
  mutable std::atomic<Kept> kept_ = Kept::kNo;
  mutable ResponseKey response_key_;
  std::shared_ptr<const LogonAgent> agent_;
};

/// How this host calls itself, UTF-16LE. Empty means unknown.
struct HostNames {
  Bytes nb_computer;
  Bytes nb_domain;
  Bytes dns_computer;
  Bytes dns_domain;
  Bytes dns_tree;
  bool domain_member = false;  ///< nb_domain is a domain, not the stand-alone server's own name
};

}  // namespace gssntlm
