// The whole handshakes of nlmp.json, by our initiator against the vector's server, and by the
// vector's client against our acceptor. What a role may choose for itself (its version, optional
// pairs) is put into the vector's input; all bytes must then be the same.
#include <iostream>

#include "test/support/catch.h"
#include "test/support/handshake.h"
#include "test/support/hex.h"
#include "test/support/text.h"
#include "test/unit/vectors/operations.h"

namespace gssntlm::test {
namespace {

constexpr const char* kOurVersionHex = "0a0000000100000f";
constexpr Flags kCapabilities = flag::kSign | flag::kSeal | flag::kLmKey | flag::kEss |
                                flag::kKeyExchange | flag::k128 | flag::k56 | flag::kDatagram;

std::string text(const Json& in, const char* name) {
  return in.at(name).get<std::string>();
}
Flags flags(const Json& in, const char* name) {
  return in.at(name).get<Flags>();
}
Json exchange(const Json& in) {
  return exchange_operations().at("exchange")(in);
}
bool is_connectionless(const Json& in) {
  return has(flags(in, "challenge_flags"), flag::kDatagram);
}

std::vector<Json> exchanges() {
  std::vector<Json> out;
  const Json doc = load_json(GSSNTLM_TEST_NLMP_JSON);
  for (const Json& vector : doc.at("vectors")) {
    if (vector.at("op") == "exchange") {
      out.push_back(vector);
    }
  }
  return out;
}

// The value of the server's pair `id` as bytes, if it has one.
std::optional<Bytes> server_pair(const Json& in, unsigned id) {
  for (const Json& pair : in.at("server_av")) {
    if (pair.at(0).get<unsigned>() == id) {
      const auto value = pair.at(2).get<std::string>();
      return pair.at(1).get<std::string>() == "text" ? utf16(value) : unhex(value);
    }
  }
  return std::nullopt;
}

Policy policy_for(const Json& in) {
  Policy policy;
  policy.require_ess = false;
  policy.min_key_bits = 40;
  policy.allow_anonymous = true;
  policy.allow_connectionless = true;
  policy.send_lmv2 = true;
  policy.send_single_host = !in.at("single_host").is_null();
  if (text(in, "method") == "v1") {
    policy.initiator_level = in.value("no_lm_response", true) ? 2 : 1;
    policy.acceptor_level = 1;
  }
  return policy;
}

// The environment of the vector: its clock, its machine, its randomness.
class VectorEnvironment : public FixedEnvironment {
 public:
  VectorEnvironment(const Json& in, const Bytes& random) {
    const Bytes clock = server_pair(in, 7).value_or(unhex(text(in, "client_time")));
    time = load_le64(clock.data());
    next_random = random;
    machine_.fill(0xAA);
  }
  [[nodiscard]] std::array<std::uint8_t, 32> machine_id() const noexcept override {
    return machine_;
  }

 private:
  std::array<std::uint8_t, 32> machine_{};
};

std::optional<LmHash> lm_hash_of(const Json& in) {
  if (!in.contains("lm_hash")) {
    return std::nullopt;
  }
  const auto bytes = unhex<16>(text(in, "lm_hash"));
  return LmHash(std::span<const std::uint8_t, 16>(bytes));
}

Initiator initiator_for(const Json& in) {
  InitiatorSetup setup;
  setup.policy = policy_for(in);
  setup.request.connectionless = is_connectionless(in);
  setup.request.negotiate_flags =
      flags(in, setup.request.connectionless ? "authenticate_flags" : "negotiate_flags");
  setup.identity = text(in, "method") == "anonymous"
                       ? Identity::anonymous()
                       : Ref<const Identity>::adopt(new Identity(
                             utf16(text(in, "user")), utf16(text(in, "domain")),
                             derive_nt_hash(utf16(text(in, "password"))), lm_hash_of(in)));
  setup.target_name = utf16(text(in, "spn"));
  setup.workstation = utf16(text(in, "workstation"));
  return Initiator(std::move(setup));
}

// The vector's input as our initiator would have it.
Json as_ours(Json in) {
  in["client_version"] = kOurVersionHex;
  if (in.at("channel_bindings") == "absent") {
    in["channel_bindings"] = nullptr;  // without bindings no pair is sent
  }
  if (text(in, "method") == "v2") {
    in["av_flags"] = av_flag::kMicPresent;
    in["mic"] = true;  // with a server's clock and without
  }
  in.erase("omit_lm_response");
  if (!has_any(flags(in, "authenticate_flags"), flag::kProtection)) {
    in["authenticate_flags"] = flags(in, "authenticate_flags") & ~flag::kKeyExchange;
  }
  return in;
}

TEST_CASE("roles: our initiator says to each vector's server what the vector computes",
          "[vectors]") {
  std::size_t count = 0;
  for (const Json& vector : exchanges()) {
    DYNAMIC_SECTION(text(vector, "id")) {
      const Json in = as_ours(vector.at("in"));
      const Json wanted = exchange(in);
      Bytes random = unhex(text(in, "client_challenge"));
      append(random, unhex(text(in, "random_session_key")));
      const VectorEnvironment env(in, random);
      ChannelBindingHash hash{};
      const bool bound = in.at("channel_bindings").is_string();
      if (bound) {
        const Bytes application = unhex(text(in, "channel_bindings"));
        ChannelBindings bindings;
        bindings.application_data = application;
        hash = compute_binding_hash(bindings);
      }
      Initiator initiator = initiator_for(in);
      const Result<Buffer> negotiate = initiator.negotiate();
      REQUIRE(negotiate);
      CHECK(hex(negotiate->view()) == text(wanted, "negotiate"));
      const Result<Buffer> answer =
          initiator.authenticate(unhex(text(wanted, "challenge")), bound ? &hash : nullptr, env);
      REQUIRE(answer);
      CHECK(hex(answer->view()) == text(wanted, "authenticate"));
      CHECK(hex(initiator.take_outcome().key.view()) == text(wanted, "exported_session_key"));
    }
    ++count;
  }
  CHECK(count == 22);
}

HostNames names_of(const Json& in) {
  HostNames names;
  names.nb_computer = server_pair(in, 1).value_or(Bytes());
  names.nb_domain = server_pair(in, 2).value_or(Bytes());
  names.dns_computer = server_pair(in, 3).value_or(Bytes());
  names.dns_domain = server_pair(in, 4).value_or(Bytes());
  names.dns_tree = server_pair(in, 5).value_or(Bytes());
  names.domain_member = has(flags(in, "challenge_flags"), flag::kTargetTypeDomain);
  return names;
}

// The vector's input as our acceptor would have it, after it chose its flags.
Json for_our_server(Json in, Flags challenge_flags, const FixedEnvironment& env) {
  in["server_version"] = kOurVersionHex;
  if (!server_pair(in, 7)) {
    std::array<std::uint8_t, 8> time;
    store_le64(time.data(), env.time);
    in["server_av"].push_back({7, "hex", hex(time)});  // ours has a clock always
  }
  const Flags withheld = kCapabilities & ~challenge_flags;
  in["challenge_flags"] = challenge_flags;
  in["authenticate_flags"] = flags(in, "authenticate_flags") & ~withheld;
  return in;
}

// What our acceptor does not agree to, though the vector's server did.
Flags withheld_from(const Json& in) {
  return has_any(flags(in, "challenge_flags"), flag::kProtection) ? 0 : flag::kKeyExchange;
}

TEST_CASE("roles: our acceptor takes what each vector's client says", "[vectors]") {
  std::size_t count = 0;
  for (const Json& vector : exchanges()) {
    DYNAMIC_SECTION(text(vector, "id")) {
      const Json& given = vector.at("in");
      const VectorEnvironment env(given, unhex(text(given, "server_challenge")));
      Policy policy = policy_for(given);
      // The client of the vector that sends MsvAvSingleHost runs on the acceptor's machine.
      policy.refuse_reflection = false;
      Acceptor acceptor(policy);
      const Result<Buffer> challenge =
          is_connectionless(given)
              ? acceptor.connectionless_challenge(names_of(given), env)
              : acceptor.challenge(unhex(text(exchange(given), "negotiate")), names_of(given), env);
      REQUIRE(challenge);
      if (!is_connectionless(given)) {
        CHECK((acceptor.flags() & kCapabilities) ==
              (flags(given, "challenge_flags") & kCapabilities & ~withheld_from(given)));
      }
      const Json in = for_our_server(given, acceptor.flags(), env);
      const Json wanted = exchange(in);
      CHECK(hex(challenge->view()) == text(wanted, "challenge"));

      ChannelBindingHash hash{};
      const bool bound =
          in.at("channel_bindings").is_string() && text(in, "channel_bindings") != "absent";
      if (bound) {
        const Bytes application = unhex(text(in, "channel_bindings"));
        ChannelBindings bindings;
        bindings.application_data = application;
        hash = compute_binding_hash(bindings);
      }
      const OneAccount accounts({text(in, "user"), text(in, "domain"), text(in, "password")});
      const Result<AcceptedLogon> logon = acceptor.authenticate(
          unhex(text(wanted, "authenticate")), bound ? &hash : nullptr, accounts, env);
      CAPTURE(env.events());
      REQUIRE(logon);
      const Outcome outcome = acceptor.take_outcome();
      CHECK(hex(outcome.key.view()) == text(wanted, "exported_session_key"));
      CHECK(outcome.channel_bound == bound);
      CHECK(outcome.mic == (in.at("mic").get<bool>() && text(in, "method") == "v2"));
      CHECK(narrow(logon->user) == text(in, "user"));
      // A target name that no MIC covers is not evidence.
      const bool trusted = outcome.mic && in.at("av_flags") != 6;
      CHECK(narrow(logon->facts.target_name) == (trusted ? text(in, "spn") : std::string()));
    }
    ++count;
  }
  CHECK(count == 22);
}

TEST_CASE("roles: by default the v1 family and anonymous clients are rejected", "[vectors]") {
  std::size_t refused = 0;
  for (const Json& vector : exchanges()) {
    const Json& given = vector.at("in");
    if (text(given, "method") == "v2") {
      continue;
    }
    Policy policy = policy_for(given);
    policy.acceptor_level = Policy().acceptor_level;
    policy.allow_anonymous = Policy().allow_anonymous;
    const VectorEnvironment env(given, unhex(text(given, "server_challenge")));
    Acceptor acceptor(policy);
    REQUIRE(acceptor.challenge(unhex(text(exchange(given), "negotiate")), names_of(given), env));
    const Json wanted = exchange(for_our_server(given, acceptor.flags(), env));
    const Result<AcceptedLogon> logon =
        acceptor.authenticate(unhex(text(wanted, "authenticate")), nullptr,
                              OneAccount({text(given, "user"), "", text(given, "password")}), env);
    CAPTURE(text(vector, "id"));
    REQUIRE_FALSE(logon);
    CHECK(logon.error().minor ==
          (text(given, "method") == "v1" ? Minor::kPolicyVersion : Minor::kAnonymous));
    ++refused;
  }
  CHECK(refused == 5);
}

}  // namespace
}  // namespace gssntlm::test
