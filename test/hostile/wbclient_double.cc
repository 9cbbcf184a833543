// In the place of libwbclient.so.0: a winbind that knows one account, or answers badly. How is said
// by the function double_mood.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

extern "C" {
#include <wbclient.h>
}
#include <pwd.h>
#include <unistd.h>

#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/crypto/primitives.h"
#include "test/hostile/wbclient_double.h"

using namespace gssntlm;
using gssntlm::test::DoubleState;
using gssntlm::test::Mood;

namespace {

DoubleState g_state;
Mood& g_mood = g_state.mood;

// Made, as libwbclient does it, by the first question.
struct Connection {
  bool made = false;
  uid_t by = 0;
};

void connect(wbcContext* context) {
  auto* connection = reinterpret_cast<Connection*>(context);
  if (!connection->made) {
    connection->made = true;
    connection->by = ::geteuid();
    ++g_state.connections;
  }
  g_state.connected_as = connection->by;
}

template <typename T>
T* make() {
  return static_cast<T*>(std::calloc(1, sizeof(T)));
}

char* text(const char* value) {
  return g_mood == Mood::kNulls ? nullptr : const_cast<char*>(value);
}

// [MS-NLMP] 3.3.2, for the one password.
void fill_key(const wbcAuthUserParams& params, std::uint8_t* key) {
  Result<Bytes> password = utf16le_from_utf8("Passw0rd");
  Result<Bytes> user = utf16le_from_utf8(params.account_name);
  Result<Bytes> domain = utf16le_from_utf8(params.domain_name);
  if (password && user && domain && params.password.response.nt_length >= 16) {
    const ResponseKey response = derive_response_key(derive_nt_hash(*password), *user, *domain);
    const ByteView proof(params.password.response.nt_data, 16);
    HmacMd5(response.view()).mac({proof}, std::span<std::uint8_t, 16>(key, 16));
  }
}

// As a domain controller does: by the account's name, or by its UPN where no domain is given.
bool is_dora(const wbcAuthUserParams& params) {
  const std::string_view name = params.account_name;
  const bool no_domain = params.domain_name == nullptr || *params.domain_name == '\0';
  return name == "dora" || (name == "dora@realm.example" && no_domain);
}

void note_name(std::string& to, const char* domain, const char* user) {
  try {
    to.assign(domain != nullptr ? domain : "").append("\\").append(user != nullptr ? user : "");
  } catch (const std::bad_alloc&) {
    to.clear();
  }
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] void double_mood(Mood mood) {
  g_mood = mood;
}

[[gnu::visibility("default")]] wbcContext* wbcCtxCreate() {
  return reinterpret_cast<wbcContext*>(make<Connection>());
}
[[gnu::visibility("default")]] DoubleState* double_state() {
  return &g_state;
}
[[gnu::visibility("default")]] void wbcCtxFree(wbcContext* context) {
  std::free(context);
}
[[gnu::visibility("default")]] void wbcFreeMemory(void* memory) {
  std::free(memory);
}
[[gnu::visibility("default")]] const char* wbcErrorString(wbcErr) {
  return "an error of the double";
}
[[gnu::visibility("default")]] wbcErr wbcCtxPing(wbcContext*) {
  return g_mood == Mood::kGone ? WBC_ERR_WINBIND_NOT_AVAILABLE : WBC_ERR_SUCCESS;
}
[[gnu::visibility("default")]] wbcErr wbcCtxPingDc2(wbcContext*, const char*, wbcAuthErrorInfo**,
                                                    char**) {
  return WBC_ERR_SUCCESS;
}

[[gnu::visibility("default")]] wbcErr wbcCtxAuthenticateUserEx(wbcContext* context,
                                                               const wbcAuthUserParams* params,
                                                               wbcAuthUserInfo** info,
                                                               wbcAuthErrorInfo** error) {
  connect(context);
  ++g_state.logons;
  note_name(g_state.logon_name, params->domain_name, params->account_name);
  if (g_mood == Mood::kGone) {
    return WBC_ERR_WINBIND_NOT_AVAILABLE;
  }
  if (g_mood == Mood::kRefusing || !is_dora(*params)) {
    *error = make<wbcAuthErrorInfo>();
    if (*error == nullptr) {
      return WBC_ERR_NO_MEMORY;
    }
    (*error)->nt_status = 0xC000006D;
    return WBC_ERR_AUTH_ERROR;
  }
  if (g_mood == Mood::kSilent) {
    return WBC_ERR_SUCCESS;
  }
  *info = make<wbcAuthUserInfo>();
  if (*info == nullptr) {
    return WBC_ERR_NO_MEMORY;
  }
  static std::array<wbcSidWithAttr, 3> sids{};
  for (wbcSidWithAttr& s : sids) {
    s.sid.sid_rev_num = 1;
    s.sid.id_auth[5] = 5;
    s.sid.num_auths = 5;
    s.sid.sub_auths[0] = 21;
    s.sid.sub_auths[4] = static_cast<std::uint32_t>(1000 + (&s - sids.data()));
  }
  wbcAuthUserInfo& i = **info;
  i.account_name = text("dora");
  i.domain_name = text("REALM");
  i.full_name = text("Dora of the domain");
  i.num_sids = g_state.gives_sid ? sids.size() : 0;
  i.user_flags = g_state.user_flags;
  i.sids = g_mood == Mood::kNulls ? nullptr : sids.data();
  try {
    if (g_state.gives_key) {
      fill_key(*params, i.user_session_key);
    }
  } catch (const std::bad_alloc&) {
    std::free(*info);
    *info = nullptr;
    return WBC_ERR_NO_MEMORY;
  }
  return WBC_ERR_SUCCESS;
}

[[gnu::visibility("default")]] wbcErr wbcCtxCredentialCache(wbcContext*,
                                                            wbcCredentialCacheParams* params,
                                                            wbcCredentialCacheInfo**,
                                                            wbcAuthErrorInfo**) {
  note_name(g_state.cache_name, params->domain_name, params->account_name);
  return WBC_ERR_AUTH_ERROR;
}

[[gnu::visibility("default")]] wbcErr wbcCtxInterfaceDetails(wbcContext* context,
                                                             struct wbcInterfaceDetails** details) {
  connect(context);
  if (g_mood == Mood::kGone) {
    return WBC_ERR_WINBIND_NOT_AVAILABLE;
  }
  if (g_mood == Mood::kSilent) {
    return WBC_ERR_SUCCESS;
  }
  *details = make<struct wbcInterfaceDetails>();
  if (*details == nullptr) {
    return WBC_ERR_NO_MEMORY;
  }
  (*details)->winbind_version = text("4.0");
  (*details)->netbios_name = text("MEMBER");
  (*details)->netbios_domain = text("REALM");
  (*details)->dns_domain = text("realm.example");
  (*details)->winbind_separator = '\\';
  return WBC_ERR_SUCCESS;
}

[[gnu::visibility("default")]] wbcErr wbcCtxLookupDomainControllerEx(wbcContext*, const char*,
                                                                     wbcGuid*, const char*,
                                                                     uint32_t,
                                                                     wbcDomainControllerInfoEx**) {
  return WBC_ERR_DOMAIN_NOT_FOUND;
}
[[gnu::visibility("default")]] wbcErr wbcCtxLookupName(wbcContext* context, const char* domain,
                                                       const char* name, wbcDomainSid* sid,
                                                       wbcSidType* type) {
  connect(context);
  const bool known =
      !g_state.known_name.empty() && g_state.known_name == std::string(domain) + "\\" + name;
  *sid = {};
  sid->sid_rev_num = known ? 1 : 0;
  *type = WBC_SID_NAME_USER;
  return known ? WBC_ERR_SUCCESS : WBC_ERR_DOMAIN_NOT_FOUND;
}
[[gnu::visibility("default")]] wbcErr wbcCtxGetpwsid(wbcContext* context, wbcDomainSid* sid,
                                                     passwd** entry) {
  connect(context);
  if (sid->sid_rev_num == 0) {
    return WBC_ERR_DOMAIN_NOT_FOUND;
  }
  *entry = make<passwd>();
  if (*entry == nullptr) {
    return WBC_ERR_NO_MEMORY;
  }
  (*entry)->pw_name = g_state.host_user.data();
  (*entry)->pw_uid = g_state.host_uid;
  return WBC_ERR_SUCCESS;
}
[[gnu::visibility("default")]] wbcErr wbcStringToSid(const char* text, wbcDomainSid* sid) {
  *sid = {};
  sid->sid_rev_num = g_state.known_sid == text ? 1 : 0;
  return WBC_ERR_SUCCESS;
}

}  // extern "C"
