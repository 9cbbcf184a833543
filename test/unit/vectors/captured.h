// What the messages of captured.json say, read by the code under test.
#pragma once

#include "mech/base/bytes.h"
#include "mech/wire/authenticate.h"
#include "test/unit/vectors/json.h"

namespace gssntlm::test {

/// The document, or null if it is missing. It may not be copied, so it is read beside the checkout,
/// or in the directory that GSS_NTLM_VECTORS names.
[[nodiscard]] const Json& captured();
/// Where captured() looked.
[[nodiscard]] std::string captured_path();

/// The fields of any message, in the words of captured.json; null if the decoder refuses it.
[[nodiscard]] Json describe_message(ByteView token);

/// What kind of response it is, told from its form alone: NTLMv2, NTLM2 session (NTLMv1 with
/// extended session security), NTLMv1 or none.
[[nodiscard]] std::string describe_response(const AuthenticateMessage& m);

}  // namespace gssntlm::test
