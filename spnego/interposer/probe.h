// Whether the loaded library's SPNEGO reads mechListMIC where peers send it.
#pragma once

namespace gssntlm::interposer {

/// krb5 1.21 to 1.22.1 look for the mechListMIC of NegTokenResp under [4] instead of [3]. True when
/// this library was found to do so. Found out with an acceptor of MIT's SPNEGO itself, which takes
/// a NegTokenResp with nothing but a mechListMIC exactly when it sees it; no mechanism takes part,
/// and nothing is sent. Only a verdict that both tags confirm is kept; without one the next call
/// tries again, and meanwhile tokens stay as they are. Never called under the mechglue's lock.
[[nodiscard]] bool library_reads_wrong_tag() noexcept;

}  // namespace gssntlm::interposer
