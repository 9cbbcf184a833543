// The operations that the vectors of nlmp.json name, each done by the code under test.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "test/unit/vectors/json.h"

namespace gssntlm::test {

/// Takes a vector's `in`, gives the fields of its `out` that the code produces. Throws Mismatch
/// when two ways to the same value disagree.
using Operation = Json (*)(const Json& in);
using Operations = std::map<std::string, Operation>;

struct Mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[nodiscard]] const Operations& crypto_operations();
[[nodiscard]] const Operations& wire_operations();
[[nodiscard]] const Operations& session_operations();
[[nodiscard]] const Operations& exchange_operations();

}  // namespace gssntlm::test
