// What a handshake is made of: the messages read and written, the keys derived, a user looked up.
#include <benchmark/benchmark.h>

#include <string>

#include "mech/backends/users/users_table.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/support/handshake.h"

namespace gssntlm {
namespace {

using test::Scene;

void decode_a_negotiate(benchmark::State& state) {
  const Scene scene;
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(decode_negotiate(scene.negotiate));
  }
}

void decode_a_challenge(benchmark::State& state) {
  const Scene scene;
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(decode_challenge(scene.challenge));
  }
}

void decode_an_authenticate(benchmark::State& state) {
  const Scene scene;
  const Bytes token = scene.encode(scene.answer()).token;
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(decode_authenticate(token));
  }
}

void encode_a_negotiate(benchmark::State& state) {
  NegotiateMessage message;
  message.flags = test::kUsualOffer;
  message.version.emplace();
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(encode_negotiate(message));
  }
}

void encode_a_challenge(benchmark::State& state) {
  const Scene scene;
  const Result<ChallengeMessage> message = decode_challenge(scene.challenge);
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(encode_challenge(*message));
  }
}

void encode_an_authenticate(benchmark::State& state) {
  const Scene scene;
  const Bytes token = scene.encode(scene.answer()).token;
  const Result<AuthenticateMessage> message = decode_authenticate(token);
  AuthenticateFields fields;
  fields.flags = message->flags;
  fields.lm_response = message->lm_response;
  fields.nt_response = message->nt_response;
  fields.domain = message->domain;
  fields.user = message->user;
  fields.workstation = message->workstation;
  fields.session_key = message->session_key;
  fields.version = message->version;
  fields.mic = true;
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(encode_authenticate(fields));
  }
}

Bytes wide(const std::string& text) {
  return *utf16le_from_utf8(text);
}

void nt_hash(benchmark::State& state) {
  const Bytes password = wide("Passw0rd-alice");
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(derive_nt_hash(password));
  }
}

void response_key(benchmark::State& state) {
  const NtHash hash = derive_nt_hash(wide("Passw0rd-alice"));
  const Bytes user = wide("alice");
  const Bytes domain = wide("BENCH");
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(derive_response_key(hash, user, domain));
  }
}

void v2_proof(benchmark::State& state) {
  const ResponseKey key =
      derive_response_key(derive_nt_hash(wide("Passw0rd-alice")), wide("alice"), wide("BENCH"));
  const Bytes temp(140, 0x5a);
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(compute_v2_proof(key, Nonce{}, temp));
  }
}

void mic(benchmark::State& state) {
  const Scene scene;
  const Bytes token = scene.encode(scene.answer()).token;
  const SessionKey key;
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(compute_mic(key, scene.negotiate, scene.challenge, token, kMicOffset));
  }
}

void message_keys(benchmark::State& state) {
  const SessionKey key;
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(derive_signing_key(key, Side::kClient));
    benchmark::DoNotOptimize(SealingKey(test::kUsualOffer, key, Side::kClient));
  }
}

void key_exchange(benchmark::State& state) {
  const std::array<std::uint8_t, 16> key{1, 2, 3};
  std::array<std::uint8_t, 16> out{};
  for (auto iteration : state) {
    (void)iteration;
    rc4k(key, key, out);
    benchmark::DoNotOptimize(out);
  }
}

void fill(UsersTable& table, std::int64_t users) {
  for (std::int64_t i = 1; i <= users; ++i) {
    const std::string number = std::to_string(i);
    (void)table.add_line(
        std::string("BENCH:user").append(number).append(":Passw0rd-").append(number));
  }
}

void load_users(benchmark::State& state) {
  for (auto iteration : state) {
    (void)iteration;
    UsersTable table;
    fill(table, state.range(0));
    benchmark::DoNotOptimize(table.size());
  }
}

void find_last_user(benchmark::State& state) {
  UsersTable table;
  fill(table, state.range(0));
  const Bytes user = wide(std::string("USER").append(std::to_string(state.range(0))));
  const Bytes domain = wide("bench");
  for (auto iteration : state) {
    (void)iteration;
    benchmark::DoNotOptimize(table.find(user, domain));
  }
}

BENCHMARK(decode_a_negotiate);
BENCHMARK(decode_a_challenge);
BENCHMARK(decode_an_authenticate);
BENCHMARK(encode_a_negotiate);
BENCHMARK(encode_a_challenge);
BENCHMARK(encode_an_authenticate);
BENCHMARK(nt_hash);
BENCHMARK(response_key);
BENCHMARK(v2_proof);
BENCHMARK(mic);
BENCHMARK(message_keys);
BENCHMARK(key_exchange);
BENCHMARK(load_users)->Arg(10)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);
BENCHMARK(find_last_user)->Arg(10)->Arg(1000)->Arg(100000)->Arg(1000000);

}  // namespace
}  // namespace gssntlm

BENCHMARK_MAIN();
