// RC4 and HMAC-MD5 in one pass, against Nettle's one after the other. Input: 16 bytes of key, a
// byte of options, the number of the message, then pieces: a byte of what to do, 16 bits of size.
//
// The same bytes sealed, opened and signed, whatever the pieces and whether in place or not; key
// stream taken back is key stream never used; both loops of stitch.h give the same.
#include "mech/crypto/seal.h"
#include "mech/crypto/stitch.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/reference.h"

namespace gssntlm::fuzz {
namespace {

enum Kind : std::uint8_t { kSign, kSeal, kSealInPlace, kKinds };

struct Piece {
  Kind kind;
  Bytes clear;
  Bytes sealed;
};

std::vector<Piece> read_pieces(Input& in) {
  std::vector<Piece> pieces;
  std::size_t total = 0;
  while (!in.empty() && pieces.size() < 24 && total < 3000) {
    const std::uint8_t what = in.u8();
    const std::size_t size = in.below((what & 0x80) != 0 ? 2048 : 200);
    Bytes clear(size);
    for (std::size_t i = 0; i < size; ++i) {
      clear[i] = static_cast<std::uint8_t>(what * 31 + i * 7 + total);
    }
    total += size;
    pieces.push_back({static_cast<Kind>(what % kKinds), clear, clear});
  }
  return pieces;
}

void skip(Arcfour& stream, std::size_t size) {
  Bytes ignored(size);
  stream.crypt(ignored.data(), ignored.data(), size);
}

std::array<std::uint8_t, 8> seal_all(SealPass& pass, std::vector<Piece>& pieces, bool encrypt) {
  for (Piece& piece : pieces) {
    if (piece.kind == kSign) {
      pass.sign(piece.clear);
    } else if (piece.kind == kSeal) {
      piece.sealed.assign(piece.clear.size(), 0xEE);
      pass.seal(piece.clear.data(), piece.sealed.data(), piece.clear.size());
    } else {
      pass.seal(piece.sealed.data(), piece.sealed.data(), piece.sealed.size());
    }
  }
  return pass.finish(encrypt);
}

std::array<std::uint8_t, 8> open_all(SealPass& pass, const std::vector<Piece>& pieces,
                                     bool encrypt) {
  for (const Piece& piece : pieces) {
    if (piece.kind == kSign) {
      pass.sign(piece.clear);
      continue;
    }
    Bytes opened = piece.sealed;
    Bytes from = piece.sealed;
    pass.unseal(piece.kind == kSeal ? from.data() : opened.data(), opened.data(), opened.size());
    GSSNTLM_HOLDS(opened == piece.clear);
  }
  return pass.finish(encrypt);
}

// What Nettle makes of it: the key stream over what is sealed and then the checksum.
void check_serial(ByteView key, std::uint32_t number, const std::vector<Piece>& pieces,
                  std::size_t skipped, const std::array<std::uint8_t, 8>& checksum, bool encrypt) {
  Bytes text(4);
  store_le32(text.data(), number);
  Bytes stream_in;
  Bytes sealed;
  for (const Piece& piece : pieces) {
    append(text, piece.clear);
    if (piece.kind != kSign) {
      append(stream_in, piece.clear);
      append(sealed, piece.sealed);
    }
  }
  const Sixteen mac = plain_hmac(key, text);
  append(stream_in, ByteView(mac).first(8));
  const Bytes out = plain_rc4(key, stream_in, skipped);
  GSSNTLM_HOLDS(same_bytes(ByteView(out).first(sealed.size()), sealed));
  GSSNTLM_HOLDS(same_bytes(encrypt ? ByteView(out).last(8) : ByteView(mac).first(8), checksum));
}

void check_rewind(Arcfour& stream, std::size_t used, ByteView key, std::size_t skipped) {
  stream.rewind(used);
  std::array<std::uint8_t, Arcfour::kStateSize> state{};
  stream.save(state);
  Arcfour other(key);
  skip(other, skipped);
  std::array<std::uint8_t, Arcfour::kStateSize> wanted{};
  other.save(wanted);
  GSSNTLM_HOLDS(state == wanted);
  Arcfour restored(ByteView(key).first(1));
  GSSNTLM_HOLDS(restored.restore(state));
  Bytes next(40);
  restored.crypt(next.data(), next.data(), next.size());
  GSSNTLM_HOLDS(next == plain_rc4(key, Bytes(40), skipped));
  state[0] = state[1];
  GSSNTLM_HOLDS(!restored.restore(state));
}

void check_stitch(const Bytes& text, ByteView key) {
  const std::size_t blocks = text.size() / stitch::kBlockSize;
  std::array<md5::State, 2> states{md5::kInitialState, md5::kInitialState};
  std::array<Bytes, 2> outs{text, text};
  std::array<ArcfourState, 2> streams{};
  for (std::size_t i = 0; i < 2; ++i) {
    for (unsigned n = 0; n < 256; ++n) {
      streams[i].s[n] = static_cast<std::uint16_t>(n ^ key[0]);
    }
    streams[i].x = key[1];
    streams[i].y = key[2];
    const stitch::Work work{outs[i].data(), outs[i].data(), outs[i].data(), blocks};
    (i == 0 ? stitch::run_portable : *stitch::kRun)(states[i], streams[i], work);
  }
  GSSNTLM_HOLDS(outs[0] == outs[1] && states[0] == states[1]);
  GSSNTLM_HOLDS(streams[0].s == streams[1].s && streams[0].x == streams[1].x);
  GSSNTLM_HOLDS(streams[0].y == streams[1].y);
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in({data, size});
  Sixteen key{};
  in.copy(key);
  const bool encrypt = in.flag();
  const std::uint32_t number = in.u32();
  const std::size_t skipped = in.below(600);
  std::vector<Piece> pieces = read_pieces(in);
  const HmacMd5 mac{std::span<const std::uint8_t, 16>(key)};
  Arcfour sending(key);
  Arcfour receiving(key);
  skip(sending, skipped);
  skip(receiving, skipped);
  std::array<std::uint8_t, 8> made{};
  {
    SealPass pass(mac, sending, number);
    made = seal_all(pass, pieces, encrypt);
  }
  {
    SealPass pass(mac, receiving, number);
    GSSNTLM_HOLDS(open_all(pass, pieces, encrypt) == made);
  }
  check_serial(key, number, pieces, skipped, made, encrypt);
  std::size_t used = encrypt ? 8 : 0;
  Bytes all;
  for (const Piece& piece : pieces) {
    used += piece.kind != kSign ? piece.clear.size() : 0;
    append(all, piece.clear);
  }
  check_rewind(receiving, used, key, skipped);
  check_stitch(all, key);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  Chance chance(seed);
  Bytes input(data, data + size);
  if (chance.one_in(2)) {
    // A piece of a size around which the code changes its ways.
    constexpr std::array<std::uint16_t, 12> kSizes = {0,  1,  7,   55,  56,  63,
                                                      64, 65, 127, 128, 129, 192};
    input.push_back(static_cast<std::uint8_t>(chance.below(3) | (chance.one_in(2) ? 0x80 : 0)));
    const std::uint16_t length = kSizes[chance.below(kSizes.size())];
    input.push_back(static_cast<std::uint8_t>(length));
    input.push_back(static_cast<std::uint8_t>(length >> 8));
  } else {
    mutate_bytes(input, max, chance);
  }
  return give_back(input, data, max);
}
