// Handshakes saved and loaded between their two steps. The messages are all there is to them: what
// they say is decoded again.
#include <utility>

#include "mech/protocol/acceptor.h"
#include "mech/protocol/initiator.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"

namespace gssntlm {

Status Initiator::save(Serializer& out) const {
  if (state_ != State::kNegotiateSent) {
    return failure(Minor::kBadState);
  }
  out.u32(outcome_.flags);
  out.block(negotiate_);
  return {};
}

Result<Initiator> Initiator::load(InitiatorSetup setup, Deserializer& in) {
  const Error bad = defective(Minor::kImport);
  Initiator initiator(std::move(setup));
  initiator.outcome_.flags = in.u32();
  const ByteView message = in.block(kMaxTokenSize);
  if (!in.ok() || message.empty() != initiator.setup_.request.connectionless) {
    return bad;
  }
  if (!message.empty()) {
    const Result<NegotiateMessage> sent = decode_negotiate(message);
    if (!sent || sent->flags != initiator.outcome_.flags) {
      return bad;
    }
  }
  initiator.negotiate_.assign(message.begin(), message.end());
  initiator.state_ = State::kNegotiateSent;
  return initiator;
}

Status Acceptor::save(Serializer& out) const {
  if (state_ != State::kChallengeSent) {
    return failure(Minor::kBadState);
  }
  const ByteView transcript(transcript_);
  out.block(transcript.first(negotiate_size_));
  out.block(transcript.subspan(negotiate_size_));
  return {};
}

Result<Acceptor> Acceptor::load(const Policy& policy, Deserializer& in) {
  const Error bad = defective(Minor::kImport);
  const ByteView negotiate = in.block(kMaxTokenSize);
  const ByteView challenge = in.block(kMaxTokenSize);
  if (!in.ok() || (!negotiate.empty() && !decode_negotiate(negotiate))) {
    return bad;
  }
  const Result<ChallengeMessage> sent = decode_challenge(challenge);
  if (!sent || has(sent->flags, flag::kDatagram) != negotiate.empty()) {
    return bad;
  }
  if (negotiate.empty() && !policy.allow_connectionless) {
    return failure(Minor::kPolicyBlocked);
  }
  Acceptor acceptor(policy);
  acceptor.server_challenge_ = sent->server_challenge;
  acceptor.transcript_.reserve(negotiate.size() + challenge.size());
  append(acceptor.transcript_, negotiate);
  append(acceptor.transcript_, challenge);
  acceptor.negotiate_size_ = negotiate.size();
  acceptor.outcome_.flags = sent->flags;
  acceptor.state_ = State::kChallengeSent;
  return acceptor;
}

}  // namespace gssntlm
