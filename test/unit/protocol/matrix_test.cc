// Every combination of level, mode, flags and character set: a working session, or the refusal that
// docs/matrix.md shows.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "test/support/catch.h"
#include "test/support/duel.h"
#include "test/support/hex.h"
#include "test/support/text.h"

namespace gssntlm {
namespace {

using namespace test;

constexpr unsigned kLevels = 6;
constexpr int kMessages = 100;

struct Cell {
  bool connectionless;
  bool ess;
  bool exchange;
  unsigned bits;
  Flags protection;
  bool oem;
};

// Refuses nothing that the wire format has.
Policy open_policy(unsigned level) {
  Policy policy;
  policy.initiator_level = policy.acceptor_level = level;
  policy.require_ess = false;
  policy.min_key_bits = 40;
  policy.offer_oem = true;
  return policy;
}

Flags offer_of(const Cell& cell) {
  Flags offer = flag::kRequestTarget | flag::kNtlm | flag::kAlwaysSign | flag::kVersion;
  offer |= cell.oem ? flag::kOem : flag::kUnicode;
  offer |= cell.ess ? flag::kEss : 0;
  offer |= cell.exchange ? flag::kKeyExchange : 0;
  offer |= cell.bits == 128 ? flag::k128 : cell.bits == 56 ? flag::k56 : 0;
  return offer | cell.protection;
}

DuelSetup setup_of(const Cell& cell, unsigned initiator, const Policy& acceptor) {
  DuelSetup setup;
  setup.initiator = open_policy(initiator);
  setup.initiator.offer_oem = false;
  setup.acceptor = acceptor;
  setup.acceptor.allow_connectionless = true;
  setup.request.connectionless = cell.connectionless;
  setup.request.negotiate_flags = offer_of(cell);
  return setup;
}

// What [MS-NLMP] 7 <82>, 2.2.2.5 and 3.4.3 call for, said without looking at the code.
std::string expected(const Cell& cell, unsigned initiator, unsigned acceptor) {
  const bool ess = cell.ess && initiator >= 1;
  if (cell.connectionless && !ess && has(cell.protection, flag::kSeal)) {
    return "no sealing";
  }
  if (initiator <= 2 && acceptor == 5) {
    return "version";
  }
  const std::string proof = initiator >= 3 ? "v2" : initiator == 0 ? "LM+v1" : "v1";
  if (initiator == 1 && !ess) {
    return "LM+v1";
  }
  return ess ? proof + "/ess" : proof;
}

std::string expected_by_default(const Cell& cell) {
  if (cell.connectionless && !cell.ess && has(cell.protection, flag::kSeal)) {
    return "no sealing";
  }
  if (!cell.ess) {
    return "needs ESS";
  }
  return cell.protection != 0 && cell.bits < 128 ? "short key" : "v2/ess";
}

std::string proof_text(ResponseKind kind) {
  switch (kind) {
    case ResponseKind::kLm:
      return "LM+v1";
    case ResponseKind::kNtlmV1:
    case ResponseKind::kNtlmV1Ess:
      return "v1";
    default:
      return kind == ResponseKind::kNtlmV2 ? "v2" : "?";
  }
}

std::string refusal_text(const Duel& duel) {
  switch (duel.error().minor) {
    case Minor::kPolicyVersion:
      return "version";
    case Minor::kPolicyKeyLength:
      return "short key";
    case Minor::kPolicyFlags:
      return duel.traced("cannot be sealed") ? "no sealing" : "needs ESS";
    default:
      return "?";
  }
}

// How many bits the key should have, by [MS-NLMP] 3.4.5.3.
unsigned expected_bits(const Cell& cell, bool ess) {
  return cell.connectionless && !ess && cell.bits == 128 ? 40 : cell.bits;
}

// Runs a cell; a session that opens must work, and be what was asked for.
std::string outcome(const Cell& cell, DuelSetup setup) {
  Duel duel(std::move(setup));
  if (duel.run() != Leg::kOpen) {
    return refusal_text(duel);
  }
  const bool ess = has(duel.server.flags, flag::kEss);
  CHECK(hex(duel.client.key.view()) == hex(duel.server.key.view()));
  CHECK((duel.server.flags & flag::kProtection) == cell.protection);
  CHECK(has(duel.server.flags, flag::kOem) == cell.oem);
  CHECK(has(duel.server.flags, flag::kDatagram) == cell.connectionless);
  CHECK(has(duel.server.flags, flag::kKeyExchange) ==
        (cell.connectionless || (cell.exchange && cell.protection != 0)));
  CHECK(narrow(duel.logon.user) == "User");
  Session client = duel.client_session();
  Session server = duel.server_session();
  if (cell.protection != 0) {
    CHECK(key_bits(duel.server.flags) == expected_bits(cell, ess));
    CHECK(converse(client, server, kMessages));
  } else {
    Signature signature{};
    CHECK_FALSE(client.protect({}, signature));
  }
  return proof_text(duel.client.kind) + (ess ? "/ess" : "");
}

std::string protection_text(Flags protection) {
  return protection == 0             ? "none"
         : protection == flag::kSign ? "SIGN"
         : protection == flag::kSeal ? "SEAL"
                                     : "SIGN, SEAL";
}

// One row: the outcome at each initiator's level where the acceptor's takes it, at level 5 for the
// v1 family, and at an acceptor with the default policy. Levels and character sets that make no
// difference share a column; that they make none is checked.
std::string row_of(Cell cell) {
  std::array<std::string, 4> columns;
  std::string at_five;
  std::string by_default;
  for (const bool oem : {false, true}) {
    cell.oem = oem;
    for (unsigned initiator = 0; initiator < kLevels; ++initiator) {
      for (unsigned acceptor = 0; acceptor < kLevels; ++acceptor) {
        CAPTURE(cell.connectionless, cell.ess, cell.exchange, cell.bits, cell.protection, oem,
                initiator, acceptor);
        const std::string got = outcome(cell, setup_of(cell, initiator, open_policy(acceptor)));
        CHECK(got == expected(cell, initiator, acceptor));
        if (initiator <= 2 && acceptor == 5) {
          at_five = at_five == "version" ? at_five : got;
          continue;
        }
        std::string& column = columns[std::min(initiator, 3u)];
        CHECK((column.empty() || column == got));
        column = got;
      }
    }
    // A client that may offer both offers Unicode; OEM alone changes nothing else.
    Policy standard;
    standard.offer_oem = true;
    const std::string got = outcome(cell, setup_of(cell, 3, standard));
    CHECK(got == expected_by_default(cell));
    by_default = got;
  }
  std::ostringstream row;
  row << "| " << (cell.connectionless ? "connectionless" : "connection") << " | "
      << (cell.ess ? "yes" : "no") << " | " << (cell.exchange ? "yes" : "no") << " | " << cell.bits
      << " | " << protection_text(cell.protection) << " |";
  for (const std::string& column : columns) {
    row << " " << column << " |";
  }
  row << " " << at_five << " | " << by_default << " |";
  return row.str();
}

std::vector<std::string> all_rows() {
  std::vector<std::string> rows;
  for (const bool connectionless : {false, true}) {
    for (const bool ess : {true, false}) {
      for (const bool exchange : {true, false}) {
        for (const unsigned bits : {128u, 56u, 40u}) {
          for (const Flags protection :
               {flag::kSign | flag::kSeal, flag::kSeal, flag::kSign, Flags{0}}) {
            rows.push_back(row_of({connectionless, ess, exchange, bits, protection, false}));
          }
        }
      }
    }
  }
  return rows;
}

constexpr const char* kHead =
    "| mode | ESS offered | KEY_EXCH offered | key bits offered | protection | level 0 | level 1 | "
    "level 2 | levels 3 to 5 | levels 0 to 2, acceptor at 5 | acceptor with default policy |";
constexpr const char* kRule = "|---|---|---|---:|---|---|---|---|---|---|---|";
constexpr const char* kMarker =
    "<!-- The table below is made by test/unit/protocol/matrix_test.cc "
    "-->";

// The document up to the marker, which people write.
std::string head_of(const std::string& document) {
  return document.substr(0, document.find(kMarker));
}

std::string read(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("matrix: every cell is a working session or the refusal of docs/matrix.md", "[matrix]") {
  const std::vector<std::string> rows = all_rows();
  const std::string document = read(GSSNTLM_MATRIX_MD);
  std::ostringstream made;
  made << head_of(document) << kMarker << "\n\n" << kHead << "\n" << kRule << "\n";
  std::cout << "matrix: " << kHead << "\n";
  for (const std::string& row : rows) {
    made << row << "\n";
    std::cout << "matrix: " << row << "\n";
  }
  if (std::getenv("GSS_NTLM_WRITE_MATRIX") != nullptr) {
    std::ofstream(GSSNTLM_MATRIX_MD) << made.str();
    return;
  }
  INFO("GSS_NTLM_WRITE_MATRIX=1 in the environment of this test writes docs/matrix.md again");
  CHECK(rows.size() == 96);
  CHECK((document == made.str()));
}

}  // namespace
}  // namespace gssntlm
