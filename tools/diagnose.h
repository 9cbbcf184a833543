// With all three messages and a hash: which part of an exchange fails.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mech/base/secret.h"
#include "tools/message.h"

namespace gssntlm::tools {

struct Finding {
  bool good = true;
  std::string part;  ///< "password", "domain spelling", "MIC", "bindings", "time"
  std::string text;
};

/// Verifies the exchange with the account's hash. The three tokens must hold their messages.
/// `bindings`: the hash of the channel's bindings, if known.
[[nodiscard]] std::vector<Finding> diagnose(const Token& negotiate, const Token& challenge,
                                            const Token& authenticate, const NtHash& hash,
                                            const std::optional<Bytes>& bindings);

}  // namespace gssntlm::tools
