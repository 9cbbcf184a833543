// Options of the protocol's two roles chosen by an input. Zeros choose the defaults.
#pragma once

#include "mech/protocol/negotiation.h"
#include "mech/protocol/policy.h"
#include "test/fuzz/fuzz.h"
#include "test/support/runtime.h"

namespace gssntlm::fuzz {

/// Takes 4 bytes.
[[nodiscard]] Policy choose_policy(Input& in);
/// Takes 5 bytes.
[[nodiscard]] InitiatorRequest choose_request(Input& in);
/// Takes 1 byte: server_names(), a domain's, names outside of some code pages, none, or one that no
/// CHALLENGE has room for.
[[nodiscard]] HostNames choose_names(Input& in);

inline constexpr ChannelBindingHash kSomeBindings = {1, 2,  3,  4,  5,  6,  7,  8,
                                                     9, 10, 11, 12, 13, 14, 15, 16};

/// `saved` with bytes changed: each edit is 16 bits of place, and what is XORed there.
[[nodiscard]] Bytes change_state(ByteView saved, ByteView edits);

/// No event may hold what could forge a line of a log.
void check_trace(const test::FixedEnvironment& env);

/// Gives an AUTHENTICATE the response, and then the MIC, of who knows `password`, over what it
/// says; as far as it decodes. `challenge` is what it answers.
void repair_authenticate(Bytes& token, ByteView negotiate, ByteView challenge,
                         std::string_view password, CodePage page);

}  // namespace gssntlm::fuzz
