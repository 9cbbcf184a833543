// Endurance: one process, many handshakes of every kind through the real mechglue, four messages
// each, one exchange in ten attacked; then forged tokens thrown at established contexts.
//
//   hostile_soak [--handshakes N] [--forged N] [--seed N] [--only INDEX]
//
// Each exchange draws from the seed and its own index, so that --only repeats one that went wrong.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <malloc.h>
#include <unistd.h>

#include "test/hostile/soak_run.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_FREED_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEPS_FREED_MEMORY 1
#endif
#endif

namespace gssntlm::test {
namespace {

// What a process holds.
struct Holdings {
  long rss = 0;            // KiB
  std::size_t in_use = 0;  // bytes of the heap
  std::size_t descriptors = 0;
};

Holdings holdings() {
  Holdings h;
  ::malloc_trim(0);
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  h.rss = pages * (::sysconf(_SC_PAGESIZE) / 1024);
  h.in_use = ::mallinfo2().uordblks;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++h.descriptors;
  }
  return h;
}

struct Plan {
  std::uint64_t handshakes = 5000;
  std::size_t forged = 4000;
  std::uint64_t seed = 20240229;
  std::optional<std::uint64_t> only;
};

std::optional<Plan> parse(int argc, char** argv) {
  Plan plan;
  if (argc % 2 == 0) {
    return std::nullopt;
  }
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(argv[i + 1], &end, 10);
    if (*argv[i + 1] == '\0' || *end != '\0') {
      return std::nullopt;
    }
    if (option == "--handshakes") {
      plan.handshakes = value;
    } else if (option == "--forged") {
      plan.forged = static_cast<std::size_t>(value);
    } else if (option == "--seed") {
      plan.seed = value;
    } else if (option == "--only") {
      plan.only = value;
    } else {
      return std::nullopt;
    }
  }
  return plan;
}

// Memory and descriptors at the end are what they were after the first tenth.
bool is_flat(const Holdings& before, const Holdings& after) {
#ifdef KEEPS_FREED_MEMORY
  return before.descriptors == after.descriptors;
#else
  constexpr std::size_t kHeapSlack = 24 * 1024;
  constexpr long kRssSlack = 4 * 1024;
  if (after.in_use > before.in_use + kHeapSlack) {
    std::printf("LEAK: %zu bytes of the heap became %zu\n", before.in_use, after.in_use);
    return false;
  }
  if (after.rss > before.rss + kRssSlack) {
    std::printf("LEAK: %ld KiB became %ld\n", before.rss, after.rss);
    return false;
  }
  return before.descriptors == after.descriptors;
#endif
}

int soak(const Plan& plan) {
  std::printf("soak: seed %llu\n", static_cast<unsigned long long>(plan.seed));
  Soak run(plan.seed);
  if (!run.spnego_has_mic()) {
    std::printf("soak: this library's SPNEGO carries no MIC: bytes flipped under it may pass\n");
  }
  if (plan.only) {
    run.exchange(*plan.only);
    return run.tally().wrong_accepts + run.tally().wrong_refusals == 0 ? 0 : 1;
  }
  const std::uint64_t warm_up = plan.handshakes / 10;
  Holdings before;
  for (std::uint64_t i = 0; i < plan.handshakes; ++i) {
    if (i == warm_up) {
      before = holdings();
    }
    run.exchange(i);
  }
  run.forge(plan.forged);
  const Holdings after = holdings();
  const Tally& t = run.tally();
  std::printf(
      "soak: %zu opened, %zu refused, %zu contexts moved, %zu forged tokens at open ones, heap %zu "
      "-> %zu bytes\n",
      t.opened, t.handshakes - t.opened, t.moves, t.forged, before.in_use, after.in_use);
  std::printf(
      "soak: %zu handshakes, %zu messages, %zu attacks, RSS %ld -> %ld KiB, descriptors %zu -> "
      "%zu, wrong accepts %zu, wrong refusals %zu\n",
      t.handshakes, t.messages, t.attacks, before.rss, after.rss, before.descriptors,
      after.descriptors, t.wrong_accepts, t.wrong_refusals);
  const bool flat = is_flat(before, after);
  return flat && t.wrong_accepts + t.wrong_refusals == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gssntlm::test

int main(int argc, char** argv) {
  const auto plan = gssntlm::test::parse(argc, argv);
  if (!plan) {
    std::fprintf(stderr,
                 "usage: hostile_soak [--handshakes N] [--forged N] [--seed N] [--only INDEX]\n");
    return 2;
  }
  try {
    return gssntlm::test::soak(*plan);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hostile_soak: %s\n", e.what());
    return 1;
  }
}
