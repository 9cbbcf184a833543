#include "mech/crypto/stitch_loop.h"

namespace gssntlm::stitch {
namespace {

class KeyStream {
 public:
  explicit KeyStream(ArcfourState& stream) noexcept : s_(stream.s), x_(stream.x), y_(stream.y) {}

  template <std::size_t I>
  [[gnu::always_inline]] void step() noexcept {
    constexpr std::size_t kByte = I % sizeof(std::uint64_t);
    x_ = static_cast<std::uint8_t>(x_ + 1);
    gathered_ |= static_cast<std::uint64_t>(arcfour_step(s_, s_[x_], y_)) << (8 * kByte);
    if constexpr (kByte + 1 == sizeof(std::uint64_t)) {
      words_[I / sizeof(std::uint64_t)] = gathered_;
      gathered_ = 0;
    }
  }

  [[gnu::always_inline]] void apply(const std::uint8_t* in, std::uint8_t* out) const noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::size_t at = i * sizeof(std::uint64_t);
      store_le64(out + at, load_le64(in + at) ^ words_[i]);
    }
  }

  void save(ArcfourState& stream) const noexcept {
    stream.x = x_;
    stream.y = y_;
  }

 private:
  ArcfourEntries& s_;
  std::uint8_t x_;
  std::uint8_t y_;
  std::uint64_t gathered_ = 0;
  std::array<std::uint64_t, kBlockSize / sizeof(std::uint64_t)> words_;
};

}  // namespace

void run_portable(md5::State& state, ArcfourState& stream, const Work& work) noexcept {
  run<KeyStream>(state, stream, work);
}

}  // namespace gssntlm::stitch
