// A whole exchange through the real mechglue, of NTLM alone or inside SPNEGO. Input in chunks:
// options, and how each message is changed in transit.
//
// Properties: no logon with another password is accepted. Where there is a MIC, as always without
// SPNEGO, changed messages are rejected. Without changes both ends are established and messages
// arrive. Contexts answer every inquiry in any state.
#include "mech/wire/authenticate.h"
#include "test/fuzz/choices.h"
#include "test/fuzz/der.h"
#include "test/fuzz/glue.h"

namespace gssntlm::fuzz {
namespace {

struct Credentials {
  test::CredHandle right = login(std::string(kGluePassword), &test::kNtlm);
  test::CredHandle wrong = login("another password", &test::kNtlm);
  test::CredHandle right_spnego = login(std::string(kGluePassword), &test::kSpnego);
  test::CredHandle wrong_spnego = login("another password", &test::kSpnego);
};

constexpr OM_uint32 kFlags[] = {GSS_C_INTEG_FLAG,  GSS_C_CONF_FLAG,     GSS_C_MUTUAL_FLAG,
                                GSS_C_REPLAY_FLAG, GSS_C_SEQUENCE_FLAG, GSS_C_IDENTIFY_FLAG,
                                GSS_C_DCE_STYLE,   GSS_C_ANON_FLAG};

struct Plan {
  Plan(ByteView options, const Credentials& credentials) {
    Input in(options);
    const unsigned bits = in.u8();
    const unsigned flags = in.u8();
    spnego = (bits & 1) != 0;
    wrong = (bits & 2) != 0;
    exchange.mech = spnego ? &test::kSpnego : &test::kNtlm;
    exchange.initiator_cred =
        (spnego ? (wrong ? credentials.wrong_spnego : credentials.right_spnego)
                : (wrong ? credentials.wrong : credentials.right))
            .get();
    if ((bits & 4) != 0) {
      exchange.initiator_bindings = "a channel";
    }
    if ((bits & 8) != 0) {
      exchange.acceptor_bindings = (bits & 16) != 0 ? "another channel" : "a channel";
    }
    exchange.flags = 0;
    for (std::size_t i = 0; i < std::size(kFlags); ++i) {
      exchange.flags |= (flags >> i & 1) != 0 ? kFlags[i] : 0;
    }
  }
  test::Exchange exchange;
  bool spnego = false;
  bool wrong = false;
};

// How a message travels.
enum What : std::uint8_t { kAsIs, kEdited, kInnerEdited, kReplaced, kRepaired, kDerEdited, kWhats };

struct Road {
  bool changed = false;    // what NTLM says
  bool own_proof = false;  // by who knows the initiator's password
  bool mic = false;        // not under every SPNEGO
  Bytes negotiate;
  Bytes challenge;
};

std::string travel(const Plan& plan, Road& road, const std::string& sent, ByteView how) {
  Bytes token(sent.begin(), sent.end());
  const Bytes before = inner_message(token);
  Input in(how);
  const std::uint8_t what = in.u8() % kWhats;
  if (what == kEdited) {
    edit(token, in);
  } else if (what == kInnerEdited) {
    change_inner(token, [&](Bytes& inner) { edit(inner, in); });
  } else if (what == kReplaced) {
    token.assign(in.rest().begin(), in.rest().end());
  } else if (what == kRepaired && !in.empty()) {
    change_inner(token, [&](Bytes& inner) {
      inner.assign(in.rest().begin(), in.rest().end());
      repair_authenticate(inner, road.negotiate, road.challenge,
                          plan.wrong ? "another password" : kGluePassword, CodePage::k437);
    });
    road.own_proof = true;
  } else if (what == kDerEdited && plan.spnego) {
    Chance chance(in.u32());
    mutate_der(token, chance);
  }
  const Bytes after = inner_message(token);
  // Where SPNEGO's own bytes were changed, the library may still find what was sent.
  const bool surely = !plan.spnego || what == kInnerEdited || what == kReplaced;
  road.changed = road.changed || (surely && !before.empty() && after != before);
  const Result<AuthenticateMessage> answer = decode_authenticate(before);
  road.mic = road.mic || (answer && answer->mic_at.has_value());
  if (!before.empty() && before.size() > 8) {
    (before[8] == 1 ? road.negotiate : road.challenge) = after;
  }
  return text_of(token);
}

void converse(test::End& from, test::End& to) {
  std::string token;
  std::string message;
  GSSNTLM_HOLDS(test::wrap(from, "a message", token).ok());
  GSSNTLM_HOLDS(test::unwrap(to, token, message).ok() && message == "a message");
  GSSNTLM_HOLDS(test::get_mic(from, "a message", token).ok());
  GSSNTLM_HOLDS(test::verify_mic(to, "a message", token).ok());
}

void exchange(const Plan& plan, const Chunks& chunks) {
  test::End initiator;
  test::End acceptor;
  Road road;
  std::string token;
  bool init_done = false;
  bool accept_done = false;
  std::size_t leg = 0;
  for (; leg < 6 && !(init_done && accept_done); ++leg) {
    if (leg % 2 == 0) {
      if (init_done && token.empty()) {
        break;
      }
      token = test::init_step(plan.exchange, initiator, token);
      init_done = initiator.last.major == GSS_S_COMPLETE;
      if (!initiator.last.ok()) {
        break;
      }
    } else {
      token = test::accept_step(plan.exchange, acceptor, token);
      accept_done = acceptor.last.major == GSS_S_COMPLETE;
      if (!acceptor.last.ok()) {
        break;
      }
    }
    if (!token.empty()) {
      token = travel(plan, road, token, chunk(chunks, leg + 1));
    }
  }
  ask_everything(initiator.context);
  ask_everything(acceptor.context);
  if (accept_done) {
    GSSNTLM_HOLDS(!plan.wrong);
    GSSNTLM_HOLDS(plan.spnego || road.mic || road.own_proof);
    GSSNTLM_HOLDS(!road.changed || road.own_proof || !road.mic);
    GSSNTLM_HOLDS(acceptor.source.display() == "DOM\\user");
  }
  const bool protects = (initiator.flags & GSS_C_INTEG_FLAG) != 0;
  if (init_done && accept_done && !road.changed && !road.own_proof && protects) {
    converse(initiator, acceptor);
    converse(acceptor, initiator);
  }
  if (!init_done || !accept_done) {
    std::string none;
    GSSNTLM_HOLDS(accept_done || !test::unwrap(acceptor, "0123456789abcdef", none).ok());
    // SPNEGO lets messages through as soon as NTLM is open.
    GSSNTLM_HOLDS(init_done || plan.spnego || !test::wrap(initiator, "a message", none).ok());
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Stage stage("");
  static const Credentials credentials;
  const Chunks chunks = split_chunks({data, size});
  exchange(Plan(chunk(chunks, 0), credentials), chunks);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  Chance chance(seed);
  Chunks chunks = split_chunks({data, size});
  // Behind its first byte, a replacement is a message.
  const std::size_t chosen = chance.below(chunks.size() + 1);
  if (chosen != 0 && chosen < chunks.size() && chunks[chosen].size() > 12 && !chance.one_in(3)) {
    Bytes message(chunks[chosen].begin() + 1, chunks[chosen].end());
    mutate_message(message, chance);
    chunks[chosen].resize(1);
    append(chunks[chosen], message);
  } else {
    mutate_chunks(chunks, chance);
  }
  return give_back(join_chunks(chunks), data, max);
}
