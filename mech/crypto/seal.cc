#include "mech/crypto/seal.h"

#include <algorithm>

#include "mech/base/secret.h"
#include "mech/crypto/md5_block.h"

namespace gssntlm {
namespace {

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

HmacMd5State::~HmacMd5State() {
  wipe_array(inner_);
  wipe_array(outer_);
}

SealPass::SealPass(const HmacMd5State& key, Arcfour& stream, std::uint32_t sequence) noexcept
    : key_(key), stream_(stream), state_(key.inner_), held_(4), absorbed_(4) {
  store_le32(block_.data(), sequence);
}

SealPass::~SealPass() {
  wipe_array(state_);
  wipe_array(block_);
}

void SealPass::sign(ByteView clear) noexcept {
  absorb(clear.data(), clear.size());
}

void SealPass::seal(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept {
  absorb(in, size);
  stream_.crypt(in, out, size);
}

void SealPass::unseal(const std::uint8_t* in, std::uint8_t* out, std::size_t size) noexcept {
  stream_.crypt(in, out, size);
  absorb(out, size);
}

void SealPass::absorb(const std::uint8_t* clear, std::size_t size) noexcept {
  absorbed_ += size;
  if (held_ + size < block_.size()) {
    if (size != 0) {
      std::memcpy(block_.data() + held_, clear, size);
      held_ += size;
    }
    return;
  }
  if (held_ != 0) {
    const std::size_t take = block_.size() - held_;
    std::memcpy(block_.data() + held_, clear, take);
    md5::compress(state_, block_.data(), 1);
    clear += take;
    size -= take;
  }
  md5::compress(state_, clear, size / block_.size());
  held_ = size % block_.size();
  std::memcpy(block_.data(), clear + (size - held_), held_);
}

std::array<std::uint8_t, 8> SealPass::finish(bool encrypt) noexcept {
  constexpr std::size_t kLengthAt = md5::kBlockSize - 8;
  block_[held_] = 0x80;
  std::fill(block_.begin() + static_cast<std::ptrdiff_t>(held_) + 1, block_.end(), std::uint8_t{0});
  if (held_ >= kLengthAt) {
    md5::compress(state_, block_.data(), 1);
    block_.fill(0);
  }
  store_le64(block_.data() + kLengthAt, (md5::kBlockSize + absorbed_) * 8);
  md5::compress(state_, block_.data(), 1);

  block_.fill(0);
  for (std::size_t i = 0; i < state_.size(); ++i) {
    store_le32(block_.data() + 4 * i, state_[i]);
  }
  block_[16] = 0x80;
  store_le64(block_.data() + kLengthAt, (md5::kBlockSize + 16) * 8);
  state_ = key_.outer_;
  md5::compress(state_, block_.data(), 1);

  std::array<std::uint8_t, 8> checksum;
  store_le32(checksum.data(), state_[0]);
  store_le32(checksum.data() + 4, state_[1]);
  if (encrypt) {
    stream_.crypt(checksum.data(), checksum.data(), checksum.size());
  }
  return checksum;
}

}  // namespace gssntlm
