// Where policy, names, account sources, trace and audit of this process come from.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mech/backends/backends.h"
#include "mech/base/ref.h"
#include "mech/protocol/identity.h"
#include "mech/protocol/mic_policy.h"
#include "mech/protocol/policy.h"

namespace gssntlm {

/// What is done about a client that names a target which is not ours.
enum class TargetCheck { kOff, kLog, kRequire };

/// Where audit records go.
enum class AuditSink { kOff, kFile, kSyslog };

/// Immutable once loaded; shared by credentials and contexts. Each member is a key of the settings
/// file (setting_table.cc), whose defaults are the ones here.
struct Settings : RefCounted {
  Policy policy;
  TargetCheck target_check = TargetCheck::kOff;
  std::vector<std::string> target_names;   ///< patterns of the targets that are this host's
  std::vector<std::string> allow_targets;  ///< initiators: if not empty, these alone
  std::vector<std::string> deny_targets;
  std::vector<std::string> allow_users;  ///< acceptors: if not empty, these alone
  std::vector<std::string> deny_users;
  std::vector<std::string> allow_system_users;  ///< accounts below UID_MIN that may be a local user
  bool audit_only = false;  ///< the lists and the target check refuse nothing, but say it
  SpnegoMic spnego_mic = SpnegoMic::kAuto;
  bool refuse_host_reflection = false;  ///< nor one that names this host, for another target

  HostNames names;        ///< filled up from the host's name
  HostNames given_names;  ///< as the file and the environment give them

  std::vector<const Backend*> initiator_accounts = backends_with_logins();
  std::vector<const Backend*> acceptor_accounts = backends_with_accounts();
  std::string users_file;                   ///< path, for both roles; empty: none
  std::string acceptor_users_file;          ///< for acceptors alone; empty: users_file
  std::string initiator_users_file;         ///< for initiators alone; empty: users_file
  bool users_file_handed_over = false;      ///< users_file is kHandedOverUsers
  std::uint64_t users_file_grace = 5 * 60;  ///< seconds that acceptors use one that went bad
  bool allow_readable_on_tmpfs = false;     ///< users files: everyone may read them there
  std::string default_user;                 ///< NTLMUSER; empty: none
  std::uint64_t winbind_timeout = 15;       ///< seconds that a login waits for winbind

  std::string trace_file;    ///< path; empty: no trace
  unsigned trace_level = 1;  ///< 2: messages decoded

  AuditSink audit = AuditSink::kOff;
  std::string audit_file = "/var/log/gss-ntlm-audit.log";
  bool audit_required = false;  ///< a login whose record cannot be written fails

  std::string source;  ///< the settings file that was read; empty: none

  std::uint64_t max_handshake_age = 5 * 60;  ///< seconds that an exported handshake is good for
  std::string farm;  ///< hosts that share handshakes give the same; empty: this machine alone

  [[nodiscard]] const std::string& acceptor_users_path() const noexcept {
    return acceptor_users_file.empty() ? users_file : acceptor_users_file;
  }
  [[nodiscard]] const std::string& initiator_users_path() const noexcept {
    return initiator_users_file.empty() ? users_file : initiator_users_file;
  }
};

inline constexpr const char* kDefaultSettingsFile = "/etc/gss/ntlm-settings.conf";

/// The users file where none is named: a credential of this name in $CREDENTIALS_DIRECTORY
/// (systemd.exec(5)), if it is there when settings are loaded.
inline constexpr const char* kHandedOverUsers = "ntlm-users";

/// The settings in force: defaults, then the file (GSS_NTLM_SETTINGS or kDefaultSettingsFile, which
/// need not exist), then the environment, as secure_getenv would read it: LM_COMPAT_LEVEL,
/// NETBIOS_COMPUTER_NAME, NETBIOS_DOMAIN_NAME, NTLM_USER_FILE, NTLMUSER, GSS_NTLM_TRACE or
/// GSSNTLMSSP_DEBUG, GSS_NTLM_TRACE_LEVEL, CREDENTIALS_DIRECTORY. The outcome is kept until the
/// environment or the file changes; the file is looked at once a second at most. No network. Error:
/// kBadSetting; its detail names file and line, or the variable. Throws std::bad_alloc.
[[nodiscard]] Result<Ref<const Settings>> load_settings();

/// Reads `text`, the contents of a settings file called `name` in errors, into `settings`.
/// Error: kBadSetting as above. Throws std::bad_alloc.
Status parse_settings(std::string_view text, std::string_view name, Settings& settings);

/// Whether a semicolon in this value would begin a remark.
[[nodiscard]] bool has_remark(std::string_view value) noexcept;

/// One key of the settings file.
struct SettingKey {
  std::string_view section;
  std::string_view name;
  std::string_view about;  ///< what it does
  bool list;               ///< indented lines below it go on with it
  bool never_empty;        ///< a list that is written without an item is a mistake
  /// What a value looks like, for a person.
  std::string (*form)();
  /// False if the value is not understood. A list takes it in addition.
  bool (*set)(Settings&, std::string_view value);
  /// The value as the file would write it.
  std::string (*get)(const Settings&);
};

/// All of them, in the order of the example file.
[[nodiscard]] std::span<const SettingKey> setting_keys() noexcept;

}  // namespace gssntlm
