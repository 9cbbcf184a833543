// What the tests of settings share.
#pragma once

#include <string>
#include <string_view>

#include "mech/config/settings.h"
#include "mech/os/error_detail.h"
#include "support/catch.h"
#include "support/scratch.h"

namespace gssntlm::test {

/// What is wrong with the settings `text`, as gss_display_status would tell; empty: nothing.
inline std::string complaint(std::string_view text) {
  forget_detail();
  Settings settings;
  const Status s = parse_settings(text, "test.conf", settings);
  if (s.ok()) {
    return {};
  }
  CHECK(s.error().minor == Minor::kBadSetting);
  return std::string(last_detail(static_cast<std::uint32_t>(Minor::kBadSetting)));
}

inline bool has_text(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// No setting of the machine or the caller counts.
struct CleanEnvironment {
  ScopedVariable file{"GSS_NTLM_SETTINGS", nullptr};
  ScopedVariable level{"LM_COMPAT_LEVEL", nullptr};
  ScopedVariable computer{"NETBIOS_COMPUTER_NAME", nullptr};
  ScopedVariable domain{"NETBIOS_DOMAIN_NAME", nullptr};
  ScopedVariable users{"NTLM_USER_FILE", nullptr};
  ScopedVariable user{"NTLMUSER", nullptr};
  ScopedVariable credentials{"CREDENTIALS_DIRECTORY", nullptr};
  ScopedVariable trace{"GSS_NTLM_TRACE", nullptr};
  ScopedVariable debug{"GSSNTLMSSP_DEBUG", nullptr};
  ScopedVariable trace_level{"GSS_NTLM_TRACE_LEVEL", nullptr};
};

}  // namespace gssntlm::test
