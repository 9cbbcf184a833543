// What an acceptor's refusal has to be.
#pragma once

#include "mech/protocol/acceptor.h"
#include "test/support/catch.h"

namespace gssntlm::test {

inline void check_refused(const Result<AcceptedLogon>& answer, Minor minor,
                          Major major = Major::kFailure) {
  REQUIRE_FALSE(answer);
  CHECK(answer.error().major == major);
  CHECK(answer.error().minor == minor);
}

}  // namespace gssntlm::test
