// Whether the SPNEGO of the loaded libgssapi_krb5 can carry NTLM's mechListMIC.
#pragma once

#include "mech/credential/credential.h"

namespace gssntlm::spi {

/// krb5 1.21 to 1.22.1 look for a reply's mechListMIC under the wrong tag and never see it. A MIC
/// in AUTHENTICATE makes the mechListMIC mandatory [MS-SPNG] note 8, so there the login would fail.
/// Determined once per process, when a handshake inside SPNEGO first needs to know, by an exchange
/// with the library itself, whose last step has a forged mechListMIC: false when the library took
/// the reply nevertheless. True otherwise; when the exchange could not be completed, the next
/// handshake tries again. Takes the time of one handshake; no network. Throws nothing.
[[nodiscard]] bool spnego_carries_mic() noexcept;

/// The credential that the exchange uses, while this thread makes it; else nullptr. The library
/// obtains each mechanism's credential by gss_acquire_cred alone, and one that is acquired has the
/// settings of this process, whose lists, levels, trace and audit have no part in the exchange.
[[nodiscard]] const Credential* probe_credential() noexcept;

}  // namespace gssntlm::spi
