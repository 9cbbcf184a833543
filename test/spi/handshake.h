// The accounts of the tests of handshakes, and messages between two ends.
#pragma once

#include <string>
#include <utility>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {

inline constexpr const char* kUsers =
    "# the accounts of these tests\n"
    "CORP:alice:Passw0rd-alice\n"
    "CORP:bob:b:o:b\n"
    ":carol@corp.example:secret\n"
    "CORP\\dora:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[UD]:LCT-0:"
    "\n"
    "erin:1001:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[U]:LCT-0:\n";

/// Both ends sign and seal, and open what the other did.
inline void check_messages(End& a, End& b) {
  for (const std::size_t size : {0u, 1u, 16u, 60u, 1000u, 70000u}) {
    const std::string message(size, 'm');
    for (const auto& [from, to] : {std::pair<End*, End*>{&a, &b}, {&b, &a}}) {
      std::string token;
      std::string back = "?";
      REQUIRE(wrap(*from, message, token).ok());
      CHECK(token.size() == size + 16);
      REQUIRE(unwrap(*to, token, back).ok());
      CHECK(back == message);
      REQUIRE(get_mic(*from, message, token).ok());
      CHECK(verify_mic(*to, message, token).ok());
    }
  }
}

}  // namespace gssntlm::test
