// The session ciphers against Nettle's ARCFOUR and HMAC-MD5.
#include "mech/crypto/seal.h"

#include <nettle/arcfour.h>
#include <nettle/hmac.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "support/catch.h"

namespace gssntlm {
namespace {

constexpr std::size_t kLongest = 70000;
constexpr std::uint32_t kSequence = 0x80040201;

using Key = std::array<std::uint8_t, 16>;
using Checksum = std::array<std::uint8_t, 8>;

Key numbered_key(std::uint8_t first) {
  Key key;
  for (std::uint8_t& byte : key) {
    byte = first;
    first = static_cast<std::uint8_t>(first + 29);
  }
  return key;
}

const Bytes& clear_text() {
  static const Bytes text = [] {
    Bytes bytes(kLongest);
    std::mt19937 random(20240229);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    return bytes;
  }();
  return text;
}

// Every length up to 4096, every length around the 64-byte borders up to 8192, and a spread beyond
// whose remainders modulo 64 and modulo 256 vary; all of them when GSSNTLM_TEST_ALL_LENGTHS is set.
std::vector<std::size_t> lengths() {
  const bool all = std::getenv("GSSNTLM_TEST_ALL_LENGTHS") != nullptr;
  std::vector<std::size_t> chosen;
  for (std::size_t n = 0; n <= kLongest; ++n) {
    const std::size_t within = (n + 4) % 64;
    const bool border = n <= 8192 && (within <= 2 || within >= 62);
    if (all || n <= 4096 || border || n % 997 == 0 || n == kLongest) {
      chosen.push_back(n);
    }
  }
  return chosen;
}

// The ciphers under test and Nettle's, under the same keys.
struct Peers {
  explicit Peers(std::uint8_t first) {
    const Key signing = numbered_key(first);
    const Key sealing = numbered_key(static_cast<std::uint8_t>(first + 3));
    hmac = std::make_unique<HmacMd5>(signing);
    stream = std::make_unique<Arcfour>(sealing);
    hmac_md5_set_key(&nettle_hmac, signing.size(), signing.data());
    arcfour_set_key(&nettle_stream, sealing.size(), sealing.data());
  }

  void nettle_sign(const std::uint8_t* clear, std::size_t size) {
    hmac_md5_update(&nettle_hmac, size, clear);
  }
  void nettle_begin(std::uint32_t sequence) {
    std::array<std::uint8_t, 4> bytes;
    store_le32(bytes.data(), sequence);
    nettle_sign(bytes.data(), bytes.size());
  }
  Bytes nettle_crypt(const std::uint8_t* in, std::size_t size) {
    Bytes out(size);
    arcfour_crypt(&nettle_stream, size, out.data(), in);
    return out;
  }
  Checksum nettle_finish(bool encrypt) {
    Checksum checksum;
    hmac_md5_digest(&nettle_hmac, checksum.size(), checksum.data());
    if (encrypt) {
      arcfour_crypt(&nettle_stream, checksum.size(), checksum.data(), checksum.data());
    }
    return checksum;
  }

  std::unique_ptr<HmacMd5> hmac;
  std::unique_ptr<Arcfour> stream;
  hmac_md5_ctx nettle_hmac;
  arcfour_ctx nettle_stream;
};

// A message sealed by Nettle: what every way of sealing and unsealing must agree with.
struct Sealed {
  Bytes text;
  Checksum checksum;
};

Sealed nettle_seal(Peers& peers, ByteView clear, std::uint32_t sequence, bool encrypt) {
  peers.nettle_begin(sequence);
  peers.nettle_sign(clear.data(), clear.size());
  Sealed sealed;
  sealed.text = peers.nettle_crypt(clear.data(), clear.size());
  sealed.checksum = peers.nettle_finish(encrypt);
  return sealed;
}

// Room for a message at an odd address, with guard bytes on both sides that nothing may touch.
class Guarded {
 public:
  Guarded(std::size_t size, std::size_t shift)
      : begin_(kGuard + shift), size_(size), bytes_(begin_ + size + kGuard, kFill) {}
  Guarded(ByteView content, std::size_t shift) : Guarded(content.size(), shift) {
    std::copy(content.begin(), content.end(), data());
  }

  std::uint8_t* data() { return bytes_.data() + begin_; }
  bool holds(const Bytes& content) const {
    const auto at = [this](std::size_t i) { return bytes_.begin() + static_cast<long>(i); };
    return std::equal(at(begin_), at(begin_ + size_), content.begin(), content.end()) &&
           std::count(at(0), at(begin_), kFill) == static_cast<long>(begin_) &&
           std::count(at(begin_ + size_), bytes_.end(), kFill) == static_cast<long>(kGuard);
  }

 private:
  static constexpr std::size_t kGuard = 80;
  static constexpr std::uint8_t kFill = 0xa5;
  std::size_t begin_;
  std::size_t size_;
  Bytes bytes_;
};

// The next key stream bytes, which tell two states apart.
Bytes next_key_stream(Arcfour& stream, std::size_t size) {
  Bytes bytes(size);
  stream.crypt(bytes.data(), bytes.data(), size);
  return bytes;
}

enum class Way { kSeal, kUnseal };

// Passes `given` through one SealPass, from `in` to `out`, and says whether what Nettle expects
// came out.
bool passes(Peers& peers, Way way, ByteView given, const Bytes& expected, const Checksum& checksum,
            std::uint32_t sequence, bool encrypt, bool in_place) {
  const std::size_t shift = sequence % 19;
  Guarded from(given, shift);
  Guarded to(given.size(), sequence % 5);
  std::uint8_t* out = in_place ? from.data() : to.data();
  SealPass pass(*peers.hmac, *peers.stream, sequence);
  if (way == Way::kSeal) {
    pass.seal(from.data(), out, given.size());
  } else {
    pass.unseal(from.data(), out, given.size());
  }
  return pass.finish(encrypt) == checksum && (in_place ? from : to).holds(expected) &&
         (in_place || from.holds(Bytes(given.begin(), given.end())));
}

void require_agreement(bool in_place, bool encrypt) {
  Peers sealing(7);
  Peers unsealing(7);
  std::uint32_t sequence = kSequence;
  for (const std::size_t size : lengths()) {
    const ByteView clear(clear_text().data(), size);
    const Sealed sealed = nettle_seal(sealing, clear, ++sequence, encrypt);
    CAPTURE(size);
    const Bytes opened(clear.begin(), clear.end());
    REQUIRE(passes(sealing, Way::kSeal, clear, sealed.text, sealed.checksum, sequence, encrypt,
                   in_place));
    REQUIRE(passes(unsealing, Way::kUnseal, sealed.text, opened, sealed.checksum, sequence, encrypt,
                   in_place));
  }
}

// One part of a message, and what Nettle makes of it.
struct Part {
  std::size_t begin;
  std::size_t size;
  bool sealed;
};

std::vector<Part> random_parts(std::mt19937& random, std::size_t total) {
  constexpr std::array<std::size_t, 6> kLimits = {1, 5, 70, 200, 1500, 9000};
  std::vector<Part> parts;
  for (std::size_t at = 0; at < total;) {
    const std::size_t limit = kLimits[random() % kLimits.size()];
    const std::size_t size = std::min<std::size_t>(random() % (limit + 1), total - at);
    parts.push_back({at, size, random() % 4 != 0});
    at += size;
  }
  return parts;
}

// Seals or unseals, in place and part by part, what stands in `message`.
Checksum pass_parts(Peers& peers, Way way, const std::vector<Part>& parts, std::uint8_t* message,
                    std::uint32_t sequence, bool encrypt) {
  SealPass pass(*peers.hmac, *peers.stream, sequence);
  for (const Part& part : parts) {
    std::uint8_t* at = message + part.begin;
    if (!part.sealed) {
      pass.sign({at, part.size});
    } else if (way == Way::kSeal) {
      pass.seal(at, at, part.size);
    } else {
      pass.unseal(at, at, part.size);
    }
  }
  return pass.finish(encrypt);
}

}  // namespace

TEST_CASE("RC4 keys of every length give Nettle's key stream", "[crypto][seal]") {
  for (std::size_t size = 1; size <= 256; ++size) {
    const ByteView key(clear_text().data() + size, size);
    Arcfour stream(key);
    arcfour_ctx nettle;
    arcfour_set_key(&nettle, size, key.data());
    Bytes expected(600);
    arcfour_crypt(&nettle, expected.size(), expected.data(), expected.data());
    CAPTURE(size);
    REQUIRE(next_key_stream(stream, expected.size()) == expected);
  }
}

TEST_CASE("RC4 encrypts what Nettle encrypts, apart and in place", "[crypto][seal]") {
  Peers peers(11);
  Peers in_place_peers(11);
  for (const std::size_t size : lengths()) {
    const ByteView clear(clear_text().data(), size);
    const Bytes expected = peers.nettle_crypt(clear.data(), size);
    Guarded apart(size, size % 7);
    peers.stream->crypt(clear.data(), apart.data(), size);
    Guarded in_place(clear, size % 19);
    in_place_peers.stream->crypt(in_place.data(), in_place.data(), size);
    CAPTURE(size);
    REQUIRE(apart.holds(expected));
    REQUIRE(in_place.holds(expected));
  }
}

TEST_CASE("a rewound RC4 stream repeats itself from any point", "[crypto][seal]") {
  const Key key = numbered_key(5);
  Arcfour stream(key);
  for (std::size_t size = 0; size < 1500; size += 1 + size / 37) {
    Arcfour reference(key);
    const Bytes before = next_key_stream(reference, size);
    const Bytes after = next_key_stream(reference, 300);
    CAPTURE(size);
    REQUIRE(next_key_stream(stream, size) == before);
    REQUIRE(next_key_stream(stream, 300) == after);
    stream.rewind(300);
    REQUIRE(next_key_stream(stream, 300) == after);
    stream.rewind(300 + size);
  }
  stream.rewind(0);
  Arcfour fresh(key);
  REQUIRE(next_key_stream(stream, 600) == next_key_stream(fresh, 600));
}

TEST_CASE("messages of every length agree with Nettle when sealed apart", "[crypto][seal]") {
  require_agreement(false, true);
}

TEST_CASE("messages of every length agree with Nettle when sealed in place", "[crypto][seal]") {
  require_agreement(true, true);
}

TEST_CASE("checksums that are not encrypted leave the key stream alone", "[crypto][seal]") {
  require_agreement(true, false);
}

TEST_CASE("messages that are only signed agree with Nettle", "[crypto][seal]") {
  Peers peers(23);
  std::uint32_t sequence = 0;
  for (const std::size_t size : lengths()) {
    const ByteView clear(clear_text().data() + size % 3, size - size % 3);
    const bool encrypt = size % 2 == 0;
    peers.nettle_begin(++sequence);
    peers.nettle_sign(clear.data(), clear.size());
    SealPass pass(*peers.hmac, *peers.stream, sequence);
    pass.sign(clear);
    CAPTURE(size);
    REQUIRE(pass.finish(encrypt) == peers.nettle_finish(encrypt));
  }
}

TEST_CASE("the split of a message into parts does not matter", "[crypto][seal]") {
  std::mt19937 random(4711);
  Peers sealing(31);
  Peers unsealing(31);
  for (std::uint32_t round = 0; round < 600; ++round) {
    const std::size_t total = random() % (round % 10 == 0 ? 40000 : 1200);
    const std::vector<Part> parts = random_parts(random, total);
    const bool encrypt = random() % 2 == 0;
    const Bytes clear(clear_text().begin(), clear_text().begin() + static_cast<long>(total));
    sealing.nettle_begin(round);
    sealing.nettle_sign(clear.data(), clear.size());
    Bytes expected = clear;
    for (const Part& part : parts) {
      if (part.sealed) {
        const Bytes sealed = sealing.nettle_crypt(clear.data() + part.begin, part.size);
        std::copy(sealed.begin(), sealed.end(), expected.begin() + static_cast<long>(part.begin));
      }
    }
    const Checksum checksum = sealing.nettle_finish(encrypt);
    CAPTURE(round, total, parts.size());
    Bytes message = clear;
    REQUIRE(pass_parts(sealing, Way::kSeal, parts, message.data(), round, encrypt) == checksum);
    REQUIRE(message == expected);
    REQUIRE(pass_parts(unsealing, Way::kUnseal, parts, message.data(), round, encrypt) == checksum);
    REQUIRE(message == clear);
  }
}

TEST_CASE("a message refused can be taken back and the next one opened", "[crypto][seal]") {
  Peers sender(41);
  Peers receiver(41);
  constexpr std::array<std::size_t, 9> kSizes = {0, 1, 16, 255, 256, 257, 1024, 5000, 65536};
  std::uint32_t sequence = 0;
  for (const std::size_t size : kSizes) {
    const ByteView clear(clear_text().data(), size);
    const Sealed sealed = nettle_seal(sender, clear, ++sequence, true);
    Bytes forged = sealed.text;
    Checksum forged_checksum = sealed.checksum;
    (forged.empty() ? forged_checksum[0] : forged[size / 2]) ^= 1;
    CAPTURE(size);
    {
      SealPass pass(*receiver.hmac, *receiver.stream, sequence);
      pass.unseal(forged.data(), forged.data(), size);
      REQUIRE(pass.finish(true) != forged_checksum);
    }
    receiver.stream->rewind(size + forged_checksum.size());
    REQUIRE(passes(receiver, Way::kUnseal, sealed.text, Bytes(clear.begin(), clear.end()),
                   sealed.checksum, sequence, true, true));
  }
}

TEST_CASE("empty parts without an address are parts like others", "[crypto][seal]") {
  Peers peers(53);
  const Sealed sealed = nettle_seal(peers, {}, kSequence, true);
  SealPass pass(*peers.hmac, *peers.stream, kSequence);
  pass.sign({});
  pass.seal(nullptr, nullptr, 0);
  pass.unseal(nullptr, nullptr, 0);
  REQUIRE(pass.finish(true) == sealed.checksum);
}

}  // namespace gssntlm
