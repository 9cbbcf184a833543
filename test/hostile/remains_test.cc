// Once contexts and credentials are gone, no secret is left in any writable memory of a process:
// heap, stacks of threads that live or have ended, registers that something has spilled. Nothing
// here overwrites what the module left. What to search for is computed in another process.
#include "test/support/catch.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/base/scrub.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "test/hostile/kept_memory.h"
#include "test/hostile/needle.h"
#include "test/hostile/session_secrets.h"
#include "test/support/gss.h"

using namespace gssntlm;
using namespace gssntlm::test;

namespace {

constexpr char kPassword[] = "Xy7-unmistakable-secret";

// The stack below the caller's frame: what calls that have returned left there. The kernel copies
// it, so that taking it changes nothing.
struct DeadStack {
  static constexpr std::size_t kSize = 64 * 1024;
  std::string after;
  std::vector<std::uint8_t> bytes;
};

// What an exchange leaves with the test: nothing secret that is not hidden.
struct Trace {
  std::vector<DeadStack> stacks;
  std::string challenge;
  std::string authenticate;
  std::vector<std::uint8_t> session_key;  // hidden
};

// Byte by byte, so that no register ever holds a key of the test's own.
void flip(volatile std::uint8_t* bytes, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = Needle::flip(bytes[i]);
  }
}

[[gnu::noinline]] void look_below(Trace& trace, const char* after) {
  trace.stacks.push_back({after, std::vector<std::uint8_t>(DeadStack::kSize)});
  static const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  constexpr std::size_t kPage = 4096;
  for (std::size_t at = 0; at < DeadStack::kSize; at += kPage) {
    (void)!::pread(memory, trace.stacks.back().bytes.data() + at, kPage,
                   static_cast<off_t>(here - DeadStack::kSize + at));
  }
  // This copy is not to be found.
  flip(trace.stacks.back().bytes.data(), DeadStack::kSize);
}

// Fills what look_below() looks at.
[[gnu::noinline]] void paint_below() {
  volatile std::uint8_t stack[DeadStack::kSize];
  for (volatile std::uint8_t& byte : stack) {
    byte = 0xA5;
  }
}

// The longest run of zeros in a copy of the stack, in bytes.
std::size_t longest_clear_run(const DeadStack& stack) {
  const std::uint8_t zero = Needle::flip(0);
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const std::uint8_t byte : stack.bytes) {
    run = byte == zero ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

void acquire_alice(CredHandle& cred) {
  NameHandle name("CORP\\alice", GSS_C_NT_USER_NAME);
  std::vector<std::uint8_t> password(sizeof kPassword - 1);
  volatile std::uint8_t* to = password.data();
  for (std::size_t i = 0; i < password.size(); ++i) {
    to[i] = static_cast<std::uint8_t>(kPassword[i]);
  }
  gss_buffer_desc buffer = {password.size(), password.data()};
  gss_OID_set_desc mechs = {1, &kNtlm};
  OM_uint32 minor = 0;
  REQUIRE(gss_acquire_cred_with_password(&minor, name.get(), &buffer, 0, &mechs, GSS_C_INITIATE,
                                         cred.out(), nullptr, nullptr) == GSS_S_COMPLETE);
  explicit_bzero(password.data(), password.size());
}

void take_session_key(const End& end, Trace& trace) {
  with_session_key(end, [&](std::span<std::uint8_t> key) {
    flip(key.data(), key.size());
    trace.session_key.assign(key.begin(), key.end());
  });
}

// Messages in both directions and both ways.
void talk(End& from, End& to) {
  std::string token;
  std::string text;
  REQUIRE(wrap(from, "message", token).ok());
  REQUIRE(unwrap(to, token, text).ok());
  REQUIRE(wrap(from, std::string(300, 'm'), token).ok());
  REQUIRE(unwrap(to, token, text).ok());
  REQUIRE(get_mic(from, "message", token).ok());
  REQUIRE(verify_mic(to, "message", token).ok());
}

enum class Life { kHandshake, kMessages };

// A whole life: both ends' credentials, the handshake, perhaps messages, and the end of all of
// them. The session key is asked for and hidden while it is in use; what follows must not leave it.
Trace live(const Workshop& workshop, Life life) {
  Trace trace;
  const KeepFreed keep;
  {
    CredHandle alice;
    CredHandle accept;
    acquire_alice(alice);
    look_below(trace, "gss_acquire_cred_with_password");
    REQUIRE(acquire(GSS_C_ACCEPT, &kNtlm, accept).ok());
    look_below(trace, "gss_acquire_cred");
    Exchange x;
    x.initiator_cred = alice.get();
    x.acceptor_cred = accept.get();
    End initiator;
    End acceptor;
    const std::string negotiate = init_step(x, initiator, {});
    look_below(trace, "gss_init_sec_context, first leg");
    trace.challenge = accept_step(x, acceptor, negotiate);
    look_below(trace, "gss_accept_sec_context, first leg");
    trace.authenticate = init_step(x, initiator, trace.challenge);
    look_below(trace, "gss_init_sec_context");
    accept_step(x, acceptor, trace.authenticate);
    look_below(trace, "gss_accept_sec_context");
    REQUIRE(acceptor.last.major == GSS_S_COMPLETE);
    if (life == Life::kMessages) {
      talk(initiator, acceptor);
      look_below(trace, "messages");
      talk(acceptor, initiator);
    }
    take_session_key(initiator, trace);
    look_below(trace, "gss_inquire_sec_context_by_oid");
  }
  // The accounts of a users file stay with the process: with an empty one they go.
  workshop.write("users", "");
  CredHandle again;
  (void)acquire(GSS_C_ACCEPT, &kNtlm, again);
  return trace;
}

// In a child.
std::vector<Needle> derive(const Trace& trace) {
  std::vector<Needle> needles;
  // A general register holds half a key.
  const auto add = [&](const std::string& label, ByteView secret) {
    needles.emplace_back(label, secret);
    needles.emplace_back("first half of " + label, secret.first(8));
    needles.emplace_back("second half of " + label, secret.last(8));
  };
  const Bytes wide = *utf16le_from_utf8(kPassword);
  add("password", as_bytes(kPassword));
  add("password in UTF-16", wide);
  const NtHash hash = derive_nt_hash(wide);
  add("NT hash", hash.view());
  const ResponseKey response_key =
      derive_response_key(hash, *utf16le_from_utf8("alice"), *utf16le_from_utf8("CORP"));
  add("NTOWFv2", response_key.view());
  const auto challenge = decode_challenge(as_bytes(trace.challenge));
  const auto message = decode_authenticate(as_bytes(trace.authenticate));
  add("SessionBaseKey", compute_v2_proof(response_key, challenge->server_challenge,
                                         message->nt_response.subspan(kNtProofSize))
                            .base.view());
  std::vector<std::uint8_t> bytes = trace.session_key;
  flip(bytes.data(), bytes.size());
  add_session_keys(
      std::span<const std::uint8_t, SessionKey::kSize>(bytes.data(), SessionKey::kSize),
      message->flags, add);
  return needles;
}

bool tell(int to, const void* bytes, std::size_t size) {
  return ::write(to, &size, sizeof size) == sizeof size &&
         ::write(to, bytes, size) == static_cast<ssize_t>(size);
}

std::vector<std::uint8_t> hear(int from) {
  std::size_t size = 0;
  std::vector<std::uint8_t> bytes;
  if (::read(from, &size, sizeof size) == sizeof size) {
    bytes.resize(size);
    bytes.resize(::read(from, bytes.data(), size) == static_cast<ssize_t>(size) ? size : 0);
  }
  return bytes;
}

std::vector<Needle> needles_of(const Trace& trace) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    bool told = true;
    for (const Needle& needle : derive(trace)) {
      told = told && tell(ends[1], needle.label().data(), needle.label().size()) &&
             tell(ends[1], needle.hidden().data(), needle.hidden().size());
    }
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  std::vector<Needle> needles;
  for (std::vector<std::uint8_t> label; !(label = hear(ends[0])).empty();) {
    needles.push_back(Needle::from_hidden(hear(ends[0]), {label.begin(), label.end()}));
  }
  ::close(ends[0]);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  REQUIRE(needles.size() == 30);
  return needles;
}

void write_users(const Workshop& workshop) {
  const pid_t child = ::fork();
  if (child == 0) {
    workshop.write("users", std::string("CORP:alice:") + kPassword + "\n");
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
}

void expect_none(const Trace& trace) {
  for (const Needle& needle : needles_of(trace)) {
    CAPTURE(needle.label());
    const std::vector<std::string> places = places_of(needle);
    CAPTURE(places);
    CHECK(places.empty());
    for (const DeadStack& stack : trace.stacks) {
      CAPTURE(stack.after);
      CHECK(needle.count_hidden(stack.bytes) == 0);
    }
  }
}

}  // namespace

TEST_CASE("remains: the thread that used secrets has none in its memory") {
  const Workshop workshop("");
  write_users(workshop);
  expect_none(live(workshop, GENERATE(Life::kHandshake, Life::kMessages)));
}

TEST_CASE("remains: a thread that goes on has none on its stack, nor one that has ended") {
  const Workshop workshop("");
  write_users(workshop);
  const Life life = GENERATE(Life::kHandshake, Life::kMessages);
  Trace trace;
  std::atomic<int> stage = 0;
  std::thread thread([&] {
    trace = live(workshop, life);
    stage = 1;
    stage.notify_one();
    stage.wait(1);
  });
  stage.wait(0);
  expect_none(trace);
  stage = 2;
  stage.notify_one();
  thread.join();
  expect_none(trace);
}

// Whatever the compiler has left there: unoptimized code leaves no secret that is looked for above.
TEST_CASE("remains: the stack below a call that handles a password is cleared") {
  const Workshop workshop("");
  CredHandle first;
  acquire_alice(first);
  CredHandle alice;
  Trace trace;
  paint_below();
  acquire_alice(alice);
  look_below(trace, "gss_acquire_cred_with_password");
  // libgssapi's frames after the call take part of it.
  CHECK(longest_clear_run(trace.stacks.front()) >= kCredentialStack / 2);
}
