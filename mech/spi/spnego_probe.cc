#include "mech/spi/spnego_probe.h"

#include <array>
#include <atomic>
#include <optional>

#include <dlfcn.h>

#include "mech/log/process_runtime.h"
#include "mech/protocol/acceptor.h"
#include "mech/spi/boundary.h"
#include "mech/spi/oids.h"
#include "spnego/der.h"

namespace gssntlm::spi {
namespace {

thread_local const Credential* t_credential = nullptr;

enum class Verdict { kUnknown, kCarries, kDrops };
std::atomic<Verdict> g_verdict{Verdict::kUnknown};

// The library's functions. By name they would be this module's own.
class Library {
 public:
  Library() noexcept {
    Dl_info where{};
    if (::dladdr(reinterpret_cast<void*>(&gss_set_neg_mechs), &where) == 0) {
      return;
    }
    handle_ = ::dlopen(where.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    complete_ = handle_ != nullptr && find(acquire_cred, "gss_acquire_cred") &&
                find(release_cred, "gss_release_cred") && find(import_name, "gss_import_name") &&
                find(release_name, "gss_release_name") &&
                find(init_sec_context, "gss_init_sec_context") &&
                find(delete_sec_context, "gss_delete_sec_context");
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (handle_ != nullptr) {
      ::dlclose(handle_);
    }
  }
  [[nodiscard]] bool complete() const noexcept { return complete_; }

  decltype(&gss_acquire_cred) acquire_cred = nullptr;
  decltype(&gss_release_cred) release_cred = nullptr;
  decltype(&gss_import_name) import_name = nullptr;
  decltype(&gss_release_name) release_name = nullptr;
  decltype(&gss_init_sec_context) init_sec_context = nullptr;
  decltype(&gss_delete_sec_context) delete_sec_context = nullptr;

 private:
  template <typename Function>
  bool find(Function& to, const char* name) noexcept {
    to = reinterpret_cast<Function>(::dlsym(handle_, name));
    return to != nullptr;
  }

  void* handle_ = nullptr;
  bool complete_ = false;
};

gss_OID_desc kSpnegoOid = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

// What the library makes is released with it.
struct Handles {
  const Library& library;
  gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  gss_name_t target = GSS_C_NO_NAME;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;

  explicit Handles(const Library& l) noexcept : library(l) {}
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    OM_uint32 ignored = 0;
    gss_release_buffer(&ignored, &token);
    library.delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
    library.release_name(&ignored, &target);
    library.release_cred(&ignored, &credential);
  }
};

// NegTokenResp (RFC 4178 4.2.2): accept-incomplete, NTLM, CHALLENGE, and 16 bytes that are no
// mechListMIC of ours.
Bytes compose_reply(ByteView challenge) {
  const gss_OID mech = mechanism_oid();
  const ByteView oid(static_cast<const std::uint8_t*>(mech->elements), mech->length);
  constexpr std::array<std::uint8_t, 1> kAcceptIncomplete = {1};
  constexpr std::array<std::uint8_t, 16> kMic = {1};
  Bytes fields;
  append_der(fields, der_tag::kContext, der(der_tag::kEnumerated, kAcceptIncomplete));
  append_der(fields, der_tag::kContext + 1, der(der_tag::kOid, oid));
  append_der(fields, der_tag::kContext + 2, der(der_tag::kOctetString, challenge));
  append_der(fields, der_tag::kContext + 3, der(der_tag::kOctetString, kMic));
  return der(der_tag::kContext + 1, der(der_tag::kSequence, fields));
}

// Our NEGOTIATE inside the library's NegTokenInit; empty when it is not there.
ByteView find_negotiate(const gss_buffer_desc& token) noexcept {
  const ByteView all = view_of(&token);
  const std::size_t at = as_text(all).find("NTLMSSP");
  return at == std::string_view::npos ? ByteView() : all.subspan(at);
}

// An acceptor that makes a challenge and verifies nothing.
Result<Buffer> make_challenge(ByteView negotiate, const Settings& settings) {
  HostNames names;
  for (Bytes* name : {&names.nb_computer, &names.nb_domain}) {
    *name = Bytes{'P', 0};
  }
  const ProcessRuntime env(Ref<const Settings>::share(&settings), "acceptor");
  return Acceptor(settings.policy).challenge(negotiate, names, env);
}

Ref<const Credential> make_credential() {
  const Bytes user = {'p', 0};
  const auto identity = Ref<const Identity>::adopt(
      new Identity(user, Bytes(), derive_nt_hash(ByteView(user)), std::nullopt));
  return Credential::of(identity, Name::user("p", ""), Ref<const Settings>::adopt(new Settings));
}

OM_uint32 step(Handles& h, gss_buffer_t input) {
  OM_uint32 minor = 0;
  gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
  const OM_uint32 major = h.library.init_sec_context(
      &minor, h.credential, &h.context, h.target, &kSpnegoOid, GSS_C_INTEG_FLAG, 0,
      GSS_C_NO_CHANNEL_BINDINGS, input, nullptr, &output, nullptr, nullptr);
  gss_release_buffer(&minor, &h.token);
  h.token = output;
  return major;
}

// The status of the second leg, if the exchange came to it.
std::optional<OM_uint32> exchange(const Settings& settings) {
  const Library library;
  if (!library.complete()) {
    return std::nullopt;
  }
  Handles h(library);
  OM_uint32 minor = 0;
  gss_OID_set_desc spnego = {1, &kSpnegoOid};
  gss_OID_set_desc ours = {1, mechanism_oid()};
  gss_buffer_desc target = {7, const_cast<char*>("p@probe")};
  if (GSS_ERROR(library.acquire_cred(&minor, GSS_C_NO_NAME, 0, &spnego, GSS_C_INITIATE,
                                     &h.credential, nullptr, nullptr)) ||
      GSS_ERROR(gss_set_neg_mechs(&minor, h.credential, &ours)) ||
      GSS_ERROR(library.import_name(&minor, &target, GSS_C_NT_HOSTBASED_SERVICE, &h.target)) ||
      step(h, GSS_C_NO_BUFFER) != GSS_S_CONTINUE_NEEDED) {
    return std::nullopt;
  }
  const Result<Buffer> challenge = make_challenge(find_negotiate(h.token), settings);
  if (!challenge) {
    return std::nullopt;
  }
  Bytes reply = compose_reply(challenge->view());
  gss_buffer_desc input = {reply.size(), reply.data()};
  return step(h, &input);
}

Verdict find_out() {
  const Ref<const Credential> credential = make_credential();
  t_credential = credential.get();
  const std::optional<OM_uint32> last = exchange(credential->settings());
  t_credential = nullptr;
  // Nothing but gss_verify_mic, to which the library handed the mechListMIC, answers this.
  if (last && GSS_ROUTINE_ERROR(*last) == GSS_S_BAD_SIG) {
    return Verdict::kCarries;
  }
  // A leg that failed otherwise may have failed for want of memory or random numbers; one that
  // succeeded has passed over the mechListMIC.
  return last && !GSS_ERROR(*last) ? Verdict::kDrops : Verdict::kUnknown;
}

}  // namespace

bool spnego_carries_mic() noexcept {
  if (t_credential != nullptr) {
    return true;
  }
  Verdict verdict = g_verdict.load(std::memory_order_relaxed);
  if (verdict == Verdict::kUnknown) {
    try {
      verdict = find_out();
      g_verdict.store(verdict, std::memory_order_relaxed);
    } catch (...) {
      t_credential = nullptr;
      return true;
    }
  }
  return verdict != Verdict::kDrops;
}

const Credential* probe_credential() noexcept {
  return t_credential;
}

}  // namespace gssntlm::spi
