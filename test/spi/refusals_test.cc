// Each refusal by policy happens here once: the setting or request that decides and the peer's
// offer are in the text of the error, or in the trace for logon failures, which have one text.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/connectionless.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

// NEGOTIATE flags [MS-NLMP] 2.2.2.5.
constexpr std::uint32_t kUnicode = 0x1;
constexpr std::uint32_t kOem = 0x2;
constexpr std::uint32_t kSign = 0x10;
constexpr std::uint32_t kSeal = 0x20;
constexpr std::uint32_t kEss = 0x80000;
constexpr std::uint32_t kTargetInfo = 0x800000;
constexpr std::uint32_t k128 = 0x20000000;

enum Leg { kNegotiate, kChallenge, kAuthenticate };
constexpr std::size_t kFlagsAt[] = {12, 20, 60};

std::size_t load16(const std::string& token, std::size_t at) {
  return static_cast<unsigned char>(token.at(at)) +
         256u * static_cast<unsigned char>(token.at(at + 1));
}

void change_flags(std::string& token, Leg leg, std::uint32_t clear, std::uint32_t set) {
  for (unsigned i = 0; i < 4; ++i) {
    char& octet = token.at(kFlagsAt[leg] + i);
    octet =
        static_cast<char>((static_cast<unsigned char>(octet) & ~(clear >> 8 * i)) | set >> 8 * i);
  }
}

// One byte less in the field at `at`.
void shorten_field(std::string& token, std::size_t at) {
  --token.at(at);
  --token.at(at + 2);
}

using Change = std::function<void(std::string& token)>;

Change clearing(Leg leg, std::uint32_t clear, std::uint32_t set = 0) {
  return [=](std::string& token) { change_flags(token, leg, clear, set); };
}

// What a man in the middle, or a peer of its own kind, does to the messages of an exchange.
struct Setting {
  std::string users = "CORP:alice:Passw0rd\n";
  std::string initiator;  // lines of [policy], or more
  std::string acceptor;
  OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
  std::optional<std::string> initiator_bindings;
  std::optional<std::string> acceptor_bindings;
  Change change[3];
};

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Stage {
 public:
  explicit Stage(const Setting& setting) : setting_(setting), shop_(setting.users) {
    x.flags = setting.flags;
    x.initiator_bindings = setting.initiator_bindings;
    x.acceptor_bindings = setting.acceptor_bindings;
    ::setenv("GSS_NTLM_TRACE", shop_.path("trace").c_str(), 1);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() { ::unsetenv("GSS_NTLM_TRACE"); }

  // Settings are read by the first call of a role.
  void use(const std::string& role, const std::string& lines) {
    const std::string head = lines.find("refuse_reflection") == std::string::npos
                                 ? "[policy]\nrefuse_reflection = no\n"
                                 : "[policy]\n";
    const std::string text = "[accounts]\ninitiator = users_file\n" + head + lines;
    ::setenv("GSS_NTLM_SETTINGS", shop_.write(role, text).c_str(), 1);
  }
  void act_as_initiator() { use("initiator", setting_.initiator); }
  void act_as_acceptor() { use("acceptor", setting_.acceptor); }

  void changed(Leg leg, std::string& token) const {
    if (setting_.change[leg] && !token.empty()) {
      setting_.change[leg](token);
    }
  }

  // The whole exchange, up to the step that fails.
  Outcome exchange() {
    act_as_initiator();
    std::string token = init_step(x, initiator, "");
    if (!initiator.last.ok()) {
      return initiator.last;
    }
    changed(kNegotiate, token);
    act_as_acceptor();
    token = accept_step(x, acceptor, token);
    if (!acceptor.last.ok()) {
      return acceptor.last;
    }
    changed(kChallenge, token);
    token = init_step(x, initiator, token);
    if (!initiator.last.ok()) {
      return initiator.last;
    }
    changed(kAuthenticate, token);
    accept_step(x, acceptor, token);
    return acceptor.last;
  }

  [[nodiscard]] std::string trace() const { return read(shop_.path("trace")); }

  Exchange x;
  End initiator;
  End acceptor;

 private:
  Setting setting_;
  Workshop shop_;
};

struct Row {
  const char* name;
  Setting setting;
  OM_uint32 minor;
  std::vector<const char*> says;
  std::function<Outcome(Stage&)> run = [](Stage& stage) { return stage.exchange(); };
};

void check(const Row& row) {
  CAPTURE(row.name);
  Stage stage(row.setting);
  const Outcome outcome = row.run(stage);
  CHECK_FALSE(outcome.ok());
  CHECK(outcome.minor == row.minor);
  const bool logon = row.minor == GSS_NTLM_S_LOGON_FAILURE;
  const std::string text = outcome.text();
  const std::string where = logon ? stage.trace() : text;
  INFO(where);
  for (const char* words : row.says) {
    CAPTURE(words);
    CHECK(where.find(words) != std::string::npos);
  }
  if (logon) {
    CHECK(text.find("policy]") == std::string::npos);
  } else {
    // The trace has the same reason.
    CHECK(stage.trace().find(row.says.front()) != std::string::npos);
  }
}

Setting at_leg(Leg leg, Change change, OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG) {
  Setting s;
  s.flags = flags;
  s.change[leg] = std::move(change);
  return s;
}

Setting with(std::string initiator, std::string acceptor) {
  Setting s;
  s.initiator = std::move(initiator);
  s.acceptor = std::move(acceptor);
  return s;
}

Setting bound(Setting s, std::optional<std::string> initiator,
              std::optional<std::string> acceptor) {
  s.initiator_bindings = std::move(initiator);
  s.acceptor_bindings = std::move(acceptor);
  return s;
}

Setting anonymous(Setting s) {
  s.flags |= GSS_C_ANON_FLAG;
  return s;
}

void drop_target_info(std::string& token) {
  change_flags(token, kChallenge, kTargetInfo, 0);
  token.replace(40, 4, 4, '\0');
}

std::vector<Row> initiator_rows() {
  Setting no_info = with("require_target_info = no\n", "");
  no_info.change[kChallenge] = drop_target_info;
  Setting code_page = with("offer_oem = yes\n", "");
  code_page.users = "CORP:\xd0\xb6\xd1\x83\xd0\xba:Passw0rd\n";
  code_page.change[kChallenge] = clearing(kChallenge, kUnicode, kOem);
  return {
      {"OEM only",
       at_leg(kChallenge, clearing(kChallenge, kUnicode, kOem)),
       GSS_NTLM_S_POLICY_FLAGS,
       {"[policy] offer_oem = no", "Unicode", "the server's flags 0x"}},
      {"no ESS",
       at_leg(kChallenge, clearing(kChallenge, kEss)),
       GSS_NTLM_S_POLICY_FLAGS,
       {"[policy] require_ess = yes", "extended session security", "the server's flags 0x"}},
      {"no SEAL",
       at_leg(kChallenge, clearing(kChallenge, kSeal)),
       GSS_NTLM_S_POLICY_FLAGS,
       {"GSS_C_CONF_FLAG", "sealing", "the server's flags 0x"}},
      {"no SIGN",
       at_leg(kChallenge, clearing(kChallenge, kSign | kSeal), GSS_C_INTEG_FLAG),
       GSS_NTLM_S_POLICY_FLAGS,
       {"GSS_C_INTEG_FLAG", "signing", "the server's flags 0x"}},
      {"short key",
       at_leg(kChallenge, clearing(kChallenge, k128)),
       GSS_NTLM_S_POLICY_KEY_LENGTH,
       {"[policy] min_key_bits = 128", "40 bits", "the server's flags 0x"}},
      {"no datagrams",
       at_leg(kChallenge, {}, GSS_C_INTEG_FLAG | GSS_NTLM_DATAGRAM_FLAG),
       GSS_NTLM_S_POLICY_FLAGS,
       {"GSS_C_DATAGRAM_FLAG", "the server's flags 0x"},
       [](Stage& stage) {
         stage.act_as_initiator();
         Exchange connection;
         End other;
         const std::string negotiate = init_step(connection, other, "");
         const std::string challenge = accept_step(connection, stage.acceptor, negotiate);
         init_step(stage.x, stage.initiator, challenge);
         return stage.initiator.last;
       }},
      {"no target information",
       at_leg(kChallenge, drop_target_info),
       GSS_NTLM_S_TARGET_INFO,
       {"[policy] require_target_info = yes", "the server sent no target information"}},
      {"bindings and NTLMv1",
       bound(with("send_level = 2\n", ""), "channel", {}),
       GSS_NTLM_S_BINDINGS,
       {"[policy] send_level = 2", "channel bindings"}},
      {"bindings and no target information",
       bound(no_info, "channel", {}),
       GSS_NTLM_S_BINDINGS,
       {"the server sent no target information", "channel bindings"}},
      {"bindings and no name",
       bound(anonymous({}), "channel", {}),
       GSS_NTLM_S_BINDINGS,
       {"an anonymous client sends none", "channel bindings"}},
      {"deny_targets",
       with("deny_targets = HTTP@*\n", ""),
       GSS_NTLM_S_POLICY_BLOCKED,
       {"deny_targets", "HTTP/server.example"}},
      {"allow_targets",
       with("allow_targets = LDAP@*\n", ""),
       GSS_NTLM_S_POLICY_BLOCKED,
       {"allow_targets", "HTTP/server.example"}},
      {"reflection",
       with("refuse_reflection = yes\n", ""),
       GSS_NTLM_S_POLICY_BLOCKED,
       {"refuse_reflection", "challenge of its own process"}},
      {"reflection to the host",
       with("refuse_host_reflection = yes\nrefuse_reflection = no\n", ""),
       GSS_NTLM_S_POLICY_BLOCKED,
       {"refuse_host_reflection", "the challenge names this host"}},
      {"audit",
       with("[audit]\nlog = file\nfile = /nonexistent/log\nrequired = yes\n", ""),
       GSS_NTLM_S_POLICY_BLOCKED,
       {"/nonexistent/log", "[audit] required = yes"}},
      {"code page", code_page, GSS_NTLM_S_UNENCODABLE, {"[policy] code_page", "OEM names only"}},
  };
}

std::vector<Row> acceptor_rows() {
  Setting code_page = with("", "[names]\nnetbios_computer = \xd0\x96\xd0\xa3\xd0\x9a\n");
  code_page.change[kNegotiate] = clearing(kNegotiate, kUnicode, kOem);
  const std::string v1 = "send_level = 2\n";
  return {
      {"no ESS",
       at_leg(kNegotiate, clearing(kNegotiate, kEss)),
       GSS_NTLM_S_POLICY_FLAGS,
       {"[policy] require_ess = yes", "extended session security", "the client's flags 0x"}},
      {"short key",
       at_leg(kNegotiate, clearing(kNegotiate, k128)),
       GSS_NTLM_S_POLICY_KEY_LENGTH,
       {"[policy] min_key_bits = 128", "40 bits", "the client's flags 0x"}},
      {"connectionless",
       {},
       GSS_NTLM_S_POLICY_BLOCKED,
       {"[policy] allow_connectionless = no", "the client begins a connectionless context"},
       [](Stage& stage) {
         stage.act_as_acceptor();
         accept_step(stage.x, stage.acceptor, framed_nothing());
         return stage.acceptor.last;
       }},
      {"anonymous",
       anonymous({}),
       GSS_NTLM_S_ANONYMOUS,
       {"[policy] allow_anonymous = no", "the client is anonymous"}},
      {"NTLMv1",
       with(v1, ""),
       GSS_NTLM_S_POLICY_VERSION,
       {"[policy] accept_level = 5", "NTLMv1 with extended session security"}},
      {"no bindings",
       bound(with("", "channel_bindings = require\n"), {}, "channel"),
       GSS_NTLM_S_BINDINGS,
       {"[policy] channel_bindings = require", "the client sent no channel bindings"}},
      {"other bindings",
       bound({}, "one channel", "another"),
       GSS_NTLM_S_BINDINGS,
       {"[policy] channel_bindings is not off", "those of another channel"}},
      {"NTLMv1 and bindings",
       bound(with(v1, "accept_level = 3\n"), {}, "channel"),
       GSS_NTLM_S_BINDINGS,
       {"NTLMv1 with extended session security", "channel bindings"}},
      {"anonymous and bindings",
       bound(anonymous(with("", "allow_anonymous = yes\n")), {}, "channel"),
       GSS_NTLM_S_BINDINGS,
       {"the client is anonymous", "channel bindings"}},
      {"flags taken back",
       at_leg(kAuthenticate, clearing(kAuthenticate, kSign)),
       GSS_NTLM_S_DOWNGRADE,
       {"AUTHENTICATE clears flags", "0x00000010"}},
      {"code page",
       code_page,
       GSS_NTLM_S_UNENCODABLE,
       {"[policy] code_page", "the client's flags 0x"}},
  };
}

Outcome log_in_without_password(Stage& stage) {
  CredHandle cred;
  const char* const hash_of_nothing = "31D6CFE0D16AE931B73C59D7E0C089C0";
  stage.act_as_initiator();
  REQUIRE(acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\alice",
                       {{GSS_NTLM_CS_NTHASH, hash_of_nothing}}, cred)
              .ok());
  stage.x.initiator_cred = cred.get();
  return stage.exchange();
}

std::vector<Row> logon_rows() {
  const auto log_in = [](const char* policy) { return with("", policy); };
  Setting empty_password;
  empty_password.users = "CORP:alice:\n";
  const OM_uint32 failure = GSS_NTLM_S_LOGON_FAILURE;
  return {
      {"no MIC",
       with("send_level = 2\n", "accept_level = 3\nrequire_mic = yes\n"),
       failure,
       {"the client sent no MIC, and [policy] require_mic = yes"}},
      {
          "clock",
          log_in("max_clock_skew = 0s\n"),
          failure,
          {"the client's clock differs by 0 s, and [policy] max_clock_skew = 0s"},
      },
      {"deny_users", log_in("deny_users = CORP\\alice\n"), failure, {"deny_users has user alice"}},
      {"allow_users",
       log_in("allow_users = CORP\\bob\n"),
       failure,
       {"allow_users lacks user alice"}},
      {"target",
       log_in("target_check = require\ntarget_names = HTTP@other.example\n"),
       failure,
       {"target_names lacks the client's target HTTP/server.example", "target_check = require"}},
      {"no target",
       with("send_level = 2\n", "accept_level = 3\ntarget_check = require\ntarget_names = *\n"),
       failure,
       {"named no target that a MIC covers", "target_check = require"}},
      {"empty password",
       empty_password,
       failure,
       {"allow_empty_passwords"},
       log_in_without_password},
  };
}

std::vector<Row> malformed_rows() {
  return {
      {"odd name of the server",
       at_leg(kChallenge, [](std::string& token) { shorten_field(token, 12); }),
       GSS_NTLM_S_BAD_STRING,
       {"odd length", "the server's CHALLENGE"}},
      {"odd name of the client",
       at_leg(kAuthenticate, [](std::string& token) { shorten_field(token, 36); }),
       GSS_NTLM_S_BAD_STRING,
       {"odd length", "the client's AUTHENTICATE"}},
      {"NUL in a name of the client",
       at_leg(kAuthenticate,
              [](std::string& token) { token.replace(load16(token, 40), 2, 2, '\0'); }),
       GSS_NTLM_S_BAD_STRING,
       {"NUL", "the client's AUTHENTICATE"}},
      {"RespType",
       at_leg(kAuthenticate, [](std::string& token) { token.at(load16(token, 24) + 16) = 2; }),
       GSS_NTLM_S_RESPONSE_VERSION,
       {"version (RespType)"}},
      {"key of another length",
       at_leg(kAuthenticate, [](std::string& token) { shorten_field(token, 52); }),
       GSS_NTLM_S_BAD_RESPONSE,
       {"length"}},
  };
}

TEST_CASE("refusals: each one names what decides, and what the peer offers", "[refusals]") {
  for (const auto& rows : {initiator_rows(), acceptor_rows(), logon_rows(), malformed_rows()}) {
    for (const Row& row : rows) {
      check(row);
    }
  }
}

TEST_CASE("refusals: an import names what decides, and the context's key", "[refusals]") {
  Setting short_keys;
  short_keys.initiator = short_keys.acceptor = "min_key_bits = 40\n";
  short_keys.change[kNegotiate] = clearing(kNegotiate, 0);
  Stage stage(short_keys);
  stage.act_as_initiator();
  CredHandle cred;
  std::uint32_t offer = 0xC2088235;  // 56 bits
  gss_OID_desc option = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_NEG_FLAGS_OID_BYTES)};
  gss_buffer_desc value = {sizeof offer, &offer};
  OM_uint32 minor = 0;
  REQUIRE(acquire(GSS_C_INITIATE, &kNtlm, cred).ok());
  REQUIRE(gss_set_cred_option(&minor, cred.handle(), &option, &value) == GSS_S_COMPLETE);
  stage.x.initiator_cred = cred.get();
  REQUIRE(stage.exchange().ok());
  std::string token;
  REQUIRE(export_context(stage.acceptor, token).ok());
  stage.use("stricter", "");
  const Outcome outcome = import_context(stage.acceptor, token);
  CHECK(outcome.minor == GSS_NTLM_S_POLICY_KEY_LENGTH);
  INFO(outcome.text());
  CHECK(outcome.text().find("[policy] min_key_bits = 128") != std::string::npos);
  CHECK(outcome.text().find("56 bits") != std::string::npos);
}

}  // namespace
}  // namespace gssntlm::test
