// Files of captured packets: classic pcap, and pcapng [draft-ietf-opsawg-pcap, -pcapng].
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mech/base/bytes.h"

namespace gssntlm::tools {

struct Packet {
  std::size_t number = 0;  ///< from 1
  std::uint32_t link = 0;  ///< LINKTYPE_...
  ByteView bytes;          ///< into the file
  std::uint32_t sent = 0;  ///< size on the wire, which may be more
};

/// Whether `file` begins like one of them.
[[nodiscard]] bool is_capture(ByteView file) noexcept;

/// Reads the packets in order. Total: what is wrong with a file ends it.
class CaptureReader {
 public:
  /// `file` must outlive the packets.
  explicit CaptureReader(ByteView file);

  [[nodiscard]] std::optional<Packet> next();
  /// Why there are no more packets before the end of the file; empty: it was read to its end.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  [[nodiscard]] std::uint16_t u16(std::size_t at) const noexcept;
  [[nodiscard]] std::uint32_t u32(std::size_t at) const noexcept;
  [[nodiscard]] std::optional<Packet> next_classic();
  [[nodiscard]] std::optional<Packet> next_block();
  [[nodiscard]] bool begin_section();
  [[nodiscard]] std::optional<Packet> packet_of_block(std::uint32_t type, std::size_t size);
  [[nodiscard]] Packet packet(std::uint32_t link, std::size_t at, std::uint32_t size,
                              std::uint32_t sent);
  std::nullopt_t stop(const char* what);

  ByteView file_;
  std::size_t at_ = 0;
  bool big_ = false;
  bool blocks_ = false;
  std::size_t header_ = 16;  // of a packet in classic files
  std::uint32_t link_ = 0;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> interfaces_;  // link types
  std::string problem_;
};

}  // namespace gssntlm::tools
