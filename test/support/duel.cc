#include "test/support/duel.h"

#include <stdexcept>
#include <utility>

#include "test/support/text.h"

namespace gssntlm::test {
namespace {

InitiatorSetup initiator_setup(const DuelSetup& duel) {
  InitiatorSetup setup = setup_for(duel.claimed, duel.initiator);
  setup.request = duel.request;
  if (duel.anonymous) {
    setup.identity = Identity::anonymous();
  }
  return setup;
}

Bytes copy(const Buffer& token) {
  return Bytes(token.view().begin(), token.view().end());
}

bool arrives(Session& from, Session& to, std::span<const MessagePart> sent,
             std::span<const MessagePart> received) {
  Signature signature{};
  if (!from.protect(sent, signature)) {
    return false;
  }
  const Result<Arrival> arrival = to.open(received, signature);
  return arrival && *arrival == Arrival::kExpected;
}

// One buffer, sealed where the session may, as gss_wrap makes it.
bool wraps(Session& from, Session& to, const Bytes& text) {
  Bytes sealed = text;
  Bytes opened(text.size(), 0xEE);
  const bool seal = from.can_seal();
  const MessagePart out{text.data(), seal ? sealed.data() : nullptr, text.size()};
  const MessagePart in{sealed.data(), seal ? opened.data() : nullptr, sealed.size()};
  return arrives(from, to, {&out, 1}, {&in, 1}) && (!seal || opened == text) &&
         (!seal || text.size() < 8 || sealed != text);
}

bool signs(Session& from, Session& to, const Bytes& text) {
  const MessagePart part{text.data(), nullptr, text.size()};
  return arrives(from, to, {&part, 1}, {&part, 1});
}

// Three buffers in place, as gss_wrap_iov makes them; the last counts for nothing without extended
// session security.
bool scatters(Session& from, Session& to, const Bytes& text) {
  const auto third = static_cast<std::ptrdiff_t>(text.size() / 3);
  const Bytes head(text.begin(), text.begin() + third);
  Bytes body(text.begin() + third, text.end());
  const Bytes clear = body;
  const Bytes aside = {1, 2, 3};
  const MessagePart parts[] = {
      {head.data(), nullptr, head.size(), true},
      {body.data(), from.can_seal() ? body.data() : nullptr, body.size(), true},
      {aside.data(), nullptr, aside.size(), false}};
  return arrives(from, to, parts, parts) && body == clear;
}

}  // namespace

Duel::Duel(DuelSetup setup)
    : accounts(setup.account),
      initiator(initiator_setup(setup)),
      acceptor(setup.acceptor),
      setup_(std::move(setup)) {
  server_env.next_random = Bytes{0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78};
}

bool Duel::fail(Leg leg, Error error) {
  ended_at_ = leg;
  error_ = error;
  return false;
}

bool Duel::negotiate() {
  Result<Buffer> token = initiator.negotiate();
  if (!token) {
    return fail(Leg::kNegotiate, token.error());
  }
  negotiate_token = copy(*token);
  return true;
}

bool Duel::challenge() {
  Result<Buffer> token = setup_.request.connectionless
                             ? acceptor.connectionless_challenge(setup_.names, server_env)
                             : acceptor.challenge(negotiate_token, setup_.names, server_env);
  if (!token) {
    return fail(Leg::kChallenge, token.error());
  }
  challenge_token = copy(*token);
  return true;
}

bool Duel::authenticate() {
  Result<Buffer> token =
      initiator.authenticate(challenge_token, setup_.initiator_bindings, client_env);
  if (!token) {
    return fail(Leg::kAuthenticate, token.error());
  }
  authenticate_token = copy(*token);
  client = initiator.take_outcome();
  return true;
}

bool Duel::judge() {
  Result<AcceptedLogon> accepted =
      acceptor.authenticate(authenticate_token, setup_.acceptor_bindings, accounts, server_env);
  if (!accepted) {
    return fail(Leg::kJudgement, accepted.error());
  }
  logon = std::move(*accepted);
  server = acceptor.take_outcome();
  return true;
}

Leg Duel::run() {
  if (negotiate() && challenge() && authenticate()) {
    judge();
  }
  return ended_at_;
}

AuthenticateMessage Duel::decoded() const {
  const Result<AuthenticateMessage> message = decode_authenticate(authenticate_token, true);
  if (!message) {
    throw std::runtime_error("our own AUTHENTICATE does not decode");
  }
  return *message;
}

Session Duel::client_session() {
  return Session(client.flags, client.key.clone(), Side::kClient);
}

Session Duel::server_session() {
  return Session(server.flags, server.key.clone(), Side::kServer);
}

bool converse(Session& client, Session& server, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const Bytes text(static_cast<std::size_t>(i * 7 % 150), static_cast<std::uint8_t>(i));
    for (const auto& [from, to] : {std::pair<Session*, Session*>{&client, &server},
                                   std::pair<Session*, Session*>{&server, &client}}) {
      if (!wraps(*from, *to, text) || !signs(*from, *to, text) || !scatters(*from, *to, text)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace gssntlm::test
