#include "mech/protocol/session.h"

#include <optional>

#include "test/support/hex.h"
#include "test/unit/vectors/operations.h"

namespace gssntlm::test {
namespace {

std::string text(const Json& in, const char* name) {
  return in.at(name).get<std::string>();
}

struct Part {
  Bytes clear;
  bool conf;
  bool sign;
};

std::vector<Part> parts_of(const Json& step) {
  if (!step.contains("parts")) {
    return {Part{unhex(text(step, "msg")), text(step, "do") == "seal", true}};
  }
  std::vector<Part> parts;
  for (const Json& part : step.at("parts")) {
    parts.push_back(
        {unhex(text(part, "data")), part.value("conf", false), part.value("sign", true)});
  }
  return parts;
}

// Connectionless, the application numbers each message for both ends.
void number(const Json& step, Session& me, Session& you) {
  if (!step.contains("seq")) {
    return;
  }
  const auto sequence = step.at("seq").get<std::uint32_t>();
  if (!me.set_sequence(sequence) || !you.set_sequence(sequence)) {
    throw Mismatch("a connectionless session takes no number");
  }
}

// One step: `me` protects to buffers of their own, `you` opens in place.
Json run_step(const Json& step, Session& me, Session& you) {
  number(step, me, you);
  std::vector<Part> parts = parts_of(step);
  std::vector<Bytes> bodies;
  std::vector<MessagePart> views;
  bodies.reserve(parts.size());
  for (const Part& part : parts) {
    bodies.push_back(part.clear);
    views.push_back({part.clear.data(), part.conf ? bodies.back().data() : nullptr,
                     part.clear.size(), part.sign});
  }
  Signature signature{};
  if (!me.protect(views, signature)) {
    throw Mismatch("protect() refused");
  }
  Json out = {{"signature", hex(signature)}};
  if (step.contains("parts")) {
    for (const Bytes& body : bodies) {
      out["parts"].push_back(hex(body));
    }
  } else if (parts[0].conf) {
    out["data"] = hex(bodies[0]);
    out["wrap_token"] = hex(signature) + hex(bodies[0]);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    views[i].in = bodies[i].data();
    views[i].out = parts[i].conf ? bodies[i].data() : nullptr;
  }
  if (!you.open(views, signature)) {
    throw Mismatch("the peer refused");
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (bodies[i] != parts[i].clear) {
      throw Mismatch("the peer read something else");
    }
  }
  return out;
}

// Neither SIGN nor SEAL: nothing is signed, and the constant that some peers send is no signature,
// unless the rules say that it counts.
void check_refusal(const Json& step, Flags flags, const SessionKey& key) {
  Session me(flags, key.clone(), Side::kClient);
  Session you(flags, key.clone(), Side::kServer);
  const Bytes clear = unhex(text(step, "msg"));
  const MessagePart part{clear.data(), nullptr, clear.size(), true};
  Signature signature{};
  const Status made = me.protect({&part, 1}, signature);
  store_le32(signature.data(), 1);
  const Result<Arrival> taken = you.open({&part, 1}, signature);
  if (made || taken || made.error().minor != Minor::kNoProtection ||
      taken.error().minor != Minor::kNoProtection) {
    throw Mismatch("a session without protection takes a signature");
  }
}

Json run_session(const Json& in) {
  const Flags flags = in.at("flags").get<Flags>();
  const auto bytes = unhex<16>(text(in, "exported_session_key"));
  const SessionKey key{std::span<const std::uint8_t, 16>(bytes)};
  const auto signing = [&](Side side) {
    return has(flags, flag::kEss) ? hex(derive_signing_key(key, side).view()) : std::string();
  };
  Json out = {{"client_sign_key", signing(Side::kClient)},
              {"server_sign_key", signing(Side::kServer)},
              {"client_seal_key", hex(SealingKey(flags, key, Side::kClient).view())},
              {"server_seal_key", hex(SealingKey(flags, key, Side::kServer).view())},
              {"steps", Json::array()}};
  SessionRules rules;
  rules.dummy_signatures = true;
  std::optional<Session> client;
  std::optional<Session> server;
  for (const Json& step : in.at("steps")) {
    // The vectors seal twice under one number, which no session does.
    if (!client || step.contains("seq")) {
      client.emplace(flags, key.clone(), Side::kClient, rules);
      server.emplace(flags, key.clone(), Side::kServer, rules);
    }
    const bool from_client = text(step, "from") == "client";
    Session& me = from_client ? *client : *server;
    Session& you = from_client ? *server : *client;
    if (!me.protects()) {
      check_refusal(step, flags, key);
    }
    out["steps"].push_back(run_step(step, me, you));
    if (text(step, "do") == "mech_list_mic") {
      me.reset_stream(false);
      you.reset_stream(true);
    }
  }
  return out;
}

}  // namespace

const Operations& session_operations() {
  static const Operations operations = {{"session", run_session}};
  return operations;
}

}  // namespace gssntlm::test
