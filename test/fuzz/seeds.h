// What inputs to begin with are written by: see seeds.cc.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "test/fuzz/fuzz.h"

namespace gssntlm::fuzz {

/// A directory for each target.
class Corpus {
 public:
  explicit Corpus(std::filesystem::path directory) : directory_(std::move(directory)) {}
  void add(const std::string& target, const Bytes& input) {
    const std::filesystem::path directory = directory_ / target;
    std::filesystem::create_directories(directory);
    char name[24];
    std::snprintf(name, sizeof name, "seed-%04u", ++count_);
    std::ofstream(directory / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(input.data()),
               static_cast<std::streamsize>(input.size()));
  }
  void add(const std::string& target, std::string_view text) {
    add(target, Bytes(text.begin(), text.end()));
  }
  void add(const std::string& target, const Chunks& chunks) { add(target, join_chunks(chunks)); }

 private:
  std::filesystem::path directory_;
  unsigned count_ = 0;
};

inline Bytes with_front(std::uint8_t front, ByteView bytes) {
  Bytes out = {front};
  append(out, bytes);
  return out;
}

/// Options as choose_policy() reads them.
inline Bytes policy_bytes(unsigned levels, unsigned bits, unsigned keys) {
  return {static_cast<std::uint8_t>(levels), static_cast<std::uint8_t>(bits),
          static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(keys)};
}

/// Challenges as servers of ours never send them, and initiators that have too much to say.
void add_challenges(Corpus& corpus);
/// Answers as clients of ours never give them, proven with the password all the same.
void add_answers(Corpus& corpus);
/// Sessions that do one thing after the other for a purpose.
void add_conversations(Corpus& corpus);

}  // namespace gssntlm::fuzz
