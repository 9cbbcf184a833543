#include "mech/protocol/mic_policy.h"

namespace gssntlm {

bool withholds_mic(SpnegoMic setting, LayerAbove above,
                   bool (*carries_mech_list_mic)() noexcept) noexcept {
  if (above == LayerAbove::kApplication || setting == SpnegoMic::kAlways) {
    return false;
  }
  return setting == SpnegoMic::kNever || !carries_mech_list_mic();
}

bool sends_mic(const Policy& policy, ByteView target_info) noexcept {
  return policy.send_mic && !target_info.empty();
}

bool sends_single_host(const Policy& policy, bool mic) noexcept {
  return policy.send_single_host && mic;
}

MicDemand mic_demand(const Policy& policy, const AuthenticateMessage& message) noexcept {
  if (message.mic_at) {
    return MicDemand::kVerify;
  }
  return policy.require_mic ? MicDemand::kMissing : MicDemand::kNone;
}

bool proves_pairs(const AuthenticateMessage& message) noexcept {
  return message.v2.has_value() && message.mic_at.has_value();
}

bool requires_mech_list_mic(bool mic) noexcept {
  return mic;
}

}  // namespace gssntlm
