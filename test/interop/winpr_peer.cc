// WinPR's NTLM against ours, both ways: NTLMv2, sealed, signed or neither, with channel bindings,
// and what it makes of weaker offers.
//
// WinPR knows NTLMv2 alone, and protects messages with 128 bits and extended session security
// whatever was agreed: with less only the login is compared.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <winpr/ntlm.h>
#include <winpr/ssl.h>
#include <winpr/sspi.h>
#include <winpr/version.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUser = "alice";
constexpr const char* kDomain = "CORP";
constexpr const char* kPassword = "Passw0rd-alice";
constexpr const char* kTarget = "HTTP/server.example";
constexpr std::size_t kSignatureSize = 16;
constexpr unsigned kMessages = 50;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

void expect(bool condition, const char* what) {
  if (!condition) {
    fail(what);
  }
}

SecurityFunctionTableA& table() {
  static SecurityFunctionTableA* functions = InitSecurityInterfaceExA(0);
  return *functions;
}

void check(SECURITY_STATUS status, const std::string& what) {
  if (status < 0) {
    char code[16];
    std::snprintf(code, sizeof code, "%08x", static_cast<unsigned>(status));
    fail("WinPR refuses " + what + ": " + code);
  }
}

SEC_WINNT_AUTH_IDENTITY_A identity(const char* password) {
  const auto bytes = [](const char* text) {
    return reinterpret_cast<BYTE*>(const_cast<char*>(text));
  };
  SEC_WINNT_AUTH_IDENTITY_A id{};
  id.User = bytes(kUser);
  id.UserLength = static_cast<UINT32>(std::strlen(kUser));
  id.Domain = bytes(kDomain);
  id.DomainLength = static_cast<UINT32>(std::strlen(kDomain));
  id.Password = bytes(password);
  id.PasswordLength = static_cast<UINT32>(std::strlen(password));
  id.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI;
  return id;
}

class WinprCredential {
 public:
  /// Who logs in.
  static WinprCredential of_user(const std::string& password) {
    SEC_WINNT_AUTH_IDENTITY_A id = identity(password.c_str());
    return WinprCredential(SECPKG_CRED_OUTBOUND, &id);
  }
  /// An acceptor of the accounts of a file. WinPR 2 is told of the file later.
  static WinprCredential of_server(std::string accounts) {
#ifdef SECPKG_ATTR_AUTH_NTLM_SAM_FILE
    static_cast<void>(accounts);
    return WinprCredential(SECPKG_CRED_INBOUND, nullptr);
#else
    SEC_WINPR_NTLM_SETTINGS settings{};
    settings.samFile = accounts.data();
    SEC_WINNT_AUTH_IDENTITY_WINPR id{};
    id.identity.Version = SEC_WINNT_AUTH_IDENTITY_VERSION;
    id.identity.Length = sizeof id.identity;
    id.identity.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_EXTENDED;
    id.ntlmSettings = &settings;
    return WinprCredential(SECPKG_CRED_INBOUND, &id);
#endif
  }
  WinprCredential(const WinprCredential&) = delete;
  WinprCredential& operator=(const WinprCredential&) = delete;
  ~WinprCredential() {
    table().FreeCredentialsHandle(&handle_);
  }
  ::CredHandle* get() {
    return &handle_;
  }

 private:
  WinprCredential(unsigned use, void* data) {
    TimeStamp expiry{};
    check(table().AcquireCredentialsHandleA(nullptr, const_cast<char*>("NTLM"), use, nullptr, data,
                                            nullptr, nullptr, &handle_, &expiry),
          "a credential");
  }
  ::CredHandle handle_{};
};

/// One end of WinPR's.
class WinprEnd {
 public:
  /// Its initiator.
  WinprEnd(unsigned long flags, std::string bindings, const std::string& password)
      : initiator_(true),
        flags_(flags),
        bindings_(std::move(bindings)),
        credential_(WinprCredential::of_user(password)) {}
  /// Its acceptor.
  explicit WinprEnd(std::string accounts)
      : initiator_(false),
        flags_(ASC_REQ_CONFIDENTIALITY),
        accounts_(std::move(accounts)),
        credential_(WinprCredential::of_server(accounts_)) {}
  WinprEnd(const WinprEnd&) = delete;
  WinprEnd& operator=(const WinprEnd&) = delete;
  ~WinprEnd() {
    if (begun_) {
      table().DeleteSecurityContext(&context_);
    }
  }

  std::string step(const std::string& input) {
    std::string in = input;
    std::string bindings = framed_bindings();
    std::vector<SecBuffer> given;
    if (!input.empty()) {
      given.push_back(buffer(SECBUFFER_TOKEN, in));
    }
    if (!input.empty() && !bindings_.empty()) {
      given.push_back(buffer(SECBUFFER_CHANNEL_BINDINGS, bindings));
    }
    std::string out(8192, '\0');
    SecBuffer made = buffer(SECBUFFER_TOKEN, out);
    SecBufferDesc to = {SECBUFFER_VERSION, 1, &made};
    SecBufferDesc from = {SECBUFFER_VERSION, static_cast<ULONG>(given.size()), given.data()};
    check(initiator_ ? initiate(given.empty() ? nullptr : &from, to) : accept(from, to),
          "step " + std::to_string(++steps_));
    if (!initiator_ && !begun_) {
      name_accounts();
    }
    begun_ = true;
    out.resize(made.cbBuffer);
    return out;
  }

  /// Its acceptor's verdict, after its last step.
  void complete() {
    SecBufferDesc nothing = {SECBUFFER_VERSION, 0, nullptr};
    const SECURITY_STATUS verdict = table().CompleteAuthToken(&context_, &nothing);
    if (verdict != SEC_E_UNSUPPORTED_FUNCTION) {  // WinPR 3 verifies in the step itself
      check(verdict, "our proof");
    }
  }

  std::string seal(std::string text) {
    std::string signature(kSignatureSize, '\0');
    SecBuffer parts[] = {buffer(SECBUFFER_DATA, text), buffer(SECBUFFER_TOKEN, signature)};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, parts};
    check(table().EncryptMessage(&context_, 0, &message, sent_++), "to seal");
    return signature + text;
  }
  std::string open(const std::string& token) {
    std::string signature = token.substr(0, kSignatureSize);
    std::string text = token.substr(kSignatureSize);
    SecBuffer parts[] = {buffer(SECBUFFER_DATA, text), buffer(SECBUFFER_TOKEN, signature)};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, parts};
    ULONG quality = 0;
    check(table().DecryptMessage(&context_, &message, received_++, &quality), "our sealed message");
    return text;
  }
  /// Nothing from WinPR 2, which has no signatures apart from messages.
  std::optional<std::string> sign(std::string text) {
    std::string signature(kSignatureSize, '\0');
    SecBuffer parts[] = {buffer(SECBUFFER_DATA, text), buffer(SECBUFFER_TOKEN, signature)};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, parts};
    const SECURITY_STATUS status = table().MakeSignature(&context_, 0, &message, sent_);
    if (status == SEC_E_UNSUPPORTED_FUNCTION) {
      return std::nullopt;
    }
    check(status, "to sign");
    ++sent_;
    return signature;
  }
  void verify(std::string text, std::string signature) {
    SecBuffer parts[] = {buffer(SECBUFFER_DATA, text), buffer(SECBUFFER_TOKEN, signature)};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, parts};
    ULONG quality = 0;
    check(table().VerifySignature(&context_, &message, received_++, &quality), "our signature");
  }

 private:
  static SecBuffer buffer(ULONG type, std::string& bytes) {
    return {static_cast<ULONG>(bytes.size()), type, bytes.data()};
  }
  SECURITY_STATUS initiate(SecBufferDesc* from, SecBufferDesc& to) {
    ULONG attributes = 0;
    TimeStamp expiry{};
    return table().InitializeSecurityContextA(
        credential_.get(), begun_ ? &context_ : nullptr, const_cast<char*>(kTarget),
        static_cast<ULONG>(flags_), 0, 0, from, 0, &context_, &to, &attributes, &expiry);
  }
  SECURITY_STATUS accept(SecBufferDesc& from, SecBufferDesc& to) {
    ULONG attributes = 0;
    TimeStamp expiry{};
    return table().AcceptSecurityContext(credential_.get(), begun_ ? &context_ : nullptr, &from,
                                         static_cast<ULONG>(flags_), 0, &context_, &to, &attributes,
                                         &expiry);
  }
  void name_accounts() {
#ifdef SECPKG_ATTR_AUTH_NTLM_SAM_FILE
    check(table().SetContextAttributesA(&context_, SECPKG_ATTR_AUTH_NTLM_SAM_FILE, accounts_.data(),
                                        static_cast<ULONG>(accounts_.size() + 1)),
          "the accounts");
#endif
  }
  // SEC_CHANNEL_BINDINGS: eight 32-bit numbers, of which the last two say where the data is.
  [[nodiscard]] std::string framed_bindings() const {
    SEC_CHANNEL_BINDINGS head{};
    head.cbApplicationDataLength = static_cast<ULONG>(bindings_.size());
    head.dwApplicationDataOffset = sizeof head;
    return std::string(reinterpret_cast<const char*>(&head), sizeof head) + bindings_;
  }

  bool initiator_;
  bool begun_ = false;
  int steps_ = 0;
  ULONG sent_ = 0;  // it leaves the counting to its caller
  ULONG received_ = 0;
  unsigned long flags_;
  std::string bindings_;
  std::string accounts_;
  WinprCredential credential_;
  CtxtHandle context_{};
};

/// What a meeting is made of.
struct Meeting {
  unsigned long winpr_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY;
  OM_uint32 our_flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
  std::string our_bindings;
  std::string its_bindings;
  std::string password = kPassword;
  std::optional<std::uint32_t> offer;  // NEGOTIATE flags of our initiator
  bool messages = true;
  bool damaged_mic = false;
};

// The MIC of an AUTHENTICATE message with a VERSION is behind it ([MS-NLMP] 2.2.1.3).
constexpr std::size_t kMicAt = 72;

std::string on_its_way(const Meeting& m, std::string authenticate) {
  if (m.damaged_mic) {
    authenticate.at(kMicAt) = static_cast<char>(authenticate.at(kMicAt) ^ 1);
  }
  return authenticate;
}

void converse(End& ours, WinprEnd& winpr) {
  for (unsigned i = 0; i < kMessages; ++i) {
    const std::string text = "message " + std::to_string(i) + std::string(i * 31, '.');
    std::string token;
    std::string opened;
    expect(wrap(ours, text, token).ok(), "gss_wrap");
    expect(winpr.open(token) == text, "WinPR reads something else");
    expect(unwrap(ours, winpr.seal(text), opened).major == GSS_S_COMPLETE, "gss_unwrap");
    expect(opened == text, "we read something else");
    if (const std::optional<std::string> signature = winpr.sign(text)) {
      expect(verify_mic(ours, text, *signature).major == GSS_S_COMPLETE, "gss_verify_mic");
      std::string mic;
      expect(get_mic(ours, text, mic).ok(), "gss_get_mic");
      winpr.verify(text, mic);
    }
  }
}

std::optional<std::string> some(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void log_in(const Meeting& m) {
  WinprEnd winpr(m.winpr_flags, m.its_bindings, m.password);
  Exchange x;
  x.acceptor_bindings = some(m.our_bindings);
  End ours;
  std::string token = accept_step(x, ours, winpr.step(""));
  expect(ours.last.ok(), ours.last.text().c_str());
  accept_step(x, ours, on_its_way(m, winpr.step(token)));
  expect(ours.last.major == GSS_S_COMPLETE, ours.last.text().c_str());
  expect(ours.source.display() == "CORP\\alice", "who it is");
  expect(((ours.flags & GSS_C_CHANNEL_BOUND_FLAG) != 0) == !m.our_bindings.empty(),
         "the channel-bound mark");
  if ((m.winpr_flags & ISC_REQ_CONFIDENTIALITY) != 0) {
    converse(ours, winpr);
  }
}

void serve(const Meeting& m, const std::string& accounts) {
  WinprEnd winpr(accounts);
  Exchange x;
  x.flags = m.our_flags;
  x.initiator_bindings = some(m.our_bindings);
  CredHandle cred;
  if (m.password != kPassword) {
    expect(acquire_password("CORP\\alice", m.password, &kNtlm, cred).ok(), "our credential");
    x.initiator_cred = cred.get();
  }
  if (m.offer) {
    gss_OID_desc option = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_NEG_FLAGS_OID_BYTES)};
    std::uint32_t offer = *m.offer;
    gss_buffer_desc value = {sizeof offer, &offer};
    OM_uint32 minor = 0;
    expect(acquire(GSS_C_INITIATE, &kNtlm, cred).ok(), "our credential");
    expect(gss_set_cred_option(&minor, cred.handle(), &option, &value) == GSS_S_COMPLETE,
           "our offer");
    x.initiator_cred = cred.get();
  }
  End ours;
  std::string token = winpr.step(init_step(x, ours, ""));
  token = init_step(x, ours, token);
  expect(ours.last.major == GSS_S_COMPLETE, ours.last.text().c_str());
  winpr.step(on_its_way(m, token));
  winpr.complete();
  if (m.messages && (m.our_flags & GSS_C_CONF_FLAG) != 0) {
    converse(ours, winpr);
  }
}

/// Prints PASS or FAIL lines. `refused`: words that the reason of a refusal must have.
class Report {
 public:
  void attempt(const std::string& label, const std::function<void()>& run,
               const std::string& refused = {}) {
    std::string why = refused.empty() ? "" : "it went through";
    try {
      run();
    } catch (const std::exception& e) {
      const std::string said = e.what();
      why = !refused.empty() && said.find(refused) != std::string::npos ? "" : said;
    }
    std::printf("%s %s%s%s\n", why.empty() ? "PASS" : "FAIL", label.c_str(),
                why.empty() ? "" : ": ", why.c_str());
    std::fflush(stdout);
    failures_ += why.empty() ? 0 : 1;
  }
  [[nodiscard]] bool good() const { return failures_ == 0; }

 private:
  int failures_ = 0;
};

// The line of an account in the form of WinPR's acceptor.
std::string sam_line() {
  BYTE hash[16];
  expect(NTOWFv1A(const_cast<char*>(kPassword), static_cast<UINT32>(std::strlen(kPassword)), hash),
         "NTOWFv1A");
  std::string line = std::string(kUser) + ":" + kDomain + "::";
  for (const BYTE byte : hash) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    line += digits;
  }
  return line + ":::\n";
}

void meet_its_client(Report& report) {
  Meeting m;
  report.attempt("WinPR's client, sealed", [&] { log_in(m); });
  m.winpr_flags = ISC_REQ_INTEGRITY;
  report.attempt("WinPR's client, signed", [&] { log_in(m); });
  m.winpr_flags = 0;
  report.attempt("WinPR's client, neither", [&] { log_in(m); });
  m = Meeting();
  m.password = "guess";
  report.attempt(
      "WinPR's client, wrong password", [&] { log_in(m); }, "logon failure");
  m = Meeting();
  m.damaged_mic = true;
  report.attempt(
      "WinPR's client, a bit of its MIC turned", [&] { log_in(m); }, "logon failure");
  m = Meeting();
  m.our_bindings = m.its_bindings = "tls-server-end-point:certificate";
  report.attempt("WinPR's client, channel bindings", [&] { log_in(m); });
  m.its_bindings = "tls-server-end-point:another";
  report.attempt(
      "WinPR's client, other channel bindings", [&] { log_in(m); }, "bindings");
}

void meet_its_server(Report& report, const std::string& accounts) {
  Meeting m;
  report.attempt("WinPR's server, sealed", [&] { serve(m, accounts); });
  m.our_flags = GSS_C_INTEG_FLAG;
  report.attempt("WinPR's server, signed", [&] { serve(m, accounts); });
  m.our_flags = 0;
  report.attempt("WinPR's server, neither", [&] { serve(m, accounts); });
  m = Meeting();
  m.password = "guess";
  report.attempt(
      "WinPR's server, wrong password", [&] { serve(m, accounts); }, "WinPR refuses");
  m = Meeting();
  m.damaged_mic = true;
  report.attempt(
      "WinPR's server, a bit of our MIC turned", [&] { serve(m, accounts); }, "WinPR refuses");
  m = Meeting();
  m.our_bindings = "tls-server-end-point:certificate";
  report.attempt("WinPR's server, channel bindings of ours", [&] { serve(m, accounts); });
}

void meet_at_level(Report& report, const std::string& level, const std::string& accounts) {
  // It takes anything but NTLMv2 for a malformed message.
  const std::string refused = level < "3" ? "WinPR refuses step 2" : "";
  report.attempt("WinPR's client, our acceptor at level " + level, [] { log_in({}); });
  report.attempt(
      "WinPR's server, our initiator at level " + level, [&] { serve({}, accounts); }, refused);
  const struct {
    const char* what;
    std::uint32_t drop;
  } weaker[] = {{"56 bits", 0x20000000}, {"40 bits", 0xA0000000}, {"no ESS", 0x80000}};
  for (const auto& offer : weaker) {
    Meeting m;
    m.offer = 0xE2088235u & ~offer.drop;
    m.messages = false;
    report.attempt(
        "WinPR's server, our initiator at level " + level + ", " + offer.what + ", the login",
        [&] { serve(m, accounts); }, refused);
  }
}

int run_all() {
  ::setenv("WLOG_LEVEL", "OFF", 0);
  expect(winpr_InitializeSSL(WINPR_SSL_INIT_DEFAULT), "WinPR's OpenSSL");
  const std::string users = std::string(kDomain) + ":" + kUser + ":" + kPassword + "\n";
  Report report;
  {
    const Workshop workshop(users);
    meet_its_client(report);
    meet_its_server(report, workshop.write("sam", sam_line()));
  }
  for (const int level : {0, 1, 2, 3, 4, 5}) {
    const std::string digit = std::to_string(level);
    const Workshop workshop(users, "[policy]\nrequire_ess = no\nmin_key_bits = 40\nsend_level = " +
                                       digit + "\naccept_level = " + digit + "\n");
    meet_at_level(report, digit, workshop.write("sam", sam_line()));
  }
  std::printf(
      "interop: | SSPI family | WinPR | %s | both | raw: sealed, signed, unprotected, "
      "EncryptMessage, MIC, channel bindings, levels 0 to 5 on our side; wrong password | %s |\n",
      WINPR_VERSION_FULL, report.good() ? "works" : "fails");
  return report.good() ? 0 : 1;
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
