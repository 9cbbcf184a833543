#include "mech/account/settings.h"

#include <cstdlib>

#include <unistd.h>

#include "mech/account/detail.h"

namespace gssntlm {
namespace {

constexpr std::size_t kMaxNetbiosName = 15;
constexpr std::size_t kMaxName = 255;

std::string_view from_environment(const char* name) noexcept {
  const char* value = ::secure_getenv(name);
  return value != nullptr ? std::string_view(value) : std::string_view();
}

Error bad_setting(std::string_view name, std::string_view value, std::string_view remedy) {
  std::string text(name);
  text.append("=").append(printable_utf8(value, 64)).append(": ").append(remedy);
  return explain(Major::kFailure, Minor::kBadSetting, text);
}

Status read_level(Policy& policy) {
  constexpr const char* kName = "LM_COMPAT_LEVEL";
  const char* value = ::secure_getenv(kName);
  if (value == nullptr) {
    return {};
  }
  const std::string_view text(value);
  if (text.size() != 1 || text[0] < '0' || text[0] > '5') {
    return bad_setting(kName, text, "write a number from 0 to 5, or unset it");
  }
  policy.initiator_level = policy.acceptor_level = static_cast<unsigned>(text[0] - '0');
  return {};
}

Status read_name(const char* variable, Bytes& to) {
  const std::string_view text = from_environment(variable);
  if (text.empty()) {
    return {};
  }
  Result<Bytes> wide = utf16le_from_utf8(text);
  if (!wide || !is_clean_name(*wide) || wide->size() > 2 * kMaxName) {
    return bad_setting(variable, text, "write a name of at most 255 printable characters");
  }
  to = std::move(*wide);
  return {};
}

std::string host_name() {
  char name[kMaxName + 1];
  if (::gethostname(name, sizeof name) != 0) {
    return {};
  }
  name[kMaxName] = '\0';
  return name;
}

// A stand-alone server: its NetBIOS name, which is also its domain's, from the first label.
void fill_names(HostNames& names) {
  const std::string host = host_name();
  Result<Bytes> dns = utf16le_from_utf8(host);
  if (dns && is_clean_name(*dns)) {
    names.dns_computer = std::move(*dns);
  }
  if (names.nb_computer.empty()) {
    const std::string label = host.substr(0, host.find('.')).substr(0, kMaxNetbiosName);
    Result<Bytes> wide = utf16le_from_utf8(label);
    if (wide && is_clean_name(*wide)) {
      names.nb_computer = std::move(*wide);
      upcase_utf16le(names.nb_computer);
    }
  }
  if (names.nb_domain.empty()) {
    names.nb_domain = names.nb_computer;
  }
}

}  // namespace

Result<Ref<const Settings>> load_settings() {
  auto* settings = new Settings;
  auto owner = Ref<const Settings>::adopt(settings);
  settings->users_file = from_environment("NTLM_USER_FILE");
  settings->default_user = from_environment("NTLMUSER");
  if (Status s = read_level(settings->policy); !s) {
    return s.error();
  }
  if (Status s = read_name("NETBIOS_COMPUTER_NAME", settings->names.nb_computer); !s) {
    return s.error();
  }
  if (Status s = read_name("NETBIOS_DOMAIN_NAME", settings->names.nb_domain); !s) {
    return s.error();
  }
  fill_names(settings->names);
  return owner;
}

}  // namespace gssntlm
