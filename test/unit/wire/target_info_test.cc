// AV_PAIR lists [MS-NLMP] 2.2.2.1.
#include "mech/wire/target_info.h"

#include <string>

#include "test/support/catch.h"
#include "test/support/hex.h"

namespace gssntlm {
namespace {

using test::hex;
using test::unhex;

bool is_refused(const std::string& list) {
  const Bytes bytes = unhex(list);
  const Buffer exact = Buffer::copy_of(bytes);  // of its own size: a sanitizer sees a byte beyond
  const Result<TargetInfo> info = decode_target_info(exact.view());
  if (!info) {
    CHECK(info.error().major == Major::kDefectiveToken);
    CHECK(info.error().minor == Minor::kBadAvPairs);
  }
  return !info;
}

const std::string kEol = "00000000";

TEST_CASE("AV list: no end, a cut end, and an end with a value are refused", "[wire]") {
  for (const char* list :
       {"", "00", "0000", "000000", "00000100", "0000010000", "0000ffff", "02000200",
        "020002004100", "02000200410000", "0200020041000000", "020002004100000000", "01000000"}) {
    CAPTURE(list);
    CHECK(is_refused(list));
  }
  CHECK_FALSE(is_refused(kEol));
}

TEST_CASE("AV list: a value that overruns the list is refused", "[wire]") {
  for (const char* pair : {"0200ffff4100", "020006004100", "0200040041", "77770500"}) {
    CAPTURE(pair);
    CHECK(is_refused(pair + kEol.substr(0, 4)));
  }
}

TEST_CASE("AV list: a fixed size that is off by any amount is refused", "[wire]") {
  struct Row {
    unsigned id;
    std::size_t size;
  };
  for (const Row row : {Row{6, 4}, Row{7, 8}, Row{10, 16}}) {
    for (std::size_t size = 0; size <= 20; ++size) {
      Bytes list;
      append_av_pair(list, static_cast<AvId>(row.id), Bytes(size));
      append_av_pair(list, AvId::kEol, {});
      CAPTURE(row.id, size);
      CHECK(is_refused(hex(list)) == (size != row.size));
    }
  }
  for (const std::size_t size : {0u, 1u, 47u, 48u, 80u, 81u}) {
    Bytes list;
    append_av_pair(list, AvId::kSingleHost, Bytes(size));
    append_av_pair(list, AvId::kEol, {});
    CAPTURE(size);
    CHECK(is_refused(hex(list)) == (size < 48));
  }
}

TEST_CASE("AV list: names of odd size are refused, empty ones are names", "[wire]") {
  for (const unsigned id : {1u, 2u, 3u, 4u, 5u, 9u}) {
    for (std::size_t size = 0; size < 6; ++size) {
      Bytes list;
      append_av_pair(list, static_cast<AvId>(id), Bytes(size, 0x41));
      append_av_pair(list, AvId::kEol, {});
      CAPTURE(id, size);
      CHECK(is_refused(hex(list)) == (size % 2 != 0));
    }
  }
  const Bytes list = unhex("01000000" + kEol);
  const Result<TargetInfo> info = decode_target_info(list);
  REQUIRE(info);
  CHECK(info->nb_computer);
  CHECK_FALSE(info->nb_domain);
}

TEST_CASE("AV list: a known pair given twice is refused, an unknown one is not", "[wire]") {
  for (unsigned id = 1; id <= 10; ++id) {
    const std::size_t size = id == 6 ? 4 : id == 7 ? 8 : id == 8 ? 48 : 16;
    Bytes list;
    append_av_pair(list, static_cast<AvId>(id), Bytes(size));
    append_av_pair(list, static_cast<AvId>(0x7777), Bytes(3));
    append_av_pair(list, static_cast<AvId>(0x7777), Bytes(3));
    Bytes twice = list;
    append_av_pair(list, AvId::kEol, {});
    append_av_pair(twice, static_cast<AvId>(id), Bytes(size, 1));
    append_av_pair(twice, AvId::kEol, {});
    CAPTURE(id);
    CHECK_FALSE(is_refused(hex(list)));
    CHECK(is_refused(hex(twice)));
  }
}

TEST_CASE("AV list: a second pair of a kind is refused, zeros and empty values too", "[wire]") {
  struct Case {
    AvId id;
    std::size_t size;
  };
  for (const Case& c :
       {Case{AvId::kNbComputerName, 2}, Case{AvId::kNbDomainName, 2},
        Case{AvId::kDnsComputerName, 2}, Case{AvId::kDnsDomainName, 2}, Case{AvId::kDnsTreeName, 2},
        Case{AvId::kFlags, 4}, Case{AvId::kTimestamp, 8}, Case{AvId::kSingleHost, 48},
        Case{AvId::kTargetName, 2}, Case{AvId::kTargetName, 0}, Case{AvId::kChannelBindings, 16}}) {
    const Bytes given(c.size, 0x42);
    const Bytes zeros(c.size);
    for (const Bytes& first : {given, zeros}) {
      for (const Bytes& second : {given, zeros}) {
        Bytes list;
        append_av_pair(list, c.id, first);
        REQUIRE_FALSE(is_refused(hex(list) + kEol));
        append_av_pair(list, c.id, second);
        CAPTURE(static_cast<unsigned>(c.id), hex(first), hex(second));
        // winbind appends "no channel bindings" once; only a verified MIC makes that count.
        const bool repeats = c.id == AvId::kChannelBindings && first == given && second == zeros;
        CHECK(is_refused(hex(list) + kEol) == !repeats);
        append_av_pair(list, c.id, zeros);
        CHECK(is_refused(hex(list) + kEol));
      }
    }
  }
}

TEST_CASE("AV list: what follows the end is not read", "[wire]") {
  const Bytes list = unhex(
      "0200020041000000"
      "00000200040042004300" +
      kEol);
  const Result<TargetInfo> info = decode_target_info(list);
  REQUIRE(info);
  CHECK(info->size == 10);
  CHECK(hex(*info->nb_domain) == "4100");
}

TEST_CASE("AV list: 16,000 pairs are read in one pass", "[wire]") {
  Bytes list;
  for (int i = 0; i < 16'000; ++i) {
    append_av_pair(list, static_cast<AvId>(0x1000), {});
  }
  CHECK(is_refused(hex(list)));
  append_av_pair(list, AvId::kEol, {});
  CHECK_FALSE(is_refused(hex(list)));
}

}  // namespace
}  // namespace gssntlm
