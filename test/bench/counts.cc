// What does not depend on the machine's mood: allocations, bytes held, and, under callgrind,
// instructions. Prints lines "KIND WORK NUMBER"; see budget.py.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <malloc.h>
#include <valgrind/callgrind.h>

#include "test/bench/works.h"

namespace {

// Of the program and all its libraries, which find these functions before the C library's.
std::uint64_t g_calls = 0;
std::int64_t g_held = 0;

void* note(void* p) noexcept {
  ++g_calls;
  g_held += static_cast<std::int64_t>(::malloc_usable_size(p));
  return p;
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* p, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* p);

void* malloc(std::size_t size) noexcept {
  return note(__libc_malloc(size));
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  return note(__libc_calloc(count, size));
}

void* realloc(void* p, std::size_t size) noexcept {
  g_held -= static_cast<std::int64_t>(::malloc_usable_size(p));
  return note(__libc_realloc(p, size));
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return note(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return note(__libc_memalign(alignment, size));
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) noexcept {
  *out = note(__libc_memalign(alignment, size));
  return *out == nullptr ? 12 : 0;
}

void free(void* p) noexcept {
  g_held -= static_cast<std::int64_t>(::malloc_usable_size(p));
  __libc_free(p);
}

}  // extern "C"

namespace gssntlm::bench {
namespace {

constexpr unsigned kRounds = 20;

// Runs `body` kRounds times between two dumps of callgrind's counters, and counts its allocations.
template <typename Body>
void measure(const char* work, Body body) {
  body();  // what is made once is made now
  const std::uint64_t before = g_calls;
  CALLGRIND_ZERO_STATS;
  for (unsigned i = 0; i < kRounds; ++i) {
    body();
  }
  CALLGRIND_DUMP_STATS_AT(work);
  // Rounded up: an allocation in some rounds only is one too many.
  const std::uint64_t calls = (g_calls - before + kRounds - 1) / kRounds;
  std::printf("allocations %s %llu\n", work, static_cast<unsigned long long>(calls));
}

void handshakes(const char* work, Mech mech) {
  const Works works(mech);
  measure(work, [&] {
    Pair pair;
    works.handshake(pair);
  });
}

void credentials() {
  const Imported user(kUser, GSS_C_NT_USER_NAME);
  measure("credential_from_file",
          [&] { release(acquire(Mech::kNtlm, GSS_C_INITIATE, user.get())); });
  measure("credential_from_password",
          [&] { release(acquire(Mech::kNtlm, GSS_C_INITIATE, user.get(), kPassword)); });
}

// Each token is opened, or the acceptor would miss it.
void messages(const Pair& pair, std::size_t size) {
  const std::string message(size, 'm');
  const auto name = [size](const char* work) {
    return std::string(work).append("_").append(std::to_string(size));
  };
  std::vector<Token> tokens(kRounds + 1);
  std::vector<Token> texts(kRounds + 1);
  std::size_t at = 0;
  measure(name("wrap").c_str(), [&] { wrap(pair.initiator, message, tokens[at++]); });
  at = 0;
  measure(name("unwrap").c_str(), [&] {
    unwrap(pair.acceptor, tokens[at], texts[at]);
    ++at;
  });
  std::vector<Token> mics(kRounds + 1);
  at = 0;
  measure(name("get_mic").c_str(), [&] { get_mic(pair.initiator, message, mics[at++]); });
  at = 0;
  measure(name("verify_mic").c_str(), [&] { verify_mic(pair.acceptor, message, mics[at++]); });
  std::vector<std::string> copies(kRounds + 2, message);
  std::vector<std::string> headers(kRounds + 2, std::string(16, '\0'));
  if (!wrap_iov(pair.initiator, copies[kRounds + 1], headers[kRounds + 1])) {
    return;
  }
  unwrap_iov(pair.acceptor, copies[kRounds + 1], headers[kRounds + 1]);
  at = 0;
  measure(name("wrap_iov").c_str(), [&] {
    wrap_iov(pair.initiator, copies[at], headers[at]);
    ++at;
  });
  at = 0;
  measure(name("unwrap_iov").c_str(), [&] {
    unwrap_iov(pair.acceptor, copies[at], headers[at]);
    ++at;
  });
}

// A message both ways, so that all is made that a context makes when it is first needed.
void talk(const Pair& pair) {
  Token a;
  Token b;
  Token text_a;
  Token text_b;
  wrap(pair.initiator, "ping", a);
  unwrap(pair.acceptor, a, text_a);
  wrap(pair.acceptor, "pong", b);
  unwrap(pair.initiator, b, text_b);
}

void memory(const Works& works) {
  constexpr int kContexts = 200;
  for (const bool talking : {false, true}) {
    std::vector<Pair> pairs(kContexts);
    const std::int64_t before = g_held;
    for (Pair& pair : pairs) {
      works.handshake(pair);
      if (talking) {
        talk(pair);
      }
    }
    std::printf("bytes %s %lld\n", talking ? "context_with_messages" : "open_context",
                static_cast<long long>((g_held - before) / (2 * kContexts)));
  }
}

void run() {
  handshakes("handshake", Mech::kNtlm);
  handshakes("spnego_handshake", Mech::kSpnego);
  credentials();
  const Works works(Mech::kNtlm);
  Pair pair;
  works.handshake(pair);
  talk(pair);
  for (const std::size_t size : {16u, 1024u, 65536u}) {
    messages(pair, size);
  }
  memory(works);
}

}  // namespace
}  // namespace gssntlm::bench

int main() {
  gssntlm::bench::run();
  return 0;
}
