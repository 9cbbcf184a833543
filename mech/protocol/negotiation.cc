#include "mech/protocol/negotiation.h"

namespace gssntlm {
namespace {

// Capabilities that count only if both sides name them [MS-NLMP] 2.2.2.5.
constexpr Flags kAgreedBits = flag::kSign | flag::kSeal | flag::kLmKey | flag::kNtlm |
                              flag::kAlwaysSign | flag::kEss | flag::kIdentify |
                              flag::kNonNtSessionKey | flag::k128 | flag::kKeyExchange | flag::k56;

// Weak ways to a session key.
constexpr Flags kLmKeys = flag::kLmKey | flag::kNonNtSessionKey;

// Flags of CHALLENGE that AUTHENTICATE must not clear on a connection. Honest clients clear 56 and
// TARGET_INFO.
constexpr Flags kKeptBits =
    flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::kKeyExchange | flag::kDatagram;
// Flags that AUTHENTICATE must not set unless CHALLENGE had set them.
constexpr Flags kNeverAdded = kKeptBits | kLmKeys;
// What a client may choose to leave out.
constexpr Flags kChosenBits = kLmKeys | flag::k56 | flag::kIdentify;

constexpr Refusal kNoEss{failure(Minor::kPolicyFlags),
                         "the peer does without extended session security"};
constexpr Refusal kShortKey{failure(Minor::kPolicyKeyLength),
                            "the session key would be shorter than policy demands"};
constexpr Refusal kSealingNeedsEss{
    failure(Minor::kPolicyFlags),
    "connectionless messages cannot be sealed without extended session security"};

// Which of two ways to keys and streams holds when both are named.
Flags resolve(Flags flags) noexcept {
  if (has(flags, flag::kEss)) {
    flags &= ~kLmKeys;
  }
  if (!has_any(flags, flag::kProtection) && !has(flags, flag::kDatagram)) {
    flags &= ~flag::kKeyExchange;
  }
  return flags;
}

// [MS-NLMP] 3.4.3.
bool cannot_seal(Flags flags) noexcept {
  return has(flags, flag::kDatagram) && !has(flags, flag::kEss);
}

Flags choose_charset(Flags offered) noexcept {
  return has(offered, flag::kUnicode) ? flag::kUnicode : flag::kOem;
}

// A caller may ask for less than the default, never for less than policy demands.
Flags custom_base(Flags flags, const Policy& policy) noexcept {
  flags &= ~(flag::kDatagram | flag::kAnonymous | flag::kIdentify);
  flags |= flag::kNtlm | flag::kRequestTarget;
  if (!has_any(flags, flag::kUnicode | flag::kOem)) {
    flags |= flag::kUnicode;
  }
  if (initiator_demands_ess(policy)) {
    flags |= flag::kEss;
  }
  if (policy.min_key_bits == 128) {
    flags |= flag::k128;
  }
  if (!allows_lm_keys(policy)) {
    flags &= ~kLmKeys;
  }
  return flags;
}

Flags default_base(const Policy& policy) noexcept {
  Flags flags = flag::kUnicode | flag::kRequestTarget | flag::kNtlm | flag::kAlwaysSign |
                flag::kEss | flag::k128 | flag::kVersion;
  if (policy.min_key_bits <= 56) {
    flags |= flag::k56;
  }
  return flags;
}

std::optional<Refusal> check_strength(Flags flags, bool demand_ess, const Policy& policy) noexcept {
  if (demand_ess && !has(flags, flag::kEss)) {
    return kNoEss;
  }
  if (!has_any(flags, flag::kProtection)) {
    return std::nullopt;
  }
  if (key_bits(flags) < policy.min_key_bits) {
    return kShortKey;
  }
  if (has(flags, flag::kSeal) && cannot_seal(flags)) {
    return kSealingNeedsEss;
  }
  return std::nullopt;
}

std::optional<Refusal> check_additions(Flags challenge, Flags answer) noexcept {
  if ((answer & kNeverAdded & ~challenge) != 0) {
    return Refusal{failure(Minor::kDowngrade),
                   "AUTHENTICATE sets flags that CHALLENGE had cleared"};
  }
  return std::nullopt;
}

std::optional<Refusal> check_changes(Flags challenge, Flags answer) noexcept {
  if ((challenge & kKeptBits & ~answer) != 0) {
    return Refusal{failure(Minor::kDowngrade), "AUTHENTICATE clears flags that CHALLENGE had set"};
  }
  if (const auto refusal = check_additions(challenge, answer)) {
    return refusal;
  }
  if (has(challenge, flag::kUnicode) && !has(answer, flag::kUnicode)) {
    return Refusal{failure(Minor::kDowngrade), "AUTHENTICATE gives up Unicode"};
  }
  return std::nullopt;
}

// Connectionless the client chooses, among what was offered.
std::optional<Refusal> check_choice(Flags offer, Flags answer) noexcept {
  constexpr Flags kCharsets = flag::kUnicode | flag::kOem;
  if (!has(answer, flag::kDatagram) || (answer & (kNeverAdded | kCharsets) & ~offer) != 0) {
    return Refusal{failure(Minor::kDowngrade), "AUTHENTICATE chooses what CHALLENGE did not offer"};
  }
  if (!has(answer, flag::kKeyExchange)) {
    return Refusal{defective(Minor::kBadResponse),
                   "the client is connectionless and exchanges no key"};
  }
  if ((answer & kCharsets) == 0 || (answer & kCharsets) == kCharsets) {
    return Refusal{defective(Minor::kCharset), "AUTHENTICATE does not choose one character set"};
  }
  return std::nullopt;
}

}  // namespace

Flags negotiate_flags_for_offer(const Policy& policy, const InitiatorRequest& request,
                                bool anonymous) noexcept {
  Flags offer = request.negotiate_flags ? custom_base(*request.negotiate_flags, policy)
                                        : default_base(policy);
  if (!supports_ess(policy)) {
    offer &= ~flag::kEss;
  }
  const bool unasked = request.offer_protection && !request.negotiate_flags;
  const bool asks_to_sign = request.integrity || request.detection;
  if (request.integrity || request.confidentiality || unasked) {
    offer |= flag::kSign | flag::kKeyExchange;
  }
  if (request.confidentiality || (unasked && !asks_to_sign)) {
    offer |= flag::kSeal;
  }
  if (has(offer, flag::kSeal) && !request.negotiate_flags && offers_lm_key(policy)) {
    offer |= flag::kLmKey;
  }
  if (policy.offer_oem) {
    offer |= flag::kOem;
  }
  if (request.identify) {
    offer |= flag::kIdentify;
  }
  if (anonymous) {
    offer |= flag::kAnonymous;
  }
  if (request.connectionless) {
    offer |= flag::kDatagram | flag::kKeyExchange;
  }
  return offer;
}

Flags agree_with_challenge(Flags offered, Flags challenge,
                           const InitiatorRequest& request) noexcept {
  Flags agreed = offered & challenge & (kAgreedBits | (offered & flag::kDatagram));
  const bool sealing_was_asked = request.confidentiality || request.negotiate_flags;
  if (cannot_seal(agreed) && !sealing_was_asked) {
    agreed &= ~flag::kSeal;
  }
  agreed |= challenge & flag::kTargetInfo;
  agreed |= flag::kRequestTarget | (offered & (flag::kVersion | flag::kAnonymous));
  return resolve(agreed) | choose_charset(offered & challenge);
}

std::optional<Refusal> check_challenge_flags(Flags agreed, Flags offered, const Policy& policy,
                                             const InitiatorRequest& request) noexcept {
  if (has(agreed, flag::kOem) && !has(offered, flag::kOem)) {
    return Refusal{failure(Minor::kPolicyFlags), "the server does without Unicode"};
  }
  if (request.connectionless && !has(agreed, flag::kDatagram | flag::kKeyExchange)) {
    return Refusal{failure(Minor::kPolicyFlags), "the server does not offer connectionless NTLM"};
  }
  if (request.confidentiality && !has(agreed, flag::kSeal)) {
    return Refusal{failure(Minor::kPolicyFlags), "the server does without sealing"};
  }
  if (request.integrity && !has_any(agreed, flag::kProtection)) {
    return Refusal{failure(Minor::kPolicyFlags), "the server does without signing"};
  }
  return check_strength(agreed, initiator_demands_ess(policy), policy);
}

Flags negotiate_flags_for_challenge(Flags offered, const Policy& policy,
                                    const HostNames& names) noexcept {
  Flags reply = offered & (flag::kSign | flag::kSeal | flag::kEss | flag::kIdentify | flag::k128 |
                           flag::kKeyExchange | flag::k56);
  if (allows_lm_keys(policy)) {
    reply |= offered & kLmKeys;
  }
  reply = resolve(reply) | choose_charset(offered);
  reply |= names.domain_member ? flag::kTargetTypeDomain : flag::kTargetTypeServer;
  return reply | flag::kRequestTarget | flag::kNtlm | flag::kAlwaysSign | flag::kTargetInfo |
         flag::kVersion;
}

Flags negotiate_flags_for_connectionless_challenge(const Policy& policy,
                                                   const HostNames& names) noexcept {
  Flags whole = flag::kSign | flag::kSeal | flag::kEss | flag::kIdentify | flag::k128 |
                flag::kKeyExchange | flag::kUnicode;
  if (policy.min_key_bits <= 56) {
    whole |= flag::k56;
  }
  Flags offer = negotiate_flags_for_challenge(whole, policy, names) | flag::kDatagram;
  if (allows_lm_keys(policy)) {
    offer |= flag::kLmKey;
  }
  return policy.offer_oem ? offer | flag::kOem : offer;
}

std::optional<Refusal> check_reply_flags(Flags reply, const Policy& policy) noexcept {
  return check_strength(reply, acceptor_demands_ess(policy), policy);
}

Flags negotiate_flags_for_session(Flags challenge, Flags answer) noexcept {
  return has(challenge, flag::kDatagram) ? resolve(challenge & answer)
                                         : challenge & (answer | ~kChosenBits);
}

std::optional<Refusal> check_authenticate_flags(Flags challenge, Flags answer,
                                                const Policy& policy) noexcept {
  if (const auto refusal = has(challenge, flag::kDatagram) ? check_choice(challenge, answer)
                                                           : check_changes(challenge, answer)) {
    return refusal;
  }
  return check_reply_flags(negotiate_flags_for_session(challenge, answer), policy);
}

Flags anonymous_flags(Flags challenge, Flags answer) noexcept {
  return resolve(challenge & (answer | ~(kKeptBits | kChosenBits)));
}

std::optional<Refusal> check_anonymous_flags(Flags challenge, Flags answer) noexcept {
  return has(challenge, flag::kDatagram) ? check_choice(challenge, answer)
                                         : check_additions(challenge, answer);
}

}  // namespace gssntlm
