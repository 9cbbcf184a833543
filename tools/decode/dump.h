// Dumps: lines of an offset, the bytes there in hexadecimal digits, and often the bytes as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mech/base/bytes.h"

namespace gssntlm::tools {

struct Dump {
  Bytes bytes;
  std::size_t length = 0;  ///< of its text, with the ends of lines
};

/// The dump that `text`, the start of a line, begins with: of xxd, hexdump -C, od -t x1, tcpdump
/// -X, Wireshark and others. An offset that does not continue the one before it ends the dump.
/// Takes time proportional to the dump, or to two lines if there is none.
[[nodiscard]] std::optional<Dump> read_dump(std::string_view text);

/// Bytes in hexadecimal digits, in groups of two or more: `4e 54 4c`, `4e:54`, `0x4e, 0x54`,
/// `\x4e`, `0x4e544c`.
struct HexRun {
  std::string digits;  ///< an odd number if the last group is so; empty: there is none
  std::size_t length = 0;
};
/// The run that `text` begins with.
[[nodiscard]] HexRun read_hex_run(std::string_view text);

}  // namespace gssntlm::tools
