// All vectors of test/vectors/nlmp.json, each by its id.
#include <iostream>
#include <set>

#include "mech/base/text.h"
#include "test/support/catch.h"
#include "test/support/hex.h"
#include "test/unit/vectors/operations.h"

namespace gssntlm::test {
namespace {

const Json& document() {
  static const Json doc = load_json(GSSNTLM_TEST_NLMP_JSON);
  return doc;
}

std::string id_of(const Json& vector) {
  return vector.at("id").get<std::string>();
}

// Fields that no code of ours makes: the serialisation is hashed piece by piece, and the reason of
// a refusal is a minor code.
bool is_made(const Json& vector, const std::string& field) {
  const Json& operation = vector.at("op");
  return !(operation == "channel_bindings" && field == "struct") &&
         !(operation == "reject" && field == "reason");
}

Operation find_operation(const std::string& name) {
  for (const Operations* some :
       {&crypto_operations(), &wire_operations(), &session_operations(), &exchange_operations()}) {
    if (const auto it = some->find(name); it != some->end()) {
      return it->second;
    }
  }
  return nullptr;
}

// What is wrong with a vector; empty if nothing is.
std::string disagreement(const Json& vector) {
  const std::string name = vector.at("op").get<std::string>();
  const Operation operation = find_operation(name);
  if (operation == nullptr) {
    return "unknown operation " + name;
  }
  Json got;
  try {
    got = operation(vector.at("in"));
  } catch (const Mismatch& mismatch) {
    return mismatch.what();
  }
  std::size_t compared = 0;
  for (const auto& [field, wanted] : vector.at("out").items()) {
    if (!is_made(vector, field)) {
      continue;
    }
    ++compared;
    if (!got.contains(field) || got.at(field) != wanted) {
      return field + ": computed " + got.value(field, Json()).dump() + ", expected " +
             wanted.dump();
    }
  }
  return compared == 0 ? "nothing was compared" : "";
}

TEST_CASE("vectors: every value of nlmp.json is reproduced", "[vectors]") {
  for (const Json& vector : document().at("vectors")) {
    DYNAMIC_SECTION(id_of(vector)) {
      CHECK(disagreement(vector) == "");
    }
  }
}

TEST_CASE("vectors: a wrong expectation is noticed", "[vectors]") {
  std::size_t noticed = 0;
  for (const Json& vector : document().at("vectors")) {
    for (const auto& [field, value] : vector.at("out").items()) {
      if (!is_made(vector, field)) {
        continue;
      }
      Json wrong = vector;
      wrong["out"][field] = "something else";
      CAPTURE(id_of(vector), field);
      CHECK(disagreement(wrong) != "");
      ++noticed;
    }
  }
  CHECK(noticed > 265);
}

TEST_CASE("vectors: the binding hash is the MD5 of the published serialisation", "[vectors]") {
  std::size_t seen = 0;
  for (const Json& vector : document().at("vectors")) {
    if (vector.at("op") == "channel_bindings" && vector.at("out").contains("struct")) {
      const Json md5_vector = {{"id", vector.at("id")},
                               {"op", "md5"},
                               {"in", {{"msg", vector.at("out").at("struct")}}},
                               {"out", {{"digest", vector.at("out").at("md5")}}}};
      CHECK(disagreement(md5_vector) == "");
      ++seen;
    }
  }
  CHECK(seen == 7);
}

TEST_CASE("vectors: upper-casing maps the table's 973 units and no other", "[vectors]") {
  std::map<unsigned, unsigned> table;
  const auto number = [](const Json& text) {
    return std::stoul(text.get<std::string>(), nullptr, 16);
  };
  for (const Json& run : document().at("upcase").at("runs")) {
    for (unsigned long unit = number(run.at(0)); unit <= number(run.at(1));
         unit += run.at(2).get<unsigned>()) {
      table[static_cast<unsigned>(unit)] =
          static_cast<unsigned>(static_cast<long>(unit) + run.at(3).get<long>());
    }
  }
  for (const auto& [from, to] : document().at("upcase").at("singles").items()) {
    table[static_cast<unsigned>(std::stoul(from, nullptr, 16))] = static_cast<unsigned>(number(to));
  }
  CHECK(table.size() == 973);
  std::size_t wrong = 0;
  for (unsigned unit = 0; unit < 0x10000; ++unit) {
    const auto it = table.find(unit);
    const unsigned wanted = it == table.end() ? unit : it->second;
    std::array<std::uint8_t, 2> bytes;
    store_le16(bytes.data(), static_cast<std::uint16_t>(unit));
    upcase_utf16le(bytes);
    const bool same =
        upcase_unit(static_cast<char16_t>(unit)) == wanted && load_le16(bytes.data()) == wanted;
    wrong += same ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("vectors: nlmp.json has 265, and none is left out silently", "[vectors]") {
  std::set<std::string> ids;
  std::size_t ran = 0;
  for (const Json& vector : document().at("vectors")) {
    CHECK(ids.insert(id_of(vector)).second);
    ran += disagreement(vector).empty() ? 1 : 0;
  }
  CHECK(ids.size() == 265);
  CHECK(ran == ids.size());
  std::cout << "vectors: nlmp.json " << ids.size() << " counted, " << ran << " run\n";
}

}  // namespace
}  // namespace gssntlm::test
