// The session ciphers by message size, each timed in turn with Nettle's serial ones: on a busy
// machine the ratio holds where the times do not. Figures are medians, of one message:
//   nettle_ns, ns   processor time with Nettle's and with ours
//   ratio           how many times faster ours is
#include <benchmark/benchmark.h>
#include <nettle/arcfour.h>
#include <nettle/hmac.h>

#include <time.h>

#include <algorithm>

#include "mech/crypto/seal.h"
#include "mech/crypto/stitch.h"

namespace gssntlm {
namespace {

using Key = std::array<std::uint8_t, 16>;

constexpr Key kKey = {7, 36, 65, 94, 123, 152, 181, 210, 239, 12, 41, 70, 99, 128, 157, 186};
constexpr std::size_t kBatchBytes = 100000;

enum class Work { kSeal, kUnseal, kSign };

class NettleSession {
 public:
  NettleSession() {
    hmac_md5_set_key(&hmac_, kKey.size(), kKey.data());
    arcfour_set_key(&stream_, kKey.size(), kKey.data());
  }

  void pass(Work work, std::uint32_t sequence, const Bytes& in, Bytes& out) {
    std::array<std::uint8_t, 8> checksum;
    store_le32(checksum.data(), sequence);
    hmac_md5_update(&hmac_, 4, checksum.data());
    if (work == Work::kUnseal) {
      arcfour_crypt(&stream_, in.size(), out.data(), in.data());
    }
    hmac_md5_update(&hmac_, in.size(), work == Work::kUnseal ? out.data() : in.data());
    if (work == Work::kSeal) {
      arcfour_crypt(&stream_, in.size(), out.data(), in.data());
    }
    hmac_md5_digest(&hmac_, checksum.size(), checksum.data());
    arcfour_crypt(&stream_, checksum.size(), checksum.data(), checksum.data());
    benchmark::DoNotOptimize(checksum);
  }

 private:
  hmac_md5_ctx hmac_;
  arcfour_ctx stream_;
};

class OwnSession {
 public:
  OwnSession() : hmac_(kKey), stream_(kKey) {}

  void pass(Work work, std::uint32_t sequence, const Bytes& in, Bytes& out) {
    SealPass pass(hmac_, stream_, sequence);
    if (work == Work::kSeal) {
      pass.seal(in.data(), out.data(), in.size());
    } else if (work == Work::kUnseal) {
      pass.unseal(in.data(), out.data(), in.size());
    } else {
      pass.sign(in);
    }
    std::array<std::uint8_t, 8> checksum = pass.finish(true);
    benchmark::DoNotOptimize(checksum);
  }

 private:
  HmacMd5 hmac_;
  Arcfour stream_;
};

// Processor time of this thread, in seconds.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <typename Body>
double seconds(std::size_t batch, Body body) {
  const double begin = now();
  for (std::size_t i = 0; i < batch; ++i) {
    body();
  }
  return now() - begin;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Runs `theirs` and `ours`, each `batch` times, in turn, and reports the figures above.
template <typename Theirs, typename Ours>
void run_in_turn(benchmark::State& state, std::size_t batch, Theirs theirs, Ours ours) {
  std::vector<double> nettle_times;
  std::vector<double> own_times;
  std::vector<double> ratios;
  for (auto iteration : state) {
    (void)iteration;
    nettle_times.push_back(seconds(batch, theirs));
    own_times.push_back(seconds(batch, ours));
    ratios.push_back(nettle_times.back() / own_times.back());
    state.SetIterationTime(own_times.back());
  }
  const double scale = 1e9 / static_cast<double>(batch);
  state.counters["nettle_ns"] = scale * median(nettle_times);
  state.counters["ns"] = scale * median(own_times);
  state.counters["ratio"] = median(ratios);
}

void messages(benchmark::State& state, Work work) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const Bytes in(size, 0x5a);
  Bytes out(size);
  NettleSession nettle;
  OwnSession own;
  std::uint32_t sequence = 0;
  run_in_turn(
      state, 1 + kBatchBytes / (size + 100), [&] { nettle.pass(work, ++sequence, in, out); },
      [&] { own.pass(work, ++sequence, in, out); });
}

// The stitched loops by themselves, 16 KiB at a time, against Nettle's MD5 and RC4.
void loop(benchmark::State& state, stitch::Run* run) {
  constexpr std::size_t kBlocks = 256;
  const Bytes in(kBlocks * stitch::kBlockSize, 0x5a);
  Bytes out(in.size());
  ArcfourState stream;
  for (std::size_t i = 0; i < stream.s.size(); ++i) {
    stream.s[i] = static_cast<std::uint32_t>(255 - i);
  }
  md5::State chain = md5::kInitialState;
  NettleSession nettle;
  run_in_turn(
      state, 4, [&] { nettle.pass(Work::kSeal, 1, in, out); },
      [&] {
        run(chain, stream, {in.data(), in.data(), out.data(), kBlocks});
      });
  benchmark::DoNotOptimize(chain);
}

void key_setup(benchmark::State& state) {
  arcfour_ctx nettle;
  run_in_turn(
      state, 50, [&] { arcfour_set_key(&nettle, kKey.size(), kKey.data()); },
      [&] {
        Arcfour own(kKey);
        benchmark::DoNotOptimize(own);
      });
}

void hmac_key_setup(benchmark::State& state) {
  hmac_md5_ctx nettle;
  run_in_turn(
      state, 50, [&] { hmac_md5_set_key(&nettle, kKey.size(), kKey.data()); },
      [&] {
        HmacMd5 own(kKey);
        benchmark::DoNotOptimize(own);
      });
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->UseManualTime();
  for (const std::int64_t size : {16, 64, 128, 256, 1024, 4096, 16384, 65536, 1048576}) {
    bench->Arg(size);
  }
}

BENCHMARK_CAPTURE(messages, seal, Work::kSeal)->Apply(sizes);
BENCHMARK_CAPTURE(messages, unseal, Work::kUnseal)->Apply(sizes);
BENCHMARK_CAPTURE(messages, sign, Work::kSign)->Apply(sizes);
BENCHMARK_CAPTURE(loop, portable, stitch::run_portable)->UseManualTime();
#if defined(GSSNTLM_STITCH_X86_64)
BENCHMARK_CAPTURE(loop, x86_64, stitch::run_x86_64)->UseManualTime();
#endif
BENCHMARK(key_setup)->UseManualTime();
BENCHMARK(hmac_key_setup)->UseManualTime();

}  // namespace
}  // namespace gssntlm

BENCHMARK_MAIN();
