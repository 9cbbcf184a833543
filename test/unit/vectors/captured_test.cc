// The messages that other implementations published: read, and proven where the password is known.
#include <algorithm>
#include <iostream>

#include "mech/base/text.h"
#include "mech/crypto/derive.h"
#include "mech/protocol/logon.h"
#include "mech/protocol/session.h"
#include "mech/wire/authenticate.h"
#include "spnego/token.h"
#include "test/support/catch.h"
#include "test/support/hex.h"
#include "test/unit/vectors/captured.h"

namespace gssntlm::test {
namespace {

constexpr Flags kWeakKeyBits = flag::kLmKey | flag::kNonNtSessionKey;

std::string text(const Json& record, const char* name) {
  return record.at(name).get<std::string>();
}
Bytes bytes(const Json& record, const char* name) {
  return unhex(text(record, name));
}

bool is_there() {
  if (!captured().is_null()) {
    return true;
  }
  std::cout << "vectors: captured.json skipped: " << captured_path()
            << " is not there (GSS_NTLM_VECTORS names another directory)\n";
  return false;
}

const Json& message(const std::string& id) {
  const Json& all = captured().at("messages");
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const Json& m) { return m.at("id") == id; });
  REQUIRE(it != all.end());
  return *it;
}

NtHash nt_hash(const Json& record) {
  if (record.contains("nt_hash")) {
    const auto hash = unhex<16>(text(record, "nt_hash"));
    return NtHash(std::span<const std::uint8_t, 16>(hash));
  }
  return derive_nt_hash(utf16(text(record, "password")));
}

LmHash lm_hash(const Json& record) {
  Bytes upper = utf16(text(record, "password"));
  upcase_utf16le(upper);
  const Result<Bytes> oem = oem_from_utf16le(upper, CodePage::k1252);
  REQUIRE(oem);
  return derive_lm_hash(*oem);
}

struct Verified {
  std::string kind;
  Bytes base;  // the session base key, or what KXKEY made of it for NTLM2 session responses
};

// What `record` says of the response in `m` if it verifies; nothing otherwise.
std::optional<Verified> verify(const AuthenticateMessage& m, const Json& record) {
  const Nonce server = unhex<8>(text(record, "server_challenge"));
  const NtHash hash = nt_hash(record);
  const bool unicode = has(m.flags, flag::kUnicode);
  const auto name = [&](ByteView given) {
    return unicode ? Bytes(given.begin(), given.end()) : *utf16le_from_oem(given, CodePage::k1252);
  };
  const Bytes user = name(m.user);
  const Bytes domain = name(m.domain);
  LogonRequest request;
  request.server_challenge = server;
  request.user = user;
  request.domain = domain;
  request.lm_response = m.lm_response;
  request.nt_response = m.nt_response;
  // Some clients claim extended session security that their server never granted.
  request.flags = describe_response(m) == "NTLM2 session" ? flag::kEss : 0;
  const SessionBaseKey v1_base = derive_v1_base_key(hash);
  const auto owned = [](ByteView v) { return Bytes(v.begin(), v.end()); };
  switch (response_kind(request)) {
    case ResponseKind::kNtlmV2: {
      const std::optional<Proof> proof = verify_response(request, hash, nullptr, Policy());
      return proof ? std::optional(Verified{"NTLMv2", owned(proof->base.view())}) : std::nullopt;
    }
    case ResponseKind::kNtlmV1Ess: {
      Nonce client;
      std::copy_n(m.lm_response.begin(), client.size(), client.begin());
      Response24 lm;
      std::copy_n(m.lm_response.begin(), lm.size(), lm.begin());
      const KeyExchangeKey key =
          derive_v1_key_exchange_key(flag::kEss, v1_base, nullptr, lm, server);
      return verify_equal(compute_v1_ess_response(hash, server, client), m.nt_response)
                 ? std::optional(Verified{"NTLM2 session", owned(key.view())})
                 : std::nullopt;
    }
    case ResponseKind::kNtlmV1:
      return verify_equal(compute_v1_response(hash.view(), server), m.nt_response)
                 ? std::optional(Verified{"NTLMv1", owned(v1_base.view())})
                 : std::nullopt;
    default:
      return std::nullopt;
  }
}

// [MS-NLMP] 3.1.5.1.2: a key is exchanged beside SIGN or SEAL only; some clients think otherwise.
SessionKey exported_key(const AuthenticateMessage& m, const Verified& verified,
                        const Json& record) {
  const std::span<const std::uint8_t, 16> base(verified.base.data(), 16);
  const bool counts =
      has_any(m.flags, flag::kProtection) || record.value("key_exch_without_sign", false);
  if (!has(m.flags, flag::kKeyExchange) || m.session_key.empty() || !counts) {
    return SessionKey(base);
  }
  SessionKey key;
  rc4k(base, m.session_key.first<16>(), key.bytes());
  return key;
}

struct Counts {
  int responses = 0;
  int keys = 0;
  int mics = 0;
};

void check_verification(const Json& record, Counts& counts) {
  const Json& facts = record.at("verify");
  const Bytes token = bytes(record, "hex");
  const Result<AuthenticateMessage> m = decode_authenticate(token);
  REQUIRE(m);
  const std::optional<Verified> verified = verify(*m, facts);
  REQUIRE(verified);
  CHECK(verified->kind == text(facts, "response"));
  CHECK(hex(verified->base) == text(facts, "session_base_key"));
  ++counts.responses;
  Json wrong = facts;
  wrong.erase("nt_hash");
  wrong["password"] = "not " + facts.value("password", std::string());
  CHECK_FALSE(verify(*m, wrong));
  const bool unclear = verified->kind == "NTLMv1" && has_any(m->flags, kWeakKeyBits);
  if (unclear || !facts.contains("exported_session_key")) {
    return;
  }
  const SessionKey key = exported_key(*m, *verified, facts);
  CHECK(hex(key.view()) == text(facts, "exported_session_key"));
  ++counts.keys;
  if (m->mic_at && facts.contains("mic_over")) {
    const Bytes negotiate = bytes(message(facts.at("mic_over").at(0).get<std::string>()), "hex");
    const Bytes challenge = bytes(message(facts.at("mic_over").at(1).get<std::string>()), "hex");
    CHECK(hex(compute_mic(key, negotiate, challenge, token, *m->mic_at)) ==
          hex(ByteView(token).subspan(*m->mic_at, kMicSize)));
    ++counts.mics;
  }
}

std::string lmv2(const Json& fact) {
  const ResponseKey key =
      derive_response_key(nt_hash(fact), utf16(text(fact, "user")), utf16(text(fact, "domain")));
  return hex(compute_lmv2_response(key, unhex<8>(text(fact, "server_challenge")),
                                   unhex<8>(text(fact, "client_challenge"))));
}

std::string first_signature(const Json& fact) {
  const auto sealing = bytes(fact, "seal_key");
  const HmacMd5 signing(unhex<16>(text(fact, "sign_key")));
  Arcfour stream(sealing);
  const auto sequence = fact.at("seq").get<std::uint32_t>();
  SealPass pass(signing, stream, sequence);
  pass.sign(bytes(fact, "message"));
  std::array<std::uint8_t, 4> end;
  store_le32(end.data(), sequence);
  return "01000000" + hex(pass.finish(true)) + hex(end);
}

// Both ends of a context with the usual flags: the maker's signature, which the peer must take.
std::string mech_list_mic(const Json& fact) {
  constexpr Flags kFlags = flag::kSign | flag::kSeal | flag::kEss | flag::k128 | flag::kKeyExchange;
  const auto key = unhex<16>(text(fact, "exported_session_key"));
  const Side side = text(fact, "from") == "initiator" ? Side::kClient : Side::kServer;
  const Side other = side == Side::kClient ? Side::kServer : Side::kClient;
  Session me(kFlags, SessionKey(std::span<const std::uint8_t, 16>(key)), side);
  Session you(kFlags, SessionKey(std::span<const std::uint8_t, 16>(key)), other);
  const Bytes list = bytes(fact, "mech_list");
  const MessagePart part{list.data(), nullptr, list.size(), true};
  Signature signature{};
  REQUIRE(me.protect({&part, 1}, signature));
  REQUIRE(you.open({&part, 1}, unhex<16>(text(fact, "mic"))));
  return hex(signature);
}

// Whether a fact holds.
bool holds(const Json& fact) {
  const std::string kind = text(fact, "kind");
  if (kind == "nt_hash") {
    return hex(nt_hash({{"password", text(fact, "password")}}).view()) == text(fact, "nt_hash");
  }
  if (kind == "ntlmv2_hash") {
    return hex(derive_response_key(nt_hash(fact), utf16(text(fact, "user")),
                                   utf16(text(fact, "domain")))
                   .view()) == text(fact, "hash");
  }
  if (kind == "lm_hash") {
    return hex(lm_hash(fact).view()) == text(fact, "lm_hash");
  }
  if (kind == "lmv1_response") {
    return hex(compute_v1_response(lm_hash(fact).view(),
                                   unhex<8>(text(fact, "server_challenge")))) ==
           text(fact, "response");
  }
  if (kind == "lmv2_response") {
    return lmv2(fact) == text(fact, "response");
  }
  if (kind == "ntlm2_session_response") {
    return hex(compute_v1_ess_response(nt_hash(fact), unhex<8>(text(fact, "server_challenge")),
                                       unhex<8>(text(fact, "client_challenge")))) ==
           text(fact, "response");
  }
  if (kind == "channel_bindings") {
    const Bytes data = bytes(fact, "application_data");
    ChannelBindings bindings;
    bindings.application_data = data;
    return hex(compute_binding_hash(bindings)) == text(fact, "md5");
  }
  if (kind == "signature") {
    return first_signature(fact) == text(fact, "signature");
  }
  if (kind == "seal") {
    Bytes data = bytes(fact, "message");
    Arcfour(bytes(fact, "seal_key")).crypt(data.data(), data.data(), data.size());
    return hex(data) == text(fact, "sealed");
  }
  if (kind == "mechlist_mic") {
    return mech_list_mic(fact) == text(fact, "mic");
  }
  if (kind == "must_not_verify") {
    const Bytes token = bytes(fact, "authenticate");
    const Result<AuthenticateMessage> m = decode_authenticate(token);
    return m && !verify(*m, fact);
  }
  return false;
}

// NTLM without SPNEGO, in CredSSP's TSRequest [MS-CSSP] 2.2.1 or LDAP's BindRequest (RFC 4511 4.2).
bool is_other_wrapping(std::string_view id) {
  return id.starts_with("sspirs-test-") || id.starts_with("scapy-ldap-");
}

TEST_CASE("captured: every SPNEGO token is read, and holds its message", "[vectors][captured]") {
  if (!is_there()) {
    return;
  }
  std::size_t tokens = 0;
  for (const Json& m : captured().at("messages")) {
    if (!m.contains("spnego") || is_other_wrapping(text(m, "id"))) {
      continue;
    }
    CAPTURE(text(m, "id"));
    const Bytes whole = bytes(m, "spnego");
    const std::optional<SpnegoToken> token = read_token(whole);
    REQUIRE(token);
    REQUIRE(token->token);
    CHECK(same_bytes(*token->token, bytes(m, "hex")));
    ++tokens;
  }
  CHECK(tokens > 0);
}

TEST_CASE("captured: published messages parse, verify, or are refused", "[vectors][captured]") {
  if (!is_there()) {
    return;
  }
  int parsed = 0;
  int refused = 0;
  int facts = 0;
  Counts counts;
  for (const Json& record : captured().at("messages")) {
    CAPTURE(text(record, "id"));
    const Json fields = describe_message(bytes(record, "hex"));
    CHECK(fields == record.at("fields"));
    parsed += fields == record.at("fields") ? 1 : 0;
    if (record.contains("verify")) {
      check_verification(record, counts);
    }
  }
  for (const Json& record : captured().at("malformed")) {
    CAPTURE(text(record, "id"));
    CHECK(describe_message(bytes(record, "hex")).is_null());
    ++refused;
  }
  for (const Json& fact : captured().at("vectors")) {
    CAPTURE(text(fact, "id"));
    CHECK(holds(fact));
    ++facts;
  }
  CHECK(parsed == 181);
  CHECK(counts.responses == 41);
  CHECK(counts.keys == 36);
  CHECK(counts.mics == 14);
  CHECK(facts == 17);
  CHECK(refused == 7);
  std::cout << "vectors: captured.json " << parsed << " parsed, " << counts.responses
            << " responses, " << counts.keys << " keys and " << counts.mics << " MICs verified, "
            << facts << " facts, " << refused << " refused\n";
}

}  // namespace
}  // namespace gssntlm::test
