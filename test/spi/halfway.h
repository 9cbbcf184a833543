// Exported tokens of contexts, and handshakes whose next step is exported.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "include/gssapi/gssapi_ntlm.h"
#include "mech/base/bytes.h"
#include "mech/crypto/primitives.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {

inline constexpr const char* kUsers =
    "CORP:alice:Passw0rd-alice\n"
    "CORP:bob:b:o:b\n";

inline void move_context(End& end) {
  std::string token;
  REQUIRE(export_context(end, token).ok());
  REQUIRE(end.context == GSS_C_NO_CONTEXT);
  REQUIRE(import_context(end, token).ok());
}

inline void talk(End& from, End& to, const std::string& message) {
  std::string token;
  std::string back;
  REQUIRE(wrap(from, message, token).ok());
  REQUIRE(unwrap(to, token, back).ok());
  CHECK(back == message);
  REQUIRE(get_mic(from, message, token).ok());
  CHECK(verify_mic(to, message, token).ok());
}

// The mechanism's own token inside the mechglue's frame: a length and an OID before it. It begins
// with magic, version, role, whether it is established, flags, and the identifier.
inline constexpr std::size_t kFrame = 4 + GSS_NTLM_MECH_OID_LENGTH;
inline constexpr std::size_t kIdentifier = kFrame + 8 + 1 + 1 + 1 + 4;
inline constexpr std::size_t kChecksum = 4;

inline std::uint64_t number_at(const std::string& token, std::size_t at) {
  return load_le64(reinterpret_cast<const std::uint8_t*>(&token[at]));
}

inline void set_number(std::string& token, std::size_t at, std::uint64_t value) {
  store_le64(reinterpret_cast<std::uint8_t*>(&token[at]), value);
}

inline void repair_checksum(std::string& token) {
  const std::size_t end = token.size() - kChecksum;
  const std::string body = token.substr(kFrame, end - kFrame);
  store_le32(reinterpret_cast<std::uint8_t*>(&token[end]), crc32(as_bytes(body)));
}

// A handshake whose next step is that of `role`, and the token for that step.
struct Halfway {
  enum Role { kInitiator, kAcceptor };
  explicit Halfway(Role r, const Exchange& exchange = {}) : role(r), x(exchange) {
    token = accept_step(x, acceptor, init_step(x, initiator, ""));
    REQUIRE(acceptor.last.major == GSS_S_CONTINUE_NEEDED);
    if (role == kAcceptor) {
      token = init_step(x, initiator, token);
      REQUIRE(initiator.last.major == GSS_S_COMPLETE);
    }
  }
  [[nodiscard]] End& waiting() { return role == kInitiator ? initiator : acceptor; }
  Outcome complete(End& end) const {
    role == kInitiator ? init_step(x, end, token) : accept_step(x, end, token);
    return end.last;
  }
  Role role;
  Exchange x;
  End initiator;
  End acceptor;
  std::string token;
};

inline constexpr Halfway::Role kRoles[] = {Halfway::kInitiator, Halfway::kAcceptor};

inline std::string export_halfway(Halfway& h) {
  std::string token;
  REQUIRE(export_context(h.waiting(), token).ok());
  return token;
}

/// Where the token of a handshake has the times at which its validity of `age` seconds begins and
/// ends, behind 32 bytes that name the machine.
inline std::size_t find_times(const std::string& token, std::uint64_t age = 300) {
  for (std::size_t at = kIdentifier + 8 + 32; at + 16 < token.size(); ++at) {
    if (number_at(token, at + 8) - number_at(token, at) == age) {
      return at;
    }
  }
  FAIL("the token has no times");
  return 0;
}

/// Another handshake with the same low bits of the identifier, by which claims are sorted. An
/// acceptor's has another challenge, which the client has not answered.
inline std::string with_identifier(std::string token, std::uint8_t bytes) {
  const auto fill = [&](std::size_t at) {
    std::fill_n(token.begin() + static_cast<std::ptrdiff_t>(at + 2), 6, static_cast<char>(bytes));
  };
  fill(kIdentifier);
  const std::string challenge("NTLMSSP\0\2\0\0\0", 12);
  if (const std::size_t at = token.find(challenge); at != std::string::npos) {
    fill(at + 24);
  }
  repair_checksum(token);
  return token;
}

/// An established context's token, exported once more.
inline std::string exported_again(std::string token) {
  static std::uint64_t exports = 0;
  set_number(token, kIdentifier, ++exports);
  repair_checksum(token);
  return token;
}

}  // namespace gssntlm::test
