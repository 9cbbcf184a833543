// Secrets must be gone from a process once their owners are released: its memory is searched.
#include "test/support/catch.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/protocol/session.h"
#include "test/hostile/kept_memory.h"
#include "test/hostile/needle.h"
#include "test/hostile/session_secrets.h"
#include "test/support/gss.h"

using namespace gssntlm;
using namespace gssntlm::test;

namespace {

// The stack below us still holds what calls left there; a host's next calls would overwrite it.
[[gnu::noinline]] void overwrite_stack() {
  std::array<volatile std::uint8_t, 64 * 1024> filler;
  for (auto& b : filler) {
    b = 0x5A;
  }
}

struct Secrets {
  std::vector<Needle> needles;

  void add(const std::string& label, ByteView secret) { needles.emplace_back(label, secret); }
};

// Without a stream, which leaves its buffer behind.
void write_user(const std::string& path, const std::string& password) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  std::array<char, 64> line{};
  const int size = std::snprintf(line.data(), line.size(), "CORP:alice:%s\n", password.c_str());
  const bool written = ::write(file, line.data(), static_cast<std::size_t>(size)) == size;
  explicit_bzero(line.data(), line.size());
  ::close(file);
  REQUIRE(written);
}

// One exchange with messages; everything is released when this returns. The texts that the test
// itself holds are wiped.
[[gnu::noinline]] void use_and_release(Secrets& secrets) {
  std::string password = "Xy7-unmistakable-secret";
  Result<Bytes> wide = utf16le_from_utf8(password);
  secrets.add("password", as_bytes(password));
  secrets.add("password in UTF-16", *wide);
  {
    const NtHash hash = derive_nt_hash(*wide);
    secrets.add("NT hash", hash.view());
    const Result<Bytes> user = utf16le_from_utf8("alice");
    const Result<Bytes> domain = utf16le_from_utf8("CORP");
    secrets.add("NTOWFv2", derive_response_key(hash, *user, *domain).view());
  }
  wipe(*wide);
  {
    const Workshop workshop("");
    write_user(workshop.path("users"), password);
    const KeepFreed keep;
    CredHandle cred;
    CredHandle accept;
    REQUIRE(acquire_password("CORP\\alice", password, &kNtlm, cred).ok());
    REQUIRE(acquire(GSS_C_ACCEPT, &kNtlm, accept).ok());
    Exchange x;
    x.initiator_cred = cred.get();
    x.acceptor_cred = accept.get();
    End initiator;
    End acceptor;
    REQUIRE(run(x, initiator, acceptor));
    std::string token;
    std::string text;
    REQUIRE(wrap(initiator, "message", token).ok());
    REQUIRE(unwrap(acceptor, token, text).ok());
    REQUIRE(wrap(acceptor, "message", token).ok());
    REQUIRE(unwrap(initiator, token, text).ok());
    with_session_key(initiator, [&](std::span<std::uint8_t> key) {
      REQUIRE(key.size() == SessionKey::kSize);
      add_session_keys(key.first<SessionKey::kSize>(), flag::kEss | flag::k128,
                       [&](const char* label, ByteView secret) { secrets.add(label, secret); });
    });
    // The accounts of a users file stay with the process: empty it, and have it read again.
    workshop.write("users", "");
    CredHandle again;
    REQUIRE(acquire(GSS_C_ACCEPT, &kNtlm, again).ok());
  }
  explicit_bzero(password.data(), password.size());
}

// What is saved first outgrows the room that is made at first, which is then left. (Of a context's
// token the library makes a copy, and does not wipe what it copied from.)
[[gnu::noinline]] void save_and_release(Secrets& secrets) {
  std::array<std::uint8_t, SessionKey::kSize> key{9, 42, 7, 99, 3, 250, 17, 81, 5, 6, 7, 200, 4, 9};
  secrets.add("session key of a saved session", key);
  const Session session(flag::kSign | flag::kEss, SessionKey(key), Side::kClient);
  explicit_bzero(key.data(), key.size());
  const KeepFreed keep;
  Serializer out;
  session.save(out);
  out.put(Bytes(5000));
}

}  // namespace

TEST_CASE("memory: no password, hash or key is left once all is released") {
  Secrets secrets;
  use_and_release(secrets);
  overwrite_stack();
  for (const Needle& needle : secrets.needles) {
    CAPTURE(needle.label());
    CHECK(places_of(needle).empty());
  }
}

TEST_CASE("memory: an initiator keeps its own entry of a users file, and no other") {
  Secrets secrets;
  std::string other = "Qw9-a-password-of-another";
  Result<Bytes> wide = utf16le_from_utf8(other);
  secrets.add("password of another account", as_bytes(other));
  secrets.add("NT hash of another account", derive_nt_hash(*wide).view());
  wipe(*wide);
  {
    const Workshop workshop("");
    write_user(workshop.path("users"), other);
    explicit_bzero(other.data(), other.size());
    std::ofstream(workshop.path("users"), std::ios::app) << "CORP:carol:password\n";
    const KeepFreed keep;
    CredHandle cred;
    REQUIRE(acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\carol", {}, cred).ok());
    overwrite_stack();
    for (const Needle& needle : secrets.needles) {
      CAPTURE(needle.label());
      CHECK(places_of(needle).empty());
    }
  }
}

TEST_CASE("memory: no key of a saved session is left") {
  Secrets secrets;
  save_and_release(secrets);
  overwrite_stack();
  for (const Needle& needle : secrets.needles) {
    CAPTURE(needle.label());
    CHECK(places_of(needle).empty());
  }
}

namespace {

// In a child: uses secrets, releases them, tells the parent what to look for, and dies with a core
// dump in `directory`. One needle more is alive.
[[noreturn]] void crash(const std::string& directory, int to) {
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_CORE, &all);
  std::array<std::uint8_t, 16> live{9, 99, 3, 4, 77, 6, 7, 8, 55, 10, 11, 12, 13, 14, 15, 44};
  Secrets secrets;
  secrets.add("live", live);
  use_and_release(secrets);
  overwrite_stack();
  bool told = ::chdir(directory.c_str()) == 0;
  for (const Needle& needle : secrets.needles) {
    const auto size = static_cast<std::uint8_t>(needle.hidden().size());
    told = told && ::write(to, &size, 1) == 1 &&
           ::write(to, needle.hidden().data(), size) == static_cast<ssize_t>(size);
  }
  if (!told || live[0] != 9) {
    ::_exit(1);
  }
  // Catch2 would make a report of it.
  ::signal(SIGABRT, SIG_DFL);
  std::abort();
}

std::vector<Needle> receive(int from) {
  std::vector<Needle> needles;
  std::uint8_t size = 0;
  while (::read(from, &size, 1) == 1) {
    std::vector<std::uint8_t> hidden(size);
    if (::read(from, hidden.data(), size) != static_cast<ssize_t>(size)) {
      break;
    }
    needles.push_back(Needle::from_hidden(std::move(hidden), "of another process"));
  }
  return needles;
}

// The file that begins with "core" there; empty when there is none.
std::vector<std::uint8_t> read_core(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with("core")) {
      std::ifstream file(entry.path(), std::ios::binary);
      return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
  }
  return {};
}

}  // namespace

TEST_CASE("memory: a core dump shows nothing of what was released") {
  std::string directory = std::filesystem::temp_directory_path() / "gss-ntlm-core-XXXXXX";
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    crash(directory, ends[1]);
  }
  REQUIRE(child > 0);
  ::close(ends[1]);
  const std::vector<Needle> needles = receive(ends[0]);
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(needles.size() >= 8);
  const std::vector<std::uint8_t> core = read_core(directory);
  std::filesystem::remove_all(directory);
  if (core.empty()) {
    WARN("this system hands core dumps to a program of its own: there is none to search");
    return;
  }
  CHECK(needles[0].count(core.data(), core.size()) >= 1);
  for (std::size_t i = 1; i < needles.size(); ++i) {
    CAPTURE(i);
    CHECK(needles[i].count(core.data(), core.size()) == 0);
  }
}

TEST_CASE("memory: the search finds what is there") {
  std::array<std::uint8_t, 16> live{1, 99, 3, 4, 77, 6, 7, 8, 55, 10, 11, 12, 13, 14, 15, 44};
  const Needle needle("live", live);
  CHECK_FALSE(places_of(needle).empty());
}

TEST_CASE("memory: the search finds what was freed and not wiped") {
  std::array<std::uint8_t, 16> live{2, 98, 3, 4, 77, 6, 7, 8, 55, 10, 11, 12, 13, 14, 15, 43};
  const Needle needle("freed", live);
  {
    const KeepFreed keep;
    const std::vector<std::uint8_t> copy(live.begin(), live.end());
    explicit_bzero(live.data(), live.size());
  }
  CHECK_FALSE(places_of(needle).empty());
}
