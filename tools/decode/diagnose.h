// With the messages of an exchange and a hash: which part of it fails.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mech/base/secret.h"
#include "tools/decode/message.h"

namespace gssntlm::tools {

enum class Verdict {
  kGood,
  kOpen,  ///< nothing was verified
  kBad,
};

struct Finding {
  Verdict verdict = Verdict::kGood;
  std::string part;  ///< "password", "domain spelling", "MIC", "bindings", "time"
  std::string text;
};

/// Verifies the exchange with the account's hash. `challenge` and `authenticate` must hold their
/// messages, of malformed ones what could be read, with the NT response. `negotiate`: nullptr if it
/// is not known; then the MIC cannot be verified. `bindings`: the hash of the channel's bindings,
/// if known.
[[nodiscard]] std::vector<Finding> diagnose(const Token* negotiate, const Token& challenge,
                                            const Token& authenticate, const NtHash& hash,
                                            const std::optional<Bytes>& bindings);

}  // namespace gssntlm::tools
