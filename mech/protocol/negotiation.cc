#include "mech/protocol/negotiation.h"

#include <string>

namespace gssntlm {
namespace {

// Capabilities that count only if both sides name them [MS-NLMP] 2.2.2.5.
constexpr Flags kAgreedBits = flag::kSign | flag::kSeal | flag::kLmKey | flag::kNtlm |
                              flag::kAlwaysSign | flag::kEss | flag::kIdentify |
                              flag::kNonNtSessionKey | flag::k128 | flag::kKeyExchange | flag::k56;

// Weak ways to a session key.
constexpr Flags kLmKeys = flag::kLmKey | flag::kNonNtSessionKey;

// Flags of CHALLENGE that AUTHENTICATE must not clear on a connection: NEGOTIATE and CHALLENGE were
// not protected, so a capability that disappears later may have been taken away. Honest clients
// clear 56 and TARGET_INFO.
constexpr Flags kKeptBits =
    flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::kKeyExchange | flag::kDatagram;
// Flags that AUTHENTICATE must not set unless CHALLENGE had set them.
constexpr Flags kNeverAdded = kKeptBits | kLmKeys;
// What a client may choose to leave out.
constexpr Flags kChosenBits = kLmKeys | flag::k56 | flag::kIdentify;

// Which of two ways to keys and streams holds when both are named: ESS rules out LM_KEY
// [MS-NLMP] 2.2.2.5. With KEY_EXCH but without SIGN and SEAL, 2.2.1.3 demands a wrapped key and the
// computation in 3.1.5.1.2 has none, and implementations differ. So the flag is cleared there.
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

// One of the two [MS-NLMP] 2.2.2.5, although the examples in 4.2 have both.
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

// `requirement`: "WHAT, which WHO requires", or the like.
Refusal lacks(const Peer& peer, std::string_view requirement) {
  return {failure(Minor::kPolicyFlags),
          describe_offer(peer).append(" do not have ").append(requirement)};
}

Refusal short_key(unsigned bits, const Peer& peer, const Policy& policy) {
  return {failure(Minor::kPolicyKeyLength), describe_offer(peer)
                                                .append(" lead to a session key of ")
                                                .append(std::to_string(bits))
                                                .append(" bits, and [policy] min_key_bits = ")
                                                .append(std::to_string(policy.min_key_bits))};
}

std::optional<Refusal> check_strength(Flags flags, const Peer& peer, bool demand_ess,
                                      const Policy& policy) {
  if (demand_ess && !has(flags, flag::kEss)) {
    return lacks(peer, "extended session security, which [policy] require_ess = yes requires");
  }
  if (!has_any(flags, flag::kProtection)) {
    return std::nullopt;
  }
  if (const unsigned bits = key_bits(flags); bits < policy.min_key_bits) {
    return short_key(bits, peer, policy);
  }
  if (has(flags, flag::kSeal) && cannot_seal(flags)) {
    return lacks(peer,
                 "extended session security, without which connectionless messages cannot be "
                 "sealed");
  }
  return std::nullopt;
}

// AUTHENTICATE has flags that it must not have, or lacks some; `bits` says which.
Refusal downgrade(std::string_view what, Flags bits) {
  return {failure(Minor::kDowngrade),
          std::string("AUTHENTICATE ").append(what).append(": ").append(hex_of(bits))};
}

std::optional<Refusal> check_additions(Flags challenge, Flags answer) {
  if (const Flags added = answer & kNeverAdded & ~challenge; added != 0) {
    return downgrade("sets flags that CHALLENGE had cleared", added);
  }
  return std::nullopt;
}

std::optional<Refusal> check_changes(Flags challenge, Flags answer) {
  if (const Flags cleared = challenge & kKeptBits & ~answer; cleared != 0) {
    return downgrade("clears flags that CHALLENGE had set", cleared);
  }
  if (auto refusal = check_additions(challenge, answer)) {
    return refusal;
  }
  if (has(challenge, flag::kUnicode) && !has(answer, flag::kUnicode)) {
    return downgrade("gives up Unicode", answer);
  }
  return std::nullopt;
}

// Connectionless the client chooses, among what was offered.
std::optional<Refusal> check_choice(Flags offer, Flags answer) {
  constexpr Flags kCharsets = flag::kUnicode | flag::kOem;
  if (!has(answer, flag::kDatagram) || (answer & (kNeverAdded | kCharsets) & ~offer) != 0) {
    return downgrade("chooses what CHALLENGE did not offer", answer);
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
  // SIGN with SEAL: a peer that agrees on SEAL alone may sign with a constant. KEY_EXCH with SIGN,
  // as Windows does and 3.1.5.1.1 only for SEAL: then no message key follows from password and
  // challenges alone.
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
  // Windows echoes TARGET_INFO, which 2.2.2.5 ignores here. VERSION and ANONYMOUS state facts about
  // the client, so the server has no say in them.
  agreed |= challenge & flag::kTargetInfo;
  agreed |= flag::kRequestTarget | (offered & (flag::kVersion | flag::kAnonymous));
  return resolve(agreed) | choose_charset(offered & challenge);
}

std::optional<Refusal> check_challenge_flags(const ChallengeFlags& flags, const Policy& policy,
                                             const InitiatorRequest& request) {
  const Peer server{"server", flags.challenge};
  if (has(flags.agreed, flag::kOem) && !has(flags.offered, flag::kOem)) {
    return lacks(server, "Unicode names, which [policy] offer_oem = no requires");
  }
  if (request.connectionless && !has(flags.agreed, flag::kDatagram | flag::kKeyExchange)) {
    return lacks(server,
                 "connectionless NTLM with a key exchange, which the application requires "
                 "(GSS_C_DATAGRAM_FLAG)");
  }
  if (request.confidentiality && !has(flags.agreed, flag::kSeal)) {
    return lacks(server, "sealing, which the application requires (GSS_C_CONF_FLAG)");
  }
  if (request.integrity && !has_any(flags.agreed, flag::kProtection)) {
    return lacks(server, "signing, which the application requires (GSS_C_INTEG_FLAG)");
  }
  return check_strength(flags.agreed, server, initiator_demands_ess(policy), policy);
}

Flags negotiate_flags_for_challenge(Flags offered, const Policy& policy,
                                    const HostNames& names) noexcept {
  // 128 and 56 also without SIGN and SEAL, unlike 2.2.2.5: a client that requires 128 bits
  // (3.1.5.1.2) fails without the flag, whatever else it asks for.
  Flags reply = offered & (flag::kSign | flag::kSeal | flag::kEss | flag::kIdentify | flag::k128 |
                           flag::kKeyExchange | flag::k56);
  if (allows_lm_keys(policy)) {
    reply |= offered & kLmKeys;
  }
  reply = resolve(reply) | choose_charset(offered);
  // VERSION unasked, as Windows does: clients then send theirs, and their MIC is where 2.2.1.3 has
  // it.
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

std::optional<Refusal> check_reply_flags(Flags reply, Flags offered, const Policy& policy) {
  return check_strength(reply, {"client", offered}, acceptor_demands_ess(policy), policy);
}

// Implementations differ in whether the flags of CHALLENGE count, or those in both messages. Except
// for what a client may leave out, check_changes() has found them equal.
Flags negotiate_flags_for_session(Flags challenge, Flags answer) noexcept {
  return has(challenge, flag::kDatagram) ? resolve(challenge & answer)
                                         : challenge & (answer | ~kChosenBits);
}

std::optional<Refusal> check_authenticate_flags(Flags challenge, Flags answer,
                                                const Policy& policy) {
  if (auto refusal = has(challenge, flag::kDatagram) ? check_choice(challenge, answer)
                                                     : check_changes(challenge, answer)) {
    return refusal;
  }
  return check_reply_flags(negotiate_flags_for_session(challenge, answer), answer, policy);
}

Flags anonymous_flags(Flags challenge, Flags answer) noexcept {
  return resolve(challenge & (answer | ~(kKeptBits | kChosenBits)));
}

std::optional<Refusal> check_anonymous_flags(Flags challenge, Flags answer) {
  return has(challenge, flag::kDatagram) ? check_choice(challenge, answer)
                                         : check_additions(challenge, answer);
}

}  // namespace gssntlm
