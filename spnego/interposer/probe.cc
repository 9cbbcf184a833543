#include "spnego/interposer/probe.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

#include <krb5.h>

#include "spnego/interposer/interposer.h"
#include "spnego/token.h"

namespace gssntlm::interposer {
namespace {

enum class Verdict { kUnknown, kRightTag, kWrongTag };
std::atomic<Verdict> g_verdict{Verdict::kUnknown};

// NegTokenInit that lists Kerberos and NTLM and carries no token of theirs.
constexpr std::array<std::uint8_t, 41> kFirst = {
    0x60, 0x27, 0x06, 0x06, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x02, 0xA0, 0x1D, 0x30, 0x1B,
    0xA0, 0x19, 0x30, 0x17, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02,
    0x02, 0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0A};
static_assert(std::equal(std::begin(kNtlmOid), std::end(kNtlmOid), kFirst.end() - 10));
// NegTokenResp with a mechListMIC alone; the tag is at kTagAt.
constexpr std::array<std::uint8_t, 11> kSecond = {0xA1, 0x09, 0x30, 0x07, 0xA3, 0x05,
                                                  0x04, 0x03, 0x4D, 0x49, 0x43};
constexpr std::size_t kTagAt = 4;

// A keytab in memory with one key of no one's, so that Kerberos can accept: SPNEGO needs a
// mechanism that could. It goes with this object.
class Keytab {
 public:
  Keytab() noexcept {
    if (krb5_init_context(&context_) != 0) {
      context_ = nullptr;
      return;
    }
    std::snprintf(name_, sizeof name_, "MEMORY:gss_ntlm_spnego-%p", static_cast<void*>(this));
    filled_ = krb5_kt_resolve(context_, name_, &keytab_) == 0 && add_key();
  }
  Keytab(const Keytab&) = delete;
  Keytab& operator=(const Keytab&) = delete;
  ~Keytab() {
    if (keytab_ != nullptr) {
      krb5_kt_close(context_, keytab_);
    }
    if (context_ != nullptr) {
      krb5_free_context(context_);
    }
  }
  /// What to give gss_acquire_cred_from; nullptr: it could not be made.
  [[nodiscard]] const char* name() const noexcept { return filled_ ? name_ : nullptr; }

 private:
  bool add_key() noexcept {
    std::array<krb5_octet, 32> key{};
    krb5_keytab_entry entry{};
    if (krb5_parse_name(context_, "probe/probe@PROBE", &entry.principal) != 0) {
      return false;
    }
    entry.vno = 1;
    entry.key.enctype = ENCTYPE_AES256_CTS_HMAC_SHA1_96;
    entry.key.length = key.size();
    entry.key.contents = key.data();
    const bool added = krb5_kt_add_entry(context_, keytab_, &entry) == 0;
    krb5_free_principal(context_, entry.principal);
    return added;
  }

  krb5_context context_ = nullptr;
  krb5_keytab keytab_ = nullptr;
  char name_[64] = {};
  bool filled_ = false;
};

class Acceptor {
 public:
  Acceptor() noexcept {
    OM_uint32 minor = 0;
    gss_key_value_element_desc element = {"keytab", keytab_.name()};
    gss_key_value_set_desc store = {1, &element};
    if (element.value == nullptr || GSS_ERROR(acquire(&minor, &store))) {
      // Whatever this process accepts with otherwise.
      (void)acquire(&minor, nullptr);
    }
  }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor() {
    OM_uint32 minor = 0;
    gss_release_cred(&minor, &credential_);
  }
  [[nodiscard]] bool ready() const noexcept { return credential_ != GSS_C_NO_CREDENTIAL; }

  // GSS_S_CONTINUE_NEEDED: a mechListMIC under `tag` is seen. GSS_S_DEFECTIVE_TOKEN: it is not.
  [[nodiscard]] OM_uint32 try_tag(std::uint8_t tag) const noexcept {
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    auto first = kFirst;
    auto second = kSecond;
    second[kTagAt] = tag;
    OM_uint32 major = step(&context, first);
    major = major == GSS_S_CONTINUE_NEEDED ? step(&context, second) : OM_uint32{GSS_S_FAILURE};
    OM_uint32 minor = 0;
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    return major;
  }

 private:
  OM_uint32 acquire(OM_uint32* minor, gss_const_key_value_set_t store) noexcept {
    return gss_acquire_cred_from(minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, special_set(),
                                 GSS_C_ACCEPT, store, &credential_, nullptr, nullptr);
  }
  OM_uint32 step(gss_ctx_id_t* context, MutableBytes token) const noexcept {
    OM_uint32 minor = 0;
    gss_buffer_desc input = {token.size(), token.data()};
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major =
        gss_accept_sec_context(&minor, context, credential_, &input, GSS_C_NO_CHANNEL_BINDINGS,
                               nullptr, nullptr, &output, nullptr, nullptr, nullptr);
    gss_release_buffer(&minor, &output);
    return major;
  }

  Keytab keytab_;
  gss_cred_id_t credential_ = GSS_C_NO_CREDENTIAL;
};

Verdict find_out() noexcept {
  const Acceptor acceptor;
  if (!acceptor.ready()) {
    return Verdict::kUnknown;
  }
  switch (acceptor.try_tag(0xA3)) {
    case GSS_S_CONTINUE_NEEDED:
      return Verdict::kRightTag;
    case GSS_S_DEFECTIVE_TOKEN:
      return acceptor.try_tag(0xA4) == GSS_S_CONTINUE_NEEDED ? Verdict::kWrongTag
                                                             : Verdict::kUnknown;
    default:
      return Verdict::kUnknown;
  }
}

}  // namespace

bool library_reads_wrong_tag() noexcept {
  Verdict verdict = g_verdict.load(std::memory_order_relaxed);
  if (verdict == Verdict::kUnknown) {
    verdict = find_out();
    if (verdict != Verdict::kUnknown) {
      g_verdict.store(verdict, std::memory_order_relaxed);
    }
  }
  return verdict == Verdict::kWrongTag;
}

}  // namespace gssntlm::interposer
