// Tokens that no context was exported to, or that were changed since.
#include <optional>
#include <vector>

#include "test/spi/halfway.h"

namespace gssntlm::test {
namespace {

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

}  // namespace

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

TEST_CASE(
    "import: an anonymous context protects nothing, and keys below what policy demands are refused",
    "[spi][export]") {
  constexpr char kAnonymousKind = 1;
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
    std::string anonymous = sample.token;
    anonymous[at] = kAnonymousKind;
    repair_checksum(anonymous);
    CHECK(import_context(end, anonymous).major == GSS_S_DEFECTIVE_TOKEN);
    CHECK(end.context == GSS_C_NO_CONTEXT);
  }
}

}  // namespace gssntlm::test
