#include "test/support/handshake.h"

#include <stdexcept>

#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/support/text.h"

namespace gssntlm::test {
namespace {

Bytes bytes_of(const Result<Buffer>& message) {
  if (!message) {
    throw std::runtime_error("an encoder refused a test's message");
  }
  return Bytes(message->view().begin(), message->view().end());
}

// NTLMv2_CLIENT_CHALLENGE.
Bytes make_temp(const Answer& answer) {
  Bytes temp(28);
  temp[0] = temp[1] = 1;
  store_le64(&temp[8], answer.time);
  std::copy(answer.client_challenge.begin(), answer.client_challenge.end(), &temp[16]);
  for (const Pair& pair : answer.pairs) {
    append_av_pair(temp, pair.id, pair.value);
  }
  append(temp, answer.behind_pairs);
  return temp;
}

}  // namespace

Result<Logon> OneAccount::logon(const LogonRequest& request, const Policy& policy,
                                const Runtime&) const {
  ++questions_;
  const bool known = equal_ignoring_case(request.user, wide(account_.user));
  const NtHash hash = known ? derive_nt_hash(wide(account_.password)) : NtHash();
  std::optional<LmHash> lm = lm_hash_of_password(wide(account_.password), policy.code_page);
  std::optional<Proof> proof = verify_response(request, hash, lm ? &*lm : nullptr, policy);
  if (!known || !proof) {
    return failure(Minor::kLogonFailure);
  }
  Logon logon;
  logon.user = wide(account_.user);
  logon.domain = wide(account_.domain);
  logon.kind = proof->kind;
  logon.base = std::move(proof->base);
  logon.lm_hash = std::move(lm);
  return logon;
}

Bytes make_negotiate(Flags flags) {
  NegotiateMessage message;
  message.flags = flags;
  message.version = kOurVersion;
  return bytes_of(encode_negotiate(message));
}

Pair* Answer::find(AvId id) {
  const auto it =
      std::find_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.id == id; });
  return it == pairs.end() ? nullptr : &*it;
}

void Answer::remove(AvId id) {
  std::erase_if(pairs, [&](const Pair& pair) { return pair.id == id; });
}

void Answer::set(AvId id, ByteView value) {
  if (find(id) == nullptr) {
    pairs.push_back({id, {}});
  }
  find(id)->value.assign(value.begin(), value.end());
}

Answer answer_to(ByteView challenge, std::uint64_t now) {
  const Result<ChallengeMessage> message = decode_challenge(challenge);
  if (!message) {
    throw std::runtime_error("a test's CHALLENGE does not decode");
  }
  Answer answer;
  answer.flags =
      message->flags & ~(flag::kTargetTypeDomain | flag::kTargetTypeServer | flag::kRequestTarget);
  answer.time = now;
  AvReader pairs(message->target_info);
  while (const std::optional<AvPair> pair = pairs.next()) {
    answer.pairs.push_back({pair->id, Bytes(pair->value.begin(), pair->value.end())});
  }
  if (const Pair* time = answer.find(AvId::kTimestamp)) {
    answer.time = load_le64(time->value.data());
  }
  answer.set(AvId::kFlags, Bytes{av_flag::kMicPresent, 0, 0, 0});
  return answer;
}

Sent encode(const Answer& answer, ByteView negotiate, ByteView challenge) {
  const Result<ChallengeMessage> asked = decode_challenge(challenge);
  const Bytes user = wide(answer.account.user);
  const Bytes domain = wide(answer.account.domain);
  const Bytes workstation = wide(answer.workstation);
  const ResponseKey response_key =
      derive_response_key(derive_nt_hash(wide(answer.account.password)), user,
                          answer.hash_domain ? wide(*answer.hash_domain) : domain);
  const Bytes temp = make_temp(answer);
  const V2Proof proof = compute_v2_proof(response_key, asked->server_challenge, temp);
  Bytes nt(proof.nt_proof.begin(), proof.nt_proof.end());
  append(nt, temp);

  SessionKey key(proof.base.view());
  Bytes wrapped;
  if (has(answer.flags, flag::kKeyExchange)) {
    const Bytes random(16, 0x55);
    key = SessionKey(std::span<const std::uint8_t, 16>(random.data(), 16));
    wrapped.resize(16);
    rc4k(proof.base.view(), key.view(), std::span<std::uint8_t, 16>(wrapped.data(), 16));
  }
  AuthenticateFields fields;
  fields.flags = answer.flags;
  fields.lm_response = answer.lm_response;
  fields.nt_response = nt;
  fields.domain = domain;
  fields.user = user;
  fields.workstation = workstation;
  fields.session_key = wrapped;
  fields.version = kOurVersion;
  fields.mic = answer.room_for_mic;
  Sent sent{bytes_of(encode_authenticate(fields)), Bytes(key.view().begin(), key.view().end()), 0};
  sent.nt_at = load_le32(&sent.token[24]);
  if (answer.edit) {
    answer.edit(sent.token);
  }
  if (answer.mic) {
    const Mic mic = compute_mic(key, negotiate, challenge, sent.token, kMicOffset);
    std::copy(mic.begin(), mic.end(), sent.token.begin() + kMicOffset);
  }
  return sent;
}

Scene::Scene(const Policy& policy, Flags offer, Account account)
    : accounts(std::move(account)), acceptor(policy), negotiate(make_negotiate(offer)) {
  challenge = bytes_of(acceptor.challenge(negotiate, server_names(), env));
}

HostNames server_names() {
  HostNames names;
  names.nb_computer = wide("SERVER");
  names.nb_domain = wide("DOMAIN");
  names.dns_computer = wide("server.domain.example");
  names.dns_domain = wide("domain.example");
  names.dns_tree = wide("domain.example");
  return names;
}

InitiatorSetup setup_for(const Account& account, const Policy& policy) {
  InitiatorSetup setup;
  setup.policy = policy;
  setup.identity = Ref<const Identity>::adopt(
      new Identity(wide(account.user), wide(account.domain), derive_nt_hash(wide(account.password)),
                   lm_hash_of_password(wide(account.password), policy.code_page)));
  setup.target_name = wide("cifs/server.domain.example");
  setup.workstation = wide("WKS01");
  return setup;
}

}  // namespace gssntlm::test
