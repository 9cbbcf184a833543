// doctor: whether the interposer of SPNEGO is in front of it, and whether SPNEGO can be crashed.
#include "spnego/interposer/faults.h"
#include "tools/doctor.h"
#include "tools/self_login.h"

namespace gssntlm::tools {
namespace {

// krb5 ticket 9213: a responseToken, then [4] that is not an OCTET STRING.
constexpr std::string_view kCrashing("\xa1\x08\x30\x06\xa2\x02\x04\x00\xa4\x00", 10);

constexpr const char* kPackage = "install the package gss-ntlm-spnego (docs/guides/spnego.md)";
constexpr const char* kLeaks =
    "; gss_inquire_name and exported contexts show its private object identifier";

bool is_interposers(const std::string& answer) {
  const auto code = static_cast<std::uint32_t>(interposer::fault_of(TokenFault::kFieldType));
  return answer.find(interposer::fault_text(code)) != std::string::npos;
}

}  // namespace

void check_spnego(Checks& checks, SelfLogin& login) {
  const char* name = "SPNEGO";
  const std::optional<std::string> answer = login.answer_to(kCrashing);
  if (!answer) {
    checks.push_back({Check::State::kNote, name,
                      std::string("a malformed token from a peer crashes programs that use it, "
                                  "before authentication (krb5 ticket 9213); update krb5, or ") +
                          kPackage});
    return;
  }
  if (is_interposers(*answer)) {
    checks.push_back({Check::State::kOk, name,
                      std::string("gss_ntlm_spnego.so is active: it validates tokens of peers and "
                                  "repairs mechListMIC") +
                          kLeaks});
    return;
  }
  checks.push_back({Check::State::kOk, name,
                    "gss_ntlm_spnego.so is not active; this library rejects the token of krb5 "
                    "ticket 9213 itself"});
}

}  // namespace gssntlm::tools
