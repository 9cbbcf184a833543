// MD5 over one text and RC4 over another in one loop. MD5 is a chain of additions in which each
// waits for the last; RC4 is loads and stores. Step beside step they take hardly longer than MD5
// alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mech/base/bytes.h"
#include "mech/crypto/arcfour_state.h"
#include "mech/crypto/md5_block.h"

namespace gssntlm::stitch {

inline constexpr std::size_t kBlockSize = md5::kBlockSize;

/// `blocks` blocks of 64 bytes behind each pointer.
struct Work {
  const std::uint8_t* clear;  ///< what MD5 reads
  const std::uint8_t* in;     ///< what RC4 reads
  std::uint8_t* out;          ///< what RC4 writes; may be `in`
  std::size_t blocks;
};

/// Takes `clear` into the MD5 state and XORs `in` with key stream to `out`. Block n of `clear` is
/// read after block n - 1 of `out` is written and before block n is: `clear` may be `in` (sealing
/// in place), or run one block behind `out` (unsealing).
using Run = void(md5::State& state, ArcfourState& stream, const Work& work) noexcept;

/// Takes one block into the MD5 state, and makes key stream meanwhile: fills `key_stream`.
void compress(md5::State& state, const std::uint8_t* block, ArcfourState& stream,
              MutableBytes key_stream) noexcept;

/// For any processor.
Run run_portable;

#if defined(__x86_64__) && defined(__LP64__)
#define GSSNTLM_STITCH_X86_64 1
/// For x86-64. It uses only what every such processor has, so nothing need be asked at run time.
Run run_x86_64;
inline constexpr Run* kRun = run_x86_64;
#else
inline constexpr Run* kRun = run_portable;
#endif

}  // namespace gssntlm::stitch
