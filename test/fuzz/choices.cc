#include "test/fuzz/choices.h"

#include <algorithm>

#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "test/support/handshake.h"
#include "test/support/text.h"

namespace gssntlm::fuzz {
namespace {

constexpr CodePage kPages[] = {CodePage::k437, CodePage::k850, CodePage::k1252, CodePage::k437};
constexpr Demand kDemands[] = {Demand::kAccept, Demand::kRequire, Demand::kOff, Demand::kAccept};
constexpr unsigned kKeyBits[] = {128, 56, 40};

// The account's secrets and what an answer says, for each kind of response.
struct Repair {
  Bytes& token;
  const AuthenticateMessage& message;
  const ChallengeMessage& challenge;
  Flags agreed;
  const NtHash& hash;
  const LmHash* lm_hash;
  ByteView user;
  ByteView domain;

  void write(ByteView at, ByteView bytes) const {
    const auto offset = static_cast<std::size_t>(at.data() - token.data());
    std::copy(bytes.begin(), bytes.end(), token.begin() + static_cast<std::ptrdiff_t>(offset));
  }
};

KeyExchangeKey repair_v2(const Repair& r) {
  const ResponseKey key = derive_response_key(r.hash, r.user, r.domain);
  const V2Proof proof =
      compute_v2_proof(key, r.challenge.server_challenge, r.message.nt_response.subspan(16));
  r.write(r.message.nt_response, proof.nt_proof);
  return KeyExchangeKey(proof.base.view());
}

Response24 lm_field(const Repair& r) {
  Response24 lm{};
  std::copy_n(r.message.lm_response.begin(), std::min(lm.size(), r.message.lm_response.size()),
              lm.begin());
  return lm;
}

void repair_v1(const Repair& r) {
  Nonce client{};
  const Response24 lm = lm_field(r);
  std::copy_n(lm.begin(), client.size(), client.begin());
  const Nonce& server = r.challenge.server_challenge;
  r.write(r.message.nt_response, has(r.agreed, flag::kEss)
                                     ? compute_v1_ess_response(r.hash, server, client)
                                     : compute_v1_response(r.hash.view(), server));
}

// The LM field alone: its last byte decides between LM and LMv2.
void repair_lm(const Repair& r) {
  const Nonce& server = r.challenge.server_challenge;
  Nonce client{};
  std::copy_n(r.message.lm_response.begin() + 16, client.size(), client.begin());
  if (r.lm_hash != nullptr && (client[7] & 1) != 0) {
    r.write(r.message.lm_response, compute_v1_response(r.lm_hash->view(), server));
  } else {
    r.write(r.message.lm_response,
            compute_lmv2_response(derive_response_key(r.hash, r.user, r.domain), server, client));
  }
}

void repair_mic(Bytes& token, const AuthenticateMessage& message, Flags agreed, ByteView negotiate,
                ByteView challenge, const KeyExchangeKey& with) {
  SessionKey key(with.view());
  if (exchanges_key(agreed)) {
    if (message.session_key.size() != SessionKey::kSize) {
      return;
    }
    rc4k(with.view(), message.session_key.first<SessionKey::kSize>(), key.bytes());
  }
  const Mic mic = compute_mic(key, negotiate, challenge, token, *message.mic_at);
  std::copy(mic.begin(), mic.end(), token.begin() + static_cast<std::ptrdiff_t>(*message.mic_at));
}

Bytes wide_name(ByteView name, bool oem, CodePage page) {
  if (oem) {
    if (Result<Bytes> wide = utf16le_from_oem(name, page)) {
      return std::move(*wide);
    }
  }
  return Bytes(name.begin(), name.end());
}

}  // namespace

Policy choose_policy(Input& in) {
  Policy policy;
  const unsigned levels = in.u8();
  policy.initiator_level = (3 + levels) % 6;
  policy.acceptor_level = (5 + levels / 6) % 6;
  const unsigned bits = in.u16();
  const auto bit = [bits](unsigned n) { return (bits >> n & 1) != 0; };
  policy.require_ess = !bit(0);
  policy.require_target_info = !bit(1);
  policy.send_lmv2 = bit(2);
  policy.send_mic = !bit(3);
  policy.require_mic = bit(4);
  policy.allow_anonymous = bit(5);
  policy.allow_connectionless = !bit(6);
  policy.send_single_host = bit(7);
  policy.refuse_reflection = !bit(15);
  policy.offer_oem = bit(8);
  policy.code_page = kPages[bits >> 9 & 3];
  policy.channel_bindings = kDemands[bits >> 11 & 3];
  policy.max_skew_seconds = bit(13) ? ~std::uint64_t{0} : policy.max_skew_seconds;
  policy.dummy_signatures = bit(14);
  policy.min_key_bits = kKeyBits[in.u8() % 3];
  return policy;
}

InitiatorRequest choose_request(Input& in) {
  InitiatorRequest request;
  const unsigned bits = in.u8();
  const Flags flags = in.u32();
  request.integrity = (bits & 1) != 0;
  request.confidentiality = (bits & 2) != 0;
  request.identify = (bits & 4) != 0;
  request.connectionless = (bits & 8) != 0;
  request.offer_protection = (bits & 16) == 0;
  request.detection = (bits & 64) != 0;
  if ((bits & 32) != 0) {
    request.negotiate_flags = flags;
  }
  return request;
}

HostNames choose_names(Input& in) {
  HostNames names = test::server_names();
  switch (in.u8() % 5) {
    case 1:
      names.domain_member = true;
      break;
    case 2:
      names.nb_computer = test::wide("S\u00c9RVER\u20ac");
      break;
    case 3:
      names = HostNames();
      break;
    case 4:
      names.nb_computer.resize(0x9000, 'x');
      names.nb_domain.resize(0x9000, 'x');
      break;
    default:
      break;
  }
  return names;
}

Bytes change_state(ByteView saved, ByteView edits) {
  Bytes changed(saved.begin(), saved.end());
  Input in(edits);
  while (!in.empty() && !changed.empty()) {
    const std::size_t at = in.below(changed.size());
    changed[at] ^= in.u8();
  }
  return changed;
}

void check_trace(const test::FixedEnvironment& env) {
  for (const std::string& event : env.events()) {
    GSSNTLM_HOLDS(std::all_of(event.begin(), event.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
    }));
  }
}

void repair_authenticate(Bytes& token, ByteView negotiate, ByteView challenge_token,
                         std::string_view password, CodePage page) {
  const Result<ChallengeMessage> challenge = decode_challenge(challenge_token);
  if (!challenge) {
    return;
  }
  const Result<AuthenticateMessage> message =
      decode_authenticate(token, !has(challenge->flags, flag::kUnicode));
  if (!message) {
    return;
  }
  const Flags agreed = negotiate_flags_for_session(
      challenge->flags, message->has_flags ? message->flags : challenge->flags);
  const NtHash hash = derive_nt_hash(test::wide(password));
  const std::optional<LmHash> lm_hash = lm_hash_of_password(test::wide(password), page);
  const bool oem = has(agreed, flag::kOem);
  const Bytes user = wide_name(message->user, oem, page);
  const Bytes domain = wide_name(message->domain, oem, page);
  const Repair r{token, *message, *challenge, agreed, hash, lm_hash ? &*lm_hash : nullptr,
                 user,  domain};
  if (message->v2) {
    const KeyExchangeKey key = repair_v2(r);
    if (message->mic_at) {
      repair_mic(token, *message, agreed, negotiate, challenge_token, key);
    }
  } else if (message->nt_response.size() == kV1ResponseSize) {
    repair_v1(r);
  } else if (message->lm_response.size() == kV1ResponseSize) {
    repair_lm(r);
  }
}

}  // namespace gssntlm::fuzz
