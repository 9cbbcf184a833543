// A call of the module with any of its pointers NULL, and all that such a call may need. The module
// is asked directly, because the mechglue would catch much of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <dlfcn.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/gss.h"

namespace gssntlm::test {

inline constexpr std::uint64_t kNone = 0;

// Of the functions that no public header declares.
using ReleaseOid = OM_uint32(OM_uint32*, gss_OID*);
using SetCredOption = OM_uint32(OM_uint32*, gss_cred_id_t*, gss_OID, gss_buffer_t);
using Authorize = OM_uint32(OM_uint32*, gss_name_t, gss_const_buffer_t, gss_const_OID);

inline void* symbol(const char* name) {
  static void* const module = [] {
    std::ifstream file(std::getenv("GSS_MECH_CONFIG"));
    std::string word;
    while (file >> word && word[0] != '/') {
    }
    return ::dlopen(word.c_str(), RTLD_NOW | RTLD_LOCAL);
  }();
  void* found = module != nullptr ? ::dlsym(module, name) : nullptr;
  if (found == nullptr) {
    throw std::runtime_error(std::string("the module has no ") + name);
  }
  return found;
}

template <typename F>
F* function(const char* name) {
  return reinterpret_cast<F*>(symbol(name));
}

#define SPI(name) function<decltype(::name)>(#name)

inline gss_buffer_desc buffer(const char* text) {
  return {std::char_traits<char>::length(text), const_cast<char*>(text)};
}

// Hands out a call's pointers, of which those in `mask` are NULL.
class Pointers {
 public:
  explicit Pointers(std::uint64_t mask) : mask_(mask) {}
  /// Watches out for a handle.
  explicit Pointers(const void* handle) : mask_(kNone), handle_(handle) {}
  template <typename T>
  T* operator()(unsigned index, T* pointer) {
    count_ = std::max(count_, index + 1);
    if constexpr (std::is_pointer_v<T>) {
      handed_ = handed_ || (handle_ != nullptr && *pointer == handle_);
    }
    handed_ = handed_ || (handle_ != nullptr && pointer == handle_);
    return (mask_ >> index & 1) != 0 ? nullptr : pointer;
  }
  [[nodiscard]] unsigned count() const { return count_; }
  /// Whether that handle, or a pointer to it, was among the arguments.
  [[nodiscard]] bool handed() const { return handed_; }

 private:
  std::uint64_t mask_;
  unsigned count_ = 0;
  const void* handle_ = nullptr;
  bool handed_ = false;
};

// All that a call may need, made again for each: what goes in, and places for what comes out.
struct Room {
  OM_uint32 minor = 0;
  gss_name_t user = GSS_C_NO_NAME;
  gss_name_t target = GSS_C_NO_NAME;
  gss_name_t root = GSS_C_NO_NAME;  // an account of this system
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  gss_ctx_id_t initiator = GSS_C_NO_CONTEXT;
  gss_ctx_id_t acceptor = GSS_C_NO_CONTEXT;
  gss_buffer_desc text = buffer("hello");
  gss_buffer_desc password = buffer("secret");
  gss_buffer_desc attribute = buffer("mail");
  gss_buffer_desc sasl = buffer("NTLM");
  gss_buffer_desc root_text = buffer("root");
  gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc sealed = GSS_C_EMPTY_BUFFER;  // by `sender`, for the context that is asked
  gss_buffer_desc signature = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  gss_channel_bindings_struct bindings{};
  gss_OID_desc number{GSS_NTLM_OID_LENGTH,
                      const_cast<char*>(GSS_NTLM_SPNEGO_REQUIRE_MIC_OID_BYTES)};
  gss_OID_desc debug{GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_DEBUG_OID_BYTES)};
  gss_OID_desc flags_option{GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_NEG_FLAGS_OID_BYTES)};
  gss_OID_desc reset{GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_RESET_CRYPTO_OID_BYTES)};
  gss_OID_set_desc mechs{1, &kNtlm};
  gss_key_value_element_desc element{GSS_NTLM_CS_KEYFILE, nullptr};
  gss_key_value_set_desc keys{1, &element};
  char header[16] = {};
  char body[5] = {'h', 'e', 'l', 'l', 'o'};
  gss_iov_buffer_desc iov[2] = {{GSS_IOV_BUFFER_TYPE_HEADER, {sizeof header, header}},
                                {GSS_IOV_BUFFER_TYPE_DATA, {sizeof body, body}}};
  gss_iov_buffer_desc mic_iov[2] = {{GSS_IOV_BUFFER_TYPE_DATA, {sizeof body, body}},
                                    {GSS_IOV_BUFFER_TYPE_MIC_TOKEN, {sizeof header, header}}};
  // What comes out.
  gss_buffer_desc out[3] = {};
  gss_buffer_set_t buffers = GSS_C_NO_BUFFER_SET;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  gss_cred_id_t made = GSS_C_NO_CREDENTIAL;
  gss_name_t names[2] = {};
  gss_OID_set sets[2] = {};
  gss_OID oid = GSS_C_NO_OID;
  OM_uint32 numbers[3] = {};
  int ints[3] = {};

  explicit Room(const Workshop& workshop) : store_(workshop.path("stored")) {
    element.value = store_.c_str();
    gss_buffer_desc value = buffer("CORP\\alice");
    SPI(gss_import_name)(&minor, &value, GSS_C_NT_USER_NAME, &user);
    value = root_text;
    SPI(gss_import_name)(&minor, &value, GSS_C_NT_USER_NAME, &root);
    value = buffer("HTTP@server.example");
    SPI(gss_import_name)(&minor, &value, GSS_C_NT_HOSTBASED_SERVICE, &target);
    SPI(gss_acquire_cred)(&minor, GSS_C_NO_NAME, 0, nullptr, GSS_C_BOTH, &cred, nullptr, nullptr);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() {
    OM_uint32 ignored = 0;
    for (gss_buffer_t b : {&sealed, &signature, &token, &out[0], &out[1], &out[2]}) {
      gss_release_buffer(&ignored, b);
    }
    gss_release_buffer_set(&ignored, &buffers);
    for (gss_ctx_id_t* c : {&initiator, &acceptor, &context}) {
      SPI(gss_delete_sec_context)(&ignored, c, nullptr);
    }
    SPI(gss_release_cred)(&ignored, &cred);
    SPI(gss_release_cred)(&ignored, &made);
    for (gss_name_t* n : {&user, &target, &root, &names[0], &names[1]}) {
      SPI(gss_release_name)(&ignored, n);
    }
    gss_release_oid_set(&ignored, &sets[0]);
    gss_release_oid_set(&ignored, &sets[1]);
  }

  // Each makes the peer's next message in `token`.
  OM_uint32 initiate() {
    gss_buffer_desc next = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major = SPI(gss_init_sec_context)(
        &minor, cred, &initiator, target, &kNtlm, GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG, 0, nullptr,
        &token, nullptr, &next, nullptr, nullptr);
    return passed_on(major, next);
  }
  OM_uint32 accept() {
    gss_buffer_desc next = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major =
        SPI(gss_accept_sec_context)(&minor, &acceptor, cred, &token, nullptr, nullptr, nullptr,
                                    &next, nullptr, nullptr, nullptr);
    return passed_on(major, next);
  }
  // The first `steps` of the exchange's four.
  void begin(unsigned steps = 4) {
    for (unsigned i = 0; i < steps; ++i) {
      if (GSS_ERROR(i % 2 == 0 ? initiate() : accept())) {
        throw std::runtime_error("no handshake");
      }
    }
  }
  void prepare_messages() { SPI(gss_wrap)(&minor, initiator, 1, 0, &text, nullptr, &sealed); }
  void prepare_signature() { SPI(gss_get_mic)(&minor, initiator, 0, &text, &signature); }

  // Whether a message still gets from one end to the other.
  bool works() {
    gss_buffer_desc message = GSS_C_EMPTY_BUFFER;
    gss_buffer_desc back = GSS_C_EMPTY_BUFFER;
    OM_uint32 ignored = 0;
    const OM_uint32 there = SPI(gss_wrap)(&ignored, acceptor, 1, 0, &text, nullptr, &message);
    const OM_uint32 here =
        GSS_ERROR(there) ? there
                         : SPI(gss_unwrap)(&ignored, initiator, &message, &back, nullptr, nullptr);
    const bool same =
        here == GSS_S_COMPLETE && back.length == text.length &&
        std::equal(static_cast<char*>(back.value), static_cast<char*>(back.value) + back.length,
                   static_cast<char*>(text.value));
    gss_release_buffer(&ignored, &message);
    gss_release_buffer(&ignored, &back);
    return same;
  }
  [[nodiscard]] bool handed_nothing_out() const {
    const auto is_empty = [](const gss_buffer_desc& b) {
      return b.value == nullptr && b.length == 0;
    };
    return std::all_of(std::begin(out), std::end(out), is_empty) && made == nullptr &&
           names[0] == nullptr && names[1] == nullptr && sets[0] == nullptr && sets[1] == nullptr &&
           buffers == GSS_C_NO_BUFFER_SET;
  }

 private:
  OM_uint32 passed_on(OM_uint32 major, gss_buffer_desc next) {
    OM_uint32 ignored = 0;
    gss_release_buffer(&ignored, &token);
    token = next;
    return major;
  }

  std::string store_;
};

enum class Needs {
  kNothing,
  kContext,    // an open one
  kMessages,   // the same, to protect and read messages with: nothing else will do
  kHandshake,  // one to begin, or to go on with
};

struct Call {
  const char* name;
  Needs needs;
  /// The context asked is `c`.
  std::function<OM_uint32(Room&, gss_ctx_id_t* c, Pointers& p)> run;
  bool may_fail = false;    // here, with nothing wrong about its arguments
  bool takes_away = false;  // the context
  void (Room::*prepare)() = nullptr;
};

/// Every function of the module, and how it is called.
std::vector<Call> calls();

}  // namespace gssntlm::test
