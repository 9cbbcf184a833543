// Every decision about the MIC of AUTHENTICATE and about the mechListMIC of the SPNEGO above: who
// sends one, who requires one, and what it proves.
#pragma once

#include "mech/protocol/policy.h"
#include "mech/wire/authenticate.h"

namespace gssntlm {

/// The setting `spnego_mic`: whether AUTHENTICATE inside SPNEGO carries a MIC.
enum class SpnegoMic {
  kAuto,  ///< if the SPNEGO of the loaded library can carry the mechListMIC that must follow
  kAlways,
  kNever,
};

/// What an initiator knows about the layer above. MIT's SPNEGO does not identify itself to a
/// mechanism; the only sign of it is the inquiry GSS_SPNEGO_REQUIRE_MIC, which it makes after every
/// step of the initiator, so also between NEGOTIATE and AUTHENTICATE. Applications do not make it.
enum class LayerAbove {
  kApplication,  ///< no inquiry: raw NTLM
  kSpnego,       ///< inquired
};

/// AUTHENTICATE reserves the field of a MIC, as Windows does; without a MIC it is zero.
inline constexpr bool kReservesMicField = true;

/// Whether an initiator leaves out a MIC that it would send otherwise, because the layer above
/// cannot do what a MIC obliges it to. `carries_mech_list_mic` tells whether the library's SPNEGO
/// can, and is asked only if the answer depends on it. Raw NTLM always has its MIC.
[[nodiscard]] bool withholds_mic(SpnegoMic setting, LayerAbove above,
                                 bool (*carries_mech_list_mic)() noexcept) noexcept;

/// Whether an NTLMv2 response to a CHALLENGE with this TargetInfo announces a MIC (bit 2 of
/// MsvAvFlags) and AUTHENTICATE carries it. Without TargetInfo there is no pair to announce it in.
/// The text asks for a MIC only if the server sent its time [MS-NLMP] 3.1.5.1.2; sending one in
/// either case takes the choice away from a man in the middle who drops the pair.
[[nodiscard]] bool sends_mic(const Policy& policy, ByteView target_info) noexcept;

/// Whether the initiator says which machine it runs on: only under a MIC, as Windows does.
[[nodiscard]] bool sends_single_host(const Policy& policy, bool mic) noexcept;

/// What an acceptor does about the MIC of a message.
enum class MicDemand {
  kNone,     ///< none was announced, and policy accepts that
  kVerify,   ///< one was announced: the proof covers the announcement, so no one took it back
  kMissing,  ///< none was announced, and policy requires one
};
[[nodiscard]] MicDemand mic_demand(const Policy& policy,
                                   const AuthenticateMessage& message) noexcept;

/// Whether channel bindings and target name (AV pairs 9 and 10) of a message whose MIC was verified
/// are evidence. Without a MIC they may have been added to CHALLENGE by a man in the middle, and
/// copied by a client that copies every pair. A contradiction counts in either case.
[[nodiscard]] bool proves_pairs(const AuthenticateMessage& message) noexcept;

/// Whether SPNEGO must exchange a mechListMIC: the answer to GSS_SPNEGO_REQUIRE_MIC. `mic`:
/// AUTHENTICATE carries a MIC [MS-SPNG] 3.3.5.1; false before it was made.
[[nodiscard]] bool requires_mech_list_mic(bool mic) noexcept;

}  // namespace gssntlm
