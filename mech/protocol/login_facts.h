// How a user logged in, as name attributes show it.
#pragma once

#include "mech/base/bytes.h"
#include "mech/protocol/outcome.h"
#include "mech/wire/authenticate.h"

namespace gssntlm {

enum class FactSource {
  kClient,    ///< the client, which chooses it freely: not authenticated
  kAcceptor,  ///< this acceptor, which verified it
};

/// One member for each line of login_facts.inc. Texts are UTF-16LE and clean, as the client sent
/// them.
struct LoginFacts {
#define X(attribute, type, member, source) type member{};
#include "mech/protocol/login_facts.inc"
#undef X
};

/// What a verified AUTHENTICATE and its outcome tell; `workstation` is UTF-16LE. The target name
/// only if a MIC covers it and the client vouches for it. Throws std::bad_alloc.
[[nodiscard]] LoginFacts facts_of(const AuthenticateMessage& message, ByteView workstation,
                                  const Outcome& outcome);

}  // namespace gssntlm
