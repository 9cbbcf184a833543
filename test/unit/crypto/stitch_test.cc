// Each stitched loop against MD5 and RC4 one after the other.
#include "mech/crypto/stitch.h"

#include <nettle/arcfour.h>

#include <algorithm>
#include <random>
#include <vector>

#include "support/catch.h"

namespace gssntlm {
namespace {

constexpr std::size_t kBlock = stitch::kBlockSize;

struct Loop {
  const char* name;
  stitch::Run* run;
};

const std::vector<Loop>& loops() {
  static const std::vector<Loop> all = {
    {"portable", stitch::run_portable},
#if defined(GSSNTLM_STITCH_X86_64)
    {"x86-64", stitch::run_x86_64},
#endif
  };
  return all;
}

Bytes random_bytes(std::mt19937& random, std::size_t size) {
  Bytes bytes(size);
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(random()); });
  return bytes;
}

// RC4's state after `used` bytes of key stream, in Nettle's form and in ours.
struct Streams {
  Streams(const Bytes& key, std::size_t used) {
    arcfour_set_key(&nettle, key.size(), key.data());
    Bytes unwanted(used);
    arcfour_crypt(&nettle, used, unwanted.data(), unwanted.data());
    std::copy(std::begin(nettle.S), std::end(nettle.S), ours.s.begin());
    ours.x = nettle.i;
    ours.y = nettle.j;
  }
  bool agree() const {
    return std::equal(ours.s.begin(), ours.s.end(), std::begin(nettle.S)) && ours.x == nettle.i &&
           ours.y == nettle.j;
  }

  arcfour_ctx nettle;
  ArcfourState ours;
};

}  // namespace

TEST_CASE("stitched loops seal as MD5 and RC4 do one after the other", "[crypto][stitch]") {
  std::mt19937 random(77);
  for (const Loop& loop : loops()) {
    for (std::size_t used = 0; used < 520; ++used) {
      Streams streams(random_bytes(random, 16), used);
      const std::size_t blocks = used % 23;
      const std::size_t shift = used % 17;
      const Bytes clear = random_bytes(random, shift + blocks * kBlock);
      md5::State expected_state = md5::kInitialState;
      md5::compress(expected_state, clear.data() + shift, blocks);
      Bytes expected = clear;
      arcfour_crypt(&streams.nettle, blocks * kBlock, expected.data() + shift,
                    clear.data() + shift);

      Bytes text = clear;
      md5::State state = md5::kInitialState;
      std::uint8_t* at = text.data() + shift;
      loop.run(state, streams.ours, {at, at, at, blocks});
      CAPTURE(loop.name, used);
      REQUIRE(text == expected);
      REQUIRE(state == expected_state);
      REQUIRE(streams.agree());
    }
  }
}

TEST_CASE("stitched loops let MD5 read what RC4 wrote a block before", "[crypto][stitch]") {
  std::mt19937 random(78);
  for (const Loop& loop : loops()) {
    for (std::size_t used = 0; used < 256; ++used) {
      Streams streams(random_bytes(random, 16), used);
      const std::size_t blocks = 1 + used % 9;
      const Bytes sealed = random_bytes(random, (blocks + 1) * kBlock);
      Bytes expected = sealed;
      arcfour_crypt(&streams.nettle, blocks * kBlock, expected.data() + kBlock,
                    sealed.data() + kBlock);
      md5::State expected_state = md5::kInitialState;
      md5::compress(expected_state, expected.data(), blocks);

      Bytes text = sealed;
      md5::State state = md5::kInitialState;
      loop.run(state, streams.ours, {text.data(), &text[kBlock], &text[kBlock], blocks});
      CAPTURE(loop.name, used);
      REQUIRE(text == expected);
      REQUIRE(state == expected_state);
      REQUIRE(streams.agree());
    }
  }
}

TEST_CASE("MD5 of a digest is MD5 of its padded block", "[crypto][stitch]") {
  std::mt19937 random(79);
  for (int round = 0; round < 50; ++round) {
    const Bytes digest = random_bytes(random, 16);
    Bytes block(kBlock);
    std::copy(digest.begin(), digest.end(), block.begin());
    block[16] = 0x80;
    store_le64(&block[56], 8 * (kBlock + 16));
    md5::State words;
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] = load_le32(&digest[4 * i]);
    }
    md5::State expected = md5::kInitialState;
    md5::compress(expected, block.data(), 1);
    md5::State state = md5::kInitialState;
    md5::compress_digest(state, words);
    REQUIRE(state == expected);
  }
}

}  // namespace gssntlm
