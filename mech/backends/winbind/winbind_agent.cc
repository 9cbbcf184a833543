#include "mech/backends/winbind/winbind_agent.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

#include "mech/backends/winbind/wbclient.h"
#include "mech/backends/winbind/winbind_names.h"
#include "mech/base/text.h"
#include "mech/os/error_detail.h"
#include "mech/os/host_user.h"

namespace gssntlm {
namespace {

constexpr std::chrono::seconds kPatience{1};
// winbind's protocol has room for this many bytes of a name, and libwbclient cuts what is longer.
constexpr std::size_t kMaxName = 255;

struct Account {
  std::string user;
  std::string domain;
};

// Without messages it asks whether a password is kept at all.
class CacheTask : public WinbindTask {
 public:
  explicit CacheTask(Account account) : account_(std::move(account)) {}
  CacheTask(Account account, ByteView negotiate, ByteView challenge)
      : account_(std::move(account)),
        negotiate_(negotiate.begin(), negotiate.end()),
        challenge_(challenge.begin(), challenge.end()) {}

  void run(const Wbclient& api, wbcContext* context) override {
    std::array blobs = {blob("initial_blob", negotiate_), blob("challenge_blob", challenge_)};
    wbcCredentialCacheParams params{};
    params.account_name = account_.user.c_str();
    params.domain_name = account_.domain.c_str();
    params.level = wbcCredentialCacheParams::WBC_CREDENTIAL_CACHE_LEVEL_NTLMSSP;
    params.num_blobs = challenge_.empty() ? 0 : blobs.size();
    params.blobs = challenge_.empty() ? nullptr : blobs.data();
    WbcMemory<wbcCredentialCacheInfo> info(api);
    WbcMemory<wbcAuthErrorInfo> error(api);
    kept = api.credential_cache(context, &params, info.out(), error.out()) == WBC_ERR_SUCCESS;
    if (info) {
      take(*info.get());
    }
  }

  bool kept = false;
  Bytes authenticate;
  std::optional<SessionKey> key;

 private:
  static wbcNamedBlob blob(const char* name, Bytes& bytes) {
    wbcNamedBlob b{};
    b.name = name;
    b.blob.data = bytes.data();
    b.blob.length = bytes.size();
    return b;
  }
  static MutableBytes find(const wbcCredentialCacheInfo& info, std::string_view name) noexcept {
    for (std::size_t i = 0; info.blobs != nullptr && i < info.num_blobs; ++i) {
      const wbcNamedBlob& b = info.blobs[i];
      if (b.name != nullptr && b.name == name && b.blob.data != nullptr) {
        return {b.blob.data, b.blob.length};
      }
    }
    return {};
  }
  // The key first: nothing that fails later leaves it where it was.
  void take(const wbcCredentialCacheInfo& info) {
    const MutableBytes session_key = find(info, "session_key");
    if (session_key.size() == SessionKey::kSize) {
      key.emplace(session_key.first<SessionKey::kSize>());
      wipe(session_key);
    }
    const MutableBytes message = find(info, "auth_blob");
    authenticate.assign(message.begin(), message.end());
  }

  Account account_;
  Bytes negotiate_;
  Bytes challenge_;
};

class WinbindAgent : public LogonAgent {
 public:
  WinbindAgent(Account account, std::chrono::seconds bound)
      : account_(std::move(account)), bound_(bound) {}

  Result<AgentAnswer> answer(ByteView negotiate, ByteView challenge,
                             const Runtime& env) const override {
    auto task = std::make_shared<CacheTask>(account_, negotiate, challenge);
    if (call_winbind(task, bound_) != WinbindCall::kDone) {
      env.trace("initiator: winbind did not answer in time");
      return error_with_detail(Major::kFailure, Minor::kDomain, "winbind did not answer in time");
    }
    if (!task->kept || !task->key || task->authenticate.empty()) {
      env.trace("initiator: winbind no longer keeps the password");
      return error_with_detail(
          Major::kNoCred, Minor::kNoInitiatorCred,
          "winbind no longer keeps the password of " + printable_utf8(account_.user));
    }
    return AgentAnswer{std::move(task->authenticate), std::move(*task->key)};
  }

 private:
  Account account_;
  std::chrono::seconds bound_;
};

// winbind keeps the passwords of DOM\user, and knows no UPN there.
Account account_for(ByteView user, ByteView domain, const WinbindFacts& facts) {
  if (const std::optional<Upn> upn = domain.empty() ? split_upn(user) : std::nullopt) {
    user = upn->user;
    domain = upn->realm;
  }
  Result<std::string> narrow_user = utf8_from_utf16le(user);
  Result<std::string> narrow_domain = utf8_from_utf16le(domain);
  Account account;
  account.user = narrow_user ? std::move(*narrow_user) : "";
  account.domain = narrow_domain ? std::move(*narrow_domain) : "";
  if (account.user.empty()) {
    // Winbind serves the effective user of the process.
    const Result<std::optional<HostUser>> caller = host_user_with(::geteuid());
    const std::string login = caller && *caller ? (*caller)->name : "";
    const std::size_t at = login.find(facts.separator);
    account.user = at == std::string::npos ? login : login.substr(at + 1);
    account.domain = at == std::string::npos ? "" : login.substr(0, at);
  }
  const Result<Bytes> dns_domain = utf16le_from_utf8(facts.dns_domain);
  if (account.domain.empty() || (dns_domain && equal_ignoring_case(domain, *dns_domain))) {
    account.domain = facts.netbios_domain;
  }
  return account;
}

Error no_password(const std::string& who) {
  return error_with_detail(
      Major::kNoCred, Minor::kNoInitiatorCred,
      "winbind keeps no password" + who +
          "; log in through pam_winbind with cached_login, or run wbinfo --ccache-save");
}

}  // namespace

Result<Ref<const Identity>> winbind_identity(ByteView user, ByteView domain,
                                             const Settings& settings) {
  if (!has_winbind()) {
    return Error{Major::kNoCred, Minor::kNoInitiatorCred};
  }
  const Result<WinbindFacts> facts = winbind_facts();
  if (!facts) {
    return error_with_detail(Major::kNoCred, Minor::kNoInitiatorCred, "winbind does not answer");
  }
  const Account account = account_for(user, domain, *facts);
  if (account.user.empty() || account.user.size() > kMaxName || account.domain.size() > kMaxName) {
    return no_password("");
  }
  auto task = std::make_shared<CacheTask>(account);
  if (call_winbind(task, kPatience, true) != WinbindCall::kDone || !task->kept) {
    return no_password(" for " + printable_utf8(account.domain + "\\" + account.user));
  }
  Result<Bytes> wide_user = utf16le_from_utf8(account.user);
  Result<Bytes> wide_domain = utf16le_from_utf8(account.domain);
  if (!wide_user || !wide_domain) {
    return Error{Major::kBadName, Minor::kBadText};
  }
  return Ref<const Identity>::adopt(new Identity(
      std::move(*wide_user), std::move(*wide_domain),
      std::make_shared<WinbindAgent>(account, std::chrono::seconds(settings.winbind_timeout))));
}

}  // namespace gssntlm
