// Peers that are weaker than they should be: what they leave out at each leg is refused by default
// with the reason in the trace, and what settings let pass is a line of trace and audit.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {
namespace {

constexpr const char* kUsers = "CORP:alice:Passw0rd\n";

// NEGOTIATE flags [MS-NLMP] 2.2.2.5.
constexpr std::uint32_t kUnicode = 0x1;
constexpr std::uint32_t kOem = 0x2;
constexpr std::uint32_t kSign = 0x10;
constexpr std::uint32_t kSeal = 0x20;
constexpr std::uint32_t kLmKey = 0x80;
constexpr std::uint32_t kEss = 0x80000;
constexpr std::uint32_t kNonNt = 0x400000;
constexpr std::uint32_t kTargetInfo = 0x800000;
constexpr std::uint32_t k128 = 0x20000000;
constexpr std::uint32_t k56 = 0x80000000;
constexpr std::uint32_t kUsual = 0xE2088235;

std::uint32_t load(const std::string& token, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(token.at(at + i));
  }
  return value;
}

void drop_flags(std::string& token, std::size_t at, std::uint32_t flags) {
  const std::uint32_t kept = load(token, at) & ~flags;
  for (std::size_t i = 0; i < 4; ++i) {
    token.at(at + i) = static_cast<char>(kept >> 8 * i);
  }
}

// TargetInfo goes with its flag: its length becomes zero.
void drop(std::string& token, std::size_t flags_at, std::uint32_t flags) {
  drop_flags(token, flags_at, flags);
  if (flags == kTargetInfo && flags_at == 20) {
    token.replace(40, 4, 4, '\0');
  }
}

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A directory with accounts, a trace and an audit file.
class Watched {
 public:
  explicit Watched(const std::string& policy = {}) : workshop_(kUsers) {
    workshop_.write("settings", "[accounts]\ninitiator = users_file\n[audit]\nlog = file\nfile = " +
                                    workshop_.path("audit") +
                                    "\n[policy]\nrefuse_reflection = no\n" + policy);
    ::setenv("GSS_NTLM_TRACE", workshop_.path("trace").c_str(), 1);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() { ::unsetenv("GSS_NTLM_TRACE"); }

  [[nodiscard]] std::string trace() const { return read(workshop_.path("trace")); }
  [[nodiscard]] std::string audit() const { return read(workshop_.path("audit")); }

 private:
  Workshop workshop_;
};

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

// Runs a handshake with flags left out of one of its three messages; whether it opened.
bool run_dropping(int leg, std::uint32_t flags) {
  Exchange x;
  End initiator;
  End acceptor;
  std::string token = init_step(x, initiator, "");
  if (leg == 0) {
    drop(token, 12, flags);
  }
  token = accept_step(x, acceptor, token);
  if (!acceptor.last.ok()) {
    return false;
  }
  if (leg == 1) {
    drop(token, 20, flags);
  }
  token = init_step(x, initiator, token);
  if (!initiator.last.ok()) {
    return false;
  }
  if (leg == 2) {
    drop(token, 60, flags);
  }
  accept_step(x, acceptor, token);
  return acceptor.last.ok();
}

TEST_CASE("drops: what a peer leaves out at a leg is refused, with the reason in the trace",
          "[weak]") {
  const char* const took_back = "clears flags that CHALLENGE had set";
  const char* const changed = "the MIC does not verify";
  const struct {
    int leg;
    const char* name;
    std::uint32_t flags;
    const char* reason;
  } cases[] = {
      {0, "ESS", kEss, "extended session security, which [policy] require_ess = yes requires"},
      {0, "128", k128, "[policy] min_key_bits = 128"},
      {0, "UNICODE", kUnicode, "neither Unicode nor OEM"},
      {0, "SIGN", kSign, changed},
      {0, "SEAL", kSeal, "sealing, which the application requires"},
      {1, "ESS", kEss, "extended session security, which [policy] require_ess = yes requires"},
      {1, "128", k128, "[policy] min_key_bits = 128"},
      {1, "UNICODE", kUnicode, "neither Unicode nor OEM"},
      {1, "TARGET_INFO", kTargetInfo, "the server sent no target information"},
      {1, "SIGN", kSign, took_back},
      {1, "SIGN and SEAL", kSign | kSeal, "sealing, which the application requires"},
      {1, "SEAL", kSeal, "sealing, which the application requires"},
      {2, "ESS", kEss, took_back},
      {2, "128", k128, took_back},
      {2, "UNICODE", kUnicode, "AUTHENTICATE gives up Unicode"},
      {2, "TARGET_INFO", kTargetInfo, changed},
      {2, "SIGN", kSign, took_back},
      {2, "SEAL", kSeal, took_back},
  };
  for (const auto& c : cases) {
    const Watched watched;
    CAPTURE(c.leg, c.name);
    CHECK_FALSE(run_dropping(c.leg, c.flags));
    INFO(watched.trace());
    CHECK(contains(watched.trace(), c.reason));
  }
  const Watched watched;
  CHECK(run_dropping(3, 0));
  CHECK_FALSE(contains(watched.trace(), "rejected"));
}

// A context whose initiator offers `offer`, or what it likes; whether it opened.
bool run_offering(std::uint32_t offer, OM_uint32 flags) {
  CredHandle cred;
  Exchange x;
  x.flags = flags;
  if (offer != 0) {
    gss_OID_desc option = {GSS_NTLM_OID_LENGTH, const_cast<char*>(GSS_NTLM_NEG_FLAGS_OID_BYTES)};
    gss_buffer_desc value = {sizeof offer, &offer};
    OM_uint32 minor = 0;
    REQUIRE(acquire(GSS_C_INITIATE, &kNtlm, cred).ok());
    REQUIRE(gss_set_cred_option(&minor, cred.handle(), &option, &value) == GSS_S_COMPLETE);
    x.initiator_cred = cred.get();
  }
  End initiator;
  End acceptor;
  return run(x, initiator, acceptor);
}

TEST_CASE("weak: each weak choice is a line in the trace and an entry of the audit record, by role",
          "[weak]") {
  const std::string open = "require_ess = no\nmin_key_bits = 40\n";
  const std::string v1 = open + "send_level = 2\naccept_level = 0\n";
  const std::string lm = open + "send_level = 0\naccept_level = 0\n";
  const OM_uint32 protect = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
  const struct {
    std::string policy;
    std::uint32_t offer;
    OM_uint32 flags;
    const char* initiator;
    const char* acceptor;
  } cases[] = {
      {lm, 0, protect, "LM", "NTLMv1"},
      {v1, kUsual & ~kEss, protect, "NTLMv1", "NTLMv1"},
      {v1, 0, protect, "NTLMv1 with extended session security",
       "NTLMv1 with extended session security"},
      {open, kUsual & ~kEss, protect, "no extended session security",
       "no extended session security"},
      {lm, (kUsual & ~kEss) | kLmKey, protect, "LM session key", "LM session key"},
      {lm, (kUsual & ~kEss) | kNonNt, protect, "session key from the LM hash",
       "session key from the LM hash"},
      {open, kUsual & ~k128, protect, "56-bit session key", "56-bit session key"},
      {open, kUsual & ~(k128 | k56), protect, "40-bit session key", "40-bit session key"},
      {open, (kUsual & ~kUnicode) | kOem, protect, "names in an OEM code page",
       "names in an OEM code page"},
      {"allow_anonymous = yes\n", 0, GSS_C_ANON_FLAG, "anonymous", "anonymous"},
      {"dummy_signatures = yes\n", kUsual & ~(kSign | kSeal), 0,
       "constant signatures, which prove nothing", "constant signatures, which prove nothing"},
  };
  for (const auto& c : cases) {
    const Watched watched(c.policy);
    CAPTURE(c.policy, c.offer, c.initiator);
    REQUIRE(run_offering(c.offer, c.flags));
    const std::string trace = watched.trace();
    CHECK(contains(trace, std::string("initiator: weak: ") + c.initiator + "\n"));
    CHECK(contains(trace, std::string("acceptor: weak: ") + c.acceptor + "\n"));
    std::istringstream audit(watched.audit());
    std::string line;
    int seen = 0;
    while (std::getline(audit, line)) {
      const bool initiator = contains(line, "\"role\":\"initiator\"");
      const std::string word = std::string("\"") + (initiator ? c.initiator : c.acceptor) + "\"";
      const std::size_t weak = line.find("\"weak\":[");
      REQUIRE(weak != std::string::npos);
      CHECK(contains(line.substr(weak), word));
      ++seen;
    }
    CHECK(seen == 2);
  }
}

TEST_CASE("weak: what audit_only lets pass is in the record of the login that it did not reject",
          "[weak]") {
  const Watched watched(
      "audit_only = yes\ndeny_targets = HTTP@*\ndeny_users = *\\alice\n"
      "target_check = log\ntarget_names = HTTP@other.example\n");
  REQUIRE(run_offering(0, GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG));
  const std::string audit = watched.audit();
  INFO(audit);
  CHECK(contains(audit, "\"result\":\"sent\""));
  CHECK(contains(audit, "\"would_reject\":[\"deny_targets has target HTTP/server.example\"]"));
  CHECK(contains(audit, "\"result\":\"accepted\""));
  CHECK(contains(audit,
                 "\"would_reject\":[\"deny_users has user alice\",\"target_names lacks the "
                 "client's target HTTP/server.example\"]"));
  CHECK(contains(audit, "\"key_bits\":128"));
}

TEST_CASE("weak: the default has no such line", "[weak]") {
  const Watched watched;
  REQUIRE(run_offering(0, GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG));
  CHECK_FALSE(contains(watched.trace(), "weak"));
  CHECK_FALSE(contains(watched.audit(), "\"weak\":"));
  CHECK(contains(watched.audit(), "accepted"));
}

}  // namespace
}  // namespace gssntlm::test
