// Both roles against each other, with a man in the middle. Input in chunks: options (the two
// policies, request, names, bits), and for each message how it is changed in transit.
//
// Properties: no logon with another password is accepted. Where a MIC was sent and verified, no
// message was changed. Undisturbed, both ends have the same key and flags, and messages arrive.
#include "test/fuzz/choices.h"
#include "test/support/duel.h"

namespace gssntlm::fuzz {
namespace {

struct Plan {
  explicit Plan(ByteView options) {
    Input in(options);
    setup.initiator = choose_policy(in);
    setup.acceptor = choose_policy(in);
    setup.request = choose_request(in);
    setup.names = choose_names(in);
    const unsigned bits = in.u8();
    wrong = (bits & 1) != 0;
    setup.anonymous = (bits & 2) != 0;
    setup.initiator_bindings = (bits & 4) != 0 ? &kSomeBindings : nullptr;
    setup.acceptor_bindings = (bits & 8) != 0 ? &kSomeBindings : nullptr;
    if (wrong) {
      setup.claimed.password = "another password";
    }
  }
  test::DuelSetup setup;
  bool wrong = false;
};

// Whether `edits` left anything changed.
bool change(Bytes& token, ByteView edits) {
  const Bytes before = token;
  edit(token, Input(edits));
  return token != before;
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Chunks chunks = split_chunks({data, size});
  const Plan plan(chunk(chunks, 0));
  test::Duel duel(plan.setup);
  bool changed = false;
  const auto disturb = [&](Bytes& token, std::size_t leg) {
    changed = change(token, chunk(chunks, leg)) || changed;
    return true;
  };
  const bool open = duel.negotiate() && disturb(duel.negotiate_token, 1) && duel.challenge() &&
                    disturb(duel.challenge_token, 2) && duel.authenticate() &&
                    disturb(duel.authenticate_token, 3) && duel.judge();
  check_trace(duel.client_env);
  check_trace(duel.server_env);
  if (!open) {
    return 0;
  }
  GSSNTLM_HOLDS(duel.logon.anonymous || !plan.wrong);
  GSSNTLM_HOLDS(duel.logon.anonymous == plan.setup.anonymous || changed);
  GSSNTLM_HOLDS(!duel.server.mic || !changed);
  GSSNTLM_HOLDS(!duel.server.channel_bound || plan.setup.initiator_bindings != nullptr);
  if (!changed) {
    GSSNTLM_HOLDS(duel.server.mic == duel.client.mic);
    GSSNTLM_HOLDS(same_bytes(duel.client.key.view(), duel.server.key.view()));
    constexpr Flags kMeant = flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::k56 |
                             flag::kKeyExchange | flag::kLmKey | flag::kDatagram;
    GSSNTLM_HOLDS(((duel.client.flags ^ duel.server.flags) & kMeant) == 0 || duel.logon.anonymous);
    if (duel.client.protects()) {
      Session client = duel.client_session();
      Session server = duel.server_session();
      GSSNTLM_HOLDS(test::converse(client, server, 3));
    }
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  return mutate_input(data, size, max, seed, [](Chunks& chunks, Chance& chance) {
    // Without changes on the way both ends must come to the same.
    if (chance.one_in(3) && chunks.size() > 1) {
      chunks.resize(1);
    }
  });
}
