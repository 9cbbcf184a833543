#include "mech/crypto/seal.h"

#include "mech/base/secret.h"
#include "mech/crypto/md5_block.h"
#include "mech/crypto/stitch.h"

namespace gssntlm {
namespace {

// Shorter pieces are not worth the stitched loop's beginning and end.
constexpr std::size_t kStitchFrom = 128;

}  // namespace

SealPass::SealPass(const HmacMd5& key, Arcfour& stream, std::uint32_t sequence) noexcept
    : key_(key), stream_(stream), hash_(key.inner_, md5::kBlockSize) {
  std::array<std::uint8_t, 4> number;
  store_le32(number.data(), sequence);
  hash_.absorb(number.data(), number.size());
}

void SealPass::sign(ByteView clear) noexcept {
  hash_.absorb(clear.data(), clear.size());
}

void SealPass::seal(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept {
  seal_rest();
  if (size >= kStitchFrom) {
    const std::size_t done = seal_blocks(in, out, size);
    in += done;
    out += done;
    size -= done;
  }
  hash_.absorb(in, size);
  rest_ = {in, out, size};
}

void SealPass::seal_rest() noexcept {
  stream_.crypt(rest_.in, rest_.out, rest_.size);
  rest_.size = 0;
}

void SealPass::unseal(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept {
  seal_rest();
  if (size >= kStitchFrom) {
    const std::size_t done = unseal_blocks(in, out, size);
    in += done;
    out += done;
    size -= done;
  }
  stream_.crypt(in, out, size);
  hash_.absorb(out, size);
}

std::size_t SealPass::seal_blocks(const std::uint8_t* in, std::uint8_t* out,
                                  std::size_t size) noexcept {
  const std::size_t begin = hash_.held() == 0 ? 0 : md5::kBlockSize - hash_.held();
  hash_.absorb(in, begin);
  stream_.crypt(in, out, begin);
  const std::size_t blocks = (size - begin) / md5::kBlockSize;
  stitch::kRun(hash_.state(), stream_.state_, {in + begin, in + begin, out + begin, blocks});
  hash_.note_absorbed(blocks * md5::kBlockSize);
  return begin + blocks * md5::kBlockSize;
}

// RC4 runs one block ahead, for MD5 reads what it writes: the loop begins with the block held, once
// that is full, and the last block opened is absorbed after it.
std::size_t SealPass::unseal_blocks(const std::uint8_t* in, std::uint8_t* out,
                                    std::size_t size) noexcept {
  const std::size_t begin = md5::kBlockSize - hash_.held();
  stream_.crypt(in, out, begin);
  std::memcpy(hash_.block() + hash_.held(), out, begin);
  const std::size_t blocks = (size - begin) / md5::kBlockSize;
  stitch::kRun(hash_.state(), stream_.state_, {hash_.block(), in + begin, out + begin, 1});
  const std::size_t ahead = begin + md5::kBlockSize;
  stitch::kRun(hash_.state(), stream_.state_, {out + begin, in + ahead, out + ahead, blocks - 1});
  hash_.note_absorbed(begin + (blocks - 1) * md5::kBlockSize);
  hash_.absorb(out + begin + (blocks - 1) * md5::kBlockSize, md5::kBlockSize);
  return begin + blocks * md5::kBlockSize;
}

// The rest is sealed with key stream that is made, like that for the checksum, while MD5 takes its
// last inner block.
std::array<std::uint8_t, 8> SealPass::finish(bool encrypt) noexcept {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::array<std::uint8_t, kStitchFrom + kWord> key_bytes;
  store_le64(&key_bytes[rest_.size], 0);
  const std::uint8_t* last = hash_.pad();
  stitch::compress(hash_.state(), last, stream_.state_,
                   MutableBytes(key_bytes).first(rest_.size + (encrypt ? kWord : 0)));
  std::size_t i = 0;
  for (; rest_.size - i >= kWord; i += kWord) {
    store_le64(rest_.out + i, load_le64(rest_.in + i) ^ load_le64(&key_bytes[i]));
  }
  for (; i != rest_.size; ++i) {
    rest_.out[i] = static_cast<std::uint8_t>(rest_.in[i] ^ key_bytes[i]);
  }
  md5::State outer = key_.outer_;
  md5::compress_digest(outer, hash_.state());
  std::array<std::uint8_t, kWord> checksum;
  store_le32(&checksum[0], load_le32(&key_bytes[i]) ^ outer[0]);
  store_le32(&checksum[4], load_le32(&key_bytes[i + 4]) ^ outer[1]);
  wipe(key_bytes);
  return checksum;
}

}  // namespace gssntlm
