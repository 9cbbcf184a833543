// libgssapi, and the module by itself, opened and closed a hundred times by a host that is linked
// to neither, with threads that end only after that. Memory stays what it was. And a module that is
// loaded when there is no memory: the host goes on.
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <gssapi/gssapi.h>
}

#include "include/gssapi/gssapi_ntlm.h"
#include "test/hostile/failing.h"

namespace {

gss_OID_desc g_mech = {GSS_NTLM_MECH_OID_LENGTH, const_cast<char*>(GSS_NTLM_MECH_OID_BYTES)};
gss_OID_desc g_user = {10, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01")};

template <typename F>
F* find(void* library, const char* name) {
  auto* found = reinterpret_cast<F*>(::dlsym(library, name));
  if (found == nullptr) {
    std::fprintf(stderr, "%s: %s\n", name, ::dlerror());
    std::exit(1);
  }
  return found;
}
#define ENTRY(library, name) const auto name = find<decltype(::gss_##name)>(library, "gss_" #name)

// Both sides of a login, with what `library` exports; true when they are established.
bool login(void* library) {
  ENTRY(library, acquire_cred);
  ENTRY(library, release_cred);
  ENTRY(library, import_name);
  ENTRY(library, release_name);
  ENTRY(library, init_sec_context);
  ENTRY(library, accept_sec_context);
  ENTRY(library, delete_sec_context);
  OM_uint32 minor = 0;
  gss_OID_set_desc mechs = {1, &g_mech};
  gss_cred_id_t credentials[2] = {};
  gss_ctx_id_t contexts[2] = {};
  gss_buffer_desc text = {10, const_cast<char*>("CORP\\alice")};
  gss_name_t name = GSS_C_NO_NAME;
  import_name(&minor, &text, &g_user, &name);
  acquire_cred(&minor, name, 0, &mechs, GSS_C_INITIATE, &credentials[0], nullptr, nullptr);
  acquire_cred(&minor, nullptr, 0, &mechs, GSS_C_ACCEPT, &credentials[1], nullptr, nullptr);
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  OM_uint32 major = GSS_S_FAILURE;
  for (int leg = 0; leg < 4; ++leg) {
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    major = leg % 2 == 0 ? init_sec_context(&minor, credentials[0], &contexts[0], name, &g_mech, 0,
                                            0, nullptr, &token, nullptr, &out, nullptr, nullptr)
                         : accept_sec_context(&minor, &contexts[1], credentials[1], &token, nullptr,
                                              nullptr, nullptr, &out, nullptr, nullptr, nullptr);
    std::free(token.value);
    token = out;
    if (GSS_ERROR(major)) {
      break;
    }
  }
  std::free(token.value);
  for (int i = 0; i < 2; ++i) {
    delete_sec_context(&minor, &contexts[i], GSS_C_NO_BUFFER);
    release_cred(&minor, &credentials[i]);
  }
  release_name(&minor, &name);
  return major == GSS_S_COMPLETE;
}

// A login in this thread, and one in a thread that ends when the library is closed already.
bool use_and_close(const char* path) {
  void* library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return false;
  }
  std::atomic<bool> used{false};
  std::atomic<bool> closed{false};
  std::atomic<bool> good{false};
  std::thread other([&] {
    good = login(library);
    used = true;
    while (!closed) {
      ::usleep(100);
    }
  });
  const bool here = login(library);
  while (!used) {
    ::usleep(100);
  }
  ::dlclose(library);
  closed = true;
  other.join();
  return here && good;
}

bool flat(const char* path) {
  constexpr int kWarm = 20;
  constexpr int kTimes = 100;
  long before = 0;
  for (int i = 0; i < kWarm + kTimes; ++i) {
    if (!use_and_close(path)) {
      std::printf("  the login of round %d failed\n", i);
      return false;
    }
    before = i + 1 == kWarm ? failing::live() : before;
  }
  const long grown = failing::live() - before;
  if (grown >= kTimes) {
    std::printf("  %ld pieces of memory more after %d rounds\n", grown, kTimes);
  }
  return grown < kTimes;
}

// In a child, memory ends at the `at`-th allocation from the module's loading on: the exit status.
enum : int { kRefused, kAnswered, kStillLoaded };
int load_without_memory(const char* path, int at) {
  failing::arm({failing::Call::kAllocation, at, ENOMEM, true});
  void* library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const bool ended = library == nullptr;
  int outcome = kRefused;
  if (!ended) {
    ENTRY(library, import_name);
    gss_buffer_desc text = {10, const_cast<char*>("CORP\\alice")};
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 minor = 0;
    const OM_uint32 major = import_name(&minor, &text, &g_user, &name);
    outcome = major == GSS_S_FAILURE && minor == GSS_NTLM_S_NO_MEMORY ? kRefused : kAnswered;
  }
  return failing::disarm() < at ? kStillLoaded : outcome;
}

// Wherever memory ends, the module is not loaded, or says so: the process goes on.
bool survives_without_memory(const char* path) {
  for (int at = 1;; ++at) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(load_without_memory(path, at));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status == W_EXITCODE(kStillLoaded, 0)) {
      return at > 1;
    }
    if (status != W_EXITCODE(kRefused, 0)) {
      std::printf("  without memory from allocation %d on: status %#x\n", at, status);
      return false;
    }
  }
}

int close_case(bool good, const char* name) {
  std::printf("%s %s\n", good ? "PASS" : "FAIL", name);
  return good ? 0 : 1;
}

// A file of this content, readable to its owner only; gives its path, empty if it cannot be
// written.
std::string write_file(std::string_view text) {
  std::string path = "/tmp/gss-ntlm-test-XXXXXX";
  const int fd = ::mkstemp(path.data());
  const bool written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written ? path : std::string();
}

}  // namespace

int main(int, char** argv) {
  const std::string users = write_file("CORP:alice:Passw0rd\n");
  // Both ends are in one process.
  const std::string settings = write_file("[policy]\nrefuse_reflection = no\n");
  if (users.empty() || settings.empty()) {
    return 1;
  }
  ::setenv("NTLM_USER_FILE", users.c_str(), 1);
  ::setenv("GSS_NTLM_SETTINGS", settings.c_str(), 1);
  ::setenv("NTLMUSER", "CORP\\alice", 1);
  const int failed =
      close_case(survives_without_memory(argv[1]), "the module, loaded without memory") +
      close_case(flat(argv[1]), "the module, opened and closed a hundred times") +
      close_case(flat(argv[2]), "libgssapi, opened and closed a hundred times");
  ::unlink(users.c_str());
  ::unlink(settings.c_str());
  return failed == 0 ? 0 : 1;
}
