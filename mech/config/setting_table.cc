// The keys of the settings file, each in one place: where it is kept, how it is written, what it
// does.
#include <array>

#include "mech/config/setting_codecs.h"
#include "mech/config/settings.h"

namespace gssntlm {
namespace {

using namespace setting_codecs;

// The member at the end of a path of member pointers.
template <auto First, auto... Rest>
auto& field(auto& object) noexcept {
  if constexpr (sizeof...(Rest) == 0) {
    return object.*First;
  } else {
    return field<Rest...>(object.*First);
  }
}

template <typename Codec>
std::string form_of() {
  if constexpr (requires { Codec::form(); }) {
    return Codec::form();
  } else {
    return std::string(Codec::kForm);
  }
}

template <typename Codec, auto... Where>
constexpr SettingKey key(std::string_view section, std::string_view name, std::string_view about) {
  return {
      section,
      name,
      about,
      Codec::kList,
      Codec::kNeverEmpty,
      form_of<Codec>,
      [](Settings& s, std::string_view value) { return Codec::parse(value, field<Where...>(s)); },
      [](const Settings& s) { return Codec::print(field<Where...>(s)); }};
}

// Short names for the paths below.
constexpr auto kPolicy = &Settings::policy;
constexpr auto kNames = &Settings::names;

// clang-format off
constexpr std::array kKeys = {
    key<OneOf<Levels>, kPolicy, &Policy::initiator_level>("policy", "send_level",
        "LmCompatibilityLevel of initiators. From 3 on they send only NTLMv2; lower levels send responses that can be cracked within hours."),
    key<OneOf<Levels>, kPolicy, &Policy::acceptor_level>("policy", "accept_level",
        "LmCompatibilityLevel of acceptors. 5 accepts only NTLMv2."),
    key<OneOf<KeyBits>, kPolicy, &Policy::min_key_bits>("policy", "min_key_bits",
        "Minimum session-key length, in bits, when signing or sealing is negotiated."),
    key<YesNo, kPolicy, &Policy::require_ess>("policy", "require_ess",
        "Require extended session security."),
    key<YesNo, kPolicy, &Policy::require_mic>("policy", "require_mic",
        "Acceptors reject an AUTHENTICATE without a MIC. This module always sends one; some other implementations do not."),
    key<OneOf<SpnegoMics>, &Settings::spnego_mic>("policy", "spnego_mic",
        "Whether AUTHENTICATE inside SPNEGO carries a MIC. auto: if the Kerberos library can carry the mechListMIC that must then follow (releases 1.21 to 1.22.1 cannot)."),
    key<OneOf<Demands>, kPolicy, &Policy::channel_bindings>("policy", "channel_bindings",
        "What acceptors do if the application passes channel bindings. off: ignore them; accept: reject clients that send different ones; require: also reject clients that send none."),
    key<OneOf<TargetChecks>, &Settings::target_check>("policy", "target_check",
        "Whether acceptors compare the target name that the client sent with target_names. log: report a mismatch in trace and audit; require: reject it."),
    key<Patterns, &Settings::target_names>("policy", "target_names",
        "Target names of this host, for example HTTP@www.corp.example, *.corp.example."),
    key<HandshakeAge, &Settings::max_handshake_age>("policy", "max_handshake_age",
        "Lifetime of a context that was exported before it was established."),
    key<FarmName, &Settings::farm>("policy", "farm",
        "Hosts with the same farm name can import contexts from each other before these are established. Empty: only this machine can import them, until it restarts."),
    key<Duration, kPolicy, &Policy::max_skew_seconds>("policy", "max_clock_skew",
        "Maximum clock skew accepted from clients."),
    key<YesNo, kPolicy, &Policy::require_target_info>("policy", "require_target_info",
        "Initiators send NTLMv2 only to servers that send target information. Without it there is no MIC, no channel binding and no target name."),
    key<YesNo, kPolicy, &Policy::send_lmv2>("policy", "send_lmv2",
        "Initiators add the LMv2 response, a weaker proof, for servers that send no timestamp."),
    key<YesNo, kPolicy, &Policy::send_single_host>("policy", "send_single_host",
        "Initiators identify their machine to servers. Servers on the same machine that have refuse_reflection set then reject them."),
    key<YesNo, kPolicy, &Policy::allow_anonymous>("policy", "allow_anonymous",
        "Acceptors accept anonymous logons."),
    key<YesNo, kPolicy, &Policy::allow_empty_passwords>("policy", "allow_empty_passwords",
        "Acceptors accept accounts of the users file whose password is empty."),
    key<YesNo, kPolicy, &Policy::allow_connectionless>("policy", "allow_connectionless",
        "Acceptors accept connectionless (datagram) contexts."),
    key<YesNo, kPolicy, &Policy::dummy_signatures>("policy", "dummy_signatures",
        "If neither signing nor sealing was negotiated, messages carry a constant that proves nothing, and it is accepted as a signature."),
    key<YesNo, kPolicy, &Policy::seal_when_signing>("policy", "seal_when_signing",
        "gss_wrap encrypts even if only signing was negotiated, as Windows and SASL peers expect."),
    key<YesNo, kPolicy, &Policy::offer_oem>("policy", "offer_oem",
        "Initiators and connectionless acceptors offer OEM text in addition to Unicode."),
    key<OneOf<CodePages>, kPolicy, &Policy::code_page>("policy", "code_page",
        "Code page of OEM text."),
    key<AllowPatterns, &Settings::allow_targets>("policy", "allow_targets",
        "Initiators log in to these targets only."),
    key<Patterns, &Settings::deny_targets>("policy", "deny_targets",
        "Initiators never log in to these targets; * disables NTLM for initiators."),
    key<AllowPatterns, &Settings::allow_users>("policy", "allow_users",
        "Acceptors accept these accounts only, as gss_display_name shows them: DOM\\user, DOM\\*, *\\user; user is the account without a domain."),
    key<Patterns, &Settings::deny_users>("policy", "deny_users",
        "Acceptors never accept these users, under whatever name the account logs in: *\\user denies user and user@realm too, DOM\\user an account without a domain. * disables NTLM for acceptors."),
    key<AccountNames, &Settings::allow_system_users>("policy", "allow_system_users",
        "Accounts of this system below UID_MIN of login.defs(5), such as root, that gss_localname may map a user to; without them it never does."),
    key<YesNo, kPolicy, &Policy::refuse_reflection>("policy", "refuse_reflection",
        "Initiators with a stored credential (keyring, users file, winbind) do not answer a challenge that an acceptor of their own process issued; one whose password or hash the application supplied may. Acceptors reject clients that say they run on this machine (send_single_host; containers of one host are one machine)."),
    key<YesNo, &Settings::refuse_host_reflection>("policy", "refuse_host_reflection",
        "Initiators with a stored credential do not answer a challenge that names this host when their target is another host. A target that is an alias of this host is another host."),
    key<YesNo, &Settings::audit_only>("policy", "audit_only",
        "The four lists and target_check reject nothing; trace and audit report what would have been rejected."),

    key<HostName, kNames, &HostNames::nb_computer>("names", "netbios_computer",
        "NetBIOS name of this host. Empty: the name that winbind reports, or one derived from the host name. NETBIOS_COMPUTER_NAME overrides it. A domain rejects logons for a name that is not its member's."),
    key<HostName, kNames, &HostNames::nb_domain>("names", "netbios_domain",
        "NetBIOS name of its domain. Empty: the name that winbind reports, or the computer's name. NETBIOS_DOMAIN_NAME overrides it."),
    key<HostName, kNames, &HostNames::dns_computer>("names", "dns_computer",
        "DNS name of this host. Empty: its host name."),
    key<HostName, kNames, &HostNames::dns_domain>("names", "dns_domain",
        "DNS name of its domain. Empty: the name that winbind reports; otherwise none is sent."),
    key<HostName, kNames, &HostNames::dns_tree>("names", "dns_forest",
        "DNS name of the forest. Empty: the name that winbind reports; otherwise none is sent."),
    key<YesNo, kNames, &HostNames::domain_member>("names", "domain_member",
        "netbios_domain is a domain and not the name of this stand-alone host."),

    key<Backends<backends_with_logins>, &Settings::initiator_accounts>("accounts", "initiator",
        "Where an initiator without an explicit credential searches for an account, in this order."),
    key<Backends<backends_with_accounts>, &Settings::acceptor_accounts>("accounts", "acceptor",
        "What verifies users for an acceptor, in this order. winbind: the domain, if winbind runs."),
    key<Patience, &Settings::winbind_timeout>("accounts", "winbind_timeout",
        "How long a login waits for winbind and its domain controllers."),
    key<Path, &Settings::users_file>("accounts", "users_file",
        "Users file for both roles. NTLM_USER_FILE overrides it and the two settings below. If it contains several accounts, none is the default account of initiators."),
    key<Path, &Settings::acceptor_users_file>("accounts", "acceptor_users_file",
        "Users file for acceptors; empty: users_file. It has no default account for initiators, even if it is named for them as well."),
    key<Path, &Settings::initiator_users_file>("accounts", "initiator_users_file",
        "Users file for initiators; empty: users_file."),
    key<YesNo, &Settings::allow_readable_on_tmpfs>("accounts", "allow_readable_on_tmpfs",
        "Accept a users file that everyone may read (mode 0444 or 0644) on a tmpfs, such as the default secrets of container engines. Every process that sees that tmpfs can log in as the accounts: set it only in a container whose processes are all trusted with them. Only the owner of the file, root or the user of the process, may change it all the same."),
    key<Duration, &Settings::users_file_grace>("accounts", "users_file_grace",
        "How long acceptors use the last good content of a users file that cannot be read or has an invalid line, counted from when the file was last found good: read, or seen unchanged by a login. After that they accept none of its accounts."),

    key<Path, &Settings::trace_file>("trace", "file",
        "File that receives one line for each event. GSS_NTLM_TRACE and GSSNTLMSSP_DEBUG override it."),
    key<OneOf<TraceLevels>, &Settings::trace_level>("trace", "level",
        "2 also decodes the messages. GSS_NTLM_TRACE_LEVEL overrides it."),

    key<OneOf<AuditSinks>, &Settings::audit>("audit", "log",
        "One JSON object for each authentication."),
    key<Path, &Settings::audit_file>("audit", "file",
        "File that log = file writes to."),
    key<YesNo, &Settings::audit_required>("audit", "required",
        "Acceptors and initiators fail a login whose record cannot be written."),
};
// clang-format on

}  // namespace

// The INI library takes a semicolon behind a blank for a remark, as there is one when settings are
// written; in a line that goes on with a list, some versions do.
bool has_remark(std::string_view value) noexcept {
  return value.starts_with(';') || value.find(" ;") != std::string_view::npos ||
         value.find("\t;") != std::string_view::npos;
}

std::span<const SettingKey> setting_keys() noexcept {
  return kKeys;
}

}  // namespace gssntlm
