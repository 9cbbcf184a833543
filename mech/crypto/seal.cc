#include "mech/crypto/seal.h"

#include "mech/base/secret.h"
#include "mech/crypto/md5_block.h"
#include "mech/crypto/stitch.h"

namespace gssntlm {
namespace {

// Shorter pieces are not worth the stitched loop's beginning and end.
constexpr std::size_t kStitchFrom = 128;

template <typename T, std::size_t N>
void wipe_array(std::array<T, N>& array) noexcept {
  wipe({reinterpret_cast<std::uint8_t*>(array.data()), sizeof array});
}

// The MD5 state after one block of `key` padded with zeros and XORed with `pad` [RFC 2104].
md5::State keyed_state(std::span<const std::uint8_t, 16> key, std::uint8_t pad) noexcept {
  std::array<std::uint8_t, md5::kBlockSize> block;
  block.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i) {
    block[i] = static_cast<std::uint8_t>(key[i] ^ pad);
  }
  md5::State state = md5::kInitialState;
  md5::compress(state, block.data(), 1);
  wipe_array(block);
  return state;
}

}  // namespace

HmacMd5State::HmacMd5State(std::span<const std::uint8_t, 16> key) noexcept
    : inner_(keyed_state(key, 0x36)), outer_(keyed_state(key, 0x5c)) {}

HmacMd5State::HmacMd5State(HmacMd5State&& other) noexcept
    : inner_(other.inner_), outer_(other.outer_) {
  other.clear();
}

HmacMd5State::~HmacMd5State() {
  clear();
}

void HmacMd5State::clear() noexcept {
  wipe_array(inner_);
  wipe_array(outer_);
}

SealPass::SealPass(const HmacMd5State& key, Arcfour& stream, std::uint32_t sequence) noexcept
    : key_(key), stream_(stream), hash_{key.inner_, {}}, held_(4), absorbed_(4) {
  store_le32(hash_.block.data(), sequence);
}

SealPass::~SealPass() {
  wipe({reinterpret_cast<std::uint8_t*>(&hash_), sizeof hash_});
}

void SealPass::sign(ByteView clear) noexcept {
  absorb(clear.data(), clear.size());
}

void SealPass::seal(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept {
  seal_rest();
  if (size >= kStitchFrom) {
    const std::size_t done = seal_blocks(in, out, size);
    in += done;
    out += done;
    size -= done;
  }
  absorb(in, size);
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
  absorb(out, size);
}

std::size_t SealPass::seal_blocks(const std::uint8_t* in, std::uint8_t* out,
                                  std::size_t size) noexcept {
  const std::size_t begin = held_ == 0 ? 0 : md5::kBlockSize - held_;
  absorb(in, begin);
  stream_.crypt(in, out, begin);
  const std::size_t blocks = (size - begin) / md5::kBlockSize;
  stitch::kRun(hash_.state, stream_.state_, {in + begin, in + begin, out + begin, blocks});
  absorbed_ += blocks * md5::kBlockSize;
  return begin + blocks * md5::kBlockSize;
}

// RC4 runs one block ahead, for MD5 reads what it writes: the loop begins with the block held, once
// that is full, and the last block opened is absorbed after it.
std::size_t SealPass::unseal_blocks(const std::uint8_t* in, std::uint8_t* out,
                                    std::size_t size) noexcept {
  const std::size_t begin = md5::kBlockSize - held_;
  stream_.crypt(in, out, begin);
  std::memcpy(hash_.block.data() + held_, out, begin);
  const std::size_t blocks = (size - begin) / md5::kBlockSize;
  stitch::kRun(hash_.state, stream_.state_, {hash_.block.data(), in + begin, out + begin, 1});
  const std::size_t ahead = begin + md5::kBlockSize;
  stitch::kRun(hash_.state, stream_.state_, {out + begin, in + ahead, out + ahead, blocks - 1});
  held_ = 0;
  absorbed_ += begin + (blocks - 1) * md5::kBlockSize;
  absorb(out + begin + (blocks - 1) * md5::kBlockSize, md5::kBlockSize);
  return begin + blocks * md5::kBlockSize;
}

void SealPass::absorb(const std::uint8_t* clear, std::size_t size) noexcept {
  absorbed_ += size;
  if (held_ + size < md5::kBlockSize) {
    if (size != 0) {
      std::memcpy(hash_.block.data() + held_, clear, size);
      held_ += size;
    }
    return;
  }
  if (held_ != 0) {
    const std::size_t take = md5::kBlockSize - held_;
    std::memcpy(hash_.block.data() + held_, clear, take);
    md5::compress(hash_.state, hash_.block.data(), 1);
    clear += take;
    size -= take;
  }
  md5::compress(hash_.state, clear, size / md5::kBlockSize);
  held_ = size % md5::kBlockSize;
  std::memcpy(hash_.block.data(), clear + (size - held_), held_);
}

void SealPass::absorb_padding() noexcept {
  constexpr std::size_t kLengthAt = md5::kBlockSize - sizeof(std::uint64_t);
  constexpr std::array<std::uint8_t, md5::kBlockSize> kPadding = {0x80};
  std::memcpy(hash_.block.data() + held_, kPadding.data(), kPadding.size() - held_);
  if (held_ >= kLengthAt) {
    md5::compress(hash_.state, hash_.block.data(), 1);
    hash_.block.fill(0);
  }
  store_le64(hash_.block.data() + kLengthAt, (md5::kBlockSize + absorbed_) * 8);
}

// The rest is sealed with key stream that is made, like that for the checksum, while MD5 takes its
// last inner block.
std::array<std::uint8_t, 8> SealPass::finish(bool encrypt) noexcept {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::array<std::uint8_t, kStitchFrom + kWord> key_bytes;
  store_le64(&key_bytes[rest_.size], 0);
  absorb_padding();
  stitch::compress(hash_.state, hash_.block.data(), stream_.state_,
                   MutableBytes(key_bytes).first(rest_.size + (encrypt ? kWord : 0)));
  std::size_t i = 0;
  for (; rest_.size - i >= kWord; i += kWord) {
    store_le64(rest_.out + i, load_le64(rest_.in + i) ^ load_le64(&key_bytes[i]));
  }
  for (; i != rest_.size; ++i) {
    rest_.out[i] = static_cast<std::uint8_t>(rest_.in[i] ^ key_bytes[i]);
  }
  md5::State outer = key_.outer_;
  md5::compress_digest(outer, hash_.state);
  std::array<std::uint8_t, kWord> checksum;
  store_le32(&checksum[0], load_le32(&key_bytes[i]) ^ outer[0]);
  store_le32(&checksum[4], load_le32(&key_bytes[i + 4]) ^ outer[1]);
  wipe_array(key_bytes);
  return checksum;
}

}  // namespace gssntlm
