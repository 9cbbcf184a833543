// What fuzz targets share: oracles, inputs in chunks, and mutators that know the shape of messages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mech/base/bytes.h"

/// A target. Inputs come from libFuzzer, or from replay.cc.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
/// Changes `size` bytes at `data` into at most `max` others. Every target has one.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed);
/// libFuzzer's own, or that of replay.cc.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max);
/// Where a target has it: what a whole corpus must have and had not, or nullptr. Asked by
/// replay.cc.
extern "C" [[gnu::weak]] const char* corpus_lacks();

/// An oracle: what does not hold ends the process, as a finding.
#define GSSNTLM_HOLDS(condition)                                      \
  do {                                                                \
    if (!(condition)) {                                               \
      ::gssntlm::fuzz::report_broken(#condition, __FILE__, __LINE__); \
    }                                                                 \
  } while (false)

namespace gssntlm::fuzz {

[[noreturn]] void report_broken(const char* condition, const char* file, int line) noexcept;

/// Values from the front of an input; zeros when it has come to its end.
class Input {
 public:
  explicit Input(ByteView bytes) noexcept : rest_(bytes) {}
  [[nodiscard]] std::uint8_t u8() noexcept;
  [[nodiscard]] std::uint16_t u16() noexcept;
  [[nodiscard]] std::uint32_t u32() noexcept;
  [[nodiscard]] bool flag() noexcept { return (u8() & 1) != 0; }
  [[nodiscard]] std::size_t below(std::size_t limit) noexcept { return u16() % limit; }
  /// At most `size` bytes: what is left.
  [[nodiscard]] ByteView take(std::size_t size) noexcept;
  void copy(MutableBytes out) noexcept;
  [[nodiscard]] ByteView rest() const noexcept { return rest_; }
  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

 private:
  ByteView rest_;
};

/// An input in parts: each is 16 bits of length, and as many bytes as there are.
using Chunks = std::vector<Bytes>;
[[nodiscard]] Chunks split_chunks(ByteView input);
[[nodiscard]] Bytes join_chunks(const Chunks& chunks);
/// Chunk `index`; empty if there is none.
[[nodiscard]] ByteView chunk(const Chunks& chunks, std::size_t index) noexcept;

/// A mutator's dice.
class Chance {
 public:
  explicit Chance(unsigned seed) noexcept : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  [[nodiscard]] std::uint32_t next() noexcept;
  [[nodiscard]] std::size_t below(std::size_t limit) noexcept { return next() % limit; }
  [[nodiscard]] bool one_in(std::size_t n) noexcept { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

/// Bytes changed by LLVMFuzzerMutate(), at most `max` of them.
void mutate_bytes(Bytes& bytes, std::size_t max, Chance& chance);
/// The same, or one of `pieces` put somewhere into them.
void mutate_text(Bytes& text, std::size_t max, std::span<const std::string_view> pieces,
                 Chance& chance);
/// An NTLM message changed as a message: a bit of its flags, a field's descriptor, a payload with
/// all offsets laid again, an AV pair put in, taken out, doubled or changed. Other bytes are
/// changed as bytes.
void mutate_message(Bytes& message, Chance& chance);
/// A list of AV pairs changed as one.
void mutate_pairs(Bytes& list, Chance& chance);
/// Some chunk changed, put in, taken out or doubled. Chunks that hold messages are changed as such.
void mutate_chunks(Chunks& chunks, Chance& chance);

/// Writes `bytes` to where a mutator's output goes; how many fit.
std::size_t give_back(const Bytes& bytes, std::uint8_t* data, std::size_t max) noexcept;
/// A whole mutator, for an input that is a byte of options and a message or a list of AV pairs.
std::size_t mutate_token_behind_options(std::uint8_t* data, std::size_t size, std::size_t max,
                                        unsigned seed);

/// Carries out `changes` of `token`, four bytes each: what, 16 bits of place, value.
void edit(Bytes& token, Input changes);

/// A mutator for an input in chunks; `repair` makes right again what the change has made wrong.
template <typename Repair>
std::size_t mutate_input(std::uint8_t* data, std::size_t size, std::size_t max, unsigned seed,
                         Repair&& repair) {
  Chance chance(seed);
  Chunks chunks = split_chunks({data, size});
  do {
    mutate_chunks(chunks, chance);
  } while (chance.one_in(3));
  repair(chunks, chance);
  return give_back(join_chunks(chunks), data, max);
}

}  // namespace gssntlm::fuzz
