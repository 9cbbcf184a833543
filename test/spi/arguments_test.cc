// Every function of the module, called as no program should: pointers that are NULL, one at a time
// and two at a time, contexts that are not open, and handles of another mechanism. The module is
// asked directly, because the mechglue would catch much of it.
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:secret\n";
constexpr std::uint64_t kNone = 0;

// Of the functions that no public header declares.
using ReleaseOid = OM_uint32(OM_uint32*, gss_OID*);
using SetCredOption = OM_uint32(OM_uint32*, gss_cred_id_t*, gss_OID, gss_buffer_t);
using Authorize = OM_uint32(OM_uint32*, gss_name_t, gss_const_buffer_t, gss_const_OID);

void* symbol(const char* name) {
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

gss_buffer_desc buffer(const char* text) {
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

const std::vector<Call>& calls() {
  using R = Room&;
  using C = gss_ctx_id_t*;
  using P = Pointers&;
  static const std::vector<Call> all = {
      {"gss_acquire_cred", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_acquire_cred)(p(0, &r.minor), p(1, r.user), 0, p(2, &r.mechs),
                                      GSS_C_INITIATE, p(3, &r.made), p(4, &r.sets[0]),
                                      p(5, &r.numbers[0]));
       }},
      {"gss_acquire_cred_from", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_acquire_cred_from)(p(0, &r.minor), p(1, r.user), 0, p(2, &r.mechs),
                                           GSS_C_INITIATE, p(3, &r.keys), p(4, &r.made),
                                           p(5, &r.sets[0]), p(6, &r.numbers[0]));
       },
       true},
      {"gssspi_acquire_cred_with_password", Needs::kNothing,
       [](R r, C, P p) {
         return function<decltype(gss_acquire_cred_with_password)>(
             "gssspi_acquire_cred_with_password")(p(0, &r.minor), p(1, r.user), p(2, &r.password),
                                                  0, p(3, &r.mechs), GSS_C_INITIATE, p(4, &r.made),
                                                  p(5, &r.sets[0]), p(6, &r.numbers[0]));
       }},
      {"gss_release_cred", Needs::kNothing,
       [](R r, C, P p) { return SPI(gss_release_cred)(p(0, &r.minor), p(1, &r.cred)); }},
      {"gss_inquire_cred", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_inquire_cred)(p(0, &r.minor), p(1, r.cred), p(2, &r.names[0]),
                                      p(3, &r.numbers[0]), p(4, &r.ints[0]), p(5, &r.sets[0]));
       }},
      {"gss_inquire_cred_by_mech", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_inquire_cred_by_mech)(p(0, &r.minor), p(1, r.cred), p(2, &kNtlm),
                                              p(3, &r.names[0]), p(4, &r.numbers[0]),
                                              p(5, &r.numbers[1]), p(6, &r.ints[0]));
       }},
      {"gss_inquire_cred_by_oid", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_inquire_cred_by_oid)(p(0, &r.minor), p(1, r.cred), p(2, &r.flags_option),
                                             p(3, &r.buffers));
       },
       true},
      {"gssspi_set_cred_option", Needs::kNothing,
       [](R r, C, P p) {
         return function<SetCredOption>("gssspi_set_cred_option")(
             p(0, &r.minor), p(1, &r.cred), p(2, &r.flags_option), p(3, &r.empty));
       }},
      {"gss_store_cred", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_store_cred)(p(0, &r.minor), p(1, r.cred), GSS_C_INITIATE, p(2, &kNtlm), 1,
                                    0, p(3, &r.sets[0]), p(4, &r.ints[0]));
       },
       true},
      {"gss_store_cred_into", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_store_cred_into)(p(0, &r.minor), p(1, r.cred), GSS_C_INITIATE, p(2, &kNtlm),
                                         1, 0, p(3, &r.keys), p(4, &r.sets[0]), p(5, &r.ints[0]));
       }},
      {"gss_export_cred", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_export_cred)(p(0, &r.minor), p(1, r.cred), p(2, &r.out[0]));
       }},
      {"gss_import_cred", Needs::kNothing,
       [](R r, C, P p) {
         SPI(gss_export_cred)(&r.minor, r.cred, &r.sealed);
         return SPI(gss_import_cred)(p(0, &r.minor), p(1, &r.sealed), p(2, &r.made));
       }},
      {"gss_init_sec_context", Needs::kHandshake,
       [](R r, C, P p) {
         return SPI(gss_init_sec_context)(p(0, &r.minor), p(1, r.cred), p(2, &r.context),
                                          p(3, r.target), p(4, &kNtlm), 0, 0, p(5, &r.bindings),
                                          p(6, &r.empty), p(7, &r.oid), p(8, &r.out[0]),
                                          p(9, &r.numbers[0]), p(10, &r.numbers[1]));
       }},
      {"gss_accept_sec_context", Needs::kHandshake,
       [](R r, C, P p) {
         r.initiate();
         return SPI(gss_accept_sec_context)(p(0, &r.minor), p(1, &r.context), p(2, r.cred),
                                            p(3, &r.token), p(4, &r.bindings), p(5, &r.names[0]),
                                            p(6, &r.oid), p(7, &r.out[0]), p(8, &r.numbers[0]),
                                            p(9, &r.numbers[1]), p(10, &r.made));
       }},
      {"gss_delete_sec_context", Needs::kContext,
       [](R r, C c, P p) {
         return SPI(gss_delete_sec_context)(p(0, &r.minor), p(1, c), p(2, &r.out[0]));
       },
       false, true},
      {"gss_context_time", Needs::kContext,
       [](R r, C c, P p) {
         return SPI(gss_context_time)(p(0, &r.minor), p(1, *c), p(2, &r.numbers[0]));
       }},
      {"gss_process_context_token", Needs::kContext,
       [](R r, C c, P p) {
         return SPI(gss_process_context_token)(p(0, &r.minor), p(1, *c), p(2, &r.text));
       },
       true},
      {"gss_complete_auth_token", Needs::kContext,
       [](R r, C c, P p) {
         return SPI(gss_complete_auth_token)(p(0, &r.minor), p(1, *c), p(2, &r.text));
       }},
      {"gss_export_sec_context", Needs::kContext,
       [](R r, C c, P p) {
         return SPI(gss_export_sec_context)(p(0, &r.minor), p(1, c), p(2, &r.out[0]));
       },
       false, true},
      {"gss_import_sec_context", Needs::kNothing,
       [](R r, C, P p) {
         r.begin();
         SPI(gss_export_sec_context)(&r.minor, &r.initiator, &r.sealed);
         return SPI(gss_import_sec_context)(p(0, &r.minor), p(1, &r.sealed), p(2, &r.context));
       }},
      {"gss_inquire_context", Needs::kContext,
       [](R r, C c, P p) {
         return SPI(gss_inquire_context)(p(0, &r.minor), p(1, *c), p(2, &r.names[0]),
                                         p(3, &r.names[1]), p(4, &r.numbers[0]), p(5, &r.oid),
                                         p(6, &r.numbers[1]), p(7, &r.ints[0]), p(8, &r.ints[1]));
       }},
      {"gss_inquire_sec_context_by_oid", Needs::kContext,
       [](R r, C c, P p) {
         return SPI(gss_inquire_sec_context_by_oid)(p(0, &r.minor), p(1, *c), p(2, &r.number),
                                                    p(3, &r.buffers));
       }},
      {"gss_set_sec_context_option", Needs::kContext,
       [](R r, C c, P p) {
         return SPI(gss_set_sec_context_option)(p(0, &r.minor), p(1, c), p(2, &r.debug),
                                                p(3, &r.empty));
       },
       true},
      {"gss_get_mic", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_get_mic)(p(0, &r.minor), p(1, *c), 0, p(2, &r.text), p(3, &r.out[0]));
       }},
      {"gss_verify_mic", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_verify_mic)(p(0, &r.minor), p(1, *c), p(2, &r.text), p(3, &r.signature),
                                    p(4, &r.numbers[0]));
       },
       false, false, &Room::prepare_signature},
      {"gss_wrap", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_wrap)(p(0, &r.minor), p(1, *c), 1, 0, p(2, &r.text), p(3, &r.ints[0]),
                              p(4, &r.out[0]));
       }},
      {"gss_unwrap", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_unwrap)(p(0, &r.minor), p(1, *c), p(2, &r.sealed), p(3, &r.out[0]),
                                p(4, &r.ints[0]), p(5, &r.numbers[0]));
       },
       false, false, &Room::prepare_messages},
      {"gss_wrap_aead", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_wrap_aead)(p(0, &r.minor), p(1, *c), 1, 0, p(2, &r.password), p(3, &r.text),
                                   p(4, &r.ints[0]), p(5, &r.out[0]));
       }},
      {"gss_unwrap_aead", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_unwrap_aead)(p(0, &r.minor), p(1, *c), p(2, &r.sealed), p(3, &r.empty),
                                     p(4, &r.out[0]), p(5, &r.ints[0]), p(6, &r.numbers[0]));
       },
       false, false, &Room::prepare_messages},
      {"gss_wrap_size_limit", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_wrap_size_limit)(p(0, &r.minor), p(1, *c), 1, 0, 100, p(2, &r.numbers[0]));
       }},
      {"gss_wrap_iov", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_wrap_iov)(p(0, &r.minor), p(1, *c), 1, 0, p(2, &r.ints[0]), p(3, r.iov), 2);
       }},
      {"gss_wrap_iov_length", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_wrap_iov_length)(p(0, &r.minor), p(1, *c), 1, 0, p(2, &r.ints[0]),
                                         p(3, r.iov), 2);
       }},
      {"gss_unwrap_iov", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_unwrap_iov)(p(0, &r.minor), p(1, *c), p(2, &r.ints[0]), p(3, &r.numbers[0]),
                                    p(4, r.iov), 2);
       },
       true},
      {"gss_get_mic_iov", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_get_mic_iov)(p(0, &r.minor), p(1, *c), 0, p(2, r.mic_iov), 2);
       }},
      {"gss_get_mic_iov_length", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_get_mic_iov_length)(p(0, &r.minor), p(1, *c), 0, p(2, r.mic_iov), 2);
       }},
      {"gss_verify_mic_iov", Needs::kMessages,
       [](R r, C c, P p) {
         return SPI(gss_verify_mic_iov)(p(0, &r.minor), p(1, *c), p(2, &r.numbers[0]),
                                        p(3, r.mic_iov), 2);
       },
       true},
      {"gss_display_status", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_display_status)(p(0, &r.minor), GSS_NTLM_S_NOT_NTLM, GSS_C_MECH_CODE,
                                        p(1, &kNtlm), p(2, &r.numbers[0]), p(3, &r.out[0]));
       }},
      {"gss_indicate_mechs", Needs::kNothing,
       [](R r, C, P p) { return SPI(gss_indicate_mechs)(p(0, &r.minor), p(1, &r.sets[0])); }},
      {"gss_inquire_names_for_mech", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_inquire_names_for_mech)(p(0, &r.minor), p(1, &kNtlm), p(2, &r.sets[0]));
       }},
      {"gss_inquire_attrs_for_mech", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_inquire_attrs_for_mech)(p(0, &r.minor), p(1, &kNtlm), p(2, &r.sets[0]),
                                                p(3, &r.sets[1]));
       }},
      {"gss_inquire_saslname_for_mech", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_inquire_saslname_for_mech)(p(0, &r.minor), p(1, &kNtlm), p(2, &r.out[0]),
                                                   p(3, &r.out[1]), p(4, &r.out[2]));
       }},
      {"gss_inquire_mech_for_saslname", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_inquire_mech_for_saslname)(p(0, &r.minor), p(1, &r.sasl), p(2, &r.oid));
       },
       true},
      {"gssspi_mech_invoke", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gssspi_mech_invoke)(p(0, &r.minor), p(1, &kNtlm), p(2, &r.debug),
                                        p(3, &r.empty));
       }},
      {"gss_internal_release_oid", Needs::kNothing,
       [](R r, C, P p) {
         return function<ReleaseOid>("gss_internal_release_oid")(p(0, &r.minor), p(1, &r.oid));
       },
       true},
      {"gss_import_name", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_import_name)(p(0, &r.minor), p(1, &r.text), p(2, GSS_C_NT_USER_NAME),
                                     p(3, &r.names[0]));
       }},
      {"gss_release_name", Needs::kNothing,
       [](R r, C, P p) { return SPI(gss_release_name)(p(0, &r.minor), p(1, &r.user)); }},
      {"gss_duplicate_name", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_duplicate_name)(p(0, &r.minor), p(1, r.user), p(2, &r.names[0]));
       }},
      {"gss_display_name", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_display_name)(p(0, &r.minor), p(1, r.user), p(2, &r.out[0]), p(3, &r.oid));
       }},
      {"gss_compare_name", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_compare_name)(p(0, &r.minor), p(1, r.user), p(2, r.target),
                                      p(3, &r.ints[0]));
       }},
      {"gss_export_name", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_export_name)(p(0, &r.minor), p(1, r.user), p(2, &r.out[0]));
       }},
      {"gss_export_name_composite", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_export_name_composite)(p(0, &r.minor), p(1, r.user), p(2, &r.out[0]));
       }},
      {"gss_inquire_name", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_inquire_name)(p(0, &r.minor), p(1, r.user), p(2, &r.ints[0]), p(3, &r.oid),
                                      p(4, &r.buffers));
       }},
      {"gss_get_name_attribute", Needs::kNothing,
       [](R r, C, P p) {
         SPI(gss_set_name_attribute)(&r.minor, r.user, 1, &r.attribute, &r.text);
         return SPI(gss_get_name_attribute)(p(0, &r.minor), p(1, r.user), p(2, &r.attribute),
                                            p(3, &r.ints[0]), p(4, &r.ints[1]), p(5, &r.out[0]),
                                            p(6, &r.out[1]), p(7, &r.ints[2]));
       }},
      {"gss_set_name_attribute", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_set_name_attribute)(p(0, &r.minor), p(1, r.user), 1, p(2, &r.attribute),
                                            p(3, &r.text));
       }},
      {"gss_delete_name_attribute", Needs::kNothing,
       [](R r, C, P p) {
         SPI(gss_set_name_attribute)(&r.minor, r.user, 1, &r.attribute, &r.text);
         return SPI(gss_delete_name_attribute)(p(0, &r.minor), p(1, r.user), p(2, &r.attribute));
       }},
      {"gss_display_name_ext", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_display_name_ext)(p(0, &r.minor), p(1, r.user), p(2, GSS_C_NT_USER_NAME),
                                          p(3, &r.out[0]));
       }},
      {"gss_localname", Needs::kNothing,
       [](R r, C, P p) {
         return SPI(gss_localname)(p(0, &r.minor), p(1, r.root), p(2, &kNtlm), p(3, &r.out[0]));
       },
       true},
      {"gssspi_authorize_localname", Needs::kNothing,
       [](R r, C, P p) {
         return function<Authorize>("gssspi_authorize_localname")(
             p(0, &r.minor), p(1, r.root), p(2, &r.root_text), p(3, GSS_C_NT_USER_NAME));
       },
       true},
  };
  return all;
}

bool opens_before(const Call& call) {
  return call.needs == Needs::kContext || call.needs == Needs::kMessages;
}

// gss_store_cred keeps in the session's keyring: one that goes with this process.
void leave_keyrings_alone() {
  constexpr long kJoinSessionKeyring = 1;
  ::syscall(SYS_keyctl, kJoinSessionKeyring, nullptr);
}

// The context of the call: the one that reads what prepare() has sent, or any.
gss_ctx_id_t* asked(const Call& call, Room& room) {
  return call.prepare != nullptr ? &room.acceptor : &room.initiator;
}

// Runs a call with those pointers NULL, and checks whether all is well; gives how many it has.
unsigned attempt(const Call& call, const Workshop& workshop, std::uint64_t mask) {
  CAPTURE(call.name, mask);
  Room room(workshop);
  if (opens_before(call)) {
    room.begin();
  }
  if (call.prepare != nullptr) {
    (room.*call.prepare)();
  }
  Pointers pointers(mask);
  const OM_uint32 major = call.run(room, asked(call, room), pointers);
  if (mask == kNone && !call.may_fail) {
    CHECK(!GSS_ERROR(major));
  }
  if (GSS_ERROR(major)) {
    CHECK(room.handed_nothing_out());
  }
  if (opens_before(call) && (!call.takes_away || GSS_ERROR(major))) {
    const bool sent = call.needs == Needs::kMessages && !GSS_ERROR(major);
    CHECK((sent || room.works()));
  }
  return pointers.count();
}

// An object of which no more than the first word can be read: what follows it is no memory.
class ForeignObject {
 public:
  explicit ForeignObject(std::uint32_t first) {
    pages_ = static_cast<char*>(
        ::mmap(nullptr, 2 * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (pages_ == MAP_FAILED || ::mprotect(pages_ + size_, size_, PROT_NONE) != 0) {
      throw std::runtime_error("no memory");
    }
    std::memcpy(handle<char*>(), &first, sizeof first);
  }
  ForeignObject(const ForeignObject&) = delete;
  ForeignObject& operator=(const ForeignObject&) = delete;
  ~ForeignObject() { ::munmap(pages_, 2 * size_); }
  template <typename Handle>
  [[nodiscard]] Handle handle() const {
    return reinterpret_cast<Handle>(pages_ + size_ - sizeof(std::uint32_t));
  }

 private:
  std::size_t size_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  char* pages_;
};

// One member of the room is another mechanism's object while the call is made.
template <typename Handle>
OM_uint32 run_with_foreign(const Call& call, Room& room, Handle& member,
                           const ForeignObject& object, bool& handed) {
  const Handle own = std::exchange(member, object.handle<Handle>());
  Pointers pointers(object.handle<const void*>());
  gss_ctx_id_t* context = call.needs == Needs::kHandshake ? &room.context : asked(call, room);
  OM_uint32 major = GSS_S_COMPLETE;
  try {
    major = call.run(room, context, pointers);
  } catch (const std::runtime_error&) {
    // What comes before the call itself wants a handle of ours.
  }
  handed = pointers.handed();
  if (handed) {
    CAPTURE(call.name);
    CHECK(member == object.handle<Handle>());
    CHECK(room.handed_nothing_out());
  }
  member = own;
  return GSS_ROUTINE_ERROR(major);
}

// A context that waits for the peer, or has been refused; and how to end the exchange.
struct State {
  const char* name;
  unsigned steps;
  bool acceptor;
  bool fails;
};

void ask_unopened(const Call& call, const Workshop& workshop, const State& state) {
  CAPTURE(call.name, state.name);
  Room room(workshop);
  room.begin(state.steps);
  if (state.fails) {
    OM_uint32 ignored = 0;
    gss_release_buffer(&ignored, &room.token);
    CHECK(GSS_ERROR(room.accept()));
  }
  Pointers pointers(kNone);
  const OM_uint32 major =
      call.run(room, state.acceptor ? &room.acceptor : &room.initiator, pointers);
  if (call.needs == Needs::kMessages) {
    CHECK(GSS_ROUTINE_ERROR(major) == GSS_S_NO_CONTEXT);
    CHECK(room.handed_nothing_out());
  }
  if (!state.fails && !call.takes_away) {
    for (unsigned i = state.steps; i < 4; ++i) {
      CHECK(!GSS_ERROR(i % 2 == 0 ? room.initiate() : room.accept()));
    }
    CHECK(room.works());
  }
}

}  // namespace

TEST_CASE("arguments: any pointer may be NULL, alone or with another, and nothing is lost",
          "[spi][arguments]") {
  leave_keyrings_alone();
  const Workshop workshop(kUsers);
  for (const Call& call : calls()) {
    const unsigned count = attempt(call, workshop, kNone);
    REQUIRE(count > 0);
    for (unsigned i = 0; i < count; ++i) {
      for (unsigned j = i; j < count; ++j) {
        attempt(call, workshop, std::uint64_t{1} << i | std::uint64_t{1} << j);
      }
    }
    attempt(call, workshop, ~kNone);
  }
}

TEST_CASE("arguments: a context that is not open says so, and can still be opened",
          "[spi][arguments]") {
  const Workshop workshop(kUsers);
  const State states[] = {
      {"initiator that waits for CHALLENGE", 1, false, false},
      {"acceptor that waits for AUTHENTICATE", 2, true, false},
      {"acceptor that has refused", 2, true, true},
  };
  for (const State& state : states) {
    for (const Call& call : calls()) {
      if (opens_before(call)) {
        ask_unopened(call, workshop, state);
      }
    }
  }
}

TEST_CASE("arguments: a handle of another mechanism is rejected by its first word",
          "[spi][arguments]") {
  leave_keyrings_alone();
  const Workshop workshop(kUsers);
  // SPNEGO's contexts begin with the first of these.
  for (const std::uint32_t first : {0x00000FEDu, 0u, 0xFFFFFFFFu}) {
    const ForeignObject object(first);
    unsigned rejected[3] = {};
    for (const Call& call : calls()) {
      CAPTURE(call.name, first);
      bool handed = false;
      for (gss_name_t Room::*name : {&Room::user, &Room::target, &Room::root}) {
        Room room(workshop);
        const OM_uint32 major = run_with_foreign(call, room, room.*name, object, handed);
        rejected[0] += handed;
        CHECK((!handed || major == GSS_S_BAD_NAME));
      }
      {
        Room room(workshop);
        const OM_uint32 major = run_with_foreign(call, room, room.cred, object, handed);
        const bool credential = major == GSS_S_DEFECTIVE_CREDENTIAL || major == GSS_S_NO_CRED;
        rejected[1] += handed;
        CHECK((!handed || credential));
      }
      {
        Room room(workshop);
        if (opens_before(call)) {
          room.begin();
        }
        gss_ctx_id_t& context = call.needs == Needs::kHandshake ? room.context : *asked(call, room);
        const OM_uint32 major = run_with_foreign(call, room, context, object, handed);
        rejected[2] += handed;
        CHECK((!handed || major == GSS_S_NO_CONTEXT));
      }
    }
    CHECK(rejected[0] == 18);
    CHECK(rejected[1] == 10);
    CHECK(rejected[2] == 23);
  }
}

TEST_CASE("arguments: the list above has every function of the module", "[spi][arguments]") {
  std::vector<std::string> listed;
  for (const Call& call : calls()) {
    listed.emplace_back(call.name);
  }
  std::sort(listed.begin(), listed.end());
  std::ifstream map(std::getenv("EXPORTS_MAP"));
  std::vector<std::string> exported;
  for (std::string line; std::getline(map, line);) {
    const std::size_t begin = line.find("gss");
    if (begin != std::string::npos && line.back() == ';') {
      exported.push_back(line.substr(begin, line.size() - begin - 1));
    }
  }
  CHECK(listed == exported);
}

}  // namespace gssntlm::test
