// Connectionless contexts with gss-ntlmssp, both ways and at each level: the handshake, the session
// key, and signatures.
//
// The mechglue hands nothing to its acceptor, and knows one mechanism of an object identifier: its
// module is loaded here by hand, and ours through the mechglue. Signatures without extended session
// security are nowhere defined for connectionless contexts, and are not compared.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

#include <dlfcn.h>
#include <glob.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr OM_uint32 kFlags = GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG | GSS_NTLM_DATAGRAM_FLAG;
constexpr int kSkipped = 77;
constexpr int kMessages = 20;

gss_OID_desc kSetSequence = {GSS_NTLM_OID_LENGTH,
                             const_cast<char*>(GSS_NTLM_SET_SEQ_NUM_OID_BYTES)};

void expect(bool condition, const std::string& what) {
  if (!condition) {
    throw std::runtime_error(what);
  }
}

gss_buffer_desc buffer(const std::string& s) {
  return {s.size(), const_cast<char*>(s.data())};
}

/// The functions of their module.
class Module {
 public:
  explicit Module(const char* path) : handle_(::dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    expect(handle_ != nullptr, "gss-ntlmssp cannot be loaded");
    find(init, "gss_init_sec_context");
    find(accept, "gss_accept_sec_context");
    find(import_name, "gss_import_name");
    find(release_name, "gss_release_name");
    find(erase, "gss_delete_sec_context");
    find(get_mic, "gss_get_mic");
    find(verify_mic, "gss_verify_mic");
    find(set_option, "gss_set_sec_context_option");
  }

  decltype(&gss_init_sec_context) init = nullptr;
  decltype(&gss_accept_sec_context) accept = nullptr;
  decltype(&gss_import_name) import_name = nullptr;
  decltype(&gss_release_name) release_name = nullptr;
  decltype(&gss_delete_sec_context) erase = nullptr;
  decltype(&gss_get_mic) get_mic = nullptr;
  decltype(&gss_verify_mic) verify_mic = nullptr;
  decltype(&gss_set_sec_context_option) set_option = nullptr;

 private:
  template <typename F>
  void find(F& function, const char* name) {
    function = reinterpret_cast<F>(::dlsym(handle_, name));
    expect(function != nullptr, std::string("gss-ntlmssp has no ") + name);
  }
  void* handle_;
};

/// One end of theirs.
class TheirEnd {
 public:
  explicit TheirEnd(const Module& module) : module_(module) {
    const std::string target = "HTTP@server.example";
    gss_buffer_desc text = buffer(target);
    OM_uint32 minor = 0;
    expect(
        module_.import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &target_) == GSS_S_COMPLETE,
        "their name");
  }
  TheirEnd(const TheirEnd&) = delete;
  TheirEnd& operator=(const TheirEnd&) = delete;
  ~TheirEnd() {
    OM_uint32 minor = 0;
    module_.erase(&minor, &context_, GSS_C_NO_BUFFER);
    module_.release_name(&minor, &target_);
  }

  std::string init_step(const std::string& input) {
    gss_buffer_desc in = buffer(input);
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    major_ = module_.init(&minor, GSS_C_NO_CREDENTIAL, &context_, target_, &kNtlm, kFlags, 0,
                          GSS_C_NO_CHANNEL_BINDINGS, &in, nullptr, &out, nullptr, nullptr);
    return result("their initiator", minor, out);
  }
  std::string accept_step(const std::string& input) {
    gss_buffer_desc in = buffer(input);
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    major_ = module_.accept(&minor, &context_, GSS_C_NO_CREDENTIAL, &in, GSS_C_NO_CHANNEL_BINDINGS,
                            nullptr, nullptr, &out, nullptr, nullptr, nullptr);
    return result("their acceptor", minor, out);
  }
  [[nodiscard]] bool is_open() const { return major_ == GSS_S_COMPLETE; }

  void set_sequence(std::uint32_t number) {
    gss_buffer_desc value = {sizeof number, &number};
    OM_uint32 minor = 0;
    expect(module_.set_option(&minor, &context_, &kSetSequence, &value) == GSS_S_COMPLETE,
           "their sequence number");
  }
  std::string sign(const std::string& text) {
    gss_buffer_desc message = buffer(text);
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0;
    major_ = module_.get_mic(&minor, context_, 0, &message, &out);
    return result("their gss_get_mic", minor, out);
  }
  void verify(const std::string& text, const std::string& mic) {
    gss_buffer_desc message = buffer(text);
    gss_buffer_desc token = buffer(mic);
    OM_uint32 minor = 0;
    expect(module_.verify_mic(&minor, context_, &message, &token, nullptr) == GSS_S_COMPLETE,
           "they refuse our signature");
  }

 private:
  std::string result(const char* who, OM_uint32 minor, gss_buffer_desc& out) const {
    expect(!GSS_ERROR(major_), std::string(who) + ": minor " + std::to_string(minor));
    std::string token(static_cast<const char*>(out.value), out.length);
    std::free(out.value);
    return token;
  }
  const Module& module_;
  gss_name_t target_ = GSS_C_NO_NAME;
  gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
  OM_uint32 major_ = GSS_S_FAILURE;
};

std::string framed_nothing() {
  gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc framed = GSS_C_EMPTY_BUFFER;
  expect(gss_encapsulate_token(&nothing, &kNtlm, &framed) == GSS_S_COMPLETE, "the framing");
  std::string token(static_cast<const char*>(framed.value), framed.length);
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &framed);
  return token;
}

void set_our_sequence(End& end, std::uint32_t number) {
  gss_buffer_desc value = {sizeof number, &number};
  OM_uint32 minor = 0;
  expect(gss_set_sec_context_option(&minor, &end.context, &kSetSequence, &value) == GSS_S_COMPLETE,
         "our sequence number");
}

// Numbered by the programs at both ends, in no order.
void converse(End& ours, TheirEnd& theirs) {
  for (std::uint32_t i = 0; i < kMessages; ++i) {
    const std::uint32_t number = i * 7919 % 1000;
    const std::string text = "message " + std::to_string(i) + std::string(i * 31, '.');
    set_our_sequence(ours, number);
    theirs.set_sequence(number);
    expect(verify_mic(ours, text, theirs.sign(text)).major == GSS_S_COMPLETE,
           "we refuse their signature");
    set_our_sequence(ours, number);
    theirs.set_sequence(number);
    std::string mic;
    expect(get_mic(ours, text, mic).ok(), "gss_get_mic");
    theirs.verify(text, mic);
  }
}

void log_in(const Module& module) {
  Exchange x;
  End ours;
  TheirEnd theirs(module);
  expect(theirs.init_step("").empty(), "their first token is not empty");
  const std::string challenge = accept_step(x, ours, framed_nothing());
  expect(ours.last.ok(), ours.last.text());
  accept_step(x, ours, theirs.init_step(challenge));
  expect(theirs.is_open() && ours.last.major == GSS_S_COMPLETE, ours.last.text());
  expect(ours.source.display() == "CORP\\alice", "who it is");
  converse(ours, theirs);
}

void serve(const Module& module, bool ess) {
  Exchange x;
  x.flags = kFlags;
  End ours;
  TheirEnd theirs(module);
  expect(init_step(x, ours, "").empty(), "our first token is not empty");
  const std::string authenticate = init_step(x, ours, theirs.accept_step(""));
  expect(ours.last.major == GSS_S_COMPLETE, ours.last.text());
  theirs.accept_step(authenticate);
  expect(theirs.is_open(), "their acceptor does not open");
  if (ess) {
    converse(ours, theirs);
  }
}

bool attempt(const std::string& label, const std::function<void()>& run) {
  std::string why;
  try {
    run();
  } catch (const std::exception& e) {
    why = e.what();
  }
  std::printf("%s %s%s%s\n", why.empty() ? "PASS" : "FAIL", label.c_str(), why.empty() ? "" : ": ",
              why.c_str());
  std::fflush(stdout);
  return why.empty();
}

std::string module_path() {
  glob_t found{};
  std::string path;
  if (::glob("/usr/lib/*/gssntlmssp/gssntlmssp.so", 0, nullptr, &found) == 0) {
    path = found.gl_pathv[0];
  }
  ::globfree(&found);
  return path;
}

// Without Debian's revision.
std::string version() {
  std::string text;
  if (FILE* asked = ::popen("dpkg-query -W -f '${Version}' gss-ntlmssp 2>/dev/null", "r")) {
    for (int c = std::fgetc(asked); c != EOF && c != '-'; c = std::fgetc(asked)) {
      text += static_cast<char>(c);
    }
    ::pclose(asked);
  }
  return text.empty() ? "-" : text;
}

int run_all() {
  const std::string path = module_path();
  if (path.empty()) {
    std::printf("SKIP gss-ntlmssp is not installed\n");
    return kSkipped;
  }
  const Module module(path.c_str());
  const Workshop workshop(
      "CORP:alice:Passw0rd\n",
      "[policy]\nallow_connectionless = yes\nrequire_ess = no\nmin_key_bits = 40\n");
  bool good = true;
  for (const char* level : {"0", "1", "2", "3", "4", "5"}) {
    ::setenv("LM_COMPAT_LEVEL", level, 1);
    const std::string at = std::string(", connectionless, at level ") + level;
    good &= attempt("gss-ntlmssp's initiator" + at, [&] { log_in(module); });
    // Ours knows no extended session security at level 0, theirs does.
    const bool ess = level[0] != '0';
    good &= attempt("gss-ntlmssp's acceptor" + at, [&] { serve(module, ess); });
  }
  std::printf(
      "interop: | NTLM mechanisms | gss-ntlmssp, connectionless | %s | both | raw: MIC, levels 0 "
      "to 5 "
      "| %s |\n",
      version().c_str(), good ? "works" : "fails");
  return good ? 0 : 1;
}

}  // namespace
}  // namespace gssntlm::test

int main() {
  try {
    return gssntlm::test::run_all();
  } catch (const std::exception& e) {
    std::printf("FAIL %s\n", e.what());
    return 1;
  }
}
