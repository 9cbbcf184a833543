// What programs see through libgssapi: handshakes, credentials, messages by size, many contexts,
// many users, many threads. Does the same with any module that GSS_MECH_CONFIG names;
// NTLM_USER_FILE holds the account of works.h. See table.py, which runs it for several modules in
// turn.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/bench/works.h"

namespace gssntlm::bench {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{256} << 10;
constexpr std::size_t kMaxBatch = 256;

std::size_t batch_of(std::size_t size) {
  return std::clamp<std::size_t>(kBatchBytes / size, 1, kMaxBatch);
}

void handshake(benchmark::State& state, Mech mech) {
  const Works works(mech);
  for (auto iteration : state) {
    (void)iteration;
    Pair pair;
    works.handshake(pair);
  }
  state.SetItemsProcessed(state.iterations());
}

void credential(benchmark::State& state, const char* password) {
  const Imported user(kUser, GSS_C_NT_USER_NAME);
  for (auto iteration : state) {
    (void)iteration;
    release(acquire(Mech::kNtlm, GSS_C_INITIATE, user.get(), password));
  }
}

// A credential for each handshake, as programs have it that serve one connection and end.
void handshake_and_credentials(benchmark::State& state) {
  for (auto iteration : state) {
    (void)iteration;
    const Works works(Mech::kNtlm);
    Pair pair;
    works.handshake(pair);
  }
}

// One round of wrap and unwrap, or get_mic and verify_mic: a batch of the first, then of the
// second.
template <typename First, typename Second>
void in_batches(benchmark::State& state, bool first_counts, First first, Second second) {
  Pair pair;
  Works(Mech::kNtlm).handshake(pair);
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string message(size, 'm');
  const std::size_t batch = batch_of(size);
  while (state.KeepRunningBatch(static_cast<std::int64_t>(batch))) {
    std::vector<Token> tokens(batch);
    std::vector<Token> texts(batch);
    const double begin = now();
    for (Token& token : tokens) {
      first(pair, message, token);
    }
    const double middle = now();
    for (std::size_t i = 0; i < batch; ++i) {
      second(pair, message, tokens[i], texts[i]);
    }
    const double end = now();
    state.SetIterationTime(first_counts ? middle - begin : end - middle);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void wraps(benchmark::State& state, bool first_counts) {
  in_batches(
      state, first_counts, [](Pair& p, const std::string& m, Token& t) { wrap(p.initiator, m, t); },
      [](Pair& p, const std::string&, Token& t, Token& text) { unwrap(p.acceptor, t, text); });
}

void mics(benchmark::State& state, bool first_counts) {
  in_batches(
      state, first_counts,
      [](Pair& p, const std::string& m, Token& t) { get_mic(p.initiator, m, t); },
      [](Pair& p, const std::string& m, Token& t, Token&) { verify_mic(p.acceptor, m, t); });
}

void iovs(benchmark::State& state, bool first_counts) {
  Pair pair;
  Works(Mech::kNtlm).handshake(pair);
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::size_t batch = batch_of(size);
  std::vector<std::string> messages(batch, std::string(size, 'm'));
  std::vector<std::string> headers(batch, std::string(16, '\0'));
  if (!wrap_iov(pair.initiator, messages[0], headers[0])) {
    state.SkipWithError("the mechanism has no gss_wrap_iov");
    return;
  }
  unwrap_iov(pair.acceptor, messages[0], headers[0]);
  while (state.KeepRunningBatch(static_cast<std::int64_t>(batch))) {
    const double begin = now();
    for (std::size_t i = 0; i < batch; ++i) {
      wrap_iov(pair.initiator, messages[i], headers[i]);
    }
    const double middle = now();
    for (std::size_t i = 0; i < batch; ++i) {
      unwrap_iov(pair.acceptor, messages[i], headers[i]);
    }
    const double end = now();
    state.SetIterationTime(first_counts ? middle - begin : end - middle);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// Handshakes while others are kept open; `bytes` is what one end of them holds.
void contexts(benchmark::State& state) {
  const Works works(Mech::kNtlm);
  {
    Pair first;
    works.handshake(first);
  }
  const auto held = [] {
    const struct mallinfo2 info = ::mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
  };
  std::vector<Pair> open(static_cast<std::size_t>(state.range(0)));
  const double before = held();
  for (Pair& pair : open) {
    works.handshake(pair);
  }
  state.counters["bytes"] = (held() - before) / (2 * static_cast<double>(open.size()));
  for (auto iteration : state) {
    (void)iteration;
    Pair pair;
    works.handshake(pair);
  }
}

// A users file of its own, with passwords.
class ManyUsers {
 public:
  explicit ManyUsers(std::int64_t count) {
    std::string directory = std::filesystem::temp_directory_path() / "gss-ntlm-users-XXXXXX";
    directory_ = ::mkdtemp(directory.data());
    const std::string path = directory_ + "/users";
    ::umask(077);
    std::FILE* file = std::fopen(path.c_str(), "w");
    for (std::int64_t i = 1; i <= count; ++i) {
      std::fprintf(file, "BENCH:user%lld:Passw0rd-%lld\n", static_cast<long long>(i),
                   static_cast<long long>(i));
    }
    std::fclose(file);
    const char* before = std::getenv("NTLM_USER_FILE");
    before_ = before == nullptr ? "" : before;
    ::setenv("NTLM_USER_FILE", path.c_str(), 1);
  }
  ManyUsers(const ManyUsers&) = delete;
  ManyUsers& operator=(const ManyUsers&) = delete;
  ~ManyUsers() {
    ::setenv("NTLM_USER_FILE", before_.c_str(), 1);
    std::filesystem::remove_all(directory_);
  }

 private:
  std::string directory_;
  std::string before_;
};

double resident_mib() {
  long pages = 0;
  long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  const bool known = file != nullptr && std::fscanf(file, "%ld %ld", &pages, &resident) == 2;
  if (file != nullptr) {
    std::fclose(file);
  }
  return known ? static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) /
                     (1 << 20)
               : 0;
}

// The acceptor's half, for the last user of the file. `load_ms` and `mib`: what its first one took,
// that is the index.
void users(benchmark::State& state) {
  const ManyUsers file(state.range(0));
  const std::string number = std::to_string(state.range(0));
  const double resident = resident_mib();
  const double begin = now();
  const Works works(Mech::kNtlm, std::string("BENCH\\user").append(number).c_str(),
                    std::string("Passw0rd-").append(number).c_str());
  {
    Pair first;
    works.handshake(first);
  }
  state.counters["load_ms"] = 1e3 * (now() - begin);
  state.counters["mib"] = resident_mib() - resident;
  for (auto iteration : state) {
    (void)iteration;
    Pair pair;
    double seconds = 0;
    works.handshake(pair, &seconds);
    state.SetIterationTime(seconds);
  }
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->UseManualTime();
  for (const std::int64_t size : {16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576}) {
    bench->Arg(size);
  }
}

BENCHMARK_CAPTURE(handshake, raw, Mech::kNtlm)->UseRealTime();
BENCHMARK_CAPTURE(handshake, spnego, Mech::kSpnego)->UseRealTime();
BENCHMARK(handshake_and_credentials)->UseRealTime();
BENCHMARK_CAPTURE(credential, file, nullptr)->UseRealTime();
BENCHMARK_CAPTURE(credential, password, kPassword)->UseRealTime();
BENCHMARK_CAPTURE(wraps, wrap, true)->Apply(sizes);
BENCHMARK_CAPTURE(wraps, unwrap, false)->Apply(sizes);
BENCHMARK_CAPTURE(mics, get_mic, true)->Apply(sizes);
BENCHMARK_CAPTURE(mics, verify_mic, false)->Apply(sizes);
BENCHMARK_CAPTURE(iovs, wrap_iov, true)->Apply(sizes);
BENCHMARK_CAPTURE(iovs, unwrap_iov, false)->Apply(sizes);
BENCHMARK(contexts)->Arg(10)->Arg(100)->Arg(1000)->Arg(10000)->UseRealTime();
BENCHMARK(users)->Arg(10)->Arg(1000)->Arg(100000)->Arg(1000000)->UseManualTime();
BENCHMARK_CAPTURE(handshake, threads, Mech::kNtlm)->ThreadRange(1, 4)->UseRealTime();

}  // namespace
}  // namespace gssntlm::bench

BENCHMARK_MAIN();
