// Nothing but the constant-time comparison may turn on a secret: keys and hashes are marked as
// undefined, and memcheck notices every jump and every address that depends on them. What that
// comparison says is public, and marked as defined. Run by secrets.py, whose suppressions leave out
// the tables of RC4 and DES, which NTLM's keys go into by definition.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>

#include <valgrind/memcheck.h>

#include "mech/protocol/session.h"
#include "test/support/handshake.h"
#include "test/support/text.h"

// The linker has callers of verify_equal() come here (--wrap): what it says is made public.
#define VERIFY_EQUAL _ZN7gssntlm12verify_equalESt4spanIKhLm18446744073709551615EES2_
#define NAME(prefix, name) prefix##name
#define WRAPPED(prefix, name) NAME(prefix, name)

extern "C" bool WRAPPED(__real_, VERIFY_EQUAL)(gssntlm::ByteView a, gssntlm::ByteView b);
extern "C" bool WRAPPED(__wrap_, VERIFY_EQUAL)(gssntlm::ByteView a, gssntlm::ByteView b) {
  bool equal = WRAPPED(__real_, VERIFY_EQUAL)(a, b);
  VALGRIND_MAKE_MEM_DEFINED(&equal, sizeof equal);
  return equal;
}

// What was read from a table counts as defined for memcheck, wherever in it that was: what comes
// out of DES is made secret again.
extern "C" void __real_nettle_des_encrypt(const void* context, std::size_t size, std::uint8_t* out,
                                          const std::uint8_t* in);
extern "C" void __wrap_nettle_des_encrypt(const void* context, std::size_t size, std::uint8_t* out,
                                          const std::uint8_t* in) {
  __real_nettle_des_encrypt(context, size, out, in);
  VALGRIND_MAKE_MEM_UNDEFINED(out, size);
}

namespace gssntlm {
namespace {

using namespace test;

int g_failed = 0;
volatile int g_sink = 0;

template <typename Bytes>
void hide(Bytes& secret) {
  VALGRIND_MAKE_MEM_UNDEFINED(secret.data(), secret.size());
}

template <typename Bytes>
void show(Bytes& secret) {
  VALGRIND_MAKE_MEM_DEFINED(secret.data(), secret.size());
}

template <typename Secret>
Secret hidden(Secret secret) {
  auto bytes = secret.bytes();
  hide(bytes);
  return secret;
}

void say(bool good, const std::string& what, const char* why) {
  g_failed += good ? 0 : 1;
  std::printf("%s %s%s\n", good ? "PASS" : "FAIL", what.c_str(), good ? "" : why);
  std::fflush(stdout);
}

// `body` says whether all went as it should; no jump or address in it may depend on a secret.
void quiet(const std::string& what, const std::function<bool()>& body) {
  const auto before = VALGRIND_COUNT_ERRORS;
  const bool good = body();
  say(good && VALGRIND_COUNT_ERRORS == before, what,
      good ? ": it depends on a secret" : ": the outcome is another");
}

void noisy(const std::string& what, const std::function<void()>& body) {
  const auto before = VALGRIND_COUNT_ERRORS;
  body();
  say(VALGRIND_COUNT_ERRORS != before, what, ": not detected");
}

// Knows one account, whose hashes are secret.
class SecretAccount : public AccountSource {
 public:
  explicit SecretAccount(bool right) : right_(right) {}
  Result<Logon> logon(const LogonRequest& request, const Policy& policy,
                      const Runtime&) const override {
    const Bytes password = wide(right_ ? "Password" : "password");
    const NtHash hash = hidden(derive_nt_hash(password));
    LmHash lm = hidden(*lm_hash_of_password(wide("Password"), policy.code_page));
    std::optional<Proof> proof = verify_response(request, hash, &lm, policy);
    if (!proof) {
      return failure(Minor::kLogonFailure);
    }
    Logon logon;
    logon.user.assign(request.user.begin(), request.user.end());
    logon.domain.assign(request.domain.begin(), request.domain.end());
    logon.kind = proof->kind;
    logon.base = std::move(proof->base);
    logon.lm_hash = std::move(lm);
    return logon;
  }

 private:
  bool right_;
};

constexpr Flags kNoExchange = kUsualOffer & ~flag::kKeyExchange;

bool judged(const Answer& answer, const Scene& scene, Acceptor& acceptor, bool right,
            const ChannelBindingHash* bindings = nullptr) {
  return acceptor
      .authenticate(scene.encode(answer).token, bindings, SecretAccount(right), scene.env)
      .ok();
}

bool proof(bool right) {
  Scene scene;
  return judged(scene.answer(), scene, scene.acceptor, right) == right;
}

bool mic(Flags offer, bool good) {
  Scene scene({}, offer);
  Sent sent = scene.encode(scene.answer());
  sent.token[kMicOffset + 5] ^= static_cast<std::uint8_t>(good ? 0 : 1);
  return scene.acceptor.authenticate(sent.token, nullptr, SecretAccount(true), scene.env).ok() ==
         good;
}

bool bindings(bool same) {
  Scene scene;
  ChannelBindingHash own;
  own.fill(0x42);
  Answer answer = scene.answer();
  answer.set(AvId::kChannelBindings, own);
  own[15] ^= static_cast<std::uint8_t>(same ? 0 : 1);
  hide(own);
  return judged(answer, scene, scene.acceptor, true, &own) == same;
}

bool old_response(Flags flags, unsigned level) {
  Policy policy;
  policy.acceptor_level = policy.initiator_level = level;
  policy.require_ess = has(flags, flag::kEss);
  policy.min_key_bits = 40;
  bool good = true;
  for (const bool right : {true, false}) {
    const NtHash hash = derive_nt_hash(wide("Password"));
    const Nonce server{1, 2, 3};
    const Nonce client{4, 5, 6};
    const Response24 nt = has(flags, flag::kEss) ? compute_v1_ess_response(hash, server, client)
                                                 : compute_v1_response(hash.view(), server);
    Response24 lm{};
    std::copy(client.begin(), client.end(), lm.begin());
    LogonRequest request;
    request.server_challenge = server;
    request.nt_response = nt;
    request.lm_response = lm;
    request.flags = flags;
    const NtHash other = hidden(derive_nt_hash(wide(right ? "Password" : "password")));
    good = good && verify_response(request, other, nullptr, policy).has_value() == right;
  }
  return good;
}

bool initiates() {
  Scene scene;
  InitiatorSetup setup = setup_for({});
  setup.identity = Ref<const Identity>::adopt(new Identity(
      wide("User"), wide("DOMAIN"), hidden(derive_nt_hash(wide("Password"))), std::nullopt));
  Initiator initiator(std::move(setup));
  Result<Buffer> negotiate = initiator.negotiate();
  Acceptor acceptor({});
  const Result<Buffer> challenge = acceptor.challenge(negotiate->view(), server_names(), scene.env);
  return initiator.authenticate(challenge->view(), nullptr, scene.env).ok();
}

// A message, and then the same signature with a byte changed, and again as it was.
bool messages(Flags flags, bool sealed, std::size_t size) {
  const std::array<std::uint8_t, 16> bytes{7, 7, 7};
  const auto session = [&](Side side) { return Session(flags, hidden(SessionKey(bytes)), side); };
  Session client = session(Side::kClient);
  Session server = session(Side::kServer);
  const Bytes text(size, 'm');
  Bytes wire = text;
  Signature signature{};
  const MessagePart out{text.data(), sealed ? wire.data() : nullptr, size};
  if (!client.protect({&out, 1}, signature)) {
    return false;
  }
  // What travels is public.
  show(wire);
  show(signature);
  Bytes opened(size);
  const MessagePart in{wire.data(), sealed ? opened.data() : nullptr, size};
  for (const std::size_t at : {8u, 11u}) {
    Signature forged = signature;
    forged[at] ^= 0x80;
    if (server.open({&in, 1}, forged)) {
      return false;
    }
  }
  if (!server.open({&in, 1}, signature)) {
    return false;
  }
  show(opened);
  return !sealed || opened == text;
}

void quiet_ones() {
  quiet("proof: a right one", [] { return proof(true); });
  quiet("proof: a wrong one, with each spelling of the domain", [] { return proof(false); });
  quiet("proof: NTLMv1 and NTLMv1 with extended session security, right and wrong", [] {
    return old_response(flag::kUnicode, 1) && old_response(flag::kUnicode | flag::kEss, 1);
  });
  quiet("MIC: a right one", [] { return mic(kUsualOffer, true) && mic(kNoExchange, true); });
  quiet("MIC: a wrong one", [] { return mic(kUsualOffer, false) && mic(kNoExchange, false); });
  quiet("bindings: the same", [] { return bindings(true); });
  quiet("bindings: others", [] { return bindings(false); });
  quiet("initiator: an answer made with a secret hash", initiates);
  constexpr Flags kFull = flag::kUnicode | flag::kSign | flag::kSeal | flag::kEss | flag::k128;
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{1000}}) {
    const std::string name = "messages of " + std::to_string(size) + " bytes, right and forged: ";
    quiet(name + "signed", [size] { return messages(kFull, false, size); });
    quiet(name + "sealed", [size] { return messages(kFull, true, size); });
    quiet(name + "with an encrypted checksum",
          [size] { return messages(kFull | flag::kKeyExchange, true, size); });
    quiet(name + "connectionless",
          [size] { return messages(kFull | flag::kKeyExchange | flag::kDatagram, true, size); });
  }
  quiet("messages without extended session security",
        [] { return messages(kFull & ~flag::kEss, false, 40); });
}

// What a careless programmer might write.
void noisy_ones() {
  std::array<std::uint8_t, 16> known{1, 2, 3};
  std::array<std::uint8_t, 16> secret{1, 2, 4};
  hide(secret);
  noisy("a comparison that stops at the first difference is noticed", [&] {
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (known[i] != secret[i]) {
        g_sink = static_cast<int>(i);
        break;
      }
    }
  });
  noisy("memcmp over a secret is noticed", [&] {
    volatile std::size_t size = known.size();
    g_sink = std::memcmp(known.data(), secret.data(), size);
  });
  noisy("a jump on a key's byte is noticed", [&] {
    const SessionKey key = hidden(SessionKey(known));
    for (std::uint8_t i = 0; i < key.view()[3]; ++i) {
      g_sink = i;
    }
  });
  noisy("a table read at a secret place is noticed", [&] { g_sink = known[secret[0] & 0x0f]; });
  noisy("what is derived from a secret is one", [&] {
    const ResponseKey key =
        derive_response_key(hidden(derive_nt_hash(wide("Password"))), wide("u"), {});
    g_sink = known[key.view()[0] & 0x0f];
  });
  show(secret);
}

}  // namespace
}  // namespace gssntlm

int main() {
  if (RUNNING_ON_VALGRIND == 0) {
    std::puts("SKIP memcheck is what notices: sh test/run.sh, or secrets.py memory PROGRAM");
    return 77;
  }
  gssntlm::quiet_ones();
  gssntlm::noisy_ones();
  return gssntlm::g_failed == 0 ? 0 : 1;
}
