#include "mech/protocol/login_facts.h"

#include "mech/protocol/mic_policy.h"

namespace gssntlm {
namespace {

Bytes trusted_target_name(const AuthenticateMessage& message) {
  if (!proves_pairs(message)) {
    return {};
  }
  const TargetInfo& info = message.v2->target_info;
  if (!info.target_name || (info.flags.value_or(0) & av_flag::kUntrustedTargetName) != 0) {
    return {};
  }
  return Bytes(info.target_name->begin(), info.target_name->end());
}

}  // namespace

LoginFacts facts_of(const AuthenticateMessage& message, ByteView workstation,
                    const Outcome& outcome) {
  LoginFacts facts;
  facts.workstation.assign(workstation.begin(), workstation.end());
  facts.target_name = trusted_target_name(message);
  facts.kind = outcome.kind;
  facts.mic = outcome.mic;
  facts.channel_bound = outcome.channel_bound;
  facts.key_bits = outcome.protects() ? key_bits(outcome.flags) : 0;
  return facts;
}

}  // namespace gssntlm
