// Contexts that leave a process and come into another, and those that a fork copies.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/spi/halfway.h"
#include "test/support/forks.h"

namespace gssntlm::test {
namespace {

struct Facts {
  std::string source;
  std::string target;
  OM_uint32 flags = 0;
  int local = -1;
  int open = -1;
  std::string key;
  bool operator==(const Facts& o) const {
    return source == o.source && target == o.target && flags == o.flags && local == o.local &&
           open == o.open && key == o.key;
  }
};

Facts facts_of(End& end) {
  Facts f;
  NameHandle source;
  NameHandle target;
  OM_uint32 minor = 0;
  REQUIRE(gss_inquire_context(&minor, end.context, source.out(), target.out(), nullptr, nullptr,
                              &f.flags, &f.local, &f.open) == 0);
  f.source = source.display();
  f.target = target.display();
  f.key = session_key(end);
  return f;
}

// Tokens of every kind of context that can be exported.
struct Sample {
  std::string what;
  std::string token;
  bool open;
};

std::vector<Sample> samples() {
  std::vector<Sample> all;
  Exchange x;
  {
    End i;
    End a;
    REQUIRE(run(x, i, a));
    talk(i, a, "one");
    talk(a, i, "two");
    std::string token;
    REQUIRE(export_context(i, token).ok());
    all.push_back({"open initiator", token, true});
    REQUIRE(export_context(a, token).ok());
    all.push_back({"open acceptor", token, true});
  }
  End i;
  End a;
  std::string token = init_step(x, i, "");
  accept_step(x, a, token);
  REQUIRE(export_context(i, token).ok());
  all.push_back({"unfinished initiator", token, false});
  REQUIRE(export_context(a, token).ok());
  all.push_back({"unfinished acceptor", token, false});
  return all;
}

// Whatever came in: it may refuse, it must neither crash nor have keys before it is open.
void use_everything(End& end, bool was_open) {
  OM_uint32 minor = 0;
  OM_uint32 flags = 0;
  int open = 0;
  NameHandle source;
  NameHandle target;
  REQUIRE(gss_inquire_context(&minor, end.context, source.out(), target.out(), nullptr, nullptr,
                              &flags, nullptr, &open) == 0);
  const std::string key = session_key(end);
  CHECK(key.size() == (open != 0 ? 16u : 0u));
  CHECK((was_open || open == 0));
  std::string token;
  std::string back;
  const bool wraps = wrap(end, "message", token).ok();
  CHECK((!wraps || open != 0));
  CHECK_FALSE(unwrap(end, std::string(40, 'x'), back).ok());
  get_mic(end, "message", token);
  CHECK_FALSE(verify_mic(end, "message", std::string(16, '\1')).ok());
  OM_uint32 size = 0;
  gss_wrap_size_limit(&minor, end.context, 1, 0, 100, &size);
  gss_context_time(&minor, end.context, &size);
  if (open == 0) {
    Exchange x;
    init_step(x, end, std::string("NTLMSSP\0\2\0\0\0garbage", 19));
    accept_step(x, end, std::string("NTLMSSP\0\3\0\0\0garbage", 19));
  }
}

}  // namespace

TEST_CASE("export: an established context goes on where it was, in both directions",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const OM_uint32 more : {0U, OM_uint32{GSS_C_CONF_FLAG}, OM_uint32{GSS_C_DCE_STYLE}}) {
      Exchange x;
      x.mech = mech;
      x.flags = GSS_C_INTEG_FLAG | more;
      x.initiator_bindings = x.acceptor_bindings = "tls-unique:1234";
      End i;
      End a;
      REQUIRE(run(x, i, a));
      const Facts fi = facts_of(i);
      const Facts fa = facts_of(a);
      CHECK((fi.flags & GSS_C_TRANS_FLAG) != 0);
      CHECK(fa.source == "CORP\\alice");
      CHECK(fi.open == 1);
      for (int round = 0; round < 3; ++round) {
        move_context(i);
        CHECK(facts_of(i) == fi);
        talk(i, a, "after the initiator moved");
        talk(a, i, "and back");
        move_context(a);
        CHECK(facts_of(a) == fa);
        talk(a, i, "after the acceptor moved");
        talk(i, a, "and back");
        talk(i, a, "ahead in one direction only");
      }
    }
  }
}

TEST_CASE("export: what was counted before counts after: a replay is still one", "[spi][export]") {
  const Workshop workshop(kUsers);
  Exchange x;
  End i;
  End a;
  REQUIRE(run(x, i, a));
  std::string first;
  std::string second;
  std::string back;
  REQUIRE(wrap(i, "first", first).ok());
  REQUIRE(unwrap(a, first, back).ok());
  move_context(a);
  CHECK_FALSE(unwrap(a, first, back).ok());
  REQUIRE(wrap(i, "second", second).ok());
  CHECK(unwrap(a, second, back).ok());
}

TEST_CASE("export: either half of a handshake is finished after it moved", "[spi][export]") {
  const Workshop workshop(kUsers, "[policy]\nallow_connectionless = yes\n");
  for (const OM_uint32 flags : {OM_uint32{GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG},
                                OM_uint32{GSS_NTLM_DATAGRAM_FLAG | GSS_C_INTEG_FLAG}}) {
    for (const int moved : {1, 2, 3}) {
      CAPTURE(flags, moved);
      Exchange x;
      x.flags = flags;
      End i;
      End a;
      std::string token = init_step(x, i, "");
      if ((moved & 1) != 0) {
        move_context(i);
        CHECK(facts_of(i).open == 0);
        CHECK(facts_of(i).local == 1);
      }
      if (token.empty()) {
        token = std::string("\x60\x0c\x06\x0a", 4) + std::string(GSS_NTLM_MECH_OID_BYTES, 10);
      }
      token = accept_step(x, a, token);
      REQUIRE(a.last.major == GSS_S_CONTINUE_NEEDED);
      if ((moved & 2) != 0) {
        move_context(a);
        CHECK(facts_of(a).open == 0);
        CHECK(facts_of(a).local == 0);
        CHECK(session_key(a).empty());
      }
      token = init_step(x, i, token);
      REQUIRE(i.last.major == GSS_S_COMPLETE);
      accept_step(x, a, token);
      REQUIRE(a.last.major == GSS_S_COMPLETE);
      CHECK(a.source.display() == "CORP\\alice");
      talk(i, a, "hello");
      talk(a, i, "hello");
    }
  }
}

TEST_CASE("export: the other process' credential must be the account the handshake began with",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  CredHandle bob;
  REQUIRE(acquire_password("CORP\\bob", "b:o:b", &kNtlm, bob).ok());
  Exchange x;
  x.initiator_cred = bob.get();
  End i;
  End a;
  std::string token = init_step(x, i, "");
  CHECK(token.find("bob") == std::string::npos);
  move_context(i);
  token = accept_step(x, a, token);
  CredHandle alice;
  REQUIRE(acquire_password("CORP\\alice", "Passw0rd-alice", &kNtlm, alice).ok());
  x.initiator_cred = alice.get();
  init_step(x, i, token);
  CHECK(i.last.major == GSS_S_NO_CRED);
  // Without one bob's is looked for, not that of the first user.
  x.initiator_cred = GSS_C_NO_CREDENTIAL;
  token = init_step(x, i, token);
  REQUIRE(i.last.major == GSS_S_COMPLETE);
  accept_step(x, a, token);
  CHECK(a.source.display() == "CORP\\bob");
}

TEST_CASE("export: a token holds neither password nor hash of the credential", "[spi][export]") {
  const Workshop workshop(kUsers);
  CredHandle alice;
  const std::string digits = "8846F7EAEE8FB117AD06BDD830B7586C";
  REQUIRE(acquire_from(GSS_C_INITIATE, &kNtlm, "CORP\\alice", {{"ntlmssp_nthash", digits}}, alice)
              .ok());
  const std::string hash("\x88\x46\xF7\xEA\xEE\x8F\xB1\x17\xAD\x06\xBD\xD8\x30\xB7\x58\x6C", 16);
  Exchange x;
  x.initiator_cred = alice.get();
  End i;
  std::string token = init_step(x, i, "");
  REQUIRE(export_context(i, token).ok());
  CHECK(token.find(hash) == std::string::npos);
}

TEST_CASE("export: a context that failed, or has left, cannot leave", "[spi][export]") {
  const Workshop workshop(kUsers);
  Exchange x;
  End i;
  End a;
  std::string token;
  CHECK(export_context(i, token).major == (GSS_S_CALL_INACCESSIBLE_READ | GSS_S_NO_CONTEXT));
  token = init_step(x, i, "");
  init_step(x, i, "garbage, not a challenge");
  REQUIRE_FALSE(i.last.ok());
  CHECK(export_context(i, token).major == GSS_S_NO_CONTEXT);
  CHECK(i.context != GSS_C_NO_CONTEXT);
}

// The result of `body` in a child.
int in_child(const std::function<OM_uint32()>& body, const Fork& way = kForks[0]) {
  const pid_t child = way.call();
  if (child == 0) {
    const OM_uint32 minor = body();
    ::_exit(minor == 0                      ? 0
            : minor == GSS_NTLM_S_FORKED    ? 1
            : minor == GSS_NTLM_S_BAD_STATE ? 2
                                            : 3);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
constexpr int kChildCompleted = 0;
constexpr int kChildForked = 1;
constexpr int kChildOutOfTurn = 2;

TEST_CASE("twice: of two imports of a handshake one is completed", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    CAPTURE(role);
    Halfway h(role);
    const std::string token = export_halfway(h);
    End first;
    End second;
    REQUIRE(import_context(first, token).ok());
    REQUIRE(import_context(second, token).ok());
    CHECK(h.complete(first).major == GSS_S_COMPLETE);
    const Outcome again = h.complete(second);
    CHECK(again.minor == GSS_NTLM_S_BAD_STATE);
    CHECK(again.text().find("imported twice") != std::string::npos);
    CHECK(session_key(second).empty());
    // A later import is no better.
    End third;
    REQUIRE(import_context(third, token).ok());
    CHECK(h.complete(third).minor == GSS_NTLM_S_BAD_STATE);
  }
}

TEST_CASE("twice: another export does not renew a handshake", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    CAPTURE(role);
    Halfway h(role);
    const std::string token = export_halfway(h);
    End first;
    End second;
    REQUIRE(import_context(first, token).ok());
    REQUIRE(import_context(second, token).ok());
    move_context(second);
    CHECK(h.complete(first).ok());
    CHECK(h.complete(second).minor == GSS_NTLM_S_BAD_STATE);
  }
}

TEST_CASE("twice: messages that prove nothing claim nothing, and many leave room for honest ones",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    CAPTURE(role);
    Halfway h(role);
    const std::string token = export_halfway(h);
    const auto fail = [&](const std::string& of, const std::string& message) {
      End end;
      REQUIRE(import_context(end, of).ok());
      const std::string good = std::exchange(h.token, message);
      CHECK_FALSE(h.complete(end).ok());
      h.token = good;
    };
    std::string forged = h.token;
    forged.back() = static_cast<char>(forged.back() ^ 1);
    for (int n = 0; n < 200; ++n) {
      const std::string other = with_identifier(token, static_cast<std::uint8_t>(n + 1));
      fail(other, "no message of NTLM");
      // The answer to another challenge; an initiator's CHALLENGE cut short.
      fail(other, role == Halfway::kAcceptor ? h.token : h.token.substr(0, h.token.size() - 1));
    }
    fail(token, "no message of NTLM");
    if (role == Halfway::kAcceptor) {
      fail(token, forged);
    }
    End honest;
    REQUIRE(import_context(honest, token).ok());
    CHECK(h.complete(honest).ok());
    End again;
    REQUIRE(import_context(again, token).ok());
    CHECK(h.complete(again).minor == GSS_NTLM_S_BAD_STATE);
  }
}

TEST_CASE("twice: an acceptor's handshake has the name of its challenge", "[spi][export]") {
  const Workshop workshop(kUsers);
  Halfway h(Halfway::kAcceptor);
  std::string token = export_halfway(h);
  set_number(token, kIdentifier, number_at(token, kIdentifier) ^ 1);
  repair_checksum(token);
  End end;
  CHECK(import_context(end, token).major == GSS_S_DEFECTIVE_TOKEN);
}

TEST_CASE("twice: an established context is imported once", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const bool initiator : {true, false}) {
      CAPTURE(initiator);
      Exchange x;
      x.mech = mech;
      End i;
      End a;
      REQUIRE(run(x, i, a));
      End& mine = initiator ? i : a;
      std::string token;
      REQUIRE(export_context(mine, token).ok());
      End none;
      CHECK_FALSE(import_context(none, token.substr(0, token.size() - 1)).ok());
      REQUIRE(import_context(mine, token).ok());
      const auto reject = [&] {
        End second;
        const Outcome o = import_context(second, token);
        CHECK(o.major == GSS_S_FAILURE);
        CHECK(second.context == GSS_C_NO_CONTEXT);
        // SPNEGO replaces the minor status.
        CHECK((mech == &kSpnego || o.minor == GSS_NTLM_S_BAD_STATE));
        CHECK((mech == &kSpnego || o.text().find("imported twice") != std::string::npos));
      };
      reject();
      CHECK(in_child([&] {
              End second;
              return import_context(second, token).ok() ? 0 : GSS_NTLM_S_BAD_STATE;
            }) == kChildOutOfTurn);
      talk(i, a, "once");
      reject();
      // What was exported again is another token; the first one stays used.
      move_context(mine);
      reject();
      talk(a, i, "moved");
      OM_uint32 minor = 0;
      gss_delete_sec_context(&minor, &mine.context, GSS_C_NO_BUFFER);
      reject();
    }
  }
}

TEST_CASE("import: a connectionless acceptor is rejected where none is allowed", "[spi][export]") {
  std::optional<Workshop> workshop(std::in_place, kUsers, "[policy]\nallow_connectionless = yes\n");
  Exchange x;
  x.flags = GSS_NTLM_DATAGRAM_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
  std::string tokens[3];
  {
    End i;
    End a;
    const std::string framed =
        std::string("\x60\x0c\x06\x0a", 4) + std::string(GSS_NTLM_MECH_OID_BYTES, 10);
    init_step(x, i, "");
    std::string token = accept_step(x, a, framed);
    REQUIRE(export_context(a, tokens[0]).ok());
    REQUIRE(import_context(a, tokens[0]).ok());
    token = init_step(x, i, token);
    accept_step(x, a, token);
    REQUIRE(a.last.major == GSS_S_COMPLETE);
    REQUIRE(export_context(a, tokens[1]).ok());
    REQUIRE(export_context(i, tokens[2]).ok());
  }
  workshop.emplace(kUsers);
  for (int acceptor = 0; acceptor < 2; ++acceptor) {
    CAPTURE(acceptor);
    End end;
    const Outcome o = import_context(end, tokens[acceptor]);
    CHECK(o.major == GSS_S_FAILURE);
    CHECK(o.minor == GSS_NTLM_S_POLICY_BLOCKED);
    CHECK(o.text().find("allow_connectionless") != std::string::npos);
  }
  End initiator;
  CHECK(import_context(initiator, tokens[2]).ok());
}

TEST_CASE("twice: a handshake is completed by the process that began or imported it",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    for (const bool imported : {false, true}) {
      Halfway h(role);
      if (imported) {
        move_context(h.waiting());
      }
      for (const Fork& way : kForks) {
        CAPTURE(role, imported, way.name);
        CHECK(in_child([&] { return h.complete(h.waiting()).minor; }, way) == kChildForked);
        std::string token;
        // The mechglue keeps the minor status of a failed export to itself.
        CHECK(in_child(
                  [&] { return export_context(h.waiting(), token).ok() ? 0 : GSS_NTLM_S_FORKED; },
                  way) == kChildForked);
      }
      CHECK(h.complete(h.waiting()).major == GSS_S_COMPLETE);
    }
  }
}

TEST_CASE("twice: a child may import a handshake, unless its parent completed it before",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Halfway::Role role : kRoles) {
    for (const bool completed : {false, true}) {
      CAPTURE(role, completed);
      Halfway h(role);
      const std::string token = export_halfway(h);
      End end;
      if (completed) {
        REQUIRE(import_context(end, token).ok());
        REQUIRE(h.complete(end).ok());
      }
      CHECK(in_child([&] {
              End imported;
              const Outcome o = import_context(imported, token);
              return o.ok() ? h.complete(imported).minor : o.minor;
            }) == (completed ? kChildOutOfTurn : kChildCompleted));
    }
  }
}

TEST_CASE(
    "twice: when no more can be remembered the next handshake is rejected, not an old one taken",
    "[spi][export]") {
  const Workshop workshop(kUsers);
  Halfway h(Halfway::kInitiator);
  const std::string token = export_halfway(h);
  int completed = 0;
  Outcome last;
  const auto attempt = [&](int n) {
    End end;
    REQUIRE(import_context(end, with_identifier(token, static_cast<std::uint8_t>(n + 1))).ok());
    last = h.complete(end);
    return last.ok();
  };
  while (completed < 200 && attempt(completed)) {
    ++completed;
  }
  // There may be others of this process in the same set.
  CHECK(completed <= 64);
  CHECK(completed > 50);
  CHECK(last.major == GSS_S_FAILURE);
  CHECK(last.minor == GSS_NTLM_S_NOT_AVAILABLE);
  CHECK(last.text().find("too many imported handshakes") != std::string::npos);
  for (int n = 0; n < completed; ++n) {
    CHECK_FALSE(attempt(n));
    CHECK(last.minor == GSS_NTLM_S_BAD_STATE);
  }
}

TEST_CASE("import: a handshake of another machine is rejected unless both are of one farm",
          "[spi][export]") {
  for (const Halfway::Role role : kRoles) {
    CAPTURE(role);
    std::string token;
    {
      const Workshop workshop(kUsers);
      Halfway h(role);
      token = export_halfway(h);
      std::string other = token;
      other[find_times(token) - 32] ^= 1;
      repair_checksum(other);
      End end;
      const Outcome o = import_context(end, other);
      CHECK(o.major == GSS_S_DEFECTIVE_TOKEN);
      CHECK(o.text().find("another machine") != std::string::npos);
    }
    const Workshop workshop(kUsers, "[policy]\nfarm = web\n");
    End end;
    CHECK(import_context(end, token).major == GSS_S_DEFECTIVE_TOKEN);
    Halfway h(role);
    move_context(h.waiting());
    CHECK(h.complete(h.waiting()).ok());
  }
}

TEST_CASE("import: a token cut anywhere, or longer, is refused", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Sample& sample : samples()) {
    CAPTURE(sample.what);
    for (std::size_t size = 0; size < sample.token.size(); ++size) {
      for (const bool repaired : {false, true}) {
        End end;
        std::string cut = sample.token.substr(0, size);
        if (repaired && size > kFrame + kChecksum) {
          repair_checksum(cut);
        }
        CHECK_FALSE(import_context(end, cut).ok());
        CHECK(end.context == GSS_C_NO_CONTEXT);
      }
    }
    End end;
    std::string longer = sample.token + "x";
    repair_checksum(longer);
    CHECK_FALSE(import_context(end, longer).ok());
    REQUIRE(import_context(end, sample.token).ok());
  }
}

TEST_CASE("import: a flipped bit is found, and harms nothing where the checksum was made to fit",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  for (const Sample& sample : samples()) {
    CAPTURE(sample.what);
    std::size_t taken = 0;
    for (std::size_t bit = 8 * kFrame; bit < 8 * sample.token.size(); ++bit) {
      std::string flipped = sample.token;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      {
        End end;
        REQUIRE(import_context(end, flipped).major == GSS_S_DEFECTIVE_TOKEN);
      }
      repair_checksum(flipped);
      if (sample.open) {
        flipped = exported_again(flipped);
      }
      End end;
      if (import_context(end, flipped).ok()) {
        ++taken;
        use_everything(end, sample.open);
      }
    }
    // Keys, counters and names have no redundancy.
    CHECK(taken > 0);
  }
}

TEST_CASE("import: other versions, other things and other mechanisms' tokens are refused",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  const std::string token = samples().front().token;
  for (const int version : {0, 2, 255}) {
    End end;
    std::string other = token;
    other[kFrame + 8] = static_cast<char>(version);
    repair_checksum(other);
    CHECK(import_context(end, other).major == GSS_S_DEFECTIVE_TOKEN);
  }
  End end;
  std::string credential = token;
  credential.replace(kFrame, 8, "ntlm-crd");
  repair_checksum(credential);
  CHECK(import_context(end, credential).major == GSS_S_DEFECTIVE_TOKEN);
  CHECK_FALSE(import_context(end, token.substr(0, kFrame) + std::string(200, '\0')).ok());
  CHECK_FALSE(import_context(end, "").ok());
}

// Where the names of a context's token end: what was agreed follows.
std::size_t behind_names(const std::string& token) {
  const auto number = [&](std::size_t at) {
    return load_le32(reinterpret_cast<const std::uint8_t*>(&token[at]));
  };
  std::size_t at = kIdentifier + 8 + 1;  // whether there is a source
  for (int name = 0; name < 2; ++name) {
    ++at;
    for (int part = 0; part < 2; ++part) {
      at += 4 + number(at);
    }
    const std::size_t count = number(at) & 0xFFFF;
    at += 2;
    for (std::size_t i = 0; i < count; ++i) {
      at += 4 + number(at);
      at += 4 + number(at) + 1;
    }
  }
  return at;
}

TEST_CASE(
    "import: an anonymous context protects nothing, and keys below what policy demands are refused",
    "[spi][export]") {
  constexpr char kNobody = 1;
  constexpr std::size_t kFlagsBehind = 1 + 4;  // the kind of response, and four facts
  constexpr char kBit128 = 0x20;               // of the fourth byte
  const Workshop workshop(kUsers);
  for (const Sample& sample : samples()) {
    if (!sample.open) {
      continue;
    }
    CAPTURE(sample.what);
    const std::size_t at = behind_names(sample.token);
    const std::size_t strong = at + kFlagsBehind + 3;
    REQUIRE((sample.token[strong] & kBit128) != 0);
    std::string weak = sample.token;
    weak[strong] = static_cast<char>(weak[strong] & ~kBit128);
    repair_checksum(weak);
    End end;
    CHECK(import_context(end, weak).major == GSS_S_FAILURE);
    std::string nobody = sample.token;
    nobody[at] = kNobody;
    repair_checksum(nobody);
    CHECK(import_context(end, nobody).major == GSS_S_DEFECTIVE_TOKEN);
    CHECK(end.context == GSS_C_NO_CONTEXT);
  }
}

TEST_CASE("wrap_iov makes byte for byte the token of wrap", "[spi][export][iov]") {
  const Workshop workshop(kUsers);
  const std::string token = samples().front().token;
  for (const int conf : {0, 1}) {
    End one;
    End two;
    REQUIRE(import_context(one, exported_again(token)).ok());
    REQUIRE(import_context(two, exported_again(token)).ok());
    std::string message = "the same message";
    std::string wrapped;
    REQUIRE(wrap(one, message, wrapped, conf).ok());
    std::string header(16, '?');
    gss_iov_buffer_desc iov[] = {{GSS_IOV_BUFFER_TYPE_HEADER, {16, header.data()}},
                                 {GSS_IOV_BUFFER_TYPE_DATA, {message.size(), message.data()}}};
    OM_uint32 minor = 0;
    REQUIRE(gss_wrap_iov(&minor, two.context, conf, 0, nullptr, iov, 2) == 0);
    CHECK(wrapped == header + message);
  }
}

// What is wrong, bit by bit, when a child uses `mine` and opens what its peer sent before.
int misuse(End& mine, const std::string& from_peer) {
  const auto refuses = [](const Outcome& o) {
    return o.major == GSS_S_FAILURE && o.text().find("another process") != std::string::npos;
  };
  std::string token;
  std::string back;
  gss_iov_buffer_desc iov[] = {
      {GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, {0, nullptr}},
      {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}}};
  Outcome o;
  o.major = gss_wrap_iov(&o.minor, mine.context, 1, 0, nullptr, iov, 2);
  int wrong = refuses(o) ? 0 : 1;
  wrong += refuses(wrap(mine, "x", token)) ? 0 : 2;
  wrong += refuses(get_mic(mine, "x", token)) ? 0 : 4;
  wrong += export_context(mine, token).ok() ? 8 : 0;
  wrong += unwrap(mine, from_peer, back).ok() && back == "to the child" ? 0 : 16;
  return wrong;
}

TEST_CASE("fork: a child sends nothing with its parent's context, and says why", "[spi][export]") {
  const Workshop workshop(kUsers);
  for (gss_OID mech : {&kNtlm, &kSpnego}) {
    for (const bool initiator : {true, false}) {
      Exchange x;
      x.mech = mech;
      End i;
      End a;
      REQUIRE(run(x, i, a));
      End& mine = initiator ? i : a;
      End& peer = initiator ? a : i;
      talk(mine, peer, "before");
      std::string from_peer;
      REQUIRE(wrap(peer, "to the child", from_peer).ok());
      for (const Fork& way : kForks) {
        CAPTURE(initiator, way.name);
        const pid_t child = way.call();
        REQUIRE(child >= 0);
        if (child == 0) {
          int wrong = misuse(mine, from_peer);
          std::string token;
          End fresh_i;
          End fresh_a;
          wrong += run(x, fresh_i, fresh_a) && wrap(fresh_i, "mine", token).ok() ? 0 : 32;
          ::_exit(wrong);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
      }
      talk(mine, peer, "after");
    }
  }
}

TEST_CASE("fork: a child that shares the memory of its parent goes on with the same key stream",
          "[spi][export]") {
  const Workshop workshop(kUsers);
  Exchange x;
  End i;
  End a;
  REQUIRE(run(x, i, a));
  struct Shared {
    End& end;
    std::string token;
    bool ran = false;
  } shared{i, {}};
  std::vector<char> stack(1 << 18);
  const pid_t child = ::clone(
      [](void* of) {
        auto& s = *static_cast<Shared*>(of);
        s.ran = true;
        return wrap(s.end, "from the child", s.token).ok() ? 0 : 1;
      },
      stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &shared);
  REQUIRE(child > 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  // valgrind gives such a child memory of its own.
  REQUIRE((WEXITSTATUS(status) == 0) == shared.ran);
  if (!shared.ran) {
    return;
  }
  std::string back;
  REQUIRE(unwrap(a, shared.token, back).ok());
  CHECK(back == "from the child");
  talk(i, a, "from the parent");
}

}  // namespace gssntlm::test
