// The keys of the settings file, each in one place: where it is kept, how it is written, what it
// does.
#include <algorithm>
#include <array>
#include <charconv>

#include "mech/base/text.h"
#include "mech/config/settings.h"

namespace gssntlm {
namespace {

// The member at the end of a path of member pointers.
template <auto First, auto... Rest>
auto& field(auto& object) noexcept {
  if constexpr (sizeof...(Rest) == 0) {
    return object.*First;
  } else {
    return field<Rest...>(object.*First);
  }
}

template <typename Number>
bool parse_number(std::string_view text, Number& to) noexcept {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, to);
  return error == std::errc() && at == end && !text.empty();
}

struct YesNo {
  static constexpr std::string_view kForm = "yes or no";
  static constexpr bool kList = false;
  static bool parse(std::string_view text, bool& to) noexcept {
    to = text == "yes";
    return to || text == "no";
  }
  static std::string print(bool value) { return value ? "yes" : "no"; }
};

template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

// One of a few words, given by Words::kWords.
template <typename Words>
struct OneOf {
  static constexpr std::string_view kForm = Words::kForm;
  static constexpr bool kList = false;
  template <typename Value>
  static bool parse(std::string_view text, Value& to) noexcept {
    for (const auto& word : Words::kWords) {
      if (word.text == text) {
        to = word.value;
        return true;
      }
    }
    return false;
  }
  template <typename Value>
  static std::string print(Value value) {
    for (const auto& word : Words::kWords) {
      if (word.value == value) {
        return std::string(word.text);
      }
    }
    return {};
  }
};

struct Levels {
  static constexpr std::string_view kForm = "a number from 0 to 5";
  static constexpr Word<unsigned> kWords[] = {{"0", 0}, {"1", 1}, {"2", 2},
                                              {"3", 3}, {"4", 4}, {"5", 5}};
};
struct KeyBits {
  static constexpr std::string_view kForm = "128, 56 or 40";
  static constexpr Word<unsigned> kWords[] = {{"128", 128}, {"56", 56}, {"40", 40}};
};
struct Demands {
  static constexpr std::string_view kForm = "off, accept or require";
  static constexpr Word<Demand> kWords[] = {
      {"off", Demand::kOff}, {"accept", Demand::kAccept}, {"require", Demand::kRequire}};
};
struct CodePages {
  static constexpr std::string_view kForm = "437, 850 or 1252";
  static constexpr Word<CodePage> kWords[] = {
      {"437", CodePage::k437}, {"850", CodePage::k850}, {"1252", CodePage::k1252}};
};
struct TargetChecks {
  static constexpr std::string_view kForm = "off, log or require";
  static constexpr Word<TargetCheck> kWords[] = {
      {"off", TargetCheck::kOff}, {"log", TargetCheck::kLog}, {"require", TargetCheck::kRequire}};
};
struct SpnegoMics {
  static constexpr std::string_view kForm = "auto, always or never";
  static constexpr Word<SpnegoMic> kWords[] = {
      {"auto", SpnegoMic::kAuto}, {"always", SpnegoMic::kAlways}, {"never", SpnegoMic::kNever}};
};
struct TraceLevels {
  static constexpr std::string_view kForm = "1 or 2";
  static constexpr Word<unsigned> kWords[] = {{"1", 1}, {"2", 2}};
};
struct AuditSinks {
  static constexpr std::string_view kForm = "off, file or syslog";
  static constexpr Word<AuditSink> kWords[] = {
      {"off", AuditSink::kOff}, {"file", AuditSink::kFile}, {"syslog", AuditSink::kSyslog}};
};

struct Duration {
  static constexpr std::string_view kForm = "a time such as 90s, 15m, 36h or 2d";
  static constexpr bool kList = false;
  static constexpr Word<std::uint64_t> kUnits[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
  static constexpr std::uint64_t kMost = 100ull * 365 * 86400;

  static bool parse(std::string_view text, std::uint64_t& to) noexcept {
    for (const auto& unit : kUnits) {
      std::uint64_t count = 0;
      if (text.ends_with(unit.text) && parse_number(text.substr(0, text.size() - 1), count) &&
          count <= kMost / unit.value) {
        to = count * unit.value;
        return true;
      }
    }
    return false;
  }
  static std::string print(std::uint64_t seconds) {
    for (const auto& unit : kUnits) {
      if (seconds % unit.value == 0 && (seconds != 0 || unit.value == 1)) {
        return std::to_string(seconds / unit.value).append(unit.text);
      }
    }
    return {};
  }
};

struct Path {
  static constexpr std::string_view kForm = "an absolute path, or nothing";
  static constexpr bool kList = false;
  static bool parse(std::string_view text, std::string& to) {
    to = text;
    return text.empty() || text.front() == '/';
  }
  static std::string print(const std::string& value) { return value; }
};

struct HostName {
  static constexpr std::string_view kForm = "a name of at most 255 printable characters";
  static constexpr bool kList = false;
  static bool parse(std::string_view text, Bytes& to) {
    Result<Bytes> wide = utf16le_from_utf8(text);
    if (!wide || !is_clean_name(*wide) || wide->size() > 2 * 255 || has_remark(text)) {
      return false;
    }
    to = std::move(*wide);
    return true;
  }
  static std::string print(const Bytes& value) {
    Result<std::string> text = utf8_from_utf16le(value);
    return text ? std::move(*text) : std::string();
  }
};

// The items of a comma-separated list, without the blanks around them; nothing for empty ones.
template <typename Take>
bool split_list(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const std::size_t from = item.find_first_not_of(" \t");
    if (from == std::string_view::npos) {
      continue;
    }
    item = item.substr(from, item.find_last_not_of(" \t") - from + 1);
    if (!take(item)) {
      return false;
    }
  }
  return true;
}

struct Patterns {
  static constexpr std::string_view kForm = "a list of patterns separated by commas";
  static constexpr bool kList = true;
  static bool parse(std::string_view text, std::vector<std::string>& to) {
    return split_list(text, [&](std::string_view item) {
      const Result<Bytes> wide = utf16le_from_utf8(item);
      if (!wide || !is_clean_name(*wide) || has_remark(item)) {
        return false;
      }
      to.emplace_back(item);
      return true;
    });
  }
  static std::string print(const std::vector<std::string>& value) {
    std::string text;
    for (const std::string& item : value) {
      text.append(text.empty() ? "" : ", ").append(item);
    }
    return text;
  }
};

// Without a list everyone is allowed; with one that names no one, because a variable of a template
// was empty, no one shall be.
struct AllowPatterns : Patterns {
  static constexpr std::string_view kForm = "a list of patterns separated by commas, or *";
  static constexpr bool kNeverEmpty = true;
  static std::string print(const std::vector<std::string>& value) {
    return value.empty() ? "*" : Patterns::print(value);
  }
};

struct AccountNames {
  static constexpr std::string_view kForm = "a list of names separated by commas";
  static constexpr bool kList = true;
  static bool parse(std::string_view text, std::vector<std::string>& to) {
    return text.find_first_of("*?") == std::string_view::npos && Patterns::parse(text, to);
  }
  static std::string print(const std::vector<std::string>& value) { return Patterns::print(value); }
};

// A timeout in seconds: a Duration within limits.
struct Patience {
  static constexpr std::string_view kForm = "a time from 1s to 5m";
  static constexpr bool kList = false;
  static bool parse(std::string_view text, std::uint64_t& to) noexcept {
    return Duration::parse(text, to) && to >= 1 && to <= 300;
  }
  static std::string print(std::uint64_t seconds) { return Duration::print(seconds); }
};

// How long an exported handshake is good for.
struct HandshakeAge {
  static constexpr std::string_view kForm = "a time from 1m to 1d";
  static constexpr bool kList = false;
  static bool parse(std::string_view text, std::uint64_t& to) noexcept {
    return Duration::parse(text, to) && to >= 60 && to <= 86400;
  }
  static std::string print(std::uint64_t seconds) { return Duration::print(seconds); }
};

struct FarmName {
  static constexpr std::string_view kForm = "a name of at most 255 bytes, or nothing";
  static constexpr bool kList = false;
  static bool parse(std::string_view text, std::string& to) {
    const Result<Bytes> wide = utf16le_from_utf8(text);
    to = text;
    return wide && is_clean_name(*wide) && text.size() <= 255 && !has_remark(text);
  }
  static std::string print(const std::string& value) { return value; }
};

// Account sources, in the words of the table of backends.h.
template <std::vector<const Backend*> (*All)()>
struct Backends {
  static constexpr bool kList = false;
  static std::string form() { return "a list of: " + print(All()); }
  static bool parse(std::string_view text, std::vector<const Backend*>& to) {
    to.clear();
    const std::vector<const Backend*> all = All();
    return split_list(text, [&](std::string_view item) {
      const Backend* named = backend_called(item);
      if (std::find(all.begin(), all.end(), named) == all.end() ||
          std::find(to.begin(), to.end(), named) != to.end()) {
        return false;
      }
      to.push_back(named);
      return true;
    });
  }
  static std::string print(const std::vector<const Backend*>& value) {
    std::string text;
    for (const Backend* backend : value) {
      text.append(text.empty() ? "" : ", ").append(backend->word());
    }
    return text;
  }
};

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
  return {section, name, about, Codec::kList, requires {Codec::kNeverEmpty;
}
, form_of<Codec>,
    [](Settings& s, std::string_view value) { return Codec::parse(value, field<Where...>(s)); },
    [](const Settings& s) { return Codec::print(field<Where...>(s)); }
};  // namespace
}  // namespace gssntlm

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
