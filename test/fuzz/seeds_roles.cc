// Inputs to begin with for the two roles and their sessions: one a case.
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/fuzz/choices.h"
#include "test/fuzz/seeds.h"
#include "test/support/handshake.h"
#include "test/support/text.h"

namespace gssntlm::fuzz {
namespace {

Bytes bytes_of(const Result<Buffer>& token) {
  return token ? Bytes(token->view().begin(), token->view().end()) : Bytes();
}

Bytes joined(std::initializer_list<ByteView> parts) {
  Bytes out;
  for (const ByteView part : parts) {
    append(out, part);
  }
  return out;
}

// Flags, and flags with one that matters turned round.
std::vector<Flags> neighbours(Flags flags) {
  std::vector<Flags> all = {flags};
  for (const Flags one :
       {flag::kUnicode, flag::kOem, flag::kSign, flag::kSeal, flag::kDatagram, flag::kLmKey,
        flag::kEss, flag::kNonNtSessionKey, flag::k128, flag::kKeyExchange}) {
    all.push_back(flags ^ one);
  }
  return all;
}

constexpr Flags kWeakOffer = (test::kUsualOffer & ~(flag::kEss | flag::k128)) | flag::kLmKey;
constexpr Flags kBareOffer =
    test::kUsualOffer & ~(flag::kSign | flag::kSeal | flag::kKeyExchange | flag::k56);
constexpr Flags kOemOffer = (test::kUsualOffer & ~flag::kUnicode) | flag::kOem;

// ---- what an initiator hears

Bytes make_pairs(std::initializer_list<AvId> more, bool ends = true) {
  Bytes list;
  append_av_pair(list, AvId::kNbDomainName, test::wide("DOMAIN"));
  append_av_pair(list, AvId::kNbComputerName, test::wide("SERVER"));
  for (const AvId id : more) {
    const std::size_t size = id == AvId::kFlags             ? 4
                             : id == AvId::kTimestamp       ? 8
                             : id == AvId::kSingleHost      ? kSingleHostSize
                             : id == AvId::kChannelBindings ? 16
                                                            : 6;
    append_av_pair(list, id, Bytes(size, 2));
  }
  if (ends) {
    append_av_pair(list, AvId::kEol, {});
  }
  return list;
}

Bytes make_challenge(Flags flags, ByteView pairs) {
  ChallengeMessage message;
  message.flags = flags | flag::kTargetTypeServer;
  message.server_challenge = {1, 2, 3, 4, 5, 6, 7, 8};
  message.target_info = pairs;
  message.version = kOurVersion;
  return bytes_of(encode_challenge(message));
}

// ---- what an acceptor hears

struct Listener {
  Bytes options;  // policy, names, bits
  Bytes negotiate;
  Bytes challenge;
  CodePage page;
};

Listener listen(const Bytes& policy, std::uint8_t names, std::uint8_t bits, Flags offer) {
  Listener to{policy, test::make_negotiate(offer), {}, CodePage::k437};
  to.options.insert(to.options.end(), {names, bits});
  Input in(to.options);
  const Policy chosen = choose_policy(in);
  const HostNames host = choose_names(in);
  to.page = chosen.code_page;
  test::FixedEnvironment env;
  // As the target's acceptor draws it.
  env.next_random = Bytes{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  Acceptor acceptor(chosen);
  if ((bits & 1) != 0) {
    to.negotiate.clear();
    to.challenge = bytes_of(acceptor.connectionless_challenge(host, env));
  } else {
    to.challenge = bytes_of(acceptor.challenge(to.negotiate, host, env));
  }
  return to;
}

void tell(Corpus& corpus, const Listener& to, Bytes token, bool repaired = true) {
  if (repaired) {
    repair_authenticate(token, to.negotiate, to.challenge, "Password", to.page);
  }
  corpus.add("acceptor", Chunks{to.options, to.negotiate, token});
}

void tell(Corpus& corpus, const Listener& to, const test::Answer& answer) {
  tell(corpus, to, test::encode(answer, to.negotiate, to.challenge).token, false);
}

// Every flag turned round, and what NTLMv2 proves that is not so.
void add_v2_answers(Corpus& corpus, const Listener& to) {
  if (to.challenge.empty()) {
    corpus.add("acceptor", Chunks{to.options, to.negotiate, {}});
    return;
  }
  const test::Answer honest = test::answer_to(to.challenge);
  for (const Flags flags : neighbours(honest.flags)) {
    test::Answer answer = honest;
    answer.flags = flags;
    tell(corpus, to, answer);
    // A connectionless client chooses one character set.
    answer.flags = flags & ~flag::kOem;
    tell(corpus, to, answer);
    answer.account.user = answer.account.domain = answer.workstation = "";
    tell(corpus, to, answer);
  }
  const auto changed = [&](auto&& change) {
    test::Answer answer = honest;
    answer.flags &= ~flag::kOem;
    change(answer);
    tell(corpus, to, answer);
    return answer;
  };
  using test::Answer;
  changed([](Answer& a) { a.time += 1000 * 86400 * kFiletimePerSecond; });
  changed([](Answer& a) { a.set(AvId::kNbComputerName, test::wide("OTHER")); });
  changed([](Answer& a) { a.remove(AvId::kNbComputerName); });
  changed([](Answer& a) { a.set(AvId::kTargetName, test::wide("cifs/server")); });
  changed([](Answer& a) { a.hash_domain = ""; });
  changed([](Answer& a) {
    a.account.domain = "domain";
    a.hash_domain = "DOMAIN";
  });
  changed([](Answer& a) {
    a.set(AvId::kTargetName, test::wide("cifs/server"));
    a.set(AvId::kFlags, Bytes{av_flag::kMicPresent | av_flag::kUntrustedTargetName, 0, 0, 0});
  });
  changed([](Answer& a) {
    SingleHost host;
    host.machine_id.fill(7);
    a.set(AvId::kSingleHost, encode_single_host(host));
  });
  changed([](Answer& a) { a.set(AvId::kChannelBindings, kSomeBindings); });
  changed([](Answer& a) { a.set(AvId::kChannelBindings, Bytes(16, 3)); });
  changed([](Answer& a) { a.set(AvId::kChannelBindings, Bytes(16)); });
  changed([](Answer& a) { a.workstation = "a\nb"; });
  // Announced, and there is no room for it.
  const Answer cramped = changed([](Answer& a) { a.mic = a.room_for_mic = false; });
  const Bytes token = test::encode(cramped, to.negotiate, to.challenge).token;
  corpus.add("messages", with_front(0, token));
  corpus.add("decoders", with_front(0, token));
  changed([](Answer& a) {
    a.mic = a.room_for_mic = false;
    a.remove(AvId::kFlags);
  });
  // A key that was exchanged without saying so.
  changed([](Answer& a) {
    a.flags |= flag::kKeyExchange;
    a.edit = [](Bytes& edited) { edited[63] &= 0xBF; };
  });
}

// The older responses, and none.
void add_older_answers(Corpus& corpus, const Listener& to) {
  const Result<ChallengeMessage> challenge = decode_challenge(to.challenge);
  if (!challenge) {
    return;
  }
  const bool oem = !has(challenge->flags, flag::kUnicode);
  const auto name = [&](std::string_view text) {
    return oem ? Bytes(text.begin(), text.end()) : test::wide(text);
  };
  const Bytes user = name("User");
  const Bytes domain = name("DOMAIN");
  // No letter of Windows-1252, or no name.
  const Bytes odd = oem ? Bytes{0x81} : name("a\nb");
  const Bytes key(16, 2);
  AuthenticateFields fields;
  fields.flags = challenge->flags & ~flag::kTargetTypeServer;
  fields.domain = domain;
  fields.session_key = has(fields.flags, flag::kKeyExchange) ? ByteView(key) : ByteView();
  tell(corpus, to, bytes_of(encode_authenticate(fields)));
  fields.domain = {};
  tell(corpus, to, bytes_of(encode_authenticate(fields)));
  fields.domain = domain;
  // The last byte of an LM field is what repairs go by: LMv2, or LM.
  for (const std::uint8_t last : Bytes{2, 1}) {
    const Bytes lm(24, last);
    for (const ByteView nt : {ByteView(), ByteView(lm)}) {
      for (const ByteView lm_field : {ByteView(), ByteView(lm)}) {
        for (const ByteView who : {ByteView(user), ByteView(odd)}) {
          fields.user = who;
          fields.nt_response = nt;
          fields.lm_response = lm_field;
          const Bytes token = bytes_of(encode_authenticate(fields));
          tell(corpus, to, token);
          tell(corpus, to, token, false);
        }
      }
    }
  }
}

// ---- sessions

constexpr std::uint8_t kSend = 0, kDeliver = 4, kTamper = 6, kRepeat = 8, kRestart = 10,
                       kNumber = 12, kReload = 14, kFar = 16, kInvent = 18;

// The head of an input, and steps as the target reads them.
struct Steps {
  Steps(std::uint8_t flags, bool detect_replay, bool dummies) {
    input = {flags,
             0,
             0,
             0,
             0,
             static_cast<std::uint8_t>(detect_replay ? 0 : 1),
             static_cast<std::uint8_t>(dummies ? 1 : 0)};
    input.insert(input.end(), 16, 9);
  }
  Steps& add(std::initializer_list<std::uint8_t> step) {
    input.insert(input.end(), step);
    return *this;
  }
  // One part of so many bytes: sealed and signed.
  Steps& send(std::uint8_t side, std::uint8_t size, std::uint8_t how = 0) {
    return add({static_cast<std::uint8_t>(kSend | side), 0, 0, how, size, 0});
  }
  Steps& tamper(std::uint8_t side, std::uint8_t at) {
    return add({static_cast<std::uint8_t>(kTamper | side), at, 0, 1, 0});
  }
  // The first on its way; where any of them may be chosen, the target reads which.
  Steps& deliver(std::uint8_t side) { return add({static_cast<std::uint8_t>(kDeliver | side), 0}); }
  Bytes input;
};

void add_datagrams(Corpus& corpus) {
  for (const bool detect : {true, false}) {
    Steps s(7, detect, false);
    s.send(0, 20).send(0, 30).send(0, 9);
    s.add({kDeliver, 2, 0, 0}).add({kDeliver, 0, 0, 0}).add({kDeliver, 0, 0, 1});
    s.add({kRepeat, 0, 0, 0}).add({kRepeat, 1, 0, 1});
    for (const std::uint8_t told : Bytes{200, 240, 1, 241}) {
      s.add({kNumber, 0, told, static_cast<std::uint8_t>(told == 240 ? 40 : 0)});
      s.send(0, 5).deliver(0).add({kRepeat, 0, 0, 0});
    }
    corpus.add("session", s.input);
  }
  for (const std::uint8_t which : Bytes{7, 8}) {
    const std::uint8_t how = which == 8 ? 1 : 0;
    Steps end(which, true, false);
    end.add({kNumber, 1, 0}).send(0, 5, how).send(0, 5, how).send(0, 5, how);
    corpus.add("session", end.input);
    Steps told(which, true, false);
    told.add({kNumber, 0, 9, 0}).send(0, 5, how);
    for (const std::uint8_t at : Bytes{48, 49, 56, 60, 63}) {
      told.tamper(0, at);
    }
    told.add({kReload, 0}).add({kReload | 1, 0}).deliver(0).add({kReload | 1, 1});
    corpus.add("session", told.input);
  }
}

void add_streams(Corpus& corpus) {
  for (std::uint8_t which = 0; which < 12; ++which) {
    for (const bool dummies : {true, false}) {
      Steps s(which, true, dummies);
      for (std::uint8_t how = 0; how < 4; ++how) {
        s.send(0, 40, how);
        for (const std::uint8_t at : Bytes{3, 48, 49, 60}) {
          s.tamper(0, at);
        }
        s.deliver(0);
        s.add({kInvent | 1, 0, 0, how, 20, 0});
        s.input.insert(s.input.end(), 17, how);
        s.add({kReload, 1}).add({kReload | 1, 0}).add({kRepeat, 0, 0, 0});
      }
      s.add({kRestart});
      s.add({kFar, 1}).send(0, 8).deliver(0).add({kRepeat, 0, 0, 0}).send(0, 8).add({kReload, 0});
      corpus.add("session", s.input);
    }
    // A saved state that was changed: a count, a flag, a key stream.
    Steps damaged(which, true, false);
    damaged.send(0, 10);
    for (const std::uint8_t at : Bytes{0, 3, 20, 22, 23, 28, 30, 31, 32, 34, 35, 36, 37, 60}) {
      damaged.add({kReload, 2, at, 0, 1, 1, 0, 1});
      damaged.add({kReload | 1, 2, at, 0, 1, 0, 0, 0});
    }
    corpus.add("session", damaged.input);
  }
}

}  // namespace

void add_challenges(Corpus& corpus) {
  const Bytes plain = make_pairs({AvId::kTimestamp});
  const Bytes theirs = make_pairs(
      {AvId::kFlags, AvId::kSingleHost, AvId::kTargetName, AvId::kChannelBindings, AvId{77}});
  const Bytes endless = make_pairs({}, false);
  const Bytes twice = make_pairs({AvId::kNbDomainName});
  // Default; lenient; the older responses; OEM; connectionless without a MIC.
  for (const Bytes& policy :
       {policy_bytes(0, 0, 0), policy_bytes(0, 0x187, 2), policy_bytes(0, 0x8F, 1),
        policy_bytes(3, 0x103, 2), policy_bytes(5, 0x103, 2), policy_bytes(4, 0x101, 0)}) {
    for (const std::uint8_t asked : Bytes{2, 9, 17}) {
      const Bytes request = {asked, 0, 0, 0, 0};
      const Flags offered =
          (asked & 8) != 0 ? test::kUsualOffer | flag::kDatagram : Flags{test::kUsualOffer};
      for (const Flags base :
           {offered, kOemOffer, (kWeakOffer | flag::kNonNtSessionKey) & ~flag::kLmKey}) {
        for (const Flags flags : neighbours(base)) {
          corpus.add("initiator",
                     Chunks{joined({policy, request, Bytes{0}}), make_challenge(flags, plain)});
        }
        for (const Bytes& pairs : {plain, theirs, endless, twice, make_pairs({}), Bytes()}) {
          for (const std::uint8_t who : Bytes{0, 1, 2, 3, 4, 6, 0xC0, 0xD0, 0xE0, 0xE2, 0xF0}) {
            corpus.add("initiator",
                       Chunks{joined({policy, request, Bytes{who}}), make_challenge(base, pairs)});
          }
        }
      }
    }
  }
  const Bytes agent = joined({policy_bytes(0, 0, 0), Bytes(5), Bytes{2}});
  corpus.add("initiator", Chunks{agent, make_challenge(test::kUsualOffer, plain), Bytes{2}});
  // The handshake as saved is 4 bytes of flags, 4 of length, and the NEGOTIATE or nothing.
  for (const std::uint8_t connectionless : Bytes{0, 8}) {
    const Bytes options = joined({policy_bytes(0, 0, 0), Bytes{connectionless, 0, 0, 0, 0, 0}});
    for (const std::uint8_t at : Bytes{0, 4, 8, 20}) {
      corpus.add("initiator", Chunks{options, {}, {}, Bytes{at, 0, 1}});
    }
  }
}

void add_answers(Corpus& corpus) {
  for (const Bytes& policy : {policy_bytes(0, 0, 0), policy_bytes(6, 0x4123, 2),
                              policy_bytes(24, 0x1031, 2), policy_bytes(30, 0x2521, 1)}) {
    for (const std::uint8_t bits : Bytes{0, 1, 6, 0xF0}) {
      for (const Flags offer : {Flags{test::kUsualOffer}, kWeakOffer, kBareOffer, kOemOffer,
                                (kOemOffer | flag::kNonNtSessionKey) & ~flag::kEss,
                                (kWeakOffer | flag::kNonNtSessionKey) & ~flag::kLmKey}) {
        const Listener to = listen(policy, 0, bits, offer);
        add_v2_answers(corpus, to);
        add_older_answers(corpus, to);
      }
    }
  }
  add_v2_answers(corpus, listen(policy_bytes(0, 0, 0), 2, 0, kOemOffer));
  add_v2_answers(corpus, listen(policy_bytes(0, 0, 0), 4, 0, test::kUsualOffer));
  // A workstation's name that is not in the token.
  Bytes outside = test::make_negotiate(test::kUsualOffer | flag::kOemWorkstationSupplied);
  outside[24] = outside[26] = outside[28] = 0xFF;
  corpus.add("acceptor", Chunks{Bytes(6), outside, {}});
  corpus.add("messages", with_front(0, outside));
  corpus.add("decoders", with_front(0, outside));
  corpus.add("messages", with_front(2, outside));
  // The handshake as saved: NEGOTIATE and CHALLENGE, each behind its length.
  const Listener to = listen(policy_bytes(0, 0, 0), 0, 0, test::kUsualOffer);
  const Bytes token = test::encode(test::answer_to(to.challenge), to.negotiate, to.challenge).token;
  const auto second = static_cast<std::uint8_t>(4 + to.negotiate.size());
  const auto info = static_cast<std::uint8_t>(second + 4 + load_le32(&to.challenge[44]));
  for (const std::uint8_t at : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t(second + 4), info,
                                std::uint8_t(second + 4 + 22)}) {
    for (const std::uint8_t bit : Bytes{1, 0x40}) {
      corpus.add("acceptor", Chunks{to.options, to.negotiate, token, token, Bytes{at, 0, bit}});
    }
  }
}

void add_conversations(Corpus& corpus) {
  add_datagrams(corpus);
  add_streams(corpus);
}

}  // namespace gssntlm::fuzz
