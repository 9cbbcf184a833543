#include "tools/decode/diagnose.h"

#include <algorithm>

#include "mech/base/runtime.h"
#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/protocol/logon.h"

namespace gssntlm::tools {
namespace {

constexpr std::uint64_t kUsualSkew = 36 * 60 * 60;

class Judge {
 public:
  Judge(const Token* n, const Token& c, const Token& a, const NtHash& hash)
      : n_(n), c_(c), a_(a), m_(*a.authenticate), hash_(hash) {
    request_.server_challenge = c.challenge->server_challenge;
    request_.lm_response = m_.lm_response;
    request_.nt_response = m_.nt_response;
    request_.flags = m_.flags;
    user_ = wide(m_.user);
    domain_ = wide(m_.domain);
  }

  std::vector<Finding> run(const std::optional<Bytes>& bindings) {
    std::optional<SessionBaseKey> base = m_.v2 ? prove_v2() : prove_v1();
    if (base) {
      check_mic(*base);
    }
    if (m_.v2) {
      check_bindings(bindings);
      check_time();
    }
    return std::move(findings_);
  }

 private:
  void say(Verdict verdict, const char* part, std::string text) {
    findings_.push_back({verdict, part, std::move(text)});
  }
  void say(bool good, const char* part, std::string text) {
    say(good ? Verdict::kGood : Verdict::kBad, part, std::move(text));
  }
  [[nodiscard]] Bytes wide(ByteView name) const {
    Result<Bytes> converted = a_.oem ? utf16le_from_oem(name, CodePage::k1252)
                                     : Result<Bytes>(Bytes(name.begin(), name.end()));
    return converted ? std::move(*converted) : Bytes();
  }

  std::optional<SessionBaseKey> try_domain(const Bytes& domain) const {
    const ResponseKey key = derive_response_key(hash_, user_, domain);
    V2Proof proof =
        compute_v2_proof(key, request_.server_challenge, m_.nt_response.subspan(kNtProofSize));
    if (!verify_equal(proof.nt_proof, m_.nt_response.first(kNtProofSize))) {
      return std::nullopt;
    }
    return std::move(proof.base);
  }

  std::optional<SessionBaseKey> prove_v2() {
    struct Spelling {
      Bytes domain;
      const char* text;
      bool good;
    };
    Bytes upper = domain_;
    upcase_utf16le(upper);
    std::vector<Spelling> spellings = {
        {domain_, "hashed as it was sent", true},
        {upper, "hashed in capitals, but sent in another spelling", true},
        {Bytes(), "hashed as empty, but one was sent", true}};
    if (const Result<TargetInfo> info = decode_target_info(c_.challenge->target_info)) {
      for (const auto& name : {info->nb_domain, info->nb_computer, info->dns_domain}) {
        if (name) {
          spellings.push_back({Bytes(name->begin(), name->end()),
                               "hashed with a name of the server that was not sent", false});
        }
      }
    }
    for (const Spelling& s : spellings) {
      if (std::optional<SessionBaseKey> base = try_domain(s.domain)) {
        say(true, "password", "right");
        say(s.good, "domain spelling", s.text);
        return base;
      }
    }
    say(false, "password",
        "wrong, or user or domain were hashed in another spelling than was sent; or the challenge "
        "is of another exchange");
    return std::nullopt;
  }

  std::optional<SessionBaseKey> prove_v1() {
    if (m_.nt_response.size() != kV1ResponseSize) {
      say(false, "password", "there is no NT response to check");
      return std::nullopt;
    }
    Nonce client{};
    if (m_.lm_response.size() >= client.size()) {
      std::copy_n(m_.lm_response.begin(), client.size(), client.begin());
    }
    const bool ess = has(m_.flags, flag::kEss);
    const Response24 wanted =
        ess ? compute_v1_ess_response(hash_, request_.server_challenge, client)
            : compute_v1_response(hash_.view(), request_.server_challenge);
    if (!verify_equal(wanted, m_.nt_response)) {
      say(false, "password", "wrong, or the challenge is of another exchange");
      return std::nullopt;
    }
    say(true, "password", "right, but sent as NTLMv1, which servers reject by default");
    const SessionBaseKey base = derive_v1_base_key(hash_);
    Response24 lm{};
    std::copy_n(m_.lm_response.begin(), std::min(lm.size(), m_.lm_response.size()), lm.begin());
    return SessionBaseKey(
        derive_v1_key_exchange_key(m_.flags, base, nullptr, lm, request_.server_challenge).view());
  }

  void check_mic(const SessionBaseKey& base) {
    if (!m_.mic_at && !a_.fault) {
      say(Verdict::kOpen, "MIC", "none was sent; servers may demand one");
      return;
    }
    if (n_ == nullptr) {
      say(Verdict::kOpen, "MIC", "cannot be verified without NEGOTIATE, which it covers");
      return;
    }
    if (n_->fault || c_.fault || a_.fault) {
      say(Verdict::kOpen, "MIC", "cannot be verified: it covers a message that is malformed");
      return;
    }
    SessionKey key(base.view());
    const bool exchange = has(m_.flags, flag::kKeyExchange);
    if (exchange && m_.session_key.size() == SessionKey::kSize) {
      rc4k(base.view(), m_.session_key.first<SessionKey::kSize>(), key.bytes());
    }
    const auto verifies = [&](const SessionKey& k) {
      const Mic mic = compute_mic(k, n_->ntlm, c_.ntlm, a_.ntlm, *m_.mic_at);
      return verify_equal(mic, a_.ntlm.subspan(*m_.mic_at, kMicSize));
    };
    if (verifies(key)) {
      say(true, "MIC", "verifies: none of the three messages was changed");
    } else if (exchange && verifies(SessionKey(base.view()))) {
      say(false, "MIC", "made with the wrong key: the client did not use the one it exchanged");
    } else {
      say(false, "MIC", "does not verify: a message was changed, or is of another exchange");
    }
  }

  void check_bindings(const std::optional<Bytes>& wanted) {
    const std::optional<ByteView> given = m_.v2->target_info.channel_bindings;
    const bool none =
        !given || std::all_of(given->begin(), given->end(), [](std::uint8_t b) { return b == 0; });
    if (none) {
      say(wanted ? Verdict::kBad : Verdict::kOpen, "bindings",
          "the client sent none; servers that require them reject it");
    } else if (!wanted) {
      say(Verdict::kOpen, "bindings", "sent: " + hex_text(*given) + " (compare with --bindings)");
    } else if (same_bytes(*given, *wanted) && !m_.mic_at) {
      say(false, "bindings", "those of the channel, but no MIC covers them, so they count as none");
    } else if (same_bytes(*given, *wanted)) {
      say(true, "bindings", "those of the channel");
    } else {
      say(false, "bindings",
          "of another channel: check for a proxy that terminates TLS, or a relay");
    }
  }

  void check_time() {
    const Result<TargetInfo> info = decode_target_info(c_.challenge->target_info);
    const std::uint64_t client = m_.v2->timestamp;
    if (!info || !info->timestamp) {
      say(Verdict::kOpen, "time", "the client's clock: " + filetime_text(client));
      return;
    }
    const std::uint64_t server = *info->timestamp;
    const std::uint64_t apart =
        (client > server ? client - server : server - client) / kFiletimePerSecond;
    if (client == server) {
      say(true, "time", "the server's own timestamp came back");
    } else {
      say(apart <= kUsualSkew, "time",
          "the client says " + filetime_text(client) + ", the server " + filetime_text(server));
    }
  }

  const Token* n_;
  const Token& c_;
  const Token& a_;
  const AuthenticateMessage& m_;
  const NtHash& hash_;
  LogonRequest request_;
  Bytes user_;
  Bytes domain_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> diagnose(const Token* negotiate, const Token& challenge,
                              const Token& authenticate, const NtHash& hash,
                              const std::optional<Bytes>& bindings) {
  return Judge(negotiate, challenge, authenticate, hash).run(bindings);
}

}  // namespace gssntlm::tools
