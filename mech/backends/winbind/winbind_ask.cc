#include "mech/backends/winbind/winbind_ask.h"

#include <array>
#include <cstdint>

namespace gssntlm {
namespace {

constexpr std::uint32_t kAccessDenied = 0xC0000022;
// A colon is in no account's name.
constexpr const char* kNobody = "gss-ntlm:check";

std::string text_of(const char* text) {
  return text != nullptr ? text : "";
}

// Newer winbindds give the realm, which is the same name in capitals.
std::string lower_case(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

}  // namespace

std::optional<WinbindFacts> ask_facts(const Wbclient& api, wbcContext* context) {
  WbcMemory<struct wbcInterfaceDetails> details(api);
  if (api.interface_details(context, details.out()) != WBC_ERR_SUCCESS || !details) {
    return std::nullopt;
  }
  WinbindFacts facts;
  facts.version = text_of(details->winbind_version);
  facts.netbios_name = text_of(details->netbios_name);
  facts.netbios_domain = text_of(details->netbios_domain);
  facts.dns_domain = lower_case(text_of(details->dns_domain));
  facts.separator = details->winbind_separator;
  return facts;
}

bool may_check_logons(const Wbclient& api, wbcContext* context,
                      const std::string& computer) noexcept {
  std::array<std::uint8_t, 24> response{};
  wbcAuthUserParams params{};
  params.account_name = kNobody;
  params.domain_name = computer.c_str();
  params.workstation_name = computer.c_str();
  params.level = wbcAuthUserParams::WBC_AUTH_USER_LEVEL_RESPONSE;
  params.password.response.nt_length = response.size();
  params.password.response.nt_data = response.data();
  WbcMemory<wbcAuthUserInfo> info(api);
  WbcMemory<wbcAuthErrorInfo> error(api);
  const wbcErr code = api.authenticate(context, &params, info.out(), error.out());
  return code == WBC_ERR_SUCCESS ||
         (code == WBC_ERR_AUTH_ERROR && (!error || error->nt_status != kAccessDenied));
}

}  // namespace gssntlm
